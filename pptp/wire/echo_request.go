package wire

import "encoding/binary"

// echoRequestLen is the length of the message, header included.
const echoRequestLen = 16

// An EchoRequest asks the peer for a sign of life (RFC 2637, section 2.5).
type EchoRequest struct {
	Identifier uint32 // matches the reply to the request
}

// Type is TypeEchoRequest.
func (m *EchoRequest) Type() Type { return TypeEchoRequest }

// Len is the number of octets that Append appends.
func (m *EchoRequest) Len() int { return echoRequestLen }

// Append appends the message's wire form to b.
func (m *EchoRequest) Append(b []byte) []byte {
	b = appendHeader(b, m.Type())
	return binary.BigEndian.AppendUint32(b, m.Identifier)
}

// Parse reads a message that fills b exactly. On error m is left alone.
func (m *EchoRequest) Parse(b []byte) error {
	if err := check(b, m.Type()); err != nil {
		return err
	}
	*m = EchoRequest{
		Identifier: binary.BigEndian.Uint32(b[12:]),
	}
	return nil
}
