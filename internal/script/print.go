package script

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gopptp/internal/menu"
)

// followInterval is the time between two looks for new rows, if the command does
// not say.
const followInterval = 200 * time.Millisecond

// layouts are the words of print that choose a layout.
var layouts = map[string]menu.Layout{
	"brief": menu.Table, "detail": menu.Detail, "terse": menu.Terse, "value-list": menu.ValueList,
}

// print shows the rows of a menu, or gives them as a value.
func (r run) print(q *menu.Request) (Value, error) {
	p, err := r.printer(q)
	if err != nil {
		return Value{}, err
	}
	if err := r.from(q); err != nil {
		return Value{}, err
	}
	rows, err := r.rows(q)
	if err != nil {
		return Value{}, err
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
	return Value{}, r.show(q, p, rows)
}

// printer gives what shows the rows in the form that the request asks for.
func (r run) printer(q *menu.Request) (menu.Printer, error) {
	p := menu.Printer{Width: r.env.Width, Now: time.Now()}
	for word, layout := range layouts {
		if _, given := q.Args[word]; given {
			if p.Layout != menu.Default {
				return p, menu.Errorf(menu.BadArgument, "only one of brief, detail, terse and value-list can be given")
			}
			p.Layout = layout
		}
	}
	_, p.Stats = q.Args["stats"]
	_, p.ShowIDs = q.Args["show-ids"]
	if list, given := q.Args["proplist"]; given {
		return p, proplist(&p, q.Menu, list)
	}
	return p, nil
}

// proplist reads the names of the properties to show; .id among them asks for
// ids.
func proplist(p *menu.Printer, m *menu.Menu, list string) error {
	names := []string{menu.IDKey}
	for i := range m.Properties {
		names = append(names, m.Properties[i].Name)
	}
	for word := range strings.SplitSeq(list, ",") {
		name, err := menu.Words(names...).Parse("proplist", word, nil)
		if err != nil {
			return err
		}
		if name == menu.IDKey {
			p.ShowIDs = true
			continue
		}
		p.Proplist = append(p.Proplist, name)
	}
	return nil
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
	var ids []string
	for _, item := range items {
		id, err := r.env.Tree.Execute(r.ctx, r.env.User, &menu.Request{
			Menu: q.Menu, Command: menu.Get(false), Items: []string{item}, Args: map[string]string{"value-name": menu.IDKey},
		}, nil)
		if err != nil {
			return err
		}
		ids = append(ids, id...)
	}
	where := q.Filter
	q.Filter = func(row *menu.Row) bool {
		return slices.Contains(ids, row.ID.String()) && (where == nil || where(row))
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

// show prints rows, once, at an interval or as they come.
func (r run) show(q *menu.Request, p menu.Printer, rows []*menu.Row) error {
	_, follow := q.Args["follow"]
	_, followOnly := q.Args["follow-only"]
	text, again := q.Args["interval"]
	switch {
	case follow && followOnly:
		return menu.Errorf(menu.BadArgument, "only one of follow and follow-only can be given")
	case follow || followOnly:
		every := followInterval
		if again {
			every, _ = menu.ParseTime(text) // the tree brought it to its canonical form
		}
		return r.follow(q, p, rows, every, followOnly)
	case again:
		every, _ := menu.ParseTime(text)
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

// follow prints the rows, unless only new ones are wanted, and then each row that
// was not there at the look before.
func (r run) follow(q *menu.Request, p menu.Printer, rows []*menu.Row, every time.Duration, only bool) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	known := map[menu.ID]bool{}
	fresh := rows
	for first := true; ; first = false {
		if len(fresh) > 0 && !(first && only) {
			if err := p.Print(r.env.Out, q.Menu, fresh); err != nil {
				return err
			}
			p.Bare = true
		}
		if first || len(fresh) > 0 {
			p.First += len(fresh)
		}
		clear(known)
		for _, row := range rows {
			known[row.ID] = true
		}
		if err := r.pause(ticker.C); err != nil {
			return err
		}
		var err error
		if rows, err = r.rows(q); err != nil {
			return err
		}
		fresh = slices.DeleteFunc(slices.Clone(rows), func(row *menu.Row) bool { return known[row.ID] })
		p.Now = time.Now()
	}
}
