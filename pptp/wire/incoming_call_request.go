package wire

import "encoding/binary"

// incomingCallRequestLen is the length of the message, header included.
const incomingCallRequestLen = 220

// An IncomingCallRequest is sent by a PAC at which a call has come in
// (RFC 2637, section 2.9).
type IncomingCallRequest struct {
	CallID          CallID // assigned by the PAC
	SerialNumber    uint16 // the same number on both sides, for logs
	Bearer          Bearer // of the call
	PhysicalChannel uint32 // for logs
	DialedNumber    string // at most TextLen octets
	DialingNumber   string // at most TextLen octets
	Subaddress      string // at most TextLen octets
}

// Type is TypeIncomingCallRequest.
func (m *IncomingCallRequest) Type() Type { return TypeIncomingCallRequest }

// Len is the number of octets that Append appends.
func (m *IncomingCallRequest) Len() int { return incomingCallRequestLen }

// Append appends the message's wire form to b. A text that is too long is
// cut.
func (m *IncomingCallRequest) Append(b []byte) []byte {
	b = appendHeader(b, m.Type())
	b = binary.BigEndian.AppendUint16(b, uint16(m.CallID))
	b = binary.BigEndian.AppendUint16(b, m.SerialNumber)
	b = binary.BigEndian.AppendUint32(b, uint32(m.Bearer))
	b = binary.BigEndian.AppendUint32(b, m.PhysicalChannel)
	b = binary.BigEndian.AppendUint16(b, uint16(min(len(m.DialedNumber), TextLen)))
	b = binary.BigEndian.AppendUint16(b, uint16(min(len(m.DialingNumber), TextLen)))
	b = appendText(b, m.DialedNumber, TextLen)
	b = appendText(b, m.DialingNumber, TextLen)
	return appendText(b, m.Subaddress, TextLen)
}

// Parse reads a message that fills b exactly. On error m is left alone.
func (m *IncomingCallRequest) Parse(b []byte) error {
	if err := check(b, m.Type()); err != nil {
		return err
	}
	*m = IncomingCallRequest{
		CallID:          CallID(binary.BigEndian.Uint16(b[12:])),
		SerialNumber:    binary.BigEndian.Uint16(b[14:]),
		Bearer:          Bearer(binary.BigEndian.Uint32(b[16:])),
		PhysicalChannel: binary.BigEndian.Uint32(b[20:]),
		DialedNumber:    digits(b[28:92], binary.BigEndian.Uint16(b[24:])),
		DialingNumber:   digits(b[92:156], binary.BigEndian.Uint16(b[26:])),
		Subaddress:      text(b[156:220]),
	}
	return nil
}
