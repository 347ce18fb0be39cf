package tree

import (
	"slices"
	"sync/atomic"

	"gopptp/internal/menu"
)

// maxSafeActions is how many changes safe mode can take back, as in RouterOS: that
// many are a mistake in themselves, and each keeps rows that are gone.
const maxSafeActions = 100

// SafeMode is held by one session at a time: what anybody changes meanwhile can be
// taken back. It lives in memory, as RouterOS's does: the changes themselves are on
// the disk, and a program that is killed starts with them.
type SafeMode struct {
	tree *Tree
	user User
	told func(message string)
	over atomic.Bool // somebody else has it, or nobody

	// Guarded by Tree.change.
	actions int
	changed []safeRow
	known   map[safeKey]bool
	orders  map[*table][]menu.ID // of ordered tables
}

// A safeRow is a row as it was when safe mode was taken; old is nil if it was not.
type safeRow struct {
	safeKey
	old *menu.Row
}

type safeKey struct {
	table *table
	id    menu.ID
}

// A Hijack is what is done when another session has safe mode.
type Hijack uint8

// The ways.
const (
	NoHijack      Hijack = iota // fail
	HijackRelease               // take it, and keep the other's changes
	HijackUnroll                // take it, and undo the other's changes
)

// What the session that had safe mode is told when it is over by itself.
const (
	safeModeHijacked = "[Safe mode released by another user]"
	safeModeFull     = "[Safe mode released, too many changes]"
)

// TakeSafeMode begins safe mode for a user, or gives nil if another session has it
// and hijack does not say what to do. When it ends by itself, told gets a line for
// the person; it must not call back or wait. The holder must call Release or Unroll.
func (t *Tree) TakeSafeMode(u User, hijack Hijack, told func(message string)) (*SafeMode, error) {
	u, err := t.present(u)
	if err != nil {
		return nil, err
	}
	if !u.May(menu.Write) {
		return nil, menu.Errorf(menu.Forbidden, "not enough permissions (9)")
	}
	t.change.Lock()
	defer t.change.Unlock()
	if other := t.safe; other != nil {
		how := "released"
		switch hijack {
		case NoHijack:
			return nil, nil
		case HijackUnroll:
			if err := other.unroll(u); err != nil {
				return nil, err
			}
			how = "unrolled"
		}
		other.end(u, how)
		other.told(safeModeHijacked)
	}
	t.safe = &SafeMode{tree: t, user: u, told: told, known: map[safeKey]bool{}, orders: map[*table][]menu.ID{}}
	t.journal.Addf("system,info", "safe mode taken by %s", u.origin())
	return t.safe, nil
}

// Held reports whether the session still has safe mode.
func (s *SafeMode) Held() bool { return !s.over.Load() }

// Release ends safe mode and keeps the changes.
func (s *SafeMode) Release() {
	s.tree.change.Lock()
	defer s.tree.change.Unlock()
	if s.Held() {
		s.end(s.user, "released")
	}
}

// Unroll ends safe mode and takes all changes back. If the disk refuses that, they
// stay, and the log says so.
func (s *SafeMode) Unroll() error {
	s.tree.change.Lock()
	defer s.tree.change.Unlock()
	if !s.Held() {
		return nil
	}
	err := s.unroll(s.user)
	if err != nil {
		s.tree.journal.Addf("system,error,critical", "changes of safe mode could not be undone: %v", err)
		s.end(s.user, "released")
		return err
	}
	s.end(s.user, "unrolled")
	return nil
}

// end ends safe mode. The caller holds change.
func (s *SafeMode) end(by User, how string) {
	s.over.Store(true)
	s.tree.safe = nil
	s.tree.journal.Addf("system,info", "safe mode %s by %s", how, by.origin())
}

// note remembers the rows of an action as they are before it, for safe mode. The
// caller holds change.
func (t *Tree) note(steps []step) {
	s := t.safe
	if s == nil {
		return
	}
	if s.actions++; s.actions > maxSafeActions {
		s.over.Store(true)
		t.safe = nil
		t.journal.Addf("system,warning", "safe mode of %s released: more than %d changes, they stay", s.user.Name, maxSafeActions)
		s.told(safeModeFull)
		return
	}
	for _, step := range steps {
		b := step.table
		if _, known := s.orders[b]; b.menu.Ordered && !known {
			s.orders[b] = slices.Clone(b.order)
		}
		key := safeKey{b, step.id()}
		if !s.known[key] {
			s.known[key] = true
			s.changed = append(s.changed, safeRow{key, step.old})
		}
	}
}

// unroll makes every row again what it was, all in one commit. The caller holds
// change.
func (s *SafeMode) unroll(by User) error {
	t := s.tree
	rank := map[*table]int{} // a table comes after those that it refers to
	referred := map[*table]bool{}
	for i, b := range t.ranked {
		rank[b] = i
		for _, p := range t.references[b.menu] {
			referred[t.tables[p.Type.(menu.Reference).Path]] = true
		}
	}
	var first, puts, last []step
	for _, row := range s.changed {
		b, now := row.table, row.table.stored[row.id]
		step := step{table: b, old: now, row: row.old, order: s.orders[b]}
		switch {
		case row.old == nil && now == nil, row.old != nil && now != nil && !b.menu.Ordered && same(row.old, now):
		case row.old != nil:
			puts = append(puts, step)
		case referred[b]:
			last = append(last, step) // when nothing refers to it any more
		default:
			first = append(first, step) // it may have a name that is given back
		}
	}
	slices.SortStableFunc(puts, func(a, b step) int { return rank[a.table] - rank[b.table] })
	slices.SortStableFunc(last, func(a, b step) int { return rank[b.table] - rank[a.table] })
	t.safe = nil // or this would be a change as well
	if err := t.commit(User{Name: by.Name, via: by.via, from: by.from}, slices.Concat(first, puts, last)); err != nil {
		t.safe = s
		return err
	}
	return nil
}

// same reports whether two rows of a menu have the same values.
func same(a, b *menu.Row) bool {
	return a == b || !slices.ContainsFunc(a.Menu.Properties, func(p menu.Property) bool {
		textA, thereA := a.Lookup(p.Name)
		textB, thereB := b.Lookup(p.Name)
		return textA != textB || thereA != thereB
	})
}
