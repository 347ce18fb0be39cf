package auth

import (
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"gopptp/mppe"
	"gopptp/mschap"
	"gopptp/ppp"
)

// PeerConfig is what a Peer needs.
type PeerConfig struct {
	Method Method
	// User is the name to send, perhaps DOMAIN\user, at most 255 octets.
	User string
	// Password is at most 255 octets for PAP.
	Password Secret
	// Rand gives the client's challenge of MS-CHAPv2. Nil means crypto/rand.
	Rand io.Reader
	// Forbidden says which challenges must not be answered. On a link with an
	// Authenticator it is that one's Issued method: else the other end could
	// send our challenge back and return our own answer to us. Nil means none.
	Forbidden func(challenge []byte) bool
}

// A Peer proves to the other end who this one is. An error from Input leaves it
// as it was. After a Done without error it answers further challenges, as RFC
// 1994, section 2 has it, and gives another Done only if one of them fails; the
// keys stay those of the first. After a Done with an error it is finished. It is
// not safe for concurrent use.
type Peer struct {
	queue
	cfg   PeerConfig
	state peerState
	// accepted says that Done was given without error.
	accepted bool

	papFirst  uint8 // PAP's first identifier
	transmits int
	retry     time.Time // zero if none
	giveUp    time.Time // zero if none

	answered answer
}

type peerState uint8

const (
	peerIdle     peerState = iota
	peerWaiting            // for a challenge
	peerAnswered           // waiting for a verdict
	peerFinished           // refused, or gave up
)

// An answer is what a Peer made of a challenge.
type answer struct {
	id        uint8
	challenge string
	packet    ppp.Packet
	proof     mschap.AuthenticatorResponse // what the server must say, with MS-CHAPv2
	keys      *mppe.Keys
}

// NewPeer makes a Peer that waits for Start.
func NewPeer(cfg PeerConfig) (*Peer, error) {
	if !cfg.Method.valid() {
		return nil, fmt.Errorf("auth: peer: %v is no method", cfg.Method)
	}
	if len(cfg.User) > maxField {
		return nil, fmt.Errorf("auth: peer: user name longer than %d octets", maxField)
	}
	if cfg.Method == PAP && len(cfg.Password) > maxField {
		return nil, fmt.Errorf("auth: peer: password longer than %d octets, which is all that PAP can carry", maxField)
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	return &Peer{cfg: cfg}, nil
}

// Format shows the method only: there is a password inside.
func (p Peer) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "auth.Peer(%v)", p.cfg.Method) }

// Start sends the request of PAP, or begins to wait for a challenge. It fails
// the second time.
func (p *Peer) Start(now time.Time) error {
	if p.state != peerIdle {
		return ErrStarted
	}
	p.state, p.giveUp = peerWaiting, now.Add(patience)
	if p.cfg.Method == PAP {
		p.startPAP(now)
	}
	return nil
}

// Deadline gives the time at which Tick is due.
func (p *Peer) Deadline() (time.Time, bool) {
	switch {
	case p.retry.IsZero():
		return p.giveUp, !p.giveUp.IsZero()
	case p.giveUp.IsZero() || p.retry.Before(p.giveUp):
		return p.retry, true
	}
	return p.giveUp, true
}

// Tick does what is due. Before the deadline that is nothing.
func (p *Peer) Tick(now time.Time) {
	if !p.giveUp.IsZero() && !now.Before(p.giveUp) {
		p.fail(ErrTimeout)
		return
	}
	if p.retry.IsZero() || now.Before(p.retry) {
		return
	}
	if p.transmits < maxTransmits {
		p.transmit(now)
		return
	}
	p.retry = time.Time{}
	if p.cfg.Method == PAP {
		p.fail(ErrTimeout)
	}
	// With CHAP the verdict may still come, until giveUp. After a challenge
	// on a link that is open already there is no giveUp: it is the server's
	// part to close the link.
}

// transmit sends what waits for a verdict, again or for the first time.
func (p *Peer) transmit(now time.Time) {
	if p.cfg.Method == PAP {
		p.answered.packet.ID = p.papFirst + uint8(p.transmits)
	}
	p.transmits++
	p.retry = now.Add(retryInterval)
	p.push(frame(p.cfg.Method.Protocol(), p.answered.packet))
}

// succeed ends an exchange well.
func (p *Peer) succeed(message string) {
	p.retry, p.giveUp = time.Time{}, time.Time{}
	p.state = peerWaiting
	if !p.accepted {
		p.accepted = true
		p.push(Done{Keys: p.answered.keys, Message: cut(message, maxQuoted)})
	}
	p.answered.keys = nil
}

// fail ends the Peer.
func (p *Peer) fail(err error) {
	p.retry, p.giveUp = time.Time{}, time.Time{}
	p.state, p.answered = peerFinished, answer{}
	d := Done{Err: err}
	if r, ok := err.(*RejectedError); ok {
		d.Message = r.Message
	}
	p.push(d)
}

// Input takes a packet from the other end. It does not retain pkt. A packet
// before Start is ErrUnexpected; the link keeps what comes early.
func (p *Peer) Input(now time.Time, proto ppp.Protocol, pkt []byte) error {
	if proto != p.cfg.Method.Protocol() {
		return ErrProtocol
	}
	var in ppp.Packet
	if err := in.Parse(pkt); err != nil {
		return err
	}
	if p.state == peerIdle || p.state == peerFinished {
		return ErrUnexpected
	}
	if p.cfg.Method == PAP {
		return p.inputPAP(in)
	}
	return p.inputCHAP(now, in)
}
