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
