package session

import "strconv"

// claimInterface finds the interface of a server session: the user's static
// entry if it is enabled and free, else a dynamic <pptp-user>, else
// <pptp-user-1> and so on. The name is the session's until it is unregistered.
func (m *Manager) claimInterface(s *session, user string) (name string, binding uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leaveInterface(s)
	for _, b := range m.bindings {
		if b.User == user && !b.Disabled && m.bound[b.ID] == nil && !m.names[b.Name] && (binding == 0 || b.ID < binding) {
			name, binding = b.Name, b.ID
		}
	}
	if binding == 0 {
		name = "<pptp-" + user + ">"
		for n := 1; m.names[name]; n++ {
			name = "<pptp-" + user + "-" + strconv.Itoa(n) + ">"
		}
	}
	m.names[name] = true
	s.claimed, s.binding = name, binding
	if binding != 0 {
		m.bound[binding] = s
	}
	return name, binding
}

// leaveInterface gives back the interface that a session has claimed. The caller
// holds mu.
func (m *Manager) leaveInterface(s *session) {
	delete(m.names, s.claimed)
	delete(m.bound, s.binding)
	s.claimed, s.binding = "", 0
}
