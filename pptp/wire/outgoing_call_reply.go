package wire

import (
	"encoding/binary"
	"fmt"
)

// outgoingCallReplyLen is the length of the message, header included.
const outgoingCallReplyLen = 32

// An OutgoingResult is the result code of the OutgoingCallReply message
// (RFC 2637, section 2.8).
type OutgoingResult uint8

// The result codes.
const (
	OutgoingConnected    OutgoingResult = 1
	OutgoingGeneralError OutgoingResult = 2
	OutgoingNoCarrier    OutgoingResult = 3
	OutgoingBusy         OutgoingResult = 4
	OutgoingNoDialTone   OutgoingResult = 5
	OutgoingTimeout      OutgoingResult = 6
	OutgoingDoNotAccept  OutgoingResult = 7
)

// String gives the RFC's words for the code.
func (o OutgoingResult) String() string {
	switch o {
	case OutgoingConnected:
		return "Connected"
	case OutgoingGeneralError:
		return "General Error"
	case OutgoingNoCarrier:
		return "No Carrier"
	case OutgoingBusy:
		return "Busy"
	case OutgoingNoDialTone:
		return "No Dial Tone"
	case OutgoingTimeout:
		return "Time-out"
	case OutgoingDoNotAccept:
		return "Do Not Accept"
	}
	return fmt.Sprintf("outgoing call result %d", uint8(o))
}

// An OutgoingCallReply answers an OutgoingCallRequest (RFC 2637, section 2.8).
type OutgoingCallReply struct {
	CallID          CallID     // assigned by the PAC
	PeerCallID      PeerCallID // that of the request
	Result          OutgoingResult
	Error           ErrorCode
	Cause           uint16 // further failure information, for logs
	ConnectSpeed    uint32 // of the line, in bits per second
	Window          uint16 // packets that the PAC will buffer
	ProcessingDelay Delay  // of the PAC
	PhysicalChannel uint32 // for logs
}

// Type is TypeOutgoingCallReply.
func (m *OutgoingCallReply) Type() Type { return TypeOutgoingCallReply }

// Len is the number of octets that Append appends.
func (m *OutgoingCallReply) Len() int { return outgoingCallReplyLen }

// Append appends the message's wire form to b.
func (m *OutgoingCallReply) Append(b []byte) []byte {
	b = appendHeader(b, m.Type())
	b = binary.BigEndian.AppendUint16(b, uint16(m.CallID))
	b = binary.BigEndian.AppendUint16(b, uint16(m.PeerCallID))
	b = append(b, byte(m.Result), byte(m.Error))
	b = binary.BigEndian.AppendUint16(b, m.Cause)
	b = binary.BigEndian.AppendUint32(b, m.ConnectSpeed)
	b = binary.BigEndian.AppendUint16(b, m.Window)
	b = binary.BigEndian.AppendUint16(b, uint16(m.ProcessingDelay))
	return binary.BigEndian.AppendUint32(b, m.PhysicalChannel)
}

// Parse reads a message that fills b exactly. On error m is left alone.
func (m *OutgoingCallReply) Parse(b []byte) error {
	if err := check(b, m.Type()); err != nil {
		return err
	}
	*m = OutgoingCallReply{
		CallID:          CallID(binary.BigEndian.Uint16(b[12:])),
		PeerCallID:      PeerCallID(binary.BigEndian.Uint16(b[14:])),
		Result:          OutgoingResult(b[16]),
		Error:           ErrorCode(b[17]),
		Cause:           binary.BigEndian.Uint16(b[18:]),
		ConnectSpeed:    binary.BigEndian.Uint32(b[20:]),
		Window:          binary.BigEndian.Uint16(b[24:]),
		ProcessingDelay: Delay(binary.BigEndian.Uint16(b[26:])),
		PhysicalChannel: binary.BigEndian.Uint32(b[28:]),
	}
	return nil
}
