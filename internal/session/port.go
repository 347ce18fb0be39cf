package session

import (
	"context"
	"errors"
)

// A port is what has become of the server's control port.
type port struct {
	open bool
	err  error // why it is not; nil if nobody has tried
}

var errNotOpen = errors.New("the control port is not open yet")

// setPort notes what has become of the control port.
func (m *Manager) setPort(p port) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.port = p
}

// Serving says whether there is to be a server, and whether its control port is open.
// The error says why not.
func (m *Manager) Serving() (enabled, listening bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	err = m.port.err
	if m.server.Enabled && !m.port.open && err == nil {
		err = errNotOpen
	}
	return m.server.Enabled, m.port.open, err
}

// Answers waits until Run has shown that it works, or ctx ends. While Run waits for
// sessions to end it works as long as they do.
func (m *Manager) Answers(ctx context.Context) error {
	select {
	case m.asked <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
