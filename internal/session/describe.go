package session

import (
	"fmt"

	"gopptp/ppp"
)

// codeNames are the codes of control packets as RouterOS's log writes them
// (RFC 1661, section 5; the others in their own RFCs).
var (
	codeNames = map[uint8]string{
		1: "ConfReq", 2: "ConfAck", 3: "ConfNak", 4: "ConfRej", 5: "TermReq", 6: "TermAck", 7: "CodeRej",
		8: "ProtRej", 9: "EchoReq", 10: "EchoRep", 11: "DiscReq", 12: "Ident", 13: "TimeRem", 14: "ResetReq", 15: "ResetAck",
	}
	papNames  = map[uint8]string{1: "AuthReq", 2: "AuthAck", 3: "AuthNak"}
	chapNames = map[uint8]string{1: "Challenge", 2: "Response", 3: "Success", 4: "Failure"}
)

// debugFrame writes a control frame to the debug log: what it is, not what is in
// it, since that may be a password.
func (s *session) debugFrame(verb string, frame []byte) {
	if !s.m.cfg.Journal.Debug() {
		return
	}
	s.m.cfg.Journal.Debugf("pptp,ppp,debug,packet", "%s: %s %s", s.name(), verb, describe(frame))
}

// describe is a line about a frame from anybody.
func describe(frame []byte) string {
	var h ppp.Header
	info, err := h.Parse(frame)
	if err != nil {
		return fmt.Sprintf("%d octets that are no frame", len(frame))
	}
	var p ppp.Packet
	if h.Protocol < 0x8000 || p.Parse(info) != nil {
		return fmt.Sprintf("%v, %d octets", h.Protocol, len(info))
	}
	names := codeNames
	switch h.Protocol {
	case ppp.ProtocolPAP:
		names = papNames
	case ppp.ProtocolCHAP:
		names = chapNames
	}
	name, ok := names[p.Code]
	if !ok {
		name = fmt.Sprintf("code %d", p.Code)
	}
	return fmt.Sprintf("%v %s id=0x%x", h.Protocol, name, p.ID)
}
