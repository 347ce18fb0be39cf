package tree

import (
	"slices"

	"gopptp/internal/menu"
	"gopptp/internal/store"
)

// place gives the index of a row in the table's order, or where a new one goes.
func (t *table) place(id menu.ID) (int, bool) {
	if !t.menu.Ordered {
		return slices.BinarySearch(t.order, id)
	}
	if i := slices.Index(t.order, id); i >= 0 {
		return i, true
	}
	return len(t.order), false
}

// settle brings the rows that exist into the order that was stored. A row that it
// does not name goes to the end.
func settle(stored, exist []menu.ID) []menu.ID {
	left := map[menu.ID]bool{}
	for _, id := range exist {
		left[id] = true
	}
	var out []menu.ID
	for _, id := range slices.Concat(stored, exist) {
		if left[id] {
			out = append(out, id)
			delete(left, id)
		}
	}
	return out
}

// arrangements gives the order of the rows of each ordered table that steps change,
// as it is afterwards. The caller holds change.
func arrangements(steps []step) map[*table][]menu.ID {
	out := map[*table][]menu.ID{}
	for _, s := range steps {
		b := s.table
		if !b.menu.Ordered {
			continue
		}
		order, begun := out[b]
		if !begun {
			order = slices.Clone(b.order)
		}
		if s.order != nil {
			order = slices.Clone(s.order)
		}
		i := slices.Index(order, s.id())
		switch {
		case s.row == nil && i >= 0:
			order = slices.Delete(order, i, i+1)
		case s.row != nil && i < 0:
			order = append(order, s.id())
		}
		out[b] = order
	}
	return out
}

// stored is what arrangements gave in the store's words.
func stored(arranged map[*table][]menu.ID) []store.Order {
	var out []store.Order
	for b, ids := range arranged {
		out = append(out, store.Order{Menu: b.menu, IDs: ids})
	}
	return out
}

// handAll gives the engine an ordered table's rows. The caller holds change.
func (t *table) handAll() {
	if t.all == nil {
		return
	}
	rows := make([]*menu.Row, len(t.order))
	for i, id := range t.order {
		rows[i] = t.stored[id]
	}
	t.all(rows)
}

// move puts the rows that items name before another one, or at the end. They come
// in the order in which they are named.
func (t *table) move(u User, r *menu.Request) error {
	t.tree.change.Lock()
	defer t.tree.change.Unlock()
	var rows []*menu.Row
	for _, text := range r.Items {
		row, err := t.find(text)
		if err != nil {
			return err
		}
		if !slices.Contains(rows, row) {
			rows = append(rows, row)
		}
	}
	moved := func(id menu.ID) bool {
		return slices.ContainsFunc(rows, func(r *menu.Row) bool { return r.ID == id })
	}
	order := slices.DeleteFunc(slices.Clone(t.order), moved)
	at := len(order)
	if text, given := r.Args[menu.Destination]; given {
		next, err := t.find(text)
		if err != nil {
			return err
		}
		if moved(next.ID) {
			return menu.Errorf(menu.Refused, "failure: can not move object before itself")
		}
		at = slices.Index(order, next.ID)
	}
	var ids []menu.ID
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	order = slices.Insert(order, at, ids...)
	var steps []step
	for _, row := range rows {
		steps = append(steps, step{table: t, old: row, row: row, order: order})
	}
	return t.tree.commit(u, steps)
}
