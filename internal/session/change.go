package session

import (
	"errors"
	"reflect"

	"gopptp/internal/aaa"
)

// A change is another policy for a session that lives.
type change struct {
	edit func(*aaa.Grant, *aaa.Policy)
	done chan error
}

// Change lets edit change what a session obeys, and what it was granted for when
// it is changed again; it is in force when Change returns. The tunnel stays up. A
// policy that the machine does not take changes nothing. It reports whether there
// is a session with the id.
func (m *Manager) Change(id uint64, edit func(*aaa.Grant, *aaa.Policy)) (found bool, err error) {
	m.mu.Lock()
	s := m.sessions[id]
	m.mu.Unlock()
	if s == nil {
		return false, nil
	}
	c := change{edit, make(chan error, 1)}
	select {
	case s.changes <- c:
		return true, <-c.done
	case <-s.gone:
		return false, nil
	}
}

// change puts another policy in force. Before the network is up there is nothing
// to do but to remember it.
func (s *session) change(c change) {
	old, grant := s.limits.policy, *s.grant
	c.edit(&grant, &s.limits.policy)
	p := &s.limits.policy
	if s.device != nil && !sameInterface(old, *p) {
		if err := s.device.Refit(s.interfaceConfig(s.network)); err != nil {
			s.limits.policy = old
			// What the machine did take of it goes back.
			c.done <- errors.Join(err, s.device.Refit(s.interfaceConfig(s.network)))
			return
		}
	}
	s.grant = &grant
	if !s.limits.up.IsZero() && p.Rate != old.Rate {
		s.data.SetLimit(p.Rate)
	}
	s.update(func(st *Status) { st.LimitIn, st.LimitOut = p.LimitIn, p.LimitOut })
	c.done <- nil
}

// sameInterface reports whether two policies ask the same of a session's
// interface.
func sameInterface(a, b aaa.Policy) bool {
	for _, q := range []*aaa.Policy{&a, &b} { // what is no matter of the interface
		*q = aaa.Policy{
			Routes: q.Routes, ChangeMSS: q.ChangeMSS, AddressLists: q.AddressLists, InterfaceList: q.InterfaceList,
			IncomingFilter: q.IncomingFilter, OutgoingFilter: q.OutgoingFilter,
		}
	}
	return reflect.DeepEqual(a, b)
}
