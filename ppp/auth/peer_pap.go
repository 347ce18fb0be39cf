package auth

import (
	"time"

	"gopptp/ppp"
)

// papFirstID is arbitrary: the request comes first, so that nothing is guarded
// by its identifier.
const papFirstID = 1

func (p *Peer) startPAP(now time.Time) {
	r := papRequest{p.cfg.User, string(p.cfg.Password)}
	p.papFirst = papFirstID
	p.answered.packet = ppp.Packet{Code: papAuthenticateRequest, Data: r.Append(nil)}
	p.state = peerAnswered
	p.transmit(now)
}

func (p *Peer) inputPAP(in ppp.Packet) error {
	// Each transmission had an identifier of its own, and the answer to any
	// will do.
	if p.state != peerAnswered || int(in.ID-p.papFirst) >= p.transmits {
		return ErrUnexpected
	}
	switch in.Code {
	case papAuthenticateAck:
		p.succeed(papMessage(in.Data))
	case papAuthenticateNak:
		p.fail(&RejectedError{Method: PAP, Message: cut(papMessage(in.Data), maxQuoted)})
	default:
		return ErrUnexpected
	}
	return nil
}
