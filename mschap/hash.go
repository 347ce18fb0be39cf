package mschap

import (
	"crypto/des"
	"encoding/binary"
	"unicode/utf16"

	//lint:ignore SA1019 the protocol is made of MD4
	"golang.org/x/crypto/md4"
)

// NtPasswordHash hashes a password as 16-bit little-endian characters (RFC 2759,
// section 8.3). Octets that are not UTF-8 count as U+FFFD each. The password may
// be of any length: the RFC's bound of 256 characters is one of what can be
// typed, not of the hash.
func NtPasswordHash(password string) NtHash {
	d := md4.New()
	// The characters go through a buffer of one MD4 block, so that a long
	// password costs time but no memory.
	var block [md4.BlockSize]byte
	b := block[:0]
	for _, r := range password {
		if len(b) > len(block)-4 { // a rune takes up to four octets
			d.Write(b)
			b = b[:0]
		}
		if r1, r2 := utf16.EncodeRune(r); r >= 1<<16 {
			b = binary.LittleEndian.AppendUint16(b, uint16(r1))
			b = binary.LittleEndian.AppendUint16(b, uint16(r2))
		} else {
			b = binary.LittleEndian.AppendUint16(b, uint16(r))
		}
	}
	d.Write(b)
	return NtHash(d.Sum(nil))
}

// NtPasswordHashHash hashes the hash (RFC 2759, section 8.4).
func NtPasswordHashHash(h NtHash) NtHashHash {
	d := md4.New()
	d.Write(h[:])
	return NtHashHash(d.Sum(nil))
}

// lmPasswordLen is all that the LAN Manager hash sees of a password.
const lmPasswordLen = 14

// LmPasswordHash hashes the first 14 octets of a password in upper case (RFC
// 2433, appendix A.2). The RFC means the characters of the client's OEM code
// page, which nobody can know from here: octets beyond ASCII are taken as they
// are.
func LmPasswordHash(password string) LmHash {
	var upper [lmPasswordLen]byte
	for i := range copy(upper[:], password) {
		if c := upper[i]; 'a' <= c && c <= 'z' {
			upper[i] = c - 'a' + 'A'
		}
	}
	const stdText = "KGS!@#$%" // RFC 2433, appendix A.3
	var h LmHash
	desEncrypt(h[0:8], [7]byte(upper[0:7]), []byte(stdText))
	desEncrypt(h[8:16], [7]byte(upper[7:14]), []byte(stdText))
	return h
}

// desEncrypt encrypts one block under a key of 56 bits (RFC 2759, section 8.6).
func desEncrypt(dst []byte, key [7]byte, clear []byte) {
	k := expandKey(key)
	// The only error is one of key size. DES has weak keys, and whoever chooses
	// a password may choose one; they are keys like any other here.
	c, err := des.NewCipher(k[:])
	if err != nil {
		panic(err)
	}
	c.Encrypt(dst, clear)
}

// expandKey spreads 56 bits over eight octets, seven to each from the top, and
// sets the lowest bit of each so that its parity is odd (RFC 2759, section 9.3).
func expandKey(key [7]byte) [8]byte {
	var bits uint64
	for _, b := range key {
		bits = bits<<8 | uint64(b)
	}
	var out [8]byte
	for i := range out {
		b := byte(bits>>(49-7*i)) << 1
		p := b ^ b>>4
		p ^= p >> 2
		p ^= p >> 1
		out[i] = b | ^p&1
	}
	return out
}
