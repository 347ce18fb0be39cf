// Package wire holds the fifteen messages of the PPTP control connection
// (RFC 2637, section 2), one file each, and Decode, which takes them one by one
// from a stream.
//
// It holds no state, starts no goroutine and opens no socket. What a message
// means, and whether it is allowed now, is the business of package pptp.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Fixed numbers of the message header (RFC 2637, section 1.4).
const (
	// Cookie is the magic cookie of every message.
	Cookie = 0x1A2B3C4D
	// HeaderLen is what all messages begin with: Length, PPTP Message Type,
	// Magic Cookie, Control Message Type and Reserved0.
	HeaderLen = 12
	// MaxLen is the length of the longest message, Incoming-Call-Request. A
	// buffer of this size holds any message, so a longer Length field is a lie.
	MaxLen = incomingCallRequestLen

	// controlMessage is the PPTP Message Type of all messages here. The other
	// one, management (2), has never been given any message.
	controlMessage = 1
)

// Offsets in the header.
const (
	offLength      = 0
	offMessageType = 2
	offCookie      = 4
	offType        = 8
)

// A Version is a protocol version: major in the high octet, minor in the low.
type Version uint16

// Version1 is version 1.0, the only one there is (RFC 2637, section 2.1).
const Version1 Version = 0x0100

// String gives the version as major.minor.
func (v Version) String() string { return fmt.Sprintf("%d.%d", v>>8, v&0xff) }

// A CallID is a Call ID that the sender of a message has assigned. A host
// calls its own calls by this type.
type CallID uint16

// A PeerCallID is a Call ID that the receiver of a message has assigned: the
// "Peer's Call ID" of the RFC. A host calls its peer's calls by this type, so
// the CallID of a received message becomes a PeerCallID there.
type PeerCallID uint16

// A Framing is a set of framing capabilities, or a wanted framing
// (RFC 2637, sections 2.1 and 2.7). VPN peers send it and nobody heeds it.
type Framing uint32

// The framings.
const (
	FramingAsync  Framing = 1
	FramingSync   Framing = 2
	FramingEither         = FramingAsync | FramingSync
)

// A Bearer is a set of bearer capabilities, or a wanted bearer
// (RFC 2637, sections 2.1 and 2.7). VPN peers send it and nobody heeds it.
type Bearer uint32

// The bearers.
const (
	BearerAnalog  Bearer = 1
	BearerDigital Bearer = 2
	BearerAny            = BearerAnalog | BearerDigital
)

// A Delay is a packet processing delay in tenths of a second
// (RFC 2637, section 2.7).
type Delay uint16

// Errors of Parse and Decode.
var (
	// ErrIncomplete says that b ends before its message does: read more.
	ErrIncomplete = errors.New("pptp/wire: incomplete message")
	// ErrLength says that the Length field does not fit the message type, or
	// no message at all.
	ErrLength = errors.New("pptp/wire: wrong length")
	// ErrCookie says that the magic cookie is wrong. "Loss of synchronization
	// must result in immediate closing of the control connection's TCP
	// session" (RFC 2637, section 1.4).
	ErrCookie = errors.New("pptp/wire: wrong magic cookie")
	// ErrMessageType says that the message is not a control message.
	ErrMessageType = errors.New("pptp/wire: not a control message")
	// ErrType says that the control message type is unknown or, from Parse,
	// is that of another message.
	ErrType = errors.New("pptp/wire: unknown control message type")
)

// A Message is one of the fifteen control messages, as a pointer.
type Message interface {
	// Type is the control message type.
	Type() Type
	// Len is the number of octets that Append appends.
	Len() int
	// Append appends the wire form to b. Reserved fields are zero.
	Append(b []byte) []byte
	// Parse reads a message that fills b exactly. Reserved fields are
	// ignored. It does not retain b, and on error leaves the message alone.
	Parse(b []byte) error
}

// Decode takes the first message from the stream b and says how many octets it
// has. It judges a header as far as it has come, so that a liar is found out
// before the buffer fills. ErrIncomplete means that all is well so far.
//
// With ErrMessageType and ErrType, n is the length of a message that is well
// framed but unknown; the caller may step over it. With the other errors n is
// zero and the stream is lost.
func Decode(b []byte) (m Message, n int, err error) {
	t, n, err := header(b)
	if err != nil {
		return nil, n, err
	}
	m = newMessage(t)
	if err := m.Parse(b[:n]); err != nil {
		return nil, 0, err
	}
	return m, n, nil
}

// header checks the header at the head of b and returns the control message
// type and the length. Its results are those of Decode.
func header(b []byte) (t Type, n int, err error) {
	if len(b) < offMessageType {
		return 0, 0, ErrIncomplete
	}
	length := int(binary.BigEndian.Uint16(b[offLength:]))
	if length < HeaderLen || length > MaxLen {
		return 0, 0, fmt.Errorf("%w: %d octets", ErrLength, length)
	}
	if len(b) < offType {
		return 0, 0, ErrIncomplete
	}
	if c := binary.BigEndian.Uint32(b[offCookie:]); c != Cookie {
		return 0, 0, fmt.Errorf("%w 0x%08x", ErrCookie, c)
	}
	if len(b) < offType+2 {
		return 0, 0, ErrIncomplete
	}
	t = Type(binary.BigEndian.Uint16(b[offType:]))
	mt := binary.BigEndian.Uint16(b[offMessageType:])
	if want := t.length(); mt == controlMessage && want != 0 && length != want {
		return 0, 0, fmt.Errorf("%w: %d octets for %v", ErrLength, length, t)
	}
	if len(b) < length {
		return 0, 0, ErrIncomplete
	}
	if mt != controlMessage {
		return 0, length, fmt.Errorf("%w: %d", ErrMessageType, mt)
	}
	if t.length() == 0 {
		return 0, length, fmt.Errorf("%w %d", ErrType, uint16(t))
	}
	return t, length, nil
}

// check is what every Parse begins with: b is exactly one message of type t.
func check(b []byte, t Type) error {
	got, n, err := header(b)
	if err != nil {
		return err
	}
	if got != t {
		return fmt.Errorf("%w: %v for %v", ErrType, got, t)
	}
	if n != len(b) {
		return fmt.Errorf("%w: %d octets after %v", ErrLength, len(b)-n, t)
	}
	return nil
}

// appendHeader appends the header of a message of type t.
func appendHeader(b []byte, t Type) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(t.length()))
	b = binary.BigEndian.AppendUint16(b, controlMessage)
	b = binary.BigEndian.AppendUint32(b, Cookie)
	b = binary.BigEndian.AppendUint16(b, uint16(t))
	return append(b, 0, 0)
}

// appendText appends s in a field of n octets, at most StatisticsLen, filled
// with zeros. A longer s is cut.
func appendText(b []byte, s string, n int) []byte {
	var zeros [StatisticsLen]byte
	s = s[:min(len(s), n)]
	b = append(b, s...)
	return append(b, zeros[len(s):n]...)
}

// text reads a text field: what stands before the first zero.
func text(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// digits reads a number field of which the message says that n octets are in
// use. Nothing here dials, so a lying n is cut to the field, not refused.
func digits(b []byte, n uint16) string { return text(b[:min(len(b), int(n))]) }
