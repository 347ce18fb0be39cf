package tree

import (
	"slices"

	"gopptp/internal/menu"
	"gopptp/internal/store"
)

// A step is a change of one row that is about to be made.
type step struct {
	table *table
	old   *menu.Row // nil for a new row
	row   *menu.Row // nil to remove it

	// order is that of an ordered table's rows afterwards; nil to leave the rows
	// where they are, with a new one at the end.
	order []menu.ID
}

// commit makes all steps or none: to the disk, to the cache, to the engine and
// to the log. In a batch the disk has them at its end. The caller holds change.
func (t *Tree) commit(u User, steps []step) error {
	if len(steps) == 0 {
		return nil
	}
	changes := make([]store.Change, len(steps))
	for i, s := range steps {
		if s.row != nil && s.table.prepare != nil {
			if err := s.table.prepare(u, s.old, s.row); err != nil {
				return err
			}
		}
		changes[i] = store.Change{Menu: s.table.menu, ID: s.id(), Row: s.row}
	}
	arranged := arrangements(steps)
	write := t.store.Commit
	if u.batch {
		write = t.store.Stage
	}
	if err := write(changes, stored(arranged)...); err != nil {
		return menu.Errorf(menu.Internal, "failure: %v", err)
	}
	t.note(steps)
	t.mu.Lock()
	for _, s := range steps {
		s.table.publish(s.id(), s.row)
	}
	for b, order := range arranged {
		b.order = order
	}
	t.mu.Unlock()
	for _, s := range steps {
		if s.row == nil {
			s.table.drop(s.id())
		} else {
			s.table.put(s.row)
			t.follow(s)
		}
		t.tell(u, s)
	}
	for b := range arranged {
		b.handAll()
	}
	t.announce(steps)
	return nil
}

func (s step) id() menu.ID {
	if s.row != nil {
		return s.row.ID
	}
	return s.old.ID
}

// follow gives the engine the rows that refer to a row by a name that it has no
// longer.
func (t *Tree) follow(s step) {
	name := s.table.menu.NameKey
	if s.old == nil || name == "" || s.old.Get(name) == s.row.Get(name) {
		return
	}
	t.referrers(s.table, s.id(), func(from *table, r *menu.Row) bool {
		from.put(r)
		return true
	})
}

// referrers calls fn for the rows that refer to row id of target, as long as fn
// wants more. The caller holds change.
func (t *Tree) referrers(target *table, id menu.ID, fn func(*table, *menu.Row) bool) {
	text := id.String()
	for from, properties := range t.references {
		for _, p := range properties {
			if p.Type.(menu.Reference).Path != target.menu.Path() {
				continue
			}
			b := t.tables[from.Path()]
			for _, i := range b.order {
				if r := b.stored[i]; r.Get(p.Name) == text && !fn(b, r) {
					return
				}
			}
		}
	}
}

// tell writes the change to the log, without any value but the row's name.
func (t *Tree) tell(u User, s step) {
	what := "changed"
	switch {
	case s.row != nil && s.row == s.old:
		what = "moved"
	case s.row == nil:
		what = "removed"
	case s.old == nil && !s.table.menu.Singleton:
		what = "added"
	}
	noun := s.table.menu.Noun
	if s.table.menu.NameKey == "" {
		t.journal.Addf("system,info", "%s %s by %s", noun, what, u.origin())
		return
	}
	r := s.row
	if r == nil {
		r = s.old
	}
	t.journal.Addf("system,info", "%s <%s> %s by %s", noun, r.Get(s.table.menu.NameKey), what, u.origin())
}

// edit gives a copy of r with values set.
func (t *table) edit(r *menu.Row, values []menu.Assignment) (*menu.Row, error) {
	r = r.Clone()
	for _, v := range values {
		p := t.menu.Property(v.Name)
		if p == nil || !p.Settable() {
			return nil, menu.Errorf(menu.BadArgument, "unknown parameter %s", v.Name)
		}
		text := t.first(r.ID, p)
		switch {
		case v.Unset && p.Required:
			return nil, menu.Missing(p.Name)
		case v.Unset && p.Name == t.menu.NameKey && t.auto != "":
			text = t.keys.autoName(t.auto)
		case !v.Unset:
			var err error
			if text, err = p.Type.Parse(p.Name, v.Value, t.tree); err != nil {
				return nil, err
			}
		}
		if p.Optional && (v.Unset || text == "") {
			r.Drop(p.Name)
		} else {
			r.Put(p.Name, text)
		}
	}
	return r, nil
}

// first gives the value of a property that nobody has set.
func (t *table) first(id menu.ID, p *menu.Property) string {
	if t.initial != nil {
		for _, r := range t.initial(t.menu) {
			if r.ID == id {
				return r.Get(p.Name)
			}
		}
	}
	return p.Default
}

// add makes a row and gives its id.
func (t *table) add(u User, req *menu.Request) ([]string, error) {
	t.tree.change.Lock()
	defer t.tree.change.Unlock()
	r := t.menu.Defaults(0)
	if t.auto != "" {
		r.Drop(t.menu.NameKey)
	}
	if from, given := req.Args["copy-from"]; given {
		source, err := t.find(from)
		if err != nil {
			return nil, err
		}
		r = source.Clone()
		if t.menu.NameKey != "" {
			r.Drop(t.menu.NameKey)
		}
	}
	r, err := t.edit(r, req.Values)
	if err != nil {
		return nil, err
	}
	missing := ""
	for i := range t.menu.Properties {
		p := &t.menu.Properties[i]
		if _, there := r.Lookup(p.Name); !there && p.Required {
			missing += " " + p.Name
		}
	}
	if missing != "" {
		return nil, menu.Missing(missing[1:])
	}
	if t.auto != "" {
		if _, named := r.Lookup(t.menu.NameKey); !named {
			r.Put(t.menu.NameKey, t.keys.autoName(t.auto))
		}
	}
	r.ID = t.tree.store.Next(t.menu.IDs())
	if err := t.check(r, map[string]menu.ID{}); err != nil {
		return nil, err
	}
	s := step{table: t, row: r}
	if before, given := req.Args[menu.PlaceBefore]; given {
		next, err := t.find(before)
		if err != nil {
			return nil, err
		}
		s.order = slices.Insert(slices.Clone(t.order), slices.Index(t.order, next.ID), r.ID)
	}
	if err := t.tree.commit(u, []step{s}); err != nil {
		return nil, err
	}
	return []string{r.ID.String()}, nil
}

// stage makes the steps that set values in the row that text names. together
// are the keys of the rows that were staged before.
func (t *table) stage(text string, values []menu.Assignment, together map[string]menu.ID) (step, error) {
	old, err := t.find(text)
	if err != nil {
		if _, ok := t.ofSession(text); ok {
			err = menu.Errorf(menu.Refused, "failure: can not change dynamic interface")
		}
		return step{}, err
	}
	r, err := t.edit(old, values)
	if err != nil {
		return step{}, err
	}
	return step{table: t, old: old, row: r}, t.check(r, together)
}

// assign sets values in the rows that items name, or in the singleton's.
func (t *table) assign(u User, items []string, values []menu.Assignment) error {
	t.tree.change.Lock()
	defer t.tree.change.Unlock()
	if t.menu.Singleton {
		items = []string{settingsID.String()}
	}
	var steps []step
	together := map[string]menu.ID{}
	for _, text := range items {
		s, err := t.stage(text, values, together)
		if err != nil {
			return err
		}
		steps = append(steps, s)
	}
	if err := t.tree.guardUsers(steps); err != nil {
		return err
	}
	return t.tree.commit(u, unique(steps))
}

// unique leaves out what was named twice.
func unique(steps []step) []step {
	type row struct {
		table *table
		id    menu.ID
	}
	seen := map[row]bool{}
	return slices.DeleteFunc(steps, func(s step) bool {
		r := row{s.table, s.id()}
		twice := seen[r]
		seen[r] = true
		return twice
	})
}

// remove removes the rows that items name, and ends the sessions of those that
// exist because of one.
func (t *table) remove(u User, items []string) error {
	t.tree.change.Lock()
	defer t.tree.change.Unlock()
	var steps []step
	var sessions []menu.ID
	for _, text := range items {
		r, err := t.find(text)
		if err != nil {
			if r, ok := t.ofSession(text); ok {
				sessions = append(sessions, r.ID)
				continue
			}
			return err
		}
		if err := t.removable(r); err != nil {
			return err
		}
		steps = append(steps, t.owns.ownedBy(r)...)
		steps = append(steps, step{table: t, old: r})
	}
	if err := t.tree.guardUsers(steps); err != nil {
		return err
	}
	if err := t.tree.commit(u, unique(steps)); err != nil {
		return err
	}
	for _, id := range sessions {
		t.tree.engine.Disconnect(sessionOf(id))
	}
	return nil
}

// removable reports why a row cannot be removed.
func (t *table) removable(r *menu.Row) error {
	if t.fixed != nil {
		if err := t.fixed(r); err != nil {
			return err
		}
	}
	used := false
	t.tree.referrers(t, r.ID, func(from *table, _ *menu.Row) bool {
		used = from != t.owns
		return !used
	})
	if used {
		return menu.Errorf(menu.Refused, "failure: %s is in use", t.menu.Name)
	}
	return nil
}
