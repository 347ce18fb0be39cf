// Package gre implements the data path letters of PPTP: the enhanced GRE header
// (RFC 2637, section 4.1), arithmetic on its sequence numbers, and Reorder,
// which puts the packets of one call back into order.
//
// It knows nothing of PPP or of encryption, acknowledges nothing by itself and
// keeps no send window. It starts no goroutine or timer, takes no lock and
// opens no socket: time enters as an argument.
package gre

import (
	"encoding/binary"
	"errors"
)

// MaxLen is the length of a header with both optional fields: the headroom that
// Push may need.
const MaxLen = 16

// minLen is the length of the fixed part: flags, protocol type and key.
const minLen = 8

// protocolPPP is the protocol type of PPP within enhanced GRE (RFC 2637,
// section 4.1).
const protocolPPP = 0x880b

// The bits of the first two octets, as one big-endian number (RFC 2637,
// section 4.1).
const (
	bitKey     = 0x2000
	bitSeq     = 0x1000
	bitAck     = 0x0080
	maskVer    = 0x0007
	version    = 0x0001
	maskUnused = 0x8000 | 0x4000 | 0x0800 | 0x0700 | 0x0078 // C, R, s, Recur, Flags
)

// Errors of Parse. They are sentinels because the data path counts them by kind
// and never formats them.
var (
	ErrShort      = errors.New("gre: short packet")
	ErrVersion    = errors.New("gre: not version 1")
	ErrProtocol   = errors.New("gre: protocol type is not PPP")
	ErrFlags      = errors.New("gre: flag set that PPTP keeps zero")
	ErrNoKey      = errors.New("gre: no key")
	ErrLength     = errors.New("gre: payload length beyond the packet")
	ErrNoSequence = errors.New("gre: payload without sequence number")
)

// A Header is an enhanced GRE header (RFC 2637, section 4.1).
type Header struct {
	CallID     uint16 // low half of the key: the receiver's call ID
	PayloadLen uint16 // high half of the key: octets after the header
	HasSeq     bool   // S: set exactly when there is a payload
	HasAck     bool   // A
	Seq        uint32 // of this packet; meaningful with HasSeq
	Ack        uint32 // highest number that the sender of this packet has received; meaningful with HasAck
}

// Parse reads the header at the start of b, which is the payload of an IP
// packet, and returns the PPP payload, a slice of b that cannot grow into what
// follows. Octets beyond PayloadLen are link padding and ignored. A packet
// without sequence number carries an acknowledgement only, so a payload in it
// is refused. On error h is left alone.
func (h *Header) Parse(b []byte) (payload []byte, err error) {
	if len(b) < minLen {
		return nil, ErrShort
	}
	bits := binary.BigEndian.Uint16(b)
	switch {
	case bits&maskVer != version:
		return nil, ErrVersion
	case binary.BigEndian.Uint16(b[2:]) != protocolPPP:
		return nil, ErrProtocol
	case bits&maskUnused != 0:
		// A checksum or a route would move the fields behind it, and the
		// reserved bits may come to mean the same, so none is guessed at.
		return nil, ErrFlags
	case bits&bitKey == 0:
		return nil, ErrNoKey
	}
	g := Header{
		PayloadLen: binary.BigEndian.Uint16(b[4:]),
		CallID:     binary.BigEndian.Uint16(b[6:]),
		HasSeq:     bits&bitSeq != 0,
		HasAck:     bits&bitAck != 0,
	}
	n := g.Len()
	if len(b) < n {
		return nil, ErrShort
	}
	off := minLen
	if g.HasSeq {
		g.Seq = binary.BigEndian.Uint32(b[off:])
		off += 4
	}
	if g.HasAck {
		g.Ack = binary.BigEndian.Uint32(b[off:])
	}
	end := n + int(g.PayloadLen)
	if end > len(b) {
		return nil, ErrLength
	}
	if !g.HasSeq && g.PayloadLen != 0 {
		return nil, ErrNoSequence
	}
	*h = g
	return b[n:end:end], nil
}

// Len is the number of octets that Append appends and Push writes.
func (h *Header) Len() int {
	n := minLen
	if h.HasSeq {
		n += 4
	}
	if h.HasAck {
		n += 4
	}
	return n
}

// Append appends the header's wire form to b. PayloadLen is written as it
// stands.
func (h *Header) Append(b []byte) []byte {
	var w [MaxLen]byte
	off := h.Push(w[:], MaxLen)
	return append(b, w[off:]...)
}

// Push writes the header into buf so that it ends before buf[off:], the
// payload, and returns where it starts. There must be Len octets before off,
// which MaxLen always is.
func (h *Header) Push(buf []byte, off int) int {
	bits := uint16(bitKey | version)
	if h.HasAck {
		bits |= bitAck
		off -= 4
		binary.BigEndian.PutUint32(buf[off:], h.Ack)
	}
	if h.HasSeq {
		bits |= bitSeq
		off -= 4
		binary.BigEndian.PutUint32(buf[off:], h.Seq)
	}
	off -= minLen
	w := buf[off : off+minLen]
	binary.BigEndian.PutUint16(w, bits)
	binary.BigEndian.PutUint16(w[2:], protocolPPP)
	binary.BigEndian.PutUint16(w[4:], h.PayloadLen)
	binary.BigEndian.PutUint16(w[6:], h.CallID)
	return off
}

// Before reports whether sequence number a precedes b, over the wrap from
// 2^32-1 to 0: the shorter way round the circle decides.
func Before(a, b uint32) bool { return int32(a-b) < 0 }
