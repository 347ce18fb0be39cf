package tree

import (
	"context"
	"time"

	"gopptp/internal/menu"
)

// defaultInterval is the time between two replies of a monitor.
const defaultInterval = time.Second

// monitor gives the state of items to emit, once or again and again until the
// duration or ctx is over.
func (t *Tree) monitor(ctx context.Context, u User, b binding, r *menu.Request, emit Emit) error {
	var end <-chan time.Time
	if text, given := r.Args["duration"]; given {
		d, _ := menu.ParseTime(text)
		timer := time.NewTimer(d)
		defer timer.Stop()
		end = timer.C
	}
	_, once := r.Args["once"]
	named := r.Items
	if r.Menu.Singleton {
		named = []string{settingsID.String()}
	}
	// What was named at the start is followed, whatever it is called later.
	items := make([]string, len(named))
	for i, text := range named {
		row, err := b.item(text)
		if err != nil {
			return err
		}
		items[i] = row.ID.String()
	}
	ticker := time.NewTicker(intervalOf(r))
	defer ticker.Stop()
	for {
		var rows []*menu.Row
		for _, id := range items {
			row, err := b.item(id)
			if err != nil {
				return err
			}
			rows = append(rows, u.masked(b.(monitored).status(r.Command.Output, row)))
		}
		if err := emit(rows); err != nil {
			return err
		}
		if u, err := t.present(u); err != nil || !u.May(r.Command.Policy) {
			return menu.Errorf(menu.Interrupted, "interrupted")
		}
		if once {
			return nil
		}
		select {
		case <-end:
			return nil
		case <-ctx.Done():
			return menu.Errorf(menu.Interrupted, "interrupted")
		case <-ticker.C:
		}
	}
}

// intervalOf gives the time between two replies that a request asks for.
func intervalOf(r *menu.Request) time.Duration {
	text, given := r.Args["interval"]
	if !given {
		return defaultInterval
	}
	interval, _ := menu.ParseTime(text) // Execute brought it to its canonical form
	return interval
}
