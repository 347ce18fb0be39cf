package store

import (
	"fmt"
	"time"
)

// The bounds of what is staged: it is written when there is so much of it, or
// when the oldest of it has waited so long. A commit costs a wait for the disk
// whatever its size, so that a thousand changes at once make an import of many
// rows a matter of the rows; the time bounds what a kill can take back from a
// script that goes on for long.
const (
	maxStaged  = 1000
	stagedTime = 50 * time.Millisecond
)

// Stage takes changes that will be on the disk, all of them or none, when Sync
// returns, or together with the next Commit. They reach it in the order in which
// they were staged and committed, so that the disk never has a change without
// those before it. The error is one of the disk: the changes were not taken.
func (s *Store) Stage(changes []Change, ordered ...Order) error {
	ops, touched, err := operations(changes, ordered)
	if err != nil {
		return err
	}
	s.write.Lock()
	defer s.write.Unlock()
	if len(s.staged) >= maxStaged {
		if err := s.flushLocked(nil, nil); err != nil {
			return err
		}
	}
	if s.touched == nil {
		s.touched = map[string]bool{}
	}
	for sequence := range touched {
		s.touched[sequence] = true
	}
	s.staged = append(s.staged, ops...)
	if s.late == nil {
		// An error stays: who staged the changes asks Sync before telling anybody.
		s.late = time.AfterFunc(stagedTime, func() { _ = s.Sync() })
	}
	return nil
}

// Sync returns when everything that was staged is on the disk. After an error it
// is staged still.
func (s *Store) Sync() error {
	s.write.Lock()
	defer s.write.Unlock()
	return s.flushLocked(nil, nil)
}

// flushLocked writes what is staged and then more, in one transaction.
func (s *Store) flushLocked(more []op, touched map[string]bool) error {
	if s.late != nil {
		s.late.Stop()
		s.late = nil
	}
	if len(s.staged) == 0 && len(more) == 0 {
		return nil
	}
	ops := append(s.staged[:len(s.staged):len(s.staged)], more...)
	s.mu.Lock()
	for _, sequences := range []map[string]bool{s.touched, touched} {
		for sequence := range sequences {
			ops = append(ops, op{sequenceTable, []byte(sequence), key(s.last[sequence])})
		}
	}
	s.mu.Unlock()
	if err := s.db.apply(ops); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	s.staged, s.touched = nil, nil
	return nil
}
