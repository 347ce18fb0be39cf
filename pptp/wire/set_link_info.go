package wire

import "encoding/binary"

// setLinkInfoLen is the length of the message, header included.
const setLinkInfoLen = 24

// A SetLinkInfo is sent by a PNS to tell the options that PPP has negotiated
// for the call (RFC 2637, section 2.15).
type SetLinkInfo struct {
	PeerCallID  PeerCallID // assigned by the PAC
	SendACCM    uint32     // control characters that the PNS escapes
	ReceiveACCM uint32     // control characters that the PAC must escape
}

// Type is TypeSetLinkInfo.
func (m *SetLinkInfo) Type() Type { return TypeSetLinkInfo }

// Len is the number of octets that Append appends.
func (m *SetLinkInfo) Len() int { return setLinkInfoLen }

// Append appends the message's wire form to b.
func (m *SetLinkInfo) Append(b []byte) []byte {
	b = appendHeader(b, m.Type())
	b = binary.BigEndian.AppendUint16(b, uint16(m.PeerCallID))
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, m.SendACCM)
	return binary.BigEndian.AppendUint32(b, m.ReceiveACCM)
}

// Parse reads a message that fills b exactly. On error m is left alone.
func (m *SetLinkInfo) Parse(b []byte) error {
	if err := check(b, m.Type()); err != nil {
		return err
	}
	*m = SetLinkInfo{
		PeerCallID:  PeerCallID(binary.BigEndian.Uint16(b[12:])),
		SendACCM:    binary.BigEndian.Uint32(b[16:]),
		ReceiveACCM: binary.BigEndian.Uint32(b[20:]),
	}
	return nil
}
