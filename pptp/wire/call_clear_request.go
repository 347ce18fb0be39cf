package wire

import "encoding/binary"

// callClearRequestLen is the length of the message, header included.
const callClearRequestLen = 16

// A CallClearRequest is sent by a PNS that wants a call to end; the PAC
// answers with a CallDisconnectNotify (RFC 2637, section 2.12).
type CallClearRequest struct {
	CallID CallID // assigned by the PNS
}

// Type is TypeCallClearRequest.
func (m *CallClearRequest) Type() Type { return TypeCallClearRequest }

// Len is the number of octets that Append appends.
func (m *CallClearRequest) Len() int { return callClearRequestLen }

// Append appends the message's wire form to b.
func (m *CallClearRequest) Append(b []byte) []byte {
	b = appendHeader(b, m.Type())
	b = binary.BigEndian.AppendUint16(b, uint16(m.CallID))
	return append(b, 0, 0)
}

// Parse reads a message that fills b exactly. On error m is left alone.
func (m *CallClearRequest) Parse(b []byte) error {
	if err := check(b, m.Type()); err != nil {
		return err
	}
	*m = CallClearRequest{
		CallID: CallID(binary.BigEndian.Uint16(b[12:])),
	}
	return nil
}
