package ppp

import "encoding/binary"

// The address and control octets of an uncompressed frame (RFC 1662,
// section 3.1). PPTP carries them unless ACFC was agreed.
const (
	address = 0xff
	control = 0x03
)

// MaxHeaderLen is the longest header: FF 03 and two octets of protocol.
const MaxHeaderLen = 4

// A Header is what stands before a frame's information field (RFC 1661,
// section 2; RFC 1662, section 3.1).
type Header struct {
	Protocol Protocol
	// ACFC leaves out the address and control octets (RFC 1661, section 6.6).
	ACFC bool
	// PFC sends protocols below 0x0100 as one octet (RFC 1661, section 6.5).
	PFC bool
}

// Parse reads a header, compressed or not, and returns the information field as
// a slice of b. A receiver always understands both forms: what was negotiated
// only binds the sender. A protocol whose low octet is even is impossible
// (RFC 1661, section 2) and is returned as it is: "treated as having an
// unrecognized Protocol". On error h is left alone.
func (h *Header) Parse(b []byte) (info []byte, err error) {
	acfc := true
	if len(b) >= 2 && b[0] == address && b[1] == control {
		acfc, b = false, b[2:]
	}
	if len(b) == 0 {
		return nil, ErrShort
	}
	if b[0]&1 != 0 {
		*h = Header{Protocol: Protocol(b[0]), ACFC: acfc, PFC: true}
		return b[1:], nil
	}
	if len(b) < 2 {
		return nil, ErrShort
	}
	*h = Header{Protocol: Protocol(binary.BigEndian.Uint16(b)), ACFC: acfc}
	return b[2:], nil
}

// short says whether the protocol goes out as one octet. An even low octet
// would be read as the first of two.
func (h Header) short() bool { return h.PFC && h.Protocol < 0x100 && h.Protocol&1 != 0 }

// Len is the number of octets that Append and Push write.
func (h Header) Len() int {
	n := MaxHeaderLen
	if h.ACFC {
		n -= 2
	}
	if h.short() {
		n--
	}
	return n
}

// Append appends the header's wire form to b.
func (h Header) Append(b []byte) []byte {
	if !h.ACFC {
		b = append(b, address, control)
	}
	if h.short() {
		return append(b, byte(h.Protocol))
	}
	return binary.BigEndian.AppendUint16(b, uint16(h.Protocol))
}

// Push writes the header just before buf[off:] and returns where it begins.
// The caller leaves MaxHeaderLen octets of room.
func (h Header) Push(buf []byte, off int) int {
	if h.short() {
		off--
		buf[off] = byte(h.Protocol)
	} else {
		off -= 2
		binary.BigEndian.PutUint16(buf[off:], uint16(h.Protocol))
	}
	if !h.ACFC {
		off -= 2
		buf[off], buf[off+1] = address, control
	}
	return off
}
