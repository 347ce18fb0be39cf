package console

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// A Session is one person at a console, or one program. It is not safe for
// concurrent use.
type Session struct {
	Width int // of the terminal in characters; 0 if there is none

	tree    *tree.Tree
	user    tree.User
	at      *menu.Menu              // where commands are looked for
	numbers map[*menu.Menu][]string // ids by their number in the last print of the menu
}

// NewSession makes a session at the root of the tree.
func NewSession(t *tree.Tree, u tree.User) *Session {
	return &Session{tree: t, user: u, at: t.Root(), numbers: map[*menu.Menu][]string{}}
}

// Prompt gives what to write before the next line is read.
func (s *Session) Prompt() string {
	path := s.at.Path()
	if path == "/" {
		path = ""
	}
	return fmt.Sprintf("[%s@%s] %s> ", s.user.Name, menu.Clean(s.tree.Identity()), path)
}

// Run carries out the commands of a line, one after the other, up to the first
// that fails. What they print goes to out.
func (s *Session) Run(ctx context.Context, line string, out io.Writer) error {
	script, err := menu.Parse(line, s.tree.Root(), s.at)
	if err != nil {
		return err
	}
	r := run{Session: s, ctx: ctx, out: out}
	for _, c := range script.Calls {
		if c.Command == nil {
			s.at = c.Menu
			continue
		}
		if _, err := r.call(c, false); err != nil {
			return err
		}
	}
	return nil
}

// A run is the evaluation of one line.
type run struct {
	*Session
	ctx context.Context
	out io.Writer
}

// script evaluates the commands of a bracket; its value is that of the last.
func (r run) script(script *menu.Script) (value []string, err error) {
	for _, c := range script.Calls {
		if c.Command == nil {
			continue // it was the place where the commands after it were looked for
		}
		if value, err = r.call(c, true); err != nil {
			return nil, err
		}
	}
	return value, nil
}

// evaluate gives the value of an expression that is about no row. A list, as
// find gives it, has several texts.
func (r run) evaluate(e menu.Expr) ([]string, error) {
	switch e := e.(type) {
	case *menu.Literal:
		return []string{e.Text}, nil
	case *menu.Substitution:
		return r.script(e.Script)
	}
	holds, err := menu.Compile(nil, e, r.text)
	if err != nil {
		return nil, err
	}
	return []string{strconv.FormatBool(holds(nil))}, nil
}

// text gives the value of an expression as one text.
func (r run) text(e menu.Expr) (string, error) {
	value, err := r.evaluate(e)
	return strings.Join(value, ";"), err
}

// call carries out a command. In brackets a print gives its value rather than
// printing it.
func (r run) call(c *menu.Call, bracket bool) ([]string, error) {
	if c.Global { // :put is the only one
		if len(c.Args) == 0 {
			return nil, menu.Missing("message")
		}
		text, err := r.text(c.Args[0].Value)
		if err != nil {
			return nil, err
		}
		_, err = fmt.Fprintln(r.out, text)
		return nil, err
	}
	q, err := r.request(c)
	if err != nil {
		return nil, err
	}
	if c.Command.Name == "print" {
		return r.print(q, bracket)
	}
	frames := 0
	return r.tree.Execute(r.ctx, r.user, q, func(rows []*menu.Row) error {
		if frames++; frames > 1 {
			if _, err := fmt.Fprintln(r.out); err != nil {
				return err
			}
		}
		return menu.Printer{Width: r.Width}.Print(r.out, c.Command.Output, rows)
	})
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
		q.Filter, err = menu.Compile(c.Menu, c.Where, r.text)
		if err != nil {
			return nil, err
		}
	}
	if from, given := q.Args["copy-from"]; given {
		items, err := r.numbered(c.Menu, from)
		if err != nil {
			return nil, err
		}
		q.Args["copy-from"] = items
	}
	return q, nil
}

// items gives the ids or names that the argument numbers stands for.
func (r run) items(m *menu.Menu, e menu.Expr) ([]string, error) {
	literal, ok := e.(*menu.Literal)
	if !ok {
		value, err := r.evaluate(e)
		if value == nil {
			value = []string{}
		}
		return value, err
	}
	if literal.Quoted {
		return []string{literal.Text}, nil
	}
	items := []string{}
	for text := range strings.SplitSeq(literal.Text, ",") {
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
	ids, printed := r.Session.numbers[m]
	if !printed {
		q := &menu.Request{Menu: m, Command: menu.Find()}
		if ids, err = r.tree.Execute(r.ctx, r.user, q, nil); err != nil {
			return "", err
		}
		r.Session.numbers[m] = ids
	}
	if n < uint64(len(ids)) {
		return ids[n], nil
	}
	return text, nil
}

// layouts are the words of print that choose a layout.
var layouts = map[string]menu.Layout{
	"brief": menu.Table, "detail": menu.Detail, "terse": menu.Terse, "value-list": menu.ValueList,
}

// print shows the rows of a menu, or gives them as a value.
func (r run) print(q *menu.Request, bracket bool) ([]string, error) {
	p := menu.Printer{Width: r.Width, Now: time.Now()}
	for word, layout := range layouts {
		if _, given := q.Args[word]; given {
			if p.Layout != menu.Default {
				return nil, menu.Errorf(menu.BadArgument, "only one of brief, detail, terse and value-list can be given")
			}
			p.Layout = layout
		}
	}
	_, p.Stats = q.Args["stats"]
	_, p.ShowIDs = q.Args["show-ids"]
	_, asValue := q.Args["as-value"]
	_, count := q.Args["count-only"]
	if list, given := q.Args["proplist"]; given {
		var err error
		if p.Proplist, p.ShowIDs, err = proplist(q.Menu, list, p.ShowIDs); err != nil {
			return nil, err
		}
	}
	var rows []*menu.Row
	_, err := r.tree.Execute(r.ctx, r.user, q, func(some []*menu.Row) error {
		rows = append(rows, some...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	switch {
	case count && bracket:
		return []string{strconv.Itoa(len(rows))}, nil
	case count:
		_, err := fmt.Fprintln(r.out, len(rows))
		return nil, err
	case asValue && bracket:
		return []string{menu.AsValue(q.Menu, rows, p.Proplist)}, nil
	case asValue:
		return nil, nil
	}
	if !bracket && !q.Menu.Singleton {
		ids := make([]string, len(rows))
		for i, row := range rows {
			ids[i] = row.ID.String()
		}
		r.Session.numbers[q.Menu] = ids
	}
	return nil, p.Print(r.out, q.Menu, rows)
}

// proplist gives the full names of the properties in a list; .id among them asks
// for ids.
func proplist(m *menu.Menu, list string, ids bool) ([]string, bool, error) {
	names := []string{menu.IDKey}
	for i := range m.Properties {
		names = append(names, m.Properties[i].Name)
	}
	var out []string
	for word := range strings.SplitSeq(list, ",") {
		name, err := menu.Words(names...).Parse("proplist", word, nil)
		if err != nil {
			return nil, false, err
		}
		if name == menu.IDKey {
			ids = true
			continue
		}
		out = append(out, name)
	}
	return out, ids, nil
}
