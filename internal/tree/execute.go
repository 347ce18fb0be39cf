package tree

import (
	"context"

	"gopptp/internal/menu"
)

// An Emit takes rows of an answer: once for a print, once per interval for a
// monitor. An error from it ends the operation.
type Emit func(rows []*menu.Row) error

// A changer is a binding whose rows can be set.
type changer interface {
	assign(u User, items []string, values []menu.Assignment) error
}

// An adder is a binding that rows can be added to.
type adder interface {
	add(u User, r *menu.Request) ([]string, error)
}

// A remover is a binding whose rows can be removed.
type remover interface {
	remove(u User, items []string) error
}

// An actor is a binding with commands of menu.Act.
type actor interface {
	act(u User, command string, items []string) error
}

// A monitored binding has states to show again and again.
type monitored interface {
	// status gives the state of a row that item gave.
	status(output *menu.Menu, r *menu.Row) *menu.Row
}

// Execute carries out one operation for a user. Rows of the answer go to emit;
// the result is what the command is worth in brackets: the ids of find, the id
// of add, the value of get. An error is a *menu.Error, and nothing was changed.
func (t *Tree) Execute(ctx context.Context, u User, r *menu.Request, emit Emit) ([]string, error) {
	if ctx.Err() != nil {
		return nil, menu.Errorf(menu.Interrupted, "interrupted")
	}
	u, err := t.allowed(u, r)
	if err != nil {
		return nil, err
	}
	for i := range r.Command.Args {
		a := &r.Command.Args[i]
		if text, given := r.Args[a.Name]; given && a.Type != nil {
			canonical, err := a.Type.Parse(a.Name, text, nil)
			if err != nil {
				return nil, err
			}
			r.Args[a.Name] = canonical
		}
	}
	if r.Command.Arg(menu.Numbers) != nil && r.Items == nil {
		return nil, menu.Missing(menu.Numbers)
	}
	u.batch = inBatch(ctx)
	b := t.bindings[r.Menu]
	switch r.Command.Name {
	case "print":
		return nil, t.print(u, r, t.list(u, b, r.Filter), emit)
	case "find":
		ids := []string{}
		for _, row := range t.list(u, b, r.Filter) {
			ids = append(ids, row.ID.String())
		}
		return ids, nil
	case "get":
		return t.get(u, b, r)
	case "monitor":
		return nil, t.monitor(ctx, u, b, r, emit)
	case monitorTraffic:
		return nil, b.(*interfacesMenu).traffic(ctx, u, r, emit)
	case "add":
		return b.(adder).add(u, r)
	case "edit": // a console asks for what set does
		return nil, menu.Errorf(menu.Refused, "failure: edit needs a terminal")
	case "export":
		return nil, t.export(ctx, u, r, emit)
	case "import":
		return nil, t.importFile(ctx, u, r, emit)
	case "move":
		return nil, b.(*table).move(u, r)
	case requestLogout, resetCounters:
		return nil, b.(actor).act(u, r.Command.Name, r.Items)
	case "remove":
		return nil, b.(remover).remove(u, r.Items)
	case "run":
		return nil, t.runScripts(ctx, u, b, r.Items)
	case "info", "warning", "error", "debug":
		return nil, t.write(r)
	}
	values, err := assignments(r)
	if err != nil {
		return nil, err
	}
	return nil, b.(changer).assign(u, r.Items, values)
}

// assignments gives what a command other than add sets.
func assignments(r *menu.Request) ([]menu.Assignment, error) {
	switch r.Command.Name {
	case "enable":
		return []menu.Assignment{{Name: "disabled", Value: menu.False}}, nil
	case "disable":
		return []menu.Assignment{{Name: "disabled", Value: menu.True}}, nil
	case "comment":
		text, given := r.Args[menu.Comment]
		if !given {
			return nil, menu.Missing(menu.Comment)
		}
		return []menu.Assignment{{Name: menu.Comment, Value: text}}, nil
	case "unset", "reset":
		name, err := valueName(r, func(p *menu.Property) bool {
			return p.Settable() && (r.Command.Name == "reset" || p.Optional || p.Quiet != "" || p.Name == menu.Comment)
		})
		if err != nil {
			return nil, err
		}
		return []menu.Assignment{{Name: name, Unset: true}}, nil
	}
	return r.Values, nil
}

// valueName gives the property that the argument value-name names, one that may be
// named; without may, any, and the id too.
func valueName(r *menu.Request, may func(*menu.Property) bool) (string, error) {
	const arg = "value-name"
	text, given := r.Args[arg]
	if !given {
		return "", menu.Missing(arg)
	}
	var names []string
	for i := range r.Menu.Properties {
		if p := &r.Menu.Properties[i]; may == nil || may(p) {
			names = append(names, p.Name)
		}
	}
	if may == nil {
		names = append(names, menu.IDKey)
	}
	return menu.Words(names...).Parse(arg, text, nil)
}

// list gives the rows that the filter wants. It sees what the user sees, or it
// would tell a password bit by bit.
func (t *Tree) list(u User, b binding, filter menu.Filter) []*menu.Row {
	rows := b.rows()
	out := rows[:0]
	for _, r := range rows {
		if r = u.masked(r); filter == nil || filter(r) {
			out = append(out, r)
		}
	}
	return out
}

// get gives one property of one row, or without a name the whole row.
func (t *Tree) get(u User, b binding, r *menu.Request) ([]string, error) {
	var row *menu.Row
	if r.Menu.Singleton {
		row = b.rows()[0]
	} else {
		if len(r.Items) != 1 {
			return nil, menu.NoItem()
		}
		var err error
		if row, err = b.item(r.Items[0]); err != nil {
			return nil, err
		}
	}
	row = u.masked(row)
	if _, given := r.Args["value-name"]; !given {
		return []string{menu.AsValue(r.Menu, []*menu.Row{row}, nil)}, nil
	}
	name, err := valueName(r, nil)
	if err != nil {
		return nil, err
	}
	if name == menu.IDKey {
		return []string{row.ID.String()}, nil
	}
	return []string{row.Get(name)}, nil
}
