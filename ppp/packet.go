// Package ppp holds the letters of the Point-to-Point Protocol: protocol
// numbers, frames with compressed fields, control packets and option lists
// (RFC 1661).
//
// It holds no state and no opinion: the automaton is ppp/fsm, negotiation is
// ppp/cp, and the phases of a link are ppp/link.
package ppp

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A Protocol is the number in a frame's protocol field (RFC 1661, section 2).
type Protocol uint16

// The protocols that a PPTP tunnel meets.
const (
	ProtocolIP             Protocol = 0x0021 // RFC 1332
	ProtocolVJCompressed   Protocol = 0x002d // RFC 1332; always refused here
	ProtocolVJUncompressed Protocol = 0x002f // RFC 1332; always refused here
	ProtocolBridge         Protocol = 0x0031 // RFC 3518
	ProtocolMP             Protocol = 0x003d // RFC 1990
	ProtocolIPv6           Protocol = 0x0057 // RFC 5072; refused: PPTP carries no IPv6 here
	ProtocolCompressed     Protocol = 0x00fd // RFC 1962; carries MPPE (RFC 3078, section 3)
	ProtocolIPCP           Protocol = 0x8021 // RFC 1332
	ProtocolBCP            Protocol = 0x8031 // RFC 3518
	ProtocolIPV6CP         Protocol = 0x8057 // RFC 5072
	ProtocolCCP            Protocol = 0x80fd // RFC 1962
	ProtocolLCP            Protocol = 0xc021 // RFC 1661
	ProtocolPAP            Protocol = 0xc023 // RFC 1334
	ProtocolCHAP           Protocol = 0xc223 // RFC 1994
)

// String names the known protocols and prints the others as 0x1234.
func (p Protocol) String() string {
	switch p {
	case ProtocolIP:
		return "IP"
	case ProtocolBridge:
		return "Bridge"
	case ProtocolMP:
		return "MP"
	case ProtocolIPv6:
		return "IPv6"
	case ProtocolCompressed:
		return "Compressed"
	case ProtocolIPCP:
		return "IPCP"
	case ProtocolBCP:
		return "BCP"
	case ProtocolIPV6CP:
		return "IPV6CP"
	case ProtocolCCP:
		return "CCP"
	case ProtocolLCP:
		return "LCP"
	case ProtocolPAP:
		return "PAP"
	case ProtocolCHAP:
		return "CHAP"
	}
	return fmt.Sprintf("0x%04x", uint16(p))
}

// Errors of the parsers in this package.
var (
	ErrShort  = errors.New("ppp: short packet")
	ErrLength = errors.New("ppp: length field does not fit the packet")
)

// A Packet is a control packet: the common form of LCP, the NCPs, CCP, PAP and
// CHAP (RFC 1661, section 5). Data is what follows the four-octet header.
type Packet struct {
	Code uint8
	ID   uint8
	Data []byte
}

// packetHeaderLen is Code, Identifier and Length.
const packetHeaderLen = 4

// MaxPacketLen bounds a control packet: its Length field has 16 bits.
const MaxPacketLen = 1<<16 - 1

// Parse reads a control packet. Octets beyond the Length field are padding and
// ignored (RFC 1661, section 5). p.Data is a slice of b. On error p is left
// alone.
func (p *Packet) Parse(b []byte) error {
	if len(b) < packetHeaderLen {
		return ErrShort
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n < packetHeaderLen || n > len(b) {
		return ErrLength
	}
	*p = Packet{Code: b[0], ID: b[1], Data: b[packetHeaderLen:n]}
	return nil
}

// Append appends the packet's wire form to b. Data must be at most
// MaxPacketLen-4 octets; what is longer is cut.
func (p *Packet) Append(b []byte) []byte {
	data := p.Data[:min(len(p.Data), MaxPacketLen-packetHeaderLen)]
	b = append(b, p.Code, p.ID)
	b = binary.BigEndian.AppendUint16(b, uint16(packetHeaderLen+len(data)))
	return append(b, data...)
}

// Len is the number of octets that Append appends.
func (p *Packet) Len() int { return packetHeaderLen + len(p.Data) }
