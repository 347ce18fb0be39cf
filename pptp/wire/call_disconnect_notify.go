package wire

import (
	"encoding/binary"
	"fmt"
)

// callDisconnectNotifyLen is the length of the message, header included.
const callDisconnectNotifyLen = 148

// StatisticsLen is the length of the field for call statistics.
const StatisticsLen = 128

// A DisconnectResult is the result code of the CallDisconnectNotify message
// (RFC 2637, section 2.13).
type DisconnectResult uint8

// The result codes.
const (
	DisconnectLostCarrier   DisconnectResult = 1
	DisconnectGeneralError  DisconnectResult = 2
	DisconnectAdminShutdown DisconnectResult = 3
	DisconnectRequest       DisconnectResult = 4
)

// String gives the RFC's words for the code.
func (d DisconnectResult) String() string {
	switch d {
	case DisconnectLostCarrier:
		return "Lost Carrier"
	case DisconnectGeneralError:
		return "General Error"
	case DisconnectAdminShutdown:
		return "Admin Shutdown"
	case DisconnectRequest:
		return "Request"
	}
	return fmt.Sprintf("disconnect result %d", uint8(d))
}

// A CallDisconnectNotify is sent by a PAC when a call has ended, asked for or
// not (RFC 2637, section 2.13).
type CallDisconnectNotify struct {
	CallID     CallID // assigned by the PAC, since the PNS may not know more
	Result     DisconnectResult
	Error      ErrorCode
	Cause      uint16 // further information, for logs
	Statistics string // vendor's own text, for logs, at most StatisticsLen octets
}

// Type is TypeCallDisconnectNotify.
func (m *CallDisconnectNotify) Type() Type { return TypeCallDisconnectNotify }

// Len is the number of octets that Append appends.
func (m *CallDisconnectNotify) Len() int { return callDisconnectNotifyLen }

// Append appends the message's wire form to b. A text that is too long is
// cut.
func (m *CallDisconnectNotify) Append(b []byte) []byte {
	b = appendHeader(b, m.Type())
	b = binary.BigEndian.AppendUint16(b, uint16(m.CallID))
	b = append(b, byte(m.Result), byte(m.Error))
	b = binary.BigEndian.AppendUint16(b, m.Cause)
	b = append(b, 0, 0)
	return appendText(b, m.Statistics, StatisticsLen)
}

// Parse reads a message that fills b exactly. On error m is left alone.
func (m *CallDisconnectNotify) Parse(b []byte) error {
	if err := check(b, m.Type()); err != nil {
		return err
	}
	*m = CallDisconnectNotify{
		CallID:     CallID(binary.BigEndian.Uint16(b[12:])),
		Result:     DisconnectResult(b[14]),
		Error:      ErrorCode(b[15]),
		Cause:      binary.BigEndian.Uint16(b[16:]),
		Statistics: text(b[20:148]),
	}
	return nil
}
