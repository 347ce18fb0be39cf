package session

import (
	"cmp"
	"slices"
	"strings"
)

// A ClientState is what a client does.
type ClientState uint8

// The states.
const (
	ClientDisabled ClientState = iota
	ClientDown
	ClientWaiting // for a packet to send, before it dials
	ClientConnecting
	ClientConnected
	ClientTerminating
	NumClientStates
)

// String gives the state's name.
func (s ClientState) String() string {
	return [NumClientStates]string{"disabled", "disconnected", "waiting", "connecting", "connected", "terminating"}[s]
}

// ClientStates counts the rows of /interface/pptp-client by what they do.
func (m *Manager) ClientStates() [NumClientStates]int {
	var n [NumClientStates]int
	m.mu.Lock()
	dialers := make([]*dialer, 0, len(m.dialers))
	for id, c := range m.clients {
		switch d := m.dialers[id]; {
		case d != nil:
			dialers = append(dialers, d)
		case c.Disabled:
			n[ClientDisabled]++
		default:
			n[ClientDown]++
		}
	}
	m.mu.Unlock()
	for _, d := range dialers {
		n[d.clientState()]++
	}
	return n
}

func (d *dialer) clientState() ClientState {
	d.mu.Lock()
	s, state := d.session, d.state
	d.mu.Unlock()
	if s != nil {
		s.mu.Lock()
		state = s.status.State
		s.mu.Unlock()
	}
	switch {
	case state == "connected":
		return ClientConnected
	case state == "disconnected":
		return ClientDown
	case state == waitingForPackets:
		return ClientWaiting
	case strings.HasPrefix(state, "terminating"):
		return ClientTerminating
	}
	return ClientConnecting
}

// A Use is what a session carries, for who wants to know it of each.
type Use struct {
	Side      Side
	Interface string // a name as /interface shows it
	Traffic   Traffic
}

// Uses gives what the sessions carry whose network is up, at most so many, and how
// many more there are. Those that came first are given first.
func (m *Manager) Uses(most int) (uses []Use, more int) {
	m.mu.Lock()
	live := make([]*session, 0, len(m.sessions))
	for _, s := range m.sessions {
		live = append(live, s)
	}
	m.mu.Unlock()
	slices.SortFunc(live, func(a, b *session) int { return cmp.Compare(a.id, b.id) })
	uses = make([]Use, 0, min(most, len(live)))
	for _, s := range live {
		s.mu.Lock()
		name, up := s.status.Interface, s.status.Running
		s.mu.Unlock()
		switch {
		case !up:
		case len(uses) == most:
			more++
		default:
			uses = append(uses, Use{s.side(), name, s.traffic()})
		}
	}
	return uses, more
}
