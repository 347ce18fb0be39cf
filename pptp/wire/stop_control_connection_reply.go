package wire

import "fmt"

// stopControlConnectionReplyLen is the length of the message, header included.
const stopControlConnectionReplyLen = 16

// A StopResult is the result code of the StopControlConnectionReply message
// (RFC 2637, section 2.4).
type StopResult uint8

// The result codes.
const (
	StopOK           StopResult = 1
	StopGeneralError StopResult = 2
)

// String gives the RFC's words for the code.
func (s StopResult) String() string {
	switch s {
	case StopOK:
		return "OK"
	case StopGeneralError:
		return "General error"
	}
	return fmt.Sprintf("stop result %d", uint8(s))
}

// A StopControlConnectionReply answers a StopControlConnectionRequest
// (RFC 2637, section 2.4).
type StopControlConnectionReply struct {
	Result StopResult
	Error  ErrorCode
}

// Type is TypeStopControlConnectionReply.
func (m *StopControlConnectionReply) Type() Type { return TypeStopControlConnectionReply }

// Len is the number of octets that Append appends.
func (m *StopControlConnectionReply) Len() int { return stopControlConnectionReplyLen }

// Append appends the message's wire form to b.
func (m *StopControlConnectionReply) Append(b []byte) []byte {
	b = appendHeader(b, m.Type())
	return append(b, byte(m.Result), byte(m.Error), 0, 0)
}

// Parse reads a message that fills b exactly. On error m is left alone.
func (m *StopControlConnectionReply) Parse(b []byte) error {
	if err := check(b, m.Type()); err != nil {
		return err
	}
	*m = StopControlConnectionReply{
		Result: StopResult(b[12]),
		Error:  ErrorCode(b[13]),
	}
	return nil
}
