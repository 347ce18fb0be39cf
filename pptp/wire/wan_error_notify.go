package wire

import "encoding/binary"

// wanErrorNotifyLen is the length of the message, header included.
const wanErrorNotifyLen = 40

// A WANErrorNotify is sent by a PAC to tell of errors on its line. The numbers
// count from the call's beginning (RFC 2637, section 2.14).
type WANErrorNotify struct {
	PeerCallID       PeerCallID // assigned by the PNS
	CRCErrors        uint32
	FramingErrors    uint32
	HardwareOverruns uint32
	BufferOverruns   uint32
	TimeoutErrors    uint32
	AlignmentErrors  uint32
}

// Type is TypeWANErrorNotify.
func (m *WANErrorNotify) Type() Type { return TypeWANErrorNotify }

// Len is the number of octets that Append appends.
func (m *WANErrorNotify) Len() int { return wanErrorNotifyLen }

// Append appends the message's wire form to b.
func (m *WANErrorNotify) Append(b []byte) []byte {
	b = appendHeader(b, m.Type())
	b = binary.BigEndian.AppendUint16(b, uint16(m.PeerCallID))
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, m.CRCErrors)
	b = binary.BigEndian.AppendUint32(b, m.FramingErrors)
	b = binary.BigEndian.AppendUint32(b, m.HardwareOverruns)
	b = binary.BigEndian.AppendUint32(b, m.BufferOverruns)
	b = binary.BigEndian.AppendUint32(b, m.TimeoutErrors)
	return binary.BigEndian.AppendUint32(b, m.AlignmentErrors)
}

// Parse reads a message that fills b exactly. On error m is left alone.
func (m *WANErrorNotify) Parse(b []byte) error {
	if err := check(b, m.Type()); err != nil {
		return err
	}
	*m = WANErrorNotify{
		PeerCallID:       PeerCallID(binary.BigEndian.Uint16(b[12:])),
		CRCErrors:        binary.BigEndian.Uint32(b[16:]),
		FramingErrors:    binary.BigEndian.Uint32(b[20:]),
		HardwareOverruns: binary.BigEndian.Uint32(b[24:]),
		BufferOverruns:   binary.BigEndian.Uint32(b[28:]),
		TimeoutErrors:    binary.BigEndian.Uint32(b[32:]),
		AlignmentErrors:  binary.BigEndian.Uint32(b[36:]),
	}
	return nil
}
