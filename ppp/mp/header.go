// Package mp is the PPP Multilink Protocol (RFC 1990) over a single link: it
// cuts a PPP frame that is too large for the link into numbered fragments and
// puts such fragments together again. A PPTP tunnel with an MRRU carries full
// Ethernet packets that way.
//
// It knows no second link: fragments come in the order in which they were sent,
// but for those that are lost. It frames nothing (the protocol field 0x003D of a
// fragment is ppp.Header's), encrypts nothing (MPPE works on the whole frame,
// before it is cut and after it is put together), starts no goroutine and looks
// at no clock. What is negotiated, and how, is ppp/lcp's.
package mp

import (
	"encoding/binary"
	"errors"
)

// The bits and widths of the two header formats.
const (
	bitBegin = 0x80
	bitEnd   = 0x40

	longLen  = 4
	shortLen = 2

	longMask  = 1<<24 - 1
	shortMask = 1<<12 - 1
)

// MaxHeaderLen is the longest header.
const MaxHeaderLen = longLen

// ErrShort means that a fragment has no room for a header, or that a packet is
// complete and empty.
var ErrShort = errors.New("mp: short packet")

// A Header stands between the protocol field 0x003D and the data of a fragment
// (RFC 1990, section 3).
type Header struct {
	Begin, End bool // the fragment is its packet's first, last
	// Short is the format with 12 bits for the number instead of 24. The header
	// does not tell it: it is what the receiver of the fragment has negotiated.
	Short    bool
	Sequence uint32 // cut to the format's width when it is written
}

// mask gives the numbers of a format: they go round.
func mask(short bool) uint32 {
	if short {
		return shortMask
	}
	return longMask
}

// Parse reads a header of the given format and returns the data as a slice of b.
// The reserved bits "MUST be set to zero" (RFC 1990, section 3) by who sends;
// whatever they are, they are not looked at. On error h is left alone.
func (h *Header) Parse(b []byte, short bool) (data []byte, err error) {
	n := Header{Short: short}.Len()
	if len(b) < n {
		return nil, ErrShort
	}
	var sequence uint32
	if short {
		sequence = uint32(binary.BigEndian.Uint16(b)) & shortMask
	} else {
		sequence = binary.BigEndian.Uint32(b) & longMask
	}
	*h = Header{Begin: b[0]&bitBegin != 0, End: b[0]&bitEnd != 0, Short: short, Sequence: sequence}
	return b[n:], nil
}

// Len is the number of octets that Append and Push write.
func (h Header) Len() int {
	if h.Short {
		return shortLen
	}
	return longLen
}

// Append appends the header's wire form to b.
func (h Header) Append(b []byte) []byte {
	n := h.Len()
	b = append(b, make([]byte, n)...)
	h.Push(b, len(b))
	return b
}

// Push writes the header just before buf[off:] and returns where it begins. The
// caller leaves MaxHeaderLen octets of room.
func (h Header) Push(buf []byte, off int) int {
	off -= h.Len()
	if h.Short {
		binary.BigEndian.PutUint16(buf[off:], uint16(h.Sequence&shortMask))
	} else {
		binary.BigEndian.PutUint32(buf[off:], h.Sequence&longMask)
	}
	if h.Begin {
		buf[off] |= bitBegin
	}
	if h.End {
		buf[off] |= bitEnd
	}
	return off
}
