package offload

import (
	"encoding/binary"
	"math/bits"
)

// Sum is the sum of the words of b in ones' complement (RFC 1071), with initial
// added. It is not inverted: over octets that include a right checksum it is 0xffff.
// If the length of b is odd, b ends with a zero that is not there.
func Sum(b []byte, initial uint16) uint16 { return sumWith(haveVectors, b, initial) }

// vectorLen is the length of a vector in octets. Vectors are no slower for as few.
const vectorLen = 32

// sumWith is Sum with vectors, or without.
//
// Words are added many at a time in the machine's order: the sum is the same but for
// the order of its own two octets (RFC 1071, section 2).
func sumWith(vectors bool, b []byte, initial uint16) uint16 {
	var sum, carry uint64
	if len(b) >= vectorLen {
		if vectors && len(b) <= MaxPacket {
			return add(bits.ReverseBytes16(fold(uint64(sumVectors(b)))), initial)
		}
		for len(b) >= 64 {
			w := b[:64:64]
			sum, carry = bits.Add64(sum, binary.NativeEndian.Uint64(w[0:]), carry)
			sum, carry = bits.Add64(sum, binary.NativeEndian.Uint64(w[8:]), carry)
			sum, carry = bits.Add64(sum, binary.NativeEndian.Uint64(w[16:]), carry)
			sum, carry = bits.Add64(sum, binary.NativeEndian.Uint64(w[24:]), carry)
			sum, carry = bits.Add64(sum, binary.NativeEndian.Uint64(w[32:]), carry)
			sum, carry = bits.Add64(sum, binary.NativeEndian.Uint64(w[40:]), carry)
			sum, carry = bits.Add64(sum, binary.NativeEndian.Uint64(w[48:]), carry)
			sum, carry = bits.Add64(sum, binary.NativeEndian.Uint64(w[56:]), carry)
			b = b[64:]
		}
	}
	for len(b) >= 8 {
		sum, carry = bits.Add64(sum, binary.NativeEndian.Uint64(b), carry)
		b = b[8:]
	}
	if len(b) >= 4 {
		sum, carry = bits.Add64(sum, uint64(binary.NativeEndian.Uint32(b)), carry)
		b = b[4:]
	}
	if len(b) >= 2 {
		sum, carry = bits.Add64(sum, uint64(binary.NativeEndian.Uint16(b)), carry)
		b = b[2:]
	}
	if len(b) > 0 {
		last := [2]byte{b[0]}
		sum, carry = bits.Add64(sum, uint64(binary.NativeEndian.Uint16(last[:])), carry)
	}
	sum, carry = bits.Add64(sum, 0, carry)
	sum += carry
	sum = sum>>32 + sum&0xffffffff
	var word [2]byte
	binary.NativeEndian.PutUint16(word[:], fold(sum))
	return add(binary.BigEndian.Uint16(word[:]), initial)
}

// fold makes a sum of 16 bits from one of at most 48.
func fold(sum uint64) uint16 {
	sum = sum>>16 + sum&0xffff
	sum = sum>>16 + sum&0xffff
	return uint16(sum>>16 + sum)
}

// add adds in ones' complement.
func add(a, b uint16) uint16 {
	sum := uint32(a) + uint32(b)
	return uint16(sum>>16 + sum)
}

// pseudo is the sum of the pseudo-header (RFC 9293, section 3.1; RFC 768) of a
// payload of length octets behind the IPv4 header at the front of ip.
func pseudo(ip []byte, length int) uint16 {
	return Sum(ip[ipAddress:ipHeader], add(uint16(ip[ipProtocol]), uint16(length)))
}

// putIPChecksum sets the checksum of an IPv4 header.
func putIPChecksum(ip []byte) {
	ip[ipChecksum], ip[ipChecksum+1] = 0, 0
	binary.BigEndian.PutUint16(ip[ipChecksum:], ^Sum(ip, 0))
}
