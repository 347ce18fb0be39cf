package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"gopptp/internal/journal"
)

func TestPulse(t *testing.T) {
	var owner error
	var turns []uint64
	p := &pulse{alive: func(context.Context) error { return owner }, turns: func() []uint64 { return turns }}
	stopped := errors.New("stopped")
	for i, step := range []struct {
		owner error
		turns []uint64
		want  error
	}{
		{nil, []uint64{3, 0}, nil},       // at work, for the first time
		{nil, []uint64{5, 0}, nil},       // at work again
		{nil, []uint64{5, 0}, errReader}, // still
		{nil, []uint64{6, 0}, nil},       // it has come back
		{nil, []uint64{6, 0}, nil},       // and waits
		{stopped, []uint64{6, 1}, stopped},
		{nil, []uint64{8, 1}, nil},
		{nil, []uint64{8, 1}, errReader},
	} {
		owner, turns = step.owner, step.turns
		if err := p.feel(t.Context()); !errors.Is(err, step.want) {
			t.Errorf("step %d: %v, want %v", i, err, step.want)
		}
	}
}

// TestKeepAwake: a beat as long as there is a pulse, silence and one line in the log
// when there is none, and beats again.
func TestKeepAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		notes := make(chan string, 10)
		log := journal.New(func(e journal.Entry) { notes <- e.Message }, false)
		ctx, cancel := context.WithCancel(t.Context())
		var looks atomic.Int32
		var hangs atomic.Bool
		p := &pulse{
			alive: func(ctx context.Context) error {
				looks.Add(1)
				if hangs.Load() {
					<-ctx.Done()
					return ctx.Err()
				}
				return nil
			},
			turns: func() []uint64 { return nil },
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			keepAwake(ctx, 30*time.Second, p, log)
		}()
		time.Sleep(45 * time.Second)
		if n := looks.Load(); n != 5 || len(notes) != 0 {
			t.Errorf("%d looks in 45 s, and %d lines in the log", n, len(notes))
		}
		hangs.Store(true)
		time.Sleep(time.Minute)
		if len(notes) != 1 {
			t.Fatalf("without a pulse the log has %d lines", len(notes))
		}
		if got := <-notes; !strings.Contains(got, "the owner of the sessions does not answer") {
			t.Errorf("without a pulse the log has %q", got)
		}
		hangs.Store(false)
		time.Sleep(time.Minute)
		cancel()
		<-done
	})
}

// TestProlong: time is asked for while sessions end, and not when they do not.
func TestProlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left, asked atomic.Int32
		left.Store(10_000)
		ended, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			prolong(ended, func() int { return int(left.Load()) }, func(state string) {
				if state != "EXTEND_TIMEOUT_USEC=30000000\nWATCHDOG=1" {
					t.Errorf("systemd is told %q", state)
				}
				asked.Add(1)
			})
		}()
		for range 60 {
			time.Sleep(time.Second)
			left.Add(-160)
		}
		synctest.Wait()
		if n := asked.Load(); n < 11 || n > 12 {
			t.Errorf("asked %d times in a minute", n)
		}
		time.Sleep(lookEvery)
		synctest.Wait() // it may look at this very moment
		before := asked.Load()
		time.Sleep(time.Minute)
		if n := asked.Load(); n != before {
			t.Errorf("asked %d times while no session ended", n-before)
		}
		close(ended)
		<-done
	})
}

func TestIsJournal(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var s unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &s); err != nil {
		t.Fatal(err)
	}
	t.Setenv("JOURNAL_STREAM", "")
	if isJournal(f) {
		t.Error("a file is the journal without systemd")
	}
	t.Setenv("JOURNAL_STREAM", fmt.Sprintf("%d:%d", uint64(s.Dev), s.Ino))
	if !isJournal(f) {
		t.Error("the journal is none")
	}
	if isJournal(os.Stdin) || isJournal(new(strings.Builder)) {
		t.Error("another file is the journal")
	}
}
