package script

import (
	"errors"
	"fmt"
	"time"

	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// print shows the rows of a menu, or gives them as a value.
func (r run) print(q *menu.Request) (Value, error) {
	p, err := q.Printer()
	if err != nil {
		return Value{}, err
	}
	p.Width, p.Now = r.env.Width, time.Now()
	if err := r.from(q); err != nil {
		return Value{}, err
	}
	_, toFile := q.Args["file"]
	if toFile && follows(q) {
		return Value{}, menu.Errorf(menu.BadArgument, "only one of file and follow can be given")
	}
	var watch *tree.Watch
	if follows(q) {
		watch = r.env.Tree.Watch(q.Menu) // before the first look
	}
	rows, err := r.rows(q)
	if err != nil {
		return Value{}, err
	}
	if toFile {
		return Value{}, r.fill(q)
	}
	if _, ok := q.Args["count-only"]; ok {
		n := Number(int64(len(rows)))
		if !r.bracket {
			_, err = fmt.Fprintln(r.env.Out, n)
		}
		return n, err
	}
	if _, ok := q.Args["as-value"]; ok {
		return asValue(rows, p.Proplist)
	}
	if r.scope.outermost() && r.env.Numbers != nil && !q.Menu.Singleton {
		ids := make([]string, len(rows))
		for i, row := range rows {
			ids[i] = row.ID.String()
		}
		r.env.Numbers[q.Menu] = ids
	}
	if watch != nil {
		return Value{}, r.follow(q, p, rows, watch)
	}
	return Value{}, r.show(q, p, rows)
}

// from narrows the request to the items that its argument from names.
func (r run) from(q *menu.Request) error {
	list, given := q.Args["from"]
	if !given {
		return nil
	}
	items, err := r.listed(q.Menu, list)
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, item := range items {
		ids, err := r.env.Tree.Execute(r.ctx, r.env.User, &menu.Request{
			Menu: q.Menu, Command: menu.Get(false), Items: []string{item}, Args: map[string]string{"value-name": menu.IDKey},
		}, nil)
		if err != nil {
			return err
		}
		for _, id := range ids {
			wanted[id] = true
		}
	}
	where := q.Filter
	q.Filter = func(row *menu.Row) bool {
		return wanted[row.ID.String()] && (where == nil || where(row))
	}
	return nil
}

// asValue gives rows as an array of arrays; a singleton's row is one.
func asValue(rows []*menu.Row, proplist []string) (Value, error) {
	var list []Value
	for _, row := range rows {
		v, err := record(row, proplist)
		if err != nil || row.Menu.Singleton {
			return v, err
		}
		list = append(list, v)
	}
	return newArray(list, nil)
}

// show prints rows, once or at an interval.
func (r run) show(q *menu.Request, p menu.Printer, rows []*menu.Row) error {
	if every, again := interval(q); again {
		return r.repeat(q, p, rows, every)
	}
	out := r.env.Out
	if _, all := q.Args["without-paging"]; !all {
		out = r.paged()
	}
	if err := p.Print(out, q.Menu, rows); !errors.Is(err, errQuit) {
		return err
	}
	return nil
}

// interval gives the time between two prints, if there are to be several.
func interval(q *menu.Request) (every time.Duration, again bool) {
	text, again := q.Args["interval"]
	every, _ = menu.ParseTime(text) // the tree brought it to its canonical form
	return every, again
}

// fill waits for the next print to a file, if there are to be several: the tree
// has just done one.
func (r run) fill(q *menu.Request) error {
	every, again := interval(q)
	if !again {
		return nil
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := r.pause(ticker.C); err != nil {
			return err
		}
		if _, err := r.rows(q); err != nil {
			return err
		}
	}
}

// pause waits for the next look.
func (r run) pause(tick <-chan time.Time) error {
	select {
	case <-tick:
		return nil
	case <-r.ctx.Done():
		return r.interrupted()
	}
}

// repeat prints the rows again and again.
func (r run) repeat(q *menu.Request, p menu.Printer, rows []*menu.Row, every time.Duration) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := p.Print(r.env.Out, q.Menu, rows); err != nil {
			return err
		}
		if err := r.pause(ticker.C); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(r.env.Out); err != nil {
			return err
		}
		var err error
		if rows, err = r.rows(q); err != nil {
			return err
		}
		p.Now = time.Now()
	}
}
