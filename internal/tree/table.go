package tree

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopptp/internal/bell"
	"gopptp/internal/menu"
)

// A binding is what stands behind a menu.
type binding interface {
	// rows gives the rows as doors see them: references by name, computed values
	// filled in. They belong to the caller.
	rows() []*menu.Row
	// item gives the row that text names: an id, a name, or the beginning of one
	// name only.
	item(text string) (*menu.Row, error)
}

// A table is the cached rows of a menu that the store keeps. Its fields are
// guarded by Tree.mu for readers; only the holder of Tree.change writes them.
type table struct {
	menu *menu.Menu
	tree *Tree

	stored map[menu.ID]*menu.Row
	order  []menu.ID            // ascending, which is the order of creation; or the one of an ordered menu
	names  map[string][]menu.ID // by the value of the menu's NameKey
	keys   *keys

	changed bell.Bell // rings when what rows shows changes, but for what live adds unless rings is set

	// key gives what no other row of keys may have; nil for a singleton.
	key func(*menu.Row) string
	// clash is the error for a key that is taken.
	clash string
	// auto is the beginning of the name that a row without one gets; empty for
	// none.
	auto string

	// initial are the rows that exist in a new system, by fixed ids; nil for none.
	initial func(*menu.Menu) []*menu.Row
	// private keeps the table out of exports.
	private bool
	// owns is a table whose rows are removed with the row of this one that they
	// refer to; nil for none.
	owns *table

	// prepare checks a row that a user is about to add or to change, and fills in
	// what it lacks; nil for nothing. old is nil for a new row.
	prepare func(u User, old, r *menu.Row) error
	// put and drop hand a row to the engine; drop is nil for a singleton.
	put  func(r *menu.Row)
	drop func(id menu.ID)
	// all hands an ordered table's rows to the engine, in their order, whenever one
	// of them or the order changed; after put and drop, and nil for nothing.
	all func(rows []*menu.Row)
	// live fills in what the engine knows and appends the rows that exist only
	// because of a session; nil for nothing.
	live  func(rows []*menu.Row) []*menu.Row
	adds  bool // live appends rows, so that it must be called once for all
	rings bool // changed rings for what live fills in as well
	ticks bool // what live fills in changes with the time
	// state fills in what monitor shows of a row; nil for nothing.
	state func(out, r *menu.Row)
	// reset sets the counters of a row to zero; nil where there are none.
	reset func(id menu.ID)
	// fixed reports rows that cannot be removed, with the error; nil for none.
	fixed func(r *menu.Row) error
}

// keys are values that must be unique, over the tables that share them.
type keys struct {
	taken map[string]menu.ID
	free  map[string]int // by prefix, the number below which no automatic name is free
}

func newKeys() *keys { return &keys{taken: map[string]menu.ID{}, free: map[string]int{}} }

// autoName gives the lowest name of the prefix that is not taken.
func (k *keys) autoName(prefix string) string {
	for n := max(k.free[prefix], 1); ; n++ {
		name := prefix + strconv.Itoa(n)
		if _, taken := k.taken[name]; !taken {
			k.free[prefix] = n
			return name
		}
	}
}

// release frees a key.
func (k *keys) release(key string) {
	delete(k.taken, key)
	prefix := strings.TrimRight(key, "0123456789")
	if n, err := strconv.Atoi(key[len(prefix):]); err == nil && n < k.free[prefix] {
		k.free[prefix] = n
	}
}

// publish replaces the stored row of id by r, or removes it if r is nil.
func (t *table) publish(id menu.ID, r *menu.Row) {
	old := t.stored[id]
	if old != nil {
		// Another row may have taken the key over in the same commit.
		if t.key != nil && t.keys.taken[t.key(old)] == id {
			t.keys.release(t.key(old))
		}
		t.rename(old, false)
	}
	if r == nil {
		delete(t.stored, id)
		if i, ok := t.place(id); ok {
			t.order = slices.Delete(t.order, i, i+1)
		}
		return
	}
	t.stored[id] = r
	if t.key != nil {
		t.keys.taken[t.key(r)] = id
	}
	t.rename(r, true)
	if old == nil {
		i, _ := t.place(id)
		t.order = slices.Insert(t.order, i, id)
	}
}

// rename adds r to the index of names, or takes it out.
func (t *table) rename(r *menu.Row, add bool) {
	if t.menu.NameKey == "" {
		return
	}
	name := r.Get(t.menu.NameKey)
	if add {
		t.names[name] = append(t.names[name], r.ID)
		return
	}
	ids := slices.DeleteFunc(t.names[name], func(id menu.ID) bool { return id == r.ID })
	if len(ids) == 0 {
		delete(t.names, name)
	} else {
		t.names[name] = ids
	}
}

// find gives the stored row that text names: an id, a name, or the beginning of
// one name only. The caller holds mu or change.
func (t *table) find(text string) (*menu.Row, error) {
	if id, ok, err := menu.ParseID(text); err != nil {
		return nil, err
	} else if ok {
		if r := t.stored[id]; r != nil {
			return r, nil
		}
		return nil, menu.NoItem()
	}
	id, ok, ambiguous := t.resolve(text)
	switch {
	case ambiguous:
		return nil, menu.Ambiguous(menu.Numbers)
	case !ok:
		return nil, menu.NoItem()
	}
	return t.stored[id], nil
}

// resolve finds a row by its name, or by the beginning of one name only.
func (t *table) resolve(text string) (id menu.ID, ok, ambiguous bool) {
	if ids := t.names[text]; len(ids) > 0 {
		return ids[0], true, len(ids) > 1
	}
	if text == "" || t.menu.NameKey == "" {
		return 0, false, false
	}
	for _, i := range t.order {
		if strings.HasPrefix(t.stored[i].Get(t.menu.NameKey), text) {
			if ok {
				return 0, false, true
			}
			id, ok = i, true
		}
	}
	return id, ok, false
}

// rows gives the stored rows and those of sessions.
func (t *table) rows() []*menu.Row {
	t.tree.mu.RLock()
	out := make([]*menu.Row, 0, len(t.order))
	for _, id := range t.order {
		out = append(out, t.tree.shown(t.stored[id]))
	}
	t.tree.mu.RUnlock()
	return t.finish(out)
}

// item gives the row that text names, be it stored or of a session.
func (t *table) item(text string) (*menu.Row, error) {
	t.tree.mu.RLock()
	r, err := t.find(text)
	if err == nil {
		r = t.tree.shown(r)
	}
	t.tree.mu.RUnlock()
	if err == nil {
		return t.finish([]*menu.Row{r})[0], nil
	}
	if r, ok := t.ofSession(text); ok {
		return r, nil
	}
	return nil, err
}

// ofSession gives the row of a session that text names.
func (t *table) ofSession(text string) (*menu.Row, bool) {
	if t.live == nil {
		return nil, false
	}
	r, err := pick(t.live(nil), text)
	return r, err == nil
}

// pick gives the row of rows that text names.
func pick(rows []*menu.Row, text string) (*menu.Row, error) {
	id, isID, err := menu.ParseID(text)
	if err != nil {
		return nil, err
	}
	var found *menu.Row
	for _, r := range rows {
		name := ""
		if r.Menu.NameKey != "" {
			name = r.Get(r.Menu.NameKey)
		}
		switch {
		case isID && r.ID == id, !isID && name != "" && name == text:
			return r, nil
		case !isID && text != "" && strings.HasPrefix(name, text):
			if found != nil {
				return nil, menu.Ambiguous(menu.Numbers)
			}
			found = r
		}
	}
	if found == nil {
		return nil, menu.NoItem()
	}
	return found, nil
}

// finish fills in what the engine knows, takes away what a row's state excludes
// and appends the rows of sessions.
func (t *table) finish(rows []*menu.Row) []*menu.Row {
	if t.live != nil {
		rows = t.live(rows)
	}
	for i := range t.menu.Properties {
		p := &t.menu.Properties[i]
		if p.Absent == nil {
			continue
		}
		for _, r := range rows {
			if p.Absent(r) {
				r.Drop(p.Name)
			}
		}
	}
	return rows
}

// status gives what monitor shows of a row.
func (t *table) status(output *menu.Menu, r *menu.Row) *menu.Row {
	out := output.NewRow(r.ID)
	t.state(out, r)
	return out
}

// shown copies a stored row with names in the place of ids. The caller holds mu
// or change.
func (t *Tree) shown(r *menu.Row) *menu.Row {
	r = r.Clone()
	for _, p := range t.references[r.Menu] {
		text, there := r.Lookup(p.Name)
		id, isID, err := menu.ParseID(text)
		if !there || !isID || err != nil {
			continue
		}
		target := t.tables[p.Type.(menu.Reference).Path]
		if target == nil {
			continue
		}
		if row := target.stored[id]; row != nil {
			r.Put(p.Name, row.Get(target.menu.NameKey))
		}
	}
	return r
}

// Resolve finds a row of the menu at path by name; it makes the tree the
// resolver of references. The caller holds change.
func (t *Tree) Resolve(path, text string) (id menu.ID, ok, ambiguous bool) {
	target := t.tables[path]
	if target == nil {
		return 0, false, false
	}
	return target.resolve(text)
}

// check reports an error if r's key belongs to another row, in the table or
// among those that are changed together with it.
func (t *table) check(r *menu.Row, together map[string]menu.ID) error {
	if t.key == nil {
		return nil
	}
	key := t.key(r)
	if id, taken := together[key]; taken && id != r.ID {
		return menu.Errorf(menu.Refused, "%s", t.clash)
	}
	together[key] = r.ID
	if id, taken := t.keys.taken[key]; taken && id != r.ID {
		return menu.Errorf(menu.Refused, "%s", t.clash)
	}
	return nil
}

// load fills the cache from the store.
func (t *table) load(tree *Tree) (warnings []string, err error) {
	rows, warnings, err := tree.store.Load(t.menu)
	if err != nil {
		return warnings, err
	}
	slices.SortFunc(rows, func(a, b *menu.Row) int { return cmp.Compare(a.ID, b.ID) })
	here := map[string]bool{} // a row may refer to a later one of its own menu
	for _, r := range rows {
		here[r.ID.String()] = true
	}
	for _, r := range rows {
		if !t.restore(r) {
			warnings = append(warnings, fmt.Sprintf("%s %s: row that was never made is ignored", t.menu.Path(), r.ID))
			continue
		}
		if t.menu.Singleton && r.ID != settingsID {
			continue
		}
		for _, p := range tree.references[t.menu] {
			text, there := r.Lookup(p.Name)
			ref := p.Type.(menu.Reference)
			if !there || tree.exists(ref, text) || ref.Path == t.menu.Path() && here[text] {
				continue
			}
			warnings = append(warnings, fmt.Sprintf("%s %s: wrong value of %s, its default is used", t.menu.Path(), r.ID, p.Name))
			if p.Optional {
				r.Drop(p.Name)
			} else {
				r.Put(p.Name, p.Default)
			}
		}
		if t.check(r, map[string]menu.ID{}) != nil {
			warnings = append(warnings, fmt.Sprintf("%s %s: row with the name of another is ignored", t.menu.Path(), r.ID))
			continue
		}
		t.publish(r.ID, r)
	}
	if t.menu.Ordered {
		order, told, err := tree.store.Order(t.menu)
		if err != nil {
			return warnings, err
		}
		warnings = append(warnings, told...)
		t.order = settle(order, t.order)
	}
	return warnings, nil
}

// restore gives a row of the store the values that are never stored because
// nobody can set them, and reports whether the row may be.
func (t *table) restore(r *menu.Row) bool {
	initial := t.stored[r.ID]
	for i := range t.menu.Properties {
		p := &t.menu.Properties[i]
		if p.Settable() || initial == nil {
			continue
		}
		if text, there := initial.Lookup(p.Name); there {
			r.Put(p.Name, text)
		}
	}
	return t.menu.NameKey == "" || r.Get(t.menu.NameKey) != ""
}

// exists reports whether a stored reference still leads somewhere.
func (t *Tree) exists(ref menu.Reference, text string) bool {
	id, isID, err := menu.ParseID(text)
	if !isID || err != nil {
		return ref.Address && !isID
	}
	target := t.tables[ref.Path]
	return target != nil && target.stored[id] != nil
}

// resetCounters is the command that sets counters to zero.
const resetCounters = "reset-counters"

// act carries out the only command of tables that changes no row: it sets counters
// to zero.
func (t *table) act(_ User, _ string, items []string) error {
	if t.menu.Singleton {
		items = []string{settingsID.String()}
	}
	var rows []*menu.Row
	for _, text := range items {
		r, err := t.item(text)
		if err != nil {
			return err
		}
		rows = append(rows, r)
	}
	for _, r := range rows {
		t.reset(r.ID)
	}
	return nil
}
