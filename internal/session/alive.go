package session

import (
	"context"
	"time"
)

// lockLook is how long Alive waits before it tries the lock again: nobody has it for
// as long, and a goroutine that waited for it in Lock would stay if somebody had.
const lockLook = 10 * time.Millisecond

// Alive waits until Run has shown that it works and the table of sessions could be
// locked, or until ctx ends, whose error it returns.
func (m *Manager) Alive(ctx context.Context) error {
	if err := m.Answers(ctx); err != nil {
		return err
	}
	for !m.mu.TryLock() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockLook):
		}
	}
	m.mu.Unlock()
	return nil
}
