package tree

import (
	"gopptp/internal/menu"
)

// Item gives the row that a program means by text: the one with that id, or with
// exactly that name. A person may write the beginning of a name, but a program
// that asks for bob must not be given bobby.
func (t *Tree) Item(u User, m *menu.Menu, text string) (*menu.Row, error) {
	u, err := t.present(u)
	if err != nil {
		return nil, err
	}
	if !u.May(menu.Read) {
		return nil, menu.Errorf(menu.Forbidden, "not enough permissions (9)")
	}
	r, err := t.exactly(m, text)
	if err != nil {
		return nil, err
	}
	return u.masked(r), nil
}

// Identify gives the id of the row that a program means by text, as Item does,
// for operations that do not show it.
func (t *Tree) Identify(m *menu.Menu, text string) (menu.ID, error) {
	r, err := t.exactly(m, text)
	if err != nil {
		return 0, err
	}
	return r.ID, nil
}

// exactly finds a row by its id or by its whole name.
func (t *Tree) exactly(m *menu.Menu, text string) (*menu.Row, error) {
	b := t.bindings[m]
	if b == nil || m.Singleton {
		return nil, menu.NoItem()
	}
	r, err := b.item(text)
	if err == nil {
		if _, isID, _ := menu.ParseID(text); !isID && (m.NameKey == "" || r.Get(m.NameKey) != text) {
			return nil, menu.NoItem()
		}
		return r, nil
	}
	// Several names that begin with text are none, but several of that name are
	// an ambiguity for a program as well.
	if e, ok := err.(*menu.Error); ok && e.Kind == menu.BadArgument && !t.shared(b, text) {
		return nil, menu.NoItem()
	}
	return nil, err
}

// shared reports whether several stored rows have a name.
func (t *Tree) shared(b binding, name string) bool {
	table, ok := b.(*table)
	if !ok {
		return false
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(table.names[name]) > 1
}
