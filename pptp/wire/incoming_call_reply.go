package wire

import (
	"encoding/binary"
	"fmt"
)

// incomingCallReplyLen is the length of the message, header included.
const incomingCallReplyLen = 24

// An IncomingResult is the result code of the IncomingCallReply message
// (RFC 2637, section 2.10).
type IncomingResult uint8

// The result codes.
const (
	IncomingConnect      IncomingResult = 1
	IncomingGeneralError IncomingResult = 2
	IncomingDoNotAccept  IncomingResult = 3
)

// String gives the RFC's words for the code.
func (i IncomingResult) String() string {
	switch i {
	case IncomingConnect:
		return "Connect"
	case IncomingGeneralError:
		return "General Error"
	case IncomingDoNotAccept:
		return "Do Not Accept"
	}
	return fmt.Sprintf("incoming call result %d", uint8(i))
}

// An IncomingCallReply answers an IncomingCallRequest
// (RFC 2637, section 2.10).
type IncomingCallReply struct {
	CallID          CallID     // assigned by the PNS
	PeerCallID      PeerCallID // that of the request
	Result          IncomingResult
	Error           ErrorCode
	Window          uint16 // packets that the PNS will buffer
	ProcessingDelay Delay  // of the PNS
}

// Type is TypeIncomingCallReply.
func (m *IncomingCallReply) Type() Type { return TypeIncomingCallReply }

// Len is the number of octets that Append appends.
func (m *IncomingCallReply) Len() int { return incomingCallReplyLen }

// Append appends the message's wire form to b.
func (m *IncomingCallReply) Append(b []byte) []byte {
	b = appendHeader(b, m.Type())
	b = binary.BigEndian.AppendUint16(b, uint16(m.CallID))
	b = binary.BigEndian.AppendUint16(b, uint16(m.PeerCallID))
	b = append(b, byte(m.Result), byte(m.Error))
	b = binary.BigEndian.AppendUint16(b, m.Window)
	b = binary.BigEndian.AppendUint16(b, uint16(m.ProcessingDelay))
	return append(b, 0, 0)
}

// Parse reads a message that fills b exactly. On error m is left alone.
func (m *IncomingCallReply) Parse(b []byte) error {
	if err := check(b, m.Type()); err != nil {
		return err
	}
	*m = IncomingCallReply{
		CallID:          CallID(binary.BigEndian.Uint16(b[12:])),
		PeerCallID:      PeerCallID(binary.BigEndian.Uint16(b[14:])),
		Result:          IncomingResult(b[16]),
		Error:           ErrorCode(b[17]),
		Window:          binary.BigEndian.Uint16(b[18:]),
		ProcessingDelay: Delay(binary.BigEndian.Uint16(b[20:])),
	}
	return nil
}
