package wire

import (
	"encoding/binary"
	"fmt"
)

// echoReplyLen is the length of the message, header included.
const echoReplyLen = 20

// An EchoResult is the result code of the EchoReply message
// (RFC 2637, section 2.6).
type EchoResult uint8

// The result codes.
const (
	EchoOK           EchoResult = 1
	EchoGeneralError EchoResult = 2
)

// String gives the RFC's words for the code.
func (e EchoResult) String() string {
	switch e {
	case EchoOK:
		return "OK"
	case EchoGeneralError:
		return "General error"
	}
	return fmt.Sprintf("echo result %d", uint8(e))
}

// An EchoReply answers an EchoRequest (RFC 2637, section 2.6).
type EchoReply struct {
	Identifier uint32 // that of the request
	Result     EchoResult
	Error      ErrorCode
}

// Type is TypeEchoReply.
func (m *EchoReply) Type() Type { return TypeEchoReply }

// Len is the number of octets that Append appends.
func (m *EchoReply) Len() int { return echoReplyLen }

// Append appends the message's wire form to b.
func (m *EchoReply) Append(b []byte) []byte {
	b = appendHeader(b, m.Type())
	b = binary.BigEndian.AppendUint32(b, m.Identifier)
	return append(b, byte(m.Result), byte(m.Error), 0, 0)
}

// Parse reads a message that fills b exactly. On error m is left alone.
func (m *EchoReply) Parse(b []byte) error {
	if err := check(b, m.Type()); err != nil {
		return err
	}
	*m = EchoReply{
		Identifier: binary.BigEndian.Uint32(b[12:]),
		Result:     EchoResult(b[16]),
		Error:      ErrorCode(b[17]),
	}
	return nil
}
