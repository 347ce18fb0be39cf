package auth

import (
	"fmt"
	"io"
	"time"

	"gopptp/mschap"
	"gopptp/ppp"
)

func (p *Peer) inputCHAP(now time.Time, in ppp.Packet) error {
	if in.Code == chapChallenge {
		return p.challenged(now, in)
	}
	// A verdict counts only on what we have said: a Success out of the blue
	// would spare a server its proof.
	if p.state != peerAnswered || in.ID != p.answered.id {
		return ErrUnexpected
	}
	switch in.Code {
	case chapSuccess:
		if p.cfg.Method == MSCHAPv2 && !p.answered.proof.Check(string(in.Data)) {
			p.fail(ErrNotMutual)
			return nil
		}
		p.succeed(string(in.Data))
	case chapFailure:
		f := Failure{Message: string(in.Data)}
		if p.cfg.Method != CHAP {
			f = ParseFailure(f.Message)
		}
		p.fail(&RejectedError{Method: p.cfg.Method, Code: f.Code, Message: cut(f.Message, maxQuoted)})
	default:
		return ErrUnexpected
	}
	return nil
}

// challenged answers a challenge.
func (p *Peer) challenged(now time.Time, in ppp.Packet) error {
	var v chapValue
	if err := v.Parse(in.Data); err != nil {
		return err
	}
	if in.ID == p.answered.id && string(v.value) == p.answered.challenge {
		// The same one again: its answer must not change, since the server may
		// have taken the first already, and keys follow from it.
		p.repeat(frame(ppp.ProtocolCHAP, p.answered.packet))
		return nil
	}
	if p.cfg.Method != CHAP && len(v.value) != p.cfg.Method.challengeSize() {
		p.fail(fmt.Errorf("%w: %d octets", ErrChallenge, len(v.value)))
		return nil
	}
	if p.cfg.Forbidden != nil && p.cfg.Forbidden(v.value) {
		p.fail(ErrReflected)
		return nil
	}
	a, value, err := p.answer(in.ID, v.value)
	if err != nil {
		p.fail(err)
		return nil
	}
	r := chapValue{value, []byte(p.cfg.User)}
	a.id, a.challenge = in.ID, string(v.value)
	a.packet = ppp.Packet{Code: chapResponse, ID: in.ID, Data: r.Append(nil)}
	p.answered, p.state, p.transmits = a, peerAnswered, 0
	p.transmit(now)
	return nil
}

// answer computes the response to a challenge, whose size is right.
func (p *Peer) answer(id uint8, challenge []byte) (a answer, value []byte, err error) {
	password := string(p.cfg.Password)
	switch p.cfg.Method {
	case MSCHAPv1:
		c := mschap.Challenge(challenge)
		// The LAN Manager response is left zero: it would give the password
		// away, and no server needs it beside the other.
		r := v1Response{nt: mschap.NtChallengeResponse(c, mschap.NtPasswordHash(password)), useNT: true}
		a.keys = passwordKeysV1(c, password)
		value = r.append(nil)
	case MSCHAPv2:
		c := mschap.AuthenticatorChallenge(challenge)
		var r v2Response
		if _, err := io.ReadFull(p.cfg.Rand, r.peer[:]); err != nil {
			return answer{}, nil, fmt.Errorf("auth: peer challenge: %w", err)
		}
		h := mschap.NtPasswordHash(password)
		hh := mschap.NtPasswordHashHash(h)
		user := mschap.StripDomain(p.cfg.User)
		r.nt = mschap.GenerateNTResponse(c, r.peer, user, h)
		a.proof = mschap.GenerateAuthenticatorResponse(hh, r.nt, r.peer, c, user)
		a.keys = clientKeysV2(hh, r.nt)
		value = r.append(nil)
	default:
		sum := chapMD5(id, password, challenge)
		value = sum[:]
	}
	return a, value, nil
}
