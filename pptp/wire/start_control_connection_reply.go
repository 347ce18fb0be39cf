package wire

import (
	"encoding/binary"
	"fmt"
)

// startControlConnectionReplyLen is the length of the message, header included.
const startControlConnectionReplyLen = 156

// A StartResult is the result code of the StartControlConnectionReply message
// (RFC 2637, section 2.2).
type StartResult uint8

// The result codes.
const (
	StartOK            StartResult = 1
	StartGeneralError  StartResult = 2
	StartExists        StartResult = 3
	StartNotAuthorized StartResult = 4
	StartBadVersion    StartResult = 5
)

// String gives the RFC's words for the code.
func (s StartResult) String() string {
	switch s {
	case StartOK:
		return "Successful channel establishment"
	case StartGeneralError:
		return "General error"
	case StartExists:
		return "Command channel already exists"
	case StartNotAuthorized:
		return "Requester is not authorized to establish a command channel"
	case StartBadVersion:
		return "The protocol version of the requester is not supported"
	}
	return fmt.Sprintf("start result %d", uint8(s))
}

// A StartControlConnectionReply answers a StartControlConnectionRequest
// (RFC 2637, section 2.2).
type StartControlConnectionReply struct {
	ProtocolVersion  Version
	Result           StartResult
	Error            ErrorCode
	Framing          Framing // capabilities
	Bearer           Bearer  // capabilities
	MaxChannels      uint16  // calls that a PAC can hold; a PNS sends zero
	FirmwareRevision uint16
	HostName         string // at most TextLen octets, not always ASCII
	VendorName       string // at most TextLen octets, not always ASCII
}

// Type is TypeStartControlConnectionReply.
func (m *StartControlConnectionReply) Type() Type { return TypeStartControlConnectionReply }

// Len is the number of octets that Append appends.
func (m *StartControlConnectionReply) Len() int { return startControlConnectionReplyLen }

// Append appends the message's wire form to b. A text that is too long is
// cut.
func (m *StartControlConnectionReply) Append(b []byte) []byte {
	b = appendHeader(b, m.Type())
	b = binary.BigEndian.AppendUint16(b, uint16(m.ProtocolVersion))
	b = append(b, byte(m.Result), byte(m.Error))
	b = binary.BigEndian.AppendUint32(b, uint32(m.Framing))
	b = binary.BigEndian.AppendUint32(b, uint32(m.Bearer))
	b = binary.BigEndian.AppendUint16(b, m.MaxChannels)
	b = binary.BigEndian.AppendUint16(b, m.FirmwareRevision)
	b = appendText(b, m.HostName, TextLen)
	return appendText(b, m.VendorName, TextLen)
}

// Parse reads a message that fills b exactly. On error m is left alone.
func (m *StartControlConnectionReply) Parse(b []byte) error {
	if err := check(b, m.Type()); err != nil {
		return err
	}
	*m = StartControlConnectionReply{
		ProtocolVersion:  Version(binary.BigEndian.Uint16(b[12:])),
		Result:           StartResult(b[14]),
		Error:            ErrorCode(b[15]),
		Framing:          Framing(binary.BigEndian.Uint32(b[16:])),
		Bearer:           Bearer(binary.BigEndian.Uint32(b[20:])),
		MaxChannels:      binary.BigEndian.Uint16(b[24:]),
		FirmwareRevision: binary.BigEndian.Uint16(b[26:]),
		HostName:         text(b[28:92]),
		VendorName:       text(b[92:156]),
	}
	return nil
}
