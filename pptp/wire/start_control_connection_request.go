package wire

import "encoding/binary"

// startControlConnectionRequestLen is the length of the message, header included.
const startControlConnectionRequestLen = 156

// TextLen is the length of the text and number fields of all messages but one.
const TextLen = 64

// A StartControlConnectionRequest asks a host to begin the control connection
// (RFC 2637, section 2.1).
type StartControlConnectionRequest struct {
	ProtocolVersion  Version
	Framing          Framing // capabilities
	Bearer           Bearer  // capabilities
	MaxChannels      uint16  // calls that a PAC can hold; a PNS sends zero
	FirmwareRevision uint16
	HostName         string // at most TextLen octets, not always ASCII
	VendorName       string // at most TextLen octets, not always ASCII
}

// Type is TypeStartControlConnectionRequest.
func (m *StartControlConnectionRequest) Type() Type { return TypeStartControlConnectionRequest }

// Len is the number of octets that Append appends.
func (m *StartControlConnectionRequest) Len() int { return startControlConnectionRequestLen }

// Append appends the message's wire form to b. A text that is too long is
// cut.
func (m *StartControlConnectionRequest) Append(b []byte) []byte {
	b = appendHeader(b, m.Type())
	b = binary.BigEndian.AppendUint16(b, uint16(m.ProtocolVersion))
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(m.Framing))
	b = binary.BigEndian.AppendUint32(b, uint32(m.Bearer))
	b = binary.BigEndian.AppendUint16(b, m.MaxChannels)
	b = binary.BigEndian.AppendUint16(b, m.FirmwareRevision)
	b = appendText(b, m.HostName, TextLen)
	return appendText(b, m.VendorName, TextLen)
}

// Parse reads a message that fills b exactly. On error m is left alone.
func (m *StartControlConnectionRequest) Parse(b []byte) error {
	if err := check(b, m.Type()); err != nil {
		return err
	}
	*m = StartControlConnectionRequest{
		ProtocolVersion:  Version(binary.BigEndian.Uint16(b[12:])),
		Framing:          Framing(binary.BigEndian.Uint32(b[16:])),
		Bearer:           Bearer(binary.BigEndian.Uint32(b[20:])),
		MaxChannels:      binary.BigEndian.Uint16(b[24:]),
		FirmwareRevision: binary.BigEndian.Uint16(b[26:]),
		HostName:         text(b[28:92]),
		VendorName:       text(b[92:156]),
	}
	return nil
}
