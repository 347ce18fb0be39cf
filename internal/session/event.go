package session

import (
	"time"

	"gopptp/internal/aaa"
)

// An EventKind is what happened to a session.
type EventKind uint8

// What happens to a session, in this order; Up and Down come in turns, and not at
// all if the network layer never came up. Ended is told of the server's sessions
// whose user was authenticated.
const (
	Up EventKind = iota
	Down
	Ended
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
}

// tell hands an event to whom it may concern.
func (s *session) tell(kind EventKind) {
	if s.m.cfg.Events == nil {
		return
	}
	e := Event{
		Kind: kind, Server: s.server, At: time.Now(), Status: s.snapshot(), Grant: s.grant, Policy: s.limits.policy,
	}
	if kind == Ended {
		e.Cause, e.Lasted = s.ending.cause, time.Since(s.loggedIn)
	}
	s.m.cfg.Events(e)
}
