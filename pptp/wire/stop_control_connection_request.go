package wire

import "fmt"

// stopControlConnectionRequestLen is the length of the message, header included.
const stopControlConnectionRequestLen = 16

// A StopReason is a reason for closing the control connection
// (RFC 2637, section 2.3).
type StopReason uint8

// The reasons.
const (
	StopNone          StopReason = 1
	StopProtocol      StopReason = 2
	StopLocalShutdown StopReason = 3
)

// String gives the RFC's words for the code.
func (s StopReason) String() string {
	switch s {
	case StopNone:
		return "None"
	case StopProtocol:
		return "Stop-Protocol"
	case StopLocalShutdown:
		return "Stop-Local-Shutdown"
	}
	return fmt.Sprintf("stop reason %d", uint8(s))
}

// A StopControlConnectionRequest tells the peer that the control connection is
// about to be closed; all its calls are cleared (RFC 2637, section 2.3).
type StopControlConnectionRequest struct {
	Reason StopReason
}

// Type is TypeStopControlConnectionRequest.
func (m *StopControlConnectionRequest) Type() Type { return TypeStopControlConnectionRequest }

// Len is the number of octets that Append appends.
func (m *StopControlConnectionRequest) Len() int { return stopControlConnectionRequestLen }

// Append appends the message's wire form to b.
func (m *StopControlConnectionRequest) Append(b []byte) []byte {
	b = appendHeader(b, m.Type())
	return append(b, byte(m.Reason), 0, 0, 0)
}

// Parse reads a message that fills b exactly. On error m is left alone.
func (m *StopControlConnectionRequest) Parse(b []byte) error {
	if err := check(b, m.Type()); err != nil {
		return err
	}
	*m = StopControlConnectionRequest{
		Reason: StopReason(b[12]),
	}
	return nil
}
