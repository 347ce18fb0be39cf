package mppe

import "encoding/binary"

// MPPE has no integrity, so a wrong key shows only in what comes out of it. A
// receiver that followed every count it is told could be led away from the
// true stream by one forged packet. Therefore the keys move only for a packet
// that begins like a PPP frame.

// headLen is how much of a frame plausible looks at: a protocol field of two
// octets and the lengths in the headers of IP.
const headLen = 8

// The protocols whose headers are known to plausible.
const (
	protocolIP     = 0x21
	protocolBridge = 0x31 // RFC 3518
	protocolMP     = 0x3d // RFC 1990
	protocolIPv6   = 0x57
	// What MPPE encrypts is the protocols 0x0021 to 0x00FA (RFC 3078,
	// section 3).
	protocolFirst = 0x21
	protocolLast  = 0xfa
)

// plausible reports whether head, the first octets of a frame of n, may be the
// work of the right key. What a wrong key makes passes with a probability below
// 0.003. A protocol field of two octets need only be in the range; any odd octet
// is a compressed one, so there the protocol must be known and be followed by
// what all its packets have. Other protocols are not opened in that form.
func plausible(head []byte, n int) bool {
	if len(head) == 0 {
		return false
	}
	protocol, size := head[0], 1
	if protocol == 0 && len(head) > 1 {
		protocol, size = head[1], 2
	}
	if protocol%2 == 0 || protocol < protocolFirst || protocol > protocolLast {
		return false
	}
	head, n = head[size:], n-size
	switch {
	case protocol == protocolIP && len(head) >= 4:
		total := int(binary.BigEndian.Uint16(head[2:]))
		return head[0]>>4 == 4 && head[0]&0xf >= 5 && 20 <= total && total <= n
	case protocol == protocolIPv6 && len(head) >= 6:
		return head[0]>>4 == 6 && 40+int(binary.BigEndian.Uint16(head[4:])) <= n
	case protocol == protocolMP && len(head) >= 4:
		return head[0]&0x30 == 0 // reserved, whatever the length of the sequence number
	case protocol == protocolBridge && len(head) >= 2:
		return head[1] == 1 || size == 2 // Ethernet
	}
	return size == 2
}
