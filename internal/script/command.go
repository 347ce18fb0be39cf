package script

import (
	"slices"
	"strconv"
	"strings"

	"gopptp/internal/menu"
)

// command carries out a command of a menu.
func (r run) command(c *menu.Call) (Value, error) {
	q, err := r.request(c)
	if err != nil {
		return Value{}, err
	}
	switch c.Command.Name {
	case "print":
		return r.print(q)
	case "get":
		return r.get(q)
	case "edit":
		return Value{}, r.edit(q)
	}
	if c.Command.Arg("do") != nil {
		return r.monitor(q)
	}
	frames := 0
	texts, err := r.env.Tree.Execute(r.ctx, r.env.User, q, func(rows []*menu.Row) error {
		frames++
		return r.frame(c.Command.Output, rows, frames-1)
	})
	switch {
	case err != nil:
		return Value{}, err
	case c.Command.Name == "find":
		return listOf(texts)
	case len(texts) == 1:
		return infer(texts[0]), nil
	}
	return listOf(texts)
}

// get gives a property of an item with its type, or the whole item.
func (r run) get(q *menu.Request) (Value, error) {
	const arg = "value-name"
	if name, given := q.Args[arg]; given {
		texts, err := r.env.Tree.Execute(r.ctx, r.env.User, q, nil)
		if err != nil || len(texts) == 0 {
			return Value{}, err
		}
		known := []string{menu.IDKey}
		for i := range q.Menu.Properties {
			known = append(known, q.Menu.Properties[i].Name)
		}
		if full, err := menu.Words(known...).Parse(arg, name, nil); err == nil && full != menu.IDKey {
			return ofProperty(q.Menu.Property(full), texts[0]), nil
		}
		return infer(texts[0]), nil
	}
	show := &menu.Request{Menu: q.Menu, Command: q.Menu.Command("print"), Args: map[string]string{}}
	if !q.Menu.Singleton {
		q.Args[arg] = menu.IDKey
		id, err := r.env.Tree.Execute(r.ctx, r.env.User, q, nil)
		if err != nil {
			return Value{}, err
		}
		show.Filter = func(row *menu.Row) bool { return row.ID.String() == id[0] }
	}
	rows, err := r.rows(show)
	if err != nil {
		return Value{}, err
	}
	if len(rows) == 0 {
		return Value{}, menu.NoItem()
	}
	return record(rows[0], nil)
}

// rows gives the rows that a print is about.
func (r run) rows(q *menu.Request) (rows []*menu.Row, err error) {
	_, err = r.env.Tree.Execute(r.ctx, r.env.User, q, func(some []*menu.Row) error {
		rows = append(rows, some...)
		return nil
	})
	return rows, err
}

// record gives a row as an array by the names of its properties, all of them or
// those in proplist.
func record(row *menu.Row, proplist []string) (Value, error) {
	var dict []pair
	if !row.Menu.Singleton {
		dict = append(dict, pair{menu.IDKey, Value{kind: ID, text: row.ID.String()}})
	}
	for i := range row.Menu.Properties {
		p := &row.Menu.Properties[i]
		if len(proplist) > 0 && !slices.Contains(proplist, p.Name) {
			continue
		}
		if text, ok := row.Lookup(p.Name); ok && (p.Name != menu.Comment || text != "") {
			dict = append(dict, pair{p.Name, ofProperty(p, text)})
		}
	}
	return newArray(nil, dict)
}

// request gives the operation that a call asks for.
func (r run) request(c *menu.Call) (*menu.Request, error) {
	q := &menu.Request{Menu: c.Menu, Command: c.Command, Args: map[string]string{}}
	for _, a := range c.Args {
		if a.Name == menu.Numbers {
			items, err := r.items(c.Menu, a.Value)
			if err != nil {
				return nil, err
			}
			q.Items = items
			continue
		}
		text := ""
		if a.Value != nil {
			var err error
			if text, err = r.text(a.Value); err != nil {
				return nil, err
			}
		}
		if c.Command.Arg(a.Name) != nil {
			q.Args[a.Name] = text
		} else {
			q.Values = append(q.Values, menu.Assignment{Name: a.Name, Value: text, Unset: a.Unset})
		}
	}
	if c.Where != nil {
		var err error
		if q.Filter, err = menu.Compile(c.Menu, c.Where, r.text); err != nil {
			return nil, err
		}
	}
	for i := range c.Command.Args {
		a := &c.Command.Args[i]
		text, given := q.Args[a.Name]
		if !given || !a.Item {
			continue
		}
		item, err := r.numbered(c.Menu, text)
		if err != nil {
			return nil, err
		}
		q.Args[a.Name] = item
	}
	return q, r.ask(c, q)
}

// items gives the ids or names that an argument stands for.
func (r run) items(m *menu.Menu, e menu.Expr) ([]string, error) {
	literal, ok := e.(*menu.Literal)
	if ok && literal.Quoted {
		return []string{literal.Text}, nil
	}
	if ok {
		return r.listed(m, literal.Text)
	}
	v, err := r.evaluate(e)
	if err != nil {
		return nil, err
	}
	items := []string{}
	switch v.kind {
	case Array:
		for _, p := range v.array.all() {
			items = append(items, p.value.String())
		}
	case Nothing, Nil:
	case Num:
		return r.listed(m, v.String())
	default:
		items = append(items, v.String())
	}
	return items, nil
}

// listed gives the ids or names in a list with commas.
func (r run) listed(m *menu.Menu, list string) ([]string, error) {
	items := []string{}
	for text := range strings.SplitSeq(list, ",") {
		item, err := r.numbered(m, text)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

// numbered gives the id of the item with a number in the last print of the menu.
// If there was none, the menu is taken as it is now. Other text stays.
func (r run) numbered(m *menu.Menu, text string) (string, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return text, nil
	}
	ids, printed := r.env.Numbers[m]
	if !printed {
		q := &menu.Request{Menu: m, Command: menu.Find()}
		if ids, err = r.env.Tree.Execute(r.ctx, r.env.User, q, nil); err != nil {
			return "", err
		}
		if r.env.Numbers != nil {
			r.env.Numbers[m] = ids
		}
	}
	if n < uint64(len(ids)) {
		return ids[n], nil
	}
	return text, nil
}
