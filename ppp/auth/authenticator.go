package auth

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"gopptp/mschap"
	"gopptp/ppp"
)

// AuthenticatorConfig is what an Authenticator needs.
type AuthenticatorConfig struct {
	Method Method
	// Name is ours in the challenge. Some clients do not answer an empty one,
	// so that empty means "gopptp". At most 255 octets.
	Name string
	// Rand gives challenges. Nil means crypto/rand.
	Rand io.Reader
	// Issue is told each challenge before it goes out, that of a Failure included.
	// Nil means nobody.
	Issue func(challenge []byte)
}

const defaultName = "gopptp"

// An Authenticator makes the other end prove who it is, once. An error from
// Input leaves it as it was; after Done it still repeats its verdict to a peer
// that missed it. It is not safe for concurrent use.
type Authenticator struct {
	queue
	cfg   AuthenticatorConfig
	state authState

	id        uint8
	challenge []byte
	spare     []byte // the challenge that a Failure has to carry (RFC 2759, section 6)
	transmits int
	deadline  time.Time // zero if none

	request papRequest // what PAP's owner is asked about
	verdict ppp.Packet // what was sent last
}

type authState uint8

const (
	authIdle    authState = iota
	authWaiting           // for the other end
	authAsking            // for the owner
	authDecided           // verdict sent
	authGivenUp           // nothing came
)

// NewAuthenticator makes an Authenticator that waits for Start.
func NewAuthenticator(cfg AuthenticatorConfig) (*Authenticator, error) {
	if !cfg.Method.valid() {
		return nil, fmt.Errorf("auth: authenticator: %v is no method", cfg.Method)
	}
	if len(cfg.Name) > maxField {
		return nil, fmt.Errorf("auth: authenticator: name longer than %d octets", maxField)
	}
	cfg.Name = cmp.Or(cfg.Name, defaultName)
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	return &Authenticator{cfg: cfg}, nil
}

// Format shows the method only: challenges and requests are nobody's business.
func (a Authenticator) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "auth.Authenticator(%v)", a.cfg.Method)
}

// Start sends the challenge, or with PAP begins to wait. It fails without a
// source of challenges, and the second time.
func (a *Authenticator) Start(now time.Time) error {
	if a.state != authIdle {
		return ErrStarted
	}
	if a.cfg.Method == PAP {
		a.state, a.deadline = authWaiting, now.Add(papPatience)
		return nil
	}
	// The identifier is random as well, so that a late response to an earlier
	// Authenticator of the same link is hardly taken for one to this.
	size := a.cfg.Method.challengeSize()
	b := make([]byte, 1+2*size)
	if _, err := io.ReadFull(a.cfg.Rand, b); err != nil {
		return fmt.Errorf("auth: challenge: %w", err)
	}
	a.id, a.challenge, a.spare = b[0], b[1:1+size], b[1+size:]
	if a.cfg.Issue != nil {
		a.cfg.Issue(a.challenge)
		a.cfg.Issue(a.spare)
	}
	a.state = authWaiting
	a.sendChallenge(now)
	return nil
}

func (a *Authenticator) sendChallenge(now time.Time) {
	v := chapValue{a.challenge, []byte(a.cfg.Name)}
	a.push(frame(ppp.ProtocolCHAP, ppp.Packet{Code: chapChallenge, ID: a.id, Data: v.Append(nil)}))
	a.transmits++
	a.deadline = now.Add(retryInterval)
}

// Deadline gives the time at which Tick is due.
func (a *Authenticator) Deadline() (time.Time, bool) { return a.deadline, !a.deadline.IsZero() }

// Tick does what is due. Before the deadline that is nothing.
func (a *Authenticator) Tick(now time.Time) {
	if a.deadline.IsZero() || now.Before(a.deadline) {
		return
	}
	if a.state == authWaiting && a.cfg.Method != PAP && a.transmits < maxTransmits {
		a.sendChallenge(now)
		return
	}
	if a.state == authAsking { // tell a peer that waits
		a.decide(Result{}, ErrTimeout)
		return
	}
	a.state, a.deadline = authGivenUp, time.Time{}
	a.push(Done{Err: ErrTimeout})
}

// Issued reports whether the challenge is ours. A Peer on the same link must not
// answer it: see PeerConfig.Forbidden.
func (a *Authenticator) Issued(challenge []byte) bool {
	return len(challenge) > 0 && (bytes.Equal(challenge, a.challenge) || bytes.Equal(challenge, a.spare))
}

// Input takes a packet from the other end. It does not retain pkt. A packet
// before Start is ErrUnexpected; the link keeps what comes early.
func (a *Authenticator) Input(now time.Time, proto ppp.Protocol, pkt []byte) error {
	if proto != a.cfg.Method.Protocol() {
		return ErrProtocol
	}
	var p ppp.Packet
	if err := p.Parse(pkt); err != nil {
		return err
	}
	if a.state == authIdle || a.state == authGivenUp {
		return ErrUnexpected
	}
	if a.cfg.Method == PAP {
		return a.inputPAP(now, p)
	}
	return a.inputCHAP(now, p)
}

func (a *Authenticator) inputPAP(now time.Time, p ppp.Packet) error {
	if p.Code != papAuthenticateRequest {
		return ErrUnexpected
	}
	var r papRequest
	if _, err := r.Parse(p.Data); err != nil {
		return err
	}
	switch a.state {
	case authWaiting:
		a.request = r
		user, domain := splitName(r.name)
		a.ask(now, &Request{Method: PAP, Name: r.name, User: user, Domain: domain, ID: p.ID, Password: Secret(r.password)})
	case authAsking:
		// "the Identifier field MUST be changed each time" (RFC 1334, section
		// 2.2.1): answer the latest, but do not change what was asked about.
		if r != a.request {
			return ErrUnexpected
		}
		a.id = p.ID
	case authDecided:
		// A request after the verdict gets the same one (RFC 1334, section
		// 2.2.1), whatever is in it by now.
		a.verdict.ID = p.ID
		a.repeat(frame(ppp.ProtocolPAP, a.verdict))
	}
	return nil
}

func (a *Authenticator) inputCHAP(now time.Time, p ppp.Packet) error {
	if p.Code != chapResponse || p.ID != a.id {
		return ErrUnexpected
	}
	switch a.state {
	case authAsking:
		return nil // a repeated response; the first one is being looked at
	case authDecided:
		// A response after the verdict gets the same one (RFC 1994, section
		// 4.1): who may try again with other names and responses can guess.
		a.repeat(frame(ppp.ProtocolCHAP, a.verdict))
		return nil
	}
	var v chapValue
	if err := v.Parse(p.Data); err != nil {
		return err
	}
	// These are whole packets of a peer that does something else than agreed.
	// No later packet of it will be better.
	if len(v.value) != a.cfg.Method.responseSize() {
		a.decide(Result{}, fmt.Errorf("%w: response of %d octets", ErrRefused, len(v.value)))
		return nil
	}
	if len(v.name) > maxField {
		a.decide(Result{}, fmt.Errorf("%w: name of %d octets", ErrRefused, len(v.name)))
		return nil
	}
	name := string(v.name)
	user, domain := splitName(name)
	a.ask(now, &Request{
		Method: a.cfg.Method, Name: name, User: user, Domain: domain, ID: p.ID,
		Challenge: bytes.Clone(a.challenge), Response: bytes.Clone(v.value),
	})
	return nil
}

func (a *Authenticator) ask(now time.Time, r *Request) {
	a.id, a.state, a.deadline = r.ID, authAsking, now.Add(patience)
	a.push(r)
}

var errNoProof = errors.New("no proof for MS-CHAPv2 in the result")

// Answer answers the Request. Without a Request that waits it does nothing: the
// answer came too late, or twice.
func (a *Authenticator) Answer(r Result) {
	if a.state != authAsking {
		return
	}
	var err error
	if !r.OK {
		err = ErrRefused
	} else if a.cfg.Method == MSCHAPv2 {
		// A client would refuse our Success; tell it no, and our owner why.
		if _, ok := mschap.ParseAuthenticatorResponse(r.Message); !ok {
			err = fmt.Errorf("%w: %w", ErrRefused, errNoProof)
			r = Result{}
		}
	}
	a.decide(r, err)
}

// decide sends the verdict, which is a refusal with err, and gives the result.
func (a *Authenticator) decide(r Result, err error) {
	a.state, a.deadline = authDecided, time.Time{}
	a.request = papRequest{} // no password is kept longer than needed
	a.verdict = ppp.Packet{ID: a.id}
	d := Done{Err: err}
	if err == nil {
		d.Keys, d.Message = r.Keys, cut(cmp.Or(r.Message, granted), maxField)
		a.verdict.Code, a.verdict.Data = chapSuccess, []byte(d.Message)
		if a.cfg.Method == PAP {
			a.verdict.Code, a.verdict.Data = papAuthenticateAck, appendPAPMessage(nil, d.Message)
		}
	} else {
		d.Message = cut(cmp.Or(r.Message, denied), maxField)
		a.verdict.Code, a.verdict.Data = chapFailure, a.failure(r.Code, d.Message)
		if a.cfg.Method == PAP {
			a.verdict.Code, a.verdict.Data = papAuthenticateNak, appendPAPMessage(nil, d.Message)
		}
	}
	a.push(frame(a.cfg.Method.Protocol(), a.verdict))
	a.push(d)
}

// failure makes the data of a CHAP Failure. A retry is never offered: the peer
// has its password, and a fresh connection for another try.
func (a *Authenticator) failure(code int, message string) []byte {
	f := Failure{Code: cmp.Or(code, CodeAuthFailure), Challenge: a.spare}
	switch a.cfg.Method {
	case MSCHAPv1:
		f.Version = 2 // at least 2; the first one's Change-Password is deprecated (RFC 2433, section 7)
	case MSCHAPv2:
		f.Version, f.Message = 3, message // RFC 2759, section 6
	default:
		return []byte(message)
	}
	return []byte(f.String())
}

// frame makes a frame of a packet.
func frame(proto ppp.Protocol, p ppp.Packet) Frame {
	return Frame{proto, p.Append(make([]byte, 0, p.Len()))}
}
