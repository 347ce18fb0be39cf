package session

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"gopptp/internal/latency"
	"gopptp/mppe"
	"gopptp/ppp/auth"
	"gopptp/ppp/link"
	"gopptp/pptp"
	"gopptp/pptp/wire"
)

// A Side is which end of a tunnel this one is.
type Side uint8

// The sides.
const (
	ServerSide Side = iota
	ClientSide
	NumSides
)

// String gives the side's name.
func (s Side) String() string { return [NumSides]string{"server", "client"}[s] }

// A Stage is how far a session has come.
type Stage uint8

// The stages.
const (
	Connecting    Stage = iota // until who the peer is, or that we are who we say, is known
	Authenticated              // the network is not up yet, or not any more
	Connected
	Terminating
	NumStages
)

// String gives the stage's name.
func (s Stage) String() string {
	return [NumStages]string{"connecting", "authenticated", "connected", "terminating"}[s]
}

// NumMethods is how many there are, none being one of them.
const NumMethods = int(auth.MSCHAPv2) + 1

// An Encryption is how strongly a session encrypts; where its directions differ, the
// weaker one.
type Encryption uint8

// The encryptions.
const (
	EncryptionUnknown Encryption = iota // the network was not up yet
	Unencrypted
	MPPE40
	MPPE56
	MPPE128
	NumEncryptions
)

// String gives the encryption's name.
func (e Encryption) String() string {
	return [NumEncryptions]string{"unknown", "none", "mppe40", "mppe56", "mppe128"}[e]
}

func encryptionOf(send, receive mppe.Config) Encryption {
	switch min(send.Strength, receive.Strength) {
	case mppe.Bits40:
		return MPPE40
	case mppe.Bits56:
		return MPPE56
	case mppe.Bits128:
		return MPPE128
	}
	return Unencrypted
}

// A Refusal is why something that came in was sent away before it was a session, or
// had to make room.
type Refusal uint8

// The refusals.
const (
	RefusedConnections     Refusal = iota // a control connection: there are too many
	RefusedHalfOpen                       // the same: too many on which no call was asked for
	RefusedHalfOpenAddress                // the same: of that address
	RefusedAccept                         // the system could not give it to us
	RefusedCrowd                          // a call: too many sessions that have not authenticated
	RefusedDisplaced                      // one of these made room for another
	RefusedMethod                         // a call: the server takes no method of authentication
	RefusedCallID                         // a call: all Call IDs are in use
	NumRefusals
)

// String gives the refusal's name.
func (r Refusal) String() string {
	return [NumRefusals]string{"connections", "half-open", "half-open-address", "accept", "unauthenticated", "displaced",
		"no-method", "no-call-id"}[r]
}

// A ControlError is what was wrong with a control connection.
type ControlError uint8

// The errors. Those up to ControlUnexpected cost a message, the others the connection.
const (
	ControlUnknown    ControlError = iota // a message of a type that there is not
	ControlUnexpected                     // a message that has no place there
	ControlMalformed
	ControlUseless // nothing but messages of the first two kinds
	ControlTimeout
	ControlSlow // the peer does not read
	ControlVersion
	ControlRefused // the peer does not want us
	ControlLost    // the TCP connection broke, or the peer closed it without a word
	NumControlErrors
)

// String gives the error's name.
func (e ControlError) String() string {
	return [NumControlErrors]string{"unknown", "unexpected", "malformed", "useless", "timeout", "slow", "version", "refused", "lost"}[e]
}

// NumCauses is one more than the largest Cause.
const NumCauses = int(NASRequest) + 1

// A Meter counts what happens to the sessions of a Manager. Counting waits for
// nobody, and neither does reading.
type Meter struct {
	live     [NumSides][NumStages][NumMethods][NumEncryptions]atomic.Int64
	setUp    [NumSides][NumMethods]latency.Histogram
	proofs   [NumSides][NumMethods][2]atomic.Uint64
	ended    [NumSides][NumCauses]atomic.Uint64
	refused  [NumRefusals]atomic.Uint64
	errors   [NumControlErrors]atomic.Uint64
	accepted atomic.Uint64
	open     atomic.Int64
}

// Meter gives what counts the manager's sessions.
func (m *Manager) Meter() *Meter { return &m.meter }

// Live is how many sessions there are of a kind. A method of zero is that of a session
// that has not authenticated, or of a client whose server does not ask who it is.
func (m *Meter) Live(side Side, stage Stage, method auth.Method, e Encryption) int64 {
	return m.live[side][stage][method][e].Load()
}

// SetUp is how long it took until the network was up for the first time, from the TCP
// connection of the first call or the request for a later one, or from the beginning of
// the dialing.
func (m *Meter) SetUp(side Side, method auth.Method) latency.Snapshot {
	return m.setUp[side][method].Read()
}

// Authentications is how often somebody proved who they are by a method, or failed to:
// peers to us or, on the client's side, we to peers.
func (m *Meter) Authentications(side Side, method auth.Method, ok bool) uint64 {
	return m.proofs[side][method][index(ok)].Load()
}

// Ended is how many sessions have ended for a cause.
func (m *Meter) Ended(side Side, c Cause) uint64 { return m.ended[side][c].Load() }

// Refused is how often that happened.
func (m *Meter) Refused(r Refusal) uint64 { return m.refused[r].Load() }

// ControlErrors is how often that happened.
func (m *Meter) ControlErrors(e ControlError) uint64 { return m.errors[e].Load() }

// ControlConnections is how many control connections the server has, and how many it
// has had.
func (m *Meter) ControlConnections() (open int64, accepted uint64) {
	return m.open.Load(), m.accepted.Load()
}

// index is the place of a yes or no.
func index(ok bool) int {
	if ok {
		return 1
	}
	return 0
}

// prove counts an authentication.
func (m *Meter) prove(side Side, method auth.Method, ok bool) {
	m.proofs[side][method][index(ok)].Add(1)
}

func (m *Meter) refuse(r Refusal) { m.refused[r].Add(1) }

// control counts an event of a control connection.
func (m *Meter) control(e pptp.Event) {
	switch e.Kind {
	case pptp.EventAccepted:
		m.accepted.Add(1)
	case pptp.EventRefused:
		m.refuse(refusalOf(e.Err))
	case pptp.EventIgnored:
		if errors.Is(e.Err, wire.ErrType) {
			m.errors[ControlUnknown].Add(1)
		} else {
			m.errors[ControlUnexpected].Add(1)
		}
	case pptp.EventEnded:
		if kind, bad := controlErrorOf(e.Err); bad {
			m.errors[kind].Add(1)
		}
	}
}

func refusalOf(err error) Refusal {
	switch {
	case errors.Is(err, pptp.ErrMaxConns):
		return RefusedConnections
	case errors.Is(err, pptp.ErrMaxHalfOpen):
		return RefusedHalfOpen
	case errors.Is(err, pptp.ErrMaxHalfOpenPerAddr):
		return RefusedHalfOpenAddress
	}
	return RefusedAccept
}

// controlErrorOf says what ended a control connection, unless it ended as it should.
func controlErrorOf(err error) (e ControlError, bad bool) {
	var stop *pptp.StopError
	var result *pptp.ResultError
	var timeout *pptp.TimeoutError
	switch {
	case errors.Is(err, net.ErrClosed), errors.As(err, &stop):
		return 0, false
	case errors.Is(err, wire.ErrLength), errors.Is(err, wire.ErrCookie), errors.Is(err, wire.ErrMessageType):
		return ControlMalformed, true
	case errors.Is(err, pptp.ErrBabble):
		return ControlUseless, true
	case errors.As(err, &timeout):
		return ControlTimeout, true
	case errors.Is(err, pptp.ErrSlowPeer):
		return ControlSlow, true
	case errors.Is(err, pptp.ErrVersion):
		return ControlVersion, true
	case errors.As(err, &result):
		return ControlRefused, true
	}
	return ControlLost, true
}

// A place is where a session is counted. It belongs to the session's run.
type place struct {
	counted    bool
	stage      Stage
	method     auth.Method
	encryption Encryption
	began      time.Time // zero once the network was up
}

// side is which end of the tunnel the session is.
func (s *session) side() Side {
	if s.server {
		return ServerSide
	}
	return ClientSide
}

// stand counts the session in another place than before.
func (s *session) stand(p place) {
	live := &s.m.meter.live[s.side()]
	if s.place.counted {
		live[s.place.stage][s.place.method][s.place.encryption].Add(-1)
	}
	if p.counted {
		live[p.stage][p.method][p.encryption].Add(1)
	}
	s.place = p
}

// reach counts the session in another stage.
func (s *session) reach(stage Stage) {
	p := s.place
	p.counted, p.stage = true, stage
	s.stand(p)
}

// proven counts that an authentication succeeded. One that is repeated while the
// network is up leaves the session where it is.
func (s *session) proven(method auth.Method) {
	s.m.meter.prove(s.side(), method, true)
	s.mu.Lock()
	s.denied = false
	s.mu.Unlock()
	p := s.place
	p.method = method
	if p.stage == Connecting {
		p.stage = Authenticated
	}
	s.stand(p)
}

// connected counts that the network is up.
func (s *session) connected(now time.Time, e Encryption) {
	p := s.place
	if !p.began.IsZero() {
		s.m.meter.setUp[s.side()][p.method].Add(now.Sub(p.began))
		p.began = time.Time{}
	}
	p.stage, p.encryption = Connected, e
	s.stand(p)
}

// ends counts that the session begins to end.
func (s *session) ends(e ending) {
	// A client learns it so, and a server that has not judged: no method was agreed on,
	// or the peer fell silent.
	s.mu.Lock()
	denied := s.denied
	s.mu.Unlock()
	if e.reason == link.ReasonOurAuth || e.reason == link.ReasonAuth && !denied {
		s.m.meter.prove(s.side(), s.link.Method(), false)
	}
	if e == endCrowd {
		s.m.meter.refuse(RefusedDisplaced)
	}
	s.reach(Terminating)
}

// departed counts that the session is no more.
func (s *session) departed() {
	s.stand(place{})
	s.m.meter.ended[s.side()][s.ending.cause].Add(1)
}
