package store

import (
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"gopptp/internal/menu"
)

// counted is a database that counts what it writes, and that fails on demand.
type counted struct {
	database
	mu     sync.Mutex
	writes int
	fail   error
}

func (c *counted) apply(ops []op) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail != nil {
		return c.fail
	}
	c.writes++
	return c.database.apply(ops)
}

// count gives the number of writes.
func (c *counted) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes
}

// row makes a new row that is called like its id.
func row(s *Store, m *menu.Menu) Change {
	r := m.Defaults(s.Next(m.IDs()))
	r.Put("name", r.ID.String())
	return Change{m, r.ID, r}
}

// stored gives the ids of the rows on the disk.
func stored(t *testing.T, s *Store, m *menu.Menu) (ids []menu.ID) {
	t.Helper()
	rows, warnings, err := s.Load(m)
	if err != nil || warnings != nil {
		t.Fatal(warnings, err)
	}
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids
}

func stage(t *testing.T, s *Store, changes ...Change) {
	t.Helper()
	if err := s.Stage(changes); err != nil {
		t.Fatal(err)
	}
}

// TestStage checks that many changes are written together: by Sync, with a
// commit, when they are too many, when they have waited, and by Close.
func TestStage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	m := things()
	s := open(t, path)
	disk := &counted{database: s.db}
	s.db = disk
	for range 10 {
		stage(t, s, row(s, m))
	}
	if err := s.Sync(); err != nil || disk.count() != 1 || len(stored(t, s, m)) != 10 {
		t.Fatalf("%v: %d rows with %d writes", err, len(stored(t, s, m)), disk.count())
	}
	if err := s.Sync(); err != nil || disk.count() != 1 {
		t.Fatalf("nothing was written: %v", err)
	}

	c := row(s, m)
	stage(t, s, c)
	if err := s.Commit([]Change{{m, c.ID, nil}}); err != nil || disk.count() != 2 || len(stored(t, s, m)) != 10 {
		t.Errorf("a removal overtook the row: %v, %d rows", err, len(stored(t, s, m)))
	}

	stage(t, s, row(s, m))
	for deadline := time.Now().Add(10 * time.Second); disk.count() < 3; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("what was staged is forgotten")
		}
	}

	before := disk.count()
	for range 3*maxStaged + 1 {
		stage(t, s, row(s, m))
	}
	if disk.count() < before+3 {
		t.Errorf("%d changes wait for the disk", 3*maxStaged+1)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	if n := len(stored(t, s, m)); n != 12+3*maxStaged {
		t.Errorf("%d rows", n)
	}
	last := stored(t, s, m)
	if id := s.Next(m.IDs()); id <= last[len(last)-1] {
		t.Errorf("id %v is given out twice", id)
	}
	s.Close()
}

// TestStageFails checks that changes survive a disk that refuses them for a
// while, and that a commit of another door is refused alone.
func TestStageFails(t *testing.T) {
	m := things()
	s := open(t, filepath.Join(t.TempDir(), "db"))
	defer s.Close()
	full := errors.New("disk full")
	disk := &counted{database: s.db, fail: full}
	s.db = disk
	a, b := row(s, m), row(s, m)
	stage(t, s, a)
	if err := s.Commit([]Change{b}); !errors.Is(err, full) {
		t.Fatal(err)
	}
	if err := s.Sync(); !errors.Is(err, full) {
		t.Fatal(err)
	}
	for range maxStaged {
		_ = s.Stage([]Change{row(s, m)}) // refused once there is too much
	}
	if len(s.staged) > maxStaged {
		t.Errorf("%d changes wait", len(s.staged))
	}
	disk.mu.Lock()
	disk.fail = nil
	disk.mu.Unlock()
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, s, m); !slices.Contains(got, a.ID) || slices.Contains(got, b.ID) {
		t.Errorf("%v", got)
	}
}

// TestStageAndCommit stages, commits and reads at the same time.
func TestStageAndCommit(t *testing.T) {
	m := things()
	s := open(t, filepath.Join(t.TempDir(), "db"))
	defer s.Close()
	var all sync.WaitGroup
	const each = 20
	for range 2 {
		all.Go(func() {
			for range 10 * each {
				if err := s.Stage([]Change{row(s, m)}); err != nil {
					t.Error(err)
				}
			}
			if err := s.Sync(); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			for range each {
				if err := s.Commit([]Change{row(s, m)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := len(stored(t, s, m)); n != 22*each {
		t.Errorf("%d rows", n)
	}
}

func BenchmarkStage(b *testing.B) {
	m := things()
	s := open(b, filepath.Join(b.TempDir(), "db"))
	defer s.Close()
	n := 0
	for b.Loop() {
		r := m.Defaults(s.Next(m.IDs()))
		r.Put("name", strconv.Itoa(n))
		n++
		if err := s.Stage([]Change{{m, r.ID, r}}); err != nil {
			b.Fatal(err)
		}
	}
}
