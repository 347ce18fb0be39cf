package session

import (
	"time"

	"gopptp/internal/aaa"
	"gopptp/ppp/auth"
)

// An EventKind is what happened to a session.
type EventKind uint8

// What happens to a session, in this order; Up and Down come in turns, and not at
// all if the network layer never came up. Ended is told of the server's sessions
// whose user was authenticated, and Over of every call, whatever became of it.
const (
	Up EventKind = iota
	Down
	Ended
	Over
)

// An Event is told when something happened to a session.
type Event struct {
	Kind   EventKind
	Server bool // the session is one of the server's
	At     time.Time
	Status Status
	Grant  *aaa.Grant    // of a session of the server; not to be changed
	Policy aaa.Policy    // what the session obeys
	Cause  Cause         // why it ends; only Ended
	Lasted time.Duration // since its user was authenticated; only Ended
	Past   *Past         // only Over
}

// A Past is what is known of a call when it is over, besides its last Status.
type Past struct {
	Began         time.Time
	Authenticated time.Time // zero if the call did not get there
	Method        auth.Method
	Reason        string // why it ended, as the log has it

	// Of the last time that a server refused the peer.
	Refused string // the name that was given; hostile text
	Why     string // for those who may know; without secrets
	Times   int    // how often it was refused
}

// tell hands an event to whom it may concern.
func (s *session) tell(kind EventKind) {
	if s.m.cfg.Events == nil {
		return
	}
	e := Event{
		Kind: kind, Server: s.server, At: time.Now(), Status: s.snapshot(), Grant: s.grant, Policy: s.limits.policy,
	}
	switch kind {
	case Ended:
		e.Cause, e.Lasted = s.ending.cause, time.Since(s.loggedIn)
	case Over:
		s.mu.Lock()
		past := s.past
		s.mu.Unlock()
		past.Reason = s.ending.reason
		e.Cause, e.Past = s.ending.cause, &past
	}
	s.m.cfg.Events(e)
}
