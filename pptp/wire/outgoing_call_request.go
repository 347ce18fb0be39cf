package wire

import "encoding/binary"

// outgoingCallRequestLen is the length of the message, header included.
const outgoingCallRequestLen = 168

// An OutgoingCallRequest is sent by a PNS that wants a call out of the PAC.
// VPN clients open their tunnels with it (RFC 2637, section 2.7).
type OutgoingCallRequest struct {
	CallID          CallID  // assigned by the PNS
	SerialNumber    uint16  // the same number on both sides, for logs
	MinBPS          uint32  // lowest acceptable line speed
	MaxBPS          uint32  // highest acceptable line speed
	Bearer          Bearer  // wanted
	Framing         Framing // wanted
	Window          uint16  // packets that the PNS will buffer
	ProcessingDelay Delay   // of the PNS
	PhoneNumber     string  // at most TextLen octets
	Subaddress      string  // at most TextLen octets
}

// Type is TypeOutgoingCallRequest.
func (m *OutgoingCallRequest) Type() Type { return TypeOutgoingCallRequest }

// Len is the number of octets that Append appends.
func (m *OutgoingCallRequest) Len() int { return outgoingCallRequestLen }

// Append appends the message's wire form to b. A text that is too long is
// cut.
func (m *OutgoingCallRequest) Append(b []byte) []byte {
	b = appendHeader(b, m.Type())
	b = binary.BigEndian.AppendUint16(b, uint16(m.CallID))
	b = binary.BigEndian.AppendUint16(b, m.SerialNumber)
	b = binary.BigEndian.AppendUint32(b, m.MinBPS)
	b = binary.BigEndian.AppendUint32(b, m.MaxBPS)
	b = binary.BigEndian.AppendUint32(b, uint32(m.Bearer))
	b = binary.BigEndian.AppendUint32(b, uint32(m.Framing))
	b = binary.BigEndian.AppendUint16(b, m.Window)
	b = binary.BigEndian.AppendUint16(b, uint16(m.ProcessingDelay))
	b = binary.BigEndian.AppendUint16(b, uint16(min(len(m.PhoneNumber), TextLen)))
	b = append(b, 0, 0)
	b = appendText(b, m.PhoneNumber, TextLen)
	return appendText(b, m.Subaddress, TextLen)
}

// Parse reads a message that fills b exactly. On error m is left alone.
func (m *OutgoingCallRequest) Parse(b []byte) error {
	if err := check(b, m.Type()); err != nil {
		return err
	}
	*m = OutgoingCallRequest{
		CallID:          CallID(binary.BigEndian.Uint16(b[12:])),
		SerialNumber:    binary.BigEndian.Uint16(b[14:]),
		MinBPS:          binary.BigEndian.Uint32(b[16:]),
		MaxBPS:          binary.BigEndian.Uint32(b[20:]),
		Bearer:          Bearer(binary.BigEndian.Uint32(b[24:])),
		Framing:         Framing(binary.BigEndian.Uint32(b[28:])),
		Window:          binary.BigEndian.Uint16(b[32:]),
		ProcessingDelay: Delay(binary.BigEndian.Uint16(b[34:])),
		PhoneNumber:     digits(b[40:104], binary.BigEndian.Uint16(b[36:])),
		Subaddress:      text(b[104:168]),
	}
	return nil
}
