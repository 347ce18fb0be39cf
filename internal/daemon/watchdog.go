package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"gopptp/internal/journal"
)

// beats is how often in the time of systemd's watchdog the daemon says that it
// lives: one beat that is late is no harm.
const beats = 3

// errReader is the cause when a reader of the data path does not come back.
var errReader = errors.New("a reader of GRE packets has come to a halt")

// A pulse is what has to move in a daemon that lives. Whether a disk is slow or a
// RADIUS server silent is no part of it: tunnels that are up go on without them, and
// a new start would end them.
type pulse struct {
	alive func(context.Context) error // waits for the owner of the sessions
	turns func() []uint64             // of the readers, odd while one is at work
	last  []uint64
}

// feel gives what has come to a halt since it was called last.
func (p *pulse) feel(ctx context.Context) error {
	if err := p.alive(ctx); err != nil {
		return fmt.Errorf("the owner of the sessions does not answer: %w", err)
	}
	was := p.last
	p.last = p.turns()
	for i, n := range p.last {
		if i < len(was) && n == was[i] && n%2 == 1 {
			return errReader
		}
	}
	return nil
}

// watchdog is the time after which systemd ends a daemon that has said nothing, zero
// if it does not watch this process.
func watchdog() time.Duration {
	d, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return 0 // what is in the environment is no time
	}
	return d
}

// keepAwake tells systemd that the daemon lives, as long as its pulse can be felt,
// until ctx ends.
func keepAwake(ctx context.Context, limit time.Duration, p *pulse, log *journal.Journal) {
	every := limit / beats
	tick := time.NewTicker(every)
	defer tick.Stop()
	missed := false
	for {
		beat, cancel := context.WithTimeout(ctx, every)
		err := p.feel(beat)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			missed = false
			_, _ = daemon.SdNotify(false, daemon.SdNotifyWatchdog)
		case !missed:
			missed = true
			log.Addf("system,error,critical", "the watchdog is not told that all is well: %v", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

const (
	// lookEvery is how often systemd is told that the end goes on.
	lookEvery = 5 * time.Second
	// more asks it for half a minute from then on, and for as long without its watchdog.
	more = "EXTEND_TIMEOUT_USEC=30000000\n" + daemon.SdNotifyWatchdog
)

// prolong asks systemd for time as long as sessions end, until the last has: ten thousand
// interfaces take the kernel a minute, and who is killed meanwhile accounts for no more.
func prolong(ended <-chan struct{}, left func() int, notify func(state string)) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for last := left(); ; {
		select {
		case <-ended:
			return
		case <-tick.C:
		}
		n := left()
		if n < last {
			notify(more)
		}
		last = n
	}
}

// isJournal reports whether what is written to out is kept by systemd's journal,
// which tells it by device and inode (systemd.exec(5), JOURNAL_STREAM).
func isJournal(out any) bool {
	if lines, ok := out.(jsonLines); ok {
		out = lines.to
	}
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	var s unix.Stat_t
	if unix.Fstat(int(f.Fd()), &s) != nil {
		return false
	}
	return os.Getenv("JOURNAL_STREAM") == strconv.FormatUint(uint64(s.Dev), 10)+":"+strconv.FormatUint(uint64(s.Ino), 10)
}
