package tree

import (
	"context"
	"slices"

	"gopptp/internal/menu"
)

// streamed is how many rows of an answer are made at a time.
const streamed = 128

// Stream carries out a print as Execute does, but gives the rows in parts where
// it can, so that a long answer takes no more memory than a short one; without
// rows emit may not be called. The rows are those that there were at the start.
func (t *Tree) Stream(ctx context.Context, u User, r *menu.Request, emit Emit) error {
	b, stored := t.bindings[r.Menu].(*table)
	if !stored || b.adds || r.Command.Name != "print" || len(r.Args) > 0 {
		_, err := t.Execute(ctx, u, r, emit)
		return err
	}
	if _, err := t.allowed(u, r); err != nil {
		return err
	}
	t.mu.RLock()
	all := make([]*menu.Row, 0, len(b.order))
	for _, id := range b.order {
		all = append(all, b.stored[id])
	}
	t.mu.RUnlock()
	for part := range slices.Chunk(all, streamed) {
		if ctx.Err() != nil {
			return menu.Errorf(menu.Interrupted, "interrupted")
		}
		u, err := t.allowed(u, r) // a long answer may outlast the right to it
		if err != nil {
			return err
		}
		rows := make([]*menu.Row, 0, len(part))
		t.mu.RLock()
		for _, row := range part {
			rows = append(rows, t.shown(row))
		}
		t.mu.RUnlock()
		rows = b.finish(rows)
		rows = slices.DeleteFunc(rows, func(row *menu.Row) bool {
			row = u.masked(row)
			return r.Filter != nil && !r.Filter(row)
		})
		if err := emit(rows); err != nil {
			return err
		}
	}
	return nil
}

// allowed gives the user as they are now, or an error if they may not do what they ask
// for.
func (t *Tree) allowed(u User, r *menu.Request) (User, error) {
	u, err := t.present(u)
	if err == nil && !u.May(r.Command.Policy) {
		err = menu.Errorf(menu.Forbidden, "not enough permissions (9)")
	}
	return u, err
}
