package wire

import "encoding/binary"

// incomingCallConnectedLen is the length of the message, header included.
const incomingCallConnectedLen = 28

// An IncomingCallConnected is sent by the PAC when the IncomingCallReply was
// good: the call is up (RFC 2637, section 2.11).
type IncomingCallConnected struct {
	PeerCallID      PeerCallID // that of the IncomingCallReply
	ConnectSpeed    uint32     // of the line, in bits per second
	Window          uint16     // packets that the PAC will buffer
	ProcessingDelay Delay      // of the PAC
	Framing         Framing    // of the call
}

// Type is TypeIncomingCallConnected.
func (m *IncomingCallConnected) Type() Type { return TypeIncomingCallConnected }

// Len is the number of octets that Append appends.
func (m *IncomingCallConnected) Len() int { return incomingCallConnectedLen }

// Append appends the message's wire form to b.
func (m *IncomingCallConnected) Append(b []byte) []byte {
	b = appendHeader(b, m.Type())
	b = binary.BigEndian.AppendUint16(b, uint16(m.PeerCallID))
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, m.ConnectSpeed)
	b = binary.BigEndian.AppendUint16(b, m.Window)
	b = binary.BigEndian.AppendUint16(b, uint16(m.ProcessingDelay))
	return binary.BigEndian.AppendUint32(b, uint32(m.Framing))
}

// Parse reads a message that fills b exactly. On error m is left alone.
func (m *IncomingCallConnected) Parse(b []byte) error {
	if err := check(b, m.Type()); err != nil {
		return err
	}
	*m = IncomingCallConnected{
		PeerCallID:      PeerCallID(binary.BigEndian.Uint16(b[12:])),
		ConnectSpeed:    binary.BigEndian.Uint32(b[16:]),
		Window:          binary.BigEndian.Uint16(b[20:]),
		ProcessingDelay: Delay(binary.BigEndian.Uint16(b[22:])),
		Framing:         Framing(binary.BigEndian.Uint32(b[24:])),
	}
	return nil
}
