package script

import (
	"fmt"
	"time"

	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

const (
	// followPause is the least time between two looks at rows that somebody
	// follows.
	followPause = 100 * time.Millisecond
	// followShare makes the pause longer where a look takes long, so that following
	// a busy menu costs no more than a twentieth of a processor.
	followShare = 20
)

// follows reports whether a print goes on with what is new.
func follows(q *menu.Request) bool {
	_, follow := q.Args["follow"]
	_, only := q.Args["follow-only"]
	return follow || only
}

// A follower prints what is new in a menu.
type follower struct {
	run
	request *menu.Request
	printer menu.Printer
	known   map[menu.ID]*menu.Row // the rows of the look before
	next    int                   // number of the next new row
}

// follow prints the rows, unless only new ones are wanted, and then each row that
// comes or changes, until it is interrupted. A row keeps its number; that of one
// that is gone is told and not given again.
func (r run) follow(q *menu.Request, p menu.Printer, rows []*menu.Row, watch *tree.Watch) error {
	_, follow := q.Args["follow"]
	_, only := q.Args["follow-only"]
	if follow && only {
		return menu.Errorf(menu.BadArgument, "only one of follow and follow-only can be given")
	}
	pause := followPause
	if every, given := interval(q); given {
		pause = every
	}
	p.Sheet = &menu.Sheet{Numbers: map[menu.ID]int{}}
	f := &follower{run: r, request: q, printer: p}
	fresh := f.look(rows)
	if only {
		fresh = nil
	}
	var took time.Duration // for the look before
	for {
		if len(fresh) > 0 {
			if err := f.printer.Print(r.env.Out, q.Menu, fresh); err != nil {
				return err
			}
		}
		if err := r.pause(time.After(max(pause, followShare*took))); err != nil {
			return err
		}
		if watch.Next(r.ctx) != nil {
			return r.interrupted()
		}
		started := time.Now()
		rows, err := r.rows(q)
		took = time.Since(started)
		if err != nil {
			return err
		}
		if err := f.gone(rows); err != nil {
			return err
		}
		fresh = f.look(rows)
		f.printer.Now = time.Now()
	}
}

// look gives the rows that are new or have changed since the look before. Lines
// of the log never change.
func (f *follower) look(rows []*menu.Row) []*menu.Row {
	var fresh []*menu.Row
	now := make(map[menu.ID]*menu.Row, len(rows))
	for _, row := range rows {
		now[row.ID] = row
		before, known := f.known[row.ID]
		if !known || row.Changed(before) {
			fresh = append(fresh, row)
		}
		f.number(row.ID)
	}
	for id := range f.known {
		if now[id] == nil {
			delete(f.printer.Sheet.Numbers, id)
		}
	}
	f.known, f.printer.Sheet.Rows = now, rows
	return fresh
}

// maxNumbers bounds the rows that commands may name by number after a follow that
// went on for long.
const maxNumbers = 1 << 16

// number gives a row a number, unless it has one, by which later commands may
// name it.
func (f *follower) number(id menu.ID) {
	numbers := f.printer.Sheet.Numbers
	if _, has := numbers[id]; has {
		return
	}
	n := f.next
	numbers[id] = n
	f.next++
	m := f.request.Menu
	if ids := f.env.Numbers; f.scope.outermost() && ids != nil && n == len(ids[m]) && n < maxNumbers {
		ids[m] = append(ids[m], id.String())
	}
}

// gone tells of the rows that are not there any more, except of the log's, which
// leave the memory as new ones come.
func (f *follower) gone(rows []*menu.Row) error {
	if f.request.Menu.Layout == menu.Lines {
		return nil
	}
	still := make(map[menu.ID]bool, len(rows))
	for _, row := range rows {
		still[row.ID] = true
	}
	for _, row := range f.printer.Sheet.Rows {
		if still[row.ID] {
			continue
		}
		name := fmt.Sprint(f.printer.Sheet.Numbers[row.ID])
		if f.printer.ShowIDs {
			name = row.ID.String()
		}
		if _, err := fmt.Fprintf(f.env.Out, ";;; %s removed\n", name); err != nil {
			return err
		}
	}
	return nil
}
