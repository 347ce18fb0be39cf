package session

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/journal"
)

// TestAlive: only a manager that runs, and whose lock is free, is alive.
func TestAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewManager(Config{Journal: journal.New(func(journal.Entry) {}, false)})
		alive := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return m.Alive(ctx)
		}
		if err := alive(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("before it runs: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			m.Run(ctx)
		}()
		if err := alive(); err != nil {
			t.Errorf("while it runs: %v", err)
		}
		m.mu.Lock()
		if err := alive(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while its lock is held: %v", err)
		}
		m.mu.Unlock()
		if err := alive(); err != nil {
			t.Errorf("after that: %v", err)
		}
		cancel()
		<-done
	})
}

// TestAliveWhileSessionsEnd: a manager that waits for many sessions lives as long as they
// end, however long it takes until all have, and not if they do not.
func TestAliveWhileSessionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewManager(Config{Journal: journal.New(func(journal.Entry) {}, false)})
		const sessions = 60
		for id := range uint64(sessions) {
			m.sessions[id] = &session{}
		}
		alive := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return m.Alive(ctx)
		}
		l := &listener{func() {}, make(chan struct{})}
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			m.reconcileServer(t.Context(), l, false)
		}()
		for id := range uint64(sessions / 2) {
			time.Sleep(4 * time.Second)
			m.mu.Lock()
			delete(m.sessions, id)
			m.mu.Unlock()
			if err := alive(); err != nil {
				t.Fatalf("after %d sessions: %v", id, err)
			}
		}
		time.Sleep(2 * endsWithin)
		if err := alive(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while no session ends: %v", err)
		}
		m.mu.Lock()
		clear(m.sessions)
		m.mu.Unlock()
		time.Sleep(endsWithin)
		if err := alive(); err != nil {
			t.Errorf("when sessions end again: %v", err)
		}
		close(l.done)
		<-stopped
	})
}
