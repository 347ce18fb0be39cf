package records

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// MaxFiles bounds Settings.Files.
	MaxFiles = 100
	// perSecond is how many calls that came to nothing are written in a second: each
	// costs a stranger one connection. More are counted.
	perSecond = 10
)

// Settings say what is kept.
type Settings struct {
	Enabled bool
	Size    int64 // of a file, in octets
	Files   int   // of each sort, the newest among them; at most MaxFiles
}

// Counters tell what a Keeper has done since it was made.
type Counters struct {
	Written uint64 // records
	Omitted uint64 // of calls that came to nothing, and too fast
	Lost    uint64 // for want of a disk
}

// A Keeper keeps the records of calls in a directory. It is safe for concurrent
// use. Make it with New; it keeps nothing until Set.
//
// A record is in the file when Add returns, so that the end of this program, however
// sudden, takes nothing away; the end of the machine takes what the system has not
// yet brought to the disk, which Linux does within half a minute. A file is synced
// to the disk when it is full and when the Keeper is closed.
type Keeper struct {
	dir  string
	tell func(error)

	mu       sync.Mutex // guards what follows
	settings Settings
	sessions *file // nil while it could not be opened
	others   *file
	counters Counters
	failed   bool // the last record was lost; somebody was told
	closed   bool

	second  time.Time // that the calls that came to nothing are counted in
	count   int       // of them
	skipped Record    // what was left out since it was last told; with a Count if anything
	timer   *time.Timer
}

// New makes a Keeper for a directory, which it makes when something is to be kept.
// It tells why a record was lost, and not again until another one was kept; tell must
// not call back.
func New(dir string, tell func(error)) *Keeper { return &Keeper{dir: dir, tell: tell} }

// The names of the newest files.
const (
	sessionsName = "sessions"
	othersName   = "refused"
	suffix       = ".jsonl"
)

// Path gives the file of the sessions.
func (k *Keeper) Path() string { return filepath.Join(k.dir, sessionsName+suffix) }

// RefusedPath gives the file of the calls that came to nothing.
func (k *Keeper) RefusedPath() string { return filepath.Join(k.dir, othersName+suffix) }

// Counters gives the counters.
func (k *Keeper) Counters() Counters {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.counters
}

// Set says what is to be kept from now on, and opens the files, so that what keeps them
// from being written is told at once. Files above their number go.
func (k *Keeper) Set(s Settings) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.settings == s {
		return
	}
	k.closeFilesLocked() // they are opened again with the new bounds
	k.settings = s
	if !s.Enabled || k.closed {
		return
	}
	if err := errors.Join(k.openLocked(&k.sessions, sessionsName), k.openLocked(&k.others, othersName)); err != nil {
		k.failLocked(err)
	}
}

// openLocked opens a file unless it is open.
func (k *Keeper) openLocked(f **file, name string) error {
	if *f != nil {
		return nil
	}
	opened, err := openFile(k.dir, name, k.settings)
	if err == nil {
		*f = opened
	}
	return err
}

// failLocked tells why records are lost.
func (k *Keeper) failLocked(err error) {
	if !k.failed {
		k.failed = true
		k.tell(err)
	}
}

// Add keeps a record. Of calls that came to nothing it keeps so many in a second, and
// of the others how many there were.
func (k *Keeper) Add(r Record) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.settings.Enabled || k.closed {
		return
	}
	if r.Kind == Session {
		k.writeLocked(&k.sessions, sessionsName, r)
		return
	}
	now := time.Now()
	if now.Sub(k.second) >= time.Second {
		k.tellSkippedLocked()
		k.second, k.count = now, 0
	}
	if k.count++; k.count > perSecond {
		k.skipLocked(now)
		return
	}
	k.writeLocked(&k.others, othersName, r)
}

// skipLocked counts a record that is not written.
func (k *Keeper) skipLocked(now time.Time) {
	k.counters.Omitted++
	if k.skipped.Count == 0 {
		k.skipped = Record{Kind: Omitted, Began: now}
		k.timer = time.AfterFunc(time.Second, func() {
			k.mu.Lock()
			defer k.mu.Unlock()
			k.tellSkippedLocked()
		})
	}
	k.skipped.Count++
	k.skipped.Ended = now
}

// tellSkippedLocked writes how many records were not.
func (k *Keeper) tellSkippedLocked() {
	if k.skipped.Count == 0 || k.closed {
		return
	}
	k.timer.Stop()
	r := k.skipped
	k.skipped = Record{}
	if k.settings.Enabled {
		k.writeLocked(&k.others, othersName, r)
	}
}

// writeLocked writes a record to a file, which it opens if it must.
func (k *Keeper) writeLocked(f **file, name string, r Record) {
	err := k.openLocked(f, name)
	if err == nil {
		err = (*f).write(r.line())
	}
	if err == nil {
		k.counters.Written++
		k.failed = false
		return
	}
	k.counters.Lost++
	if *f != nil { // the next record tries again from the beginning
		_ = (*f).close() // it has failed already
		*f = nil
	}
	k.failLocked(err)
}

// Close writes what is still to be told, and closes the files. Nothing is kept after
// it.
func (k *Keeper) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tellSkippedLocked()
	k.closed = true
	return k.closeFilesLocked()
}

func (k *Keeper) closeFilesLocked() error {
	var failed error
	for _, f := range []**file{&k.sessions, &k.others} {
		if *f != nil {
			if err := (*f).close(); err != nil {
				failed = err
			}
			*f = nil
		}
	}
	return failed
}

// mode is that of the directory and of files: who called when is nobody else's
// business.
const (
	dirMode  os.FileMode = 0o700
	fileMode os.FileMode = 0o600
)
