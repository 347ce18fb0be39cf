package session

import (
	"reflect"

	"gopptp/internal/aaa"
)

// A change is another policy for a session that lives.
type change struct {
	edit func(*aaa.Policy)
	done chan error
}

// Change lets edit change what a session obeys; it is in force when Change
// returns. The tunnel stays up, even if the error says that the machine did not
// take a part of it. It reports whether there is a session with the id.
func (m *Manager) Change(id uint64, edit func(*aaa.Policy)) (found bool, err error) {
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

// change puts another policy in force.
func (s *session) change(c change) {
	old := s.limits.policy
	c.edit(&s.limits.policy)
	p := &s.limits.policy
	if s.device == nil {
		c.done <- nil // the policy is applied when the network comes up
		return
	}
	if p.Rate != old.Rate {
		s.data.SetLimit(p.Rate)
	}
	before, after := old, *p
	for _, q := range []*aaa.Policy{&before, &after} { // what is no matter of the interface
		*q = aaa.Policy{
			Routes: q.Routes, ChangeMSS: q.ChangeMSS, AddressLists: q.AddressLists, InterfaceList: q.InterfaceList,
			IncomingFilter: q.IncomingFilter, OutgoingFilter: q.OutgoingFilter,
		}
	}
	if reflect.DeepEqual(before, after) {
		c.done <- nil
		return
	}
	c.done <- s.device.Refit(s.interfaceConfig(s.network))
}
