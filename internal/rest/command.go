package rest

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"gopptp/internal/menu"
	"gopptp/internal/query"
)

// queryKey selects rows by the words of a query.
const queryKey = ".query"

// numberKey is how RouterOS names the items of a command that takes one, such as get.
const numberKey = "number"

// maxReplies bounds the rows of a command that answers again and again: its
// answer is kept until it is complete.
const maxReplies = 100_000

// post carries out the command that the path ends with.
func (q *request) post() (answer, error) {
	if len(q.rest) != 1 {
		return answer{}, errNoCommand
	}
	if q.rest[0] == "execute" && q.menu == q.tree.Root() && q.run != nil {
		return q.execute()
	}
	command := q.menu.Command(q.rest[0])
	switch print := q.menu.Command("print"); {
	case q.rest[0] == "listen" && print != nil:
		return q.listen(print)
	case command == nil:
		return answer{}, errNoCommand
	}
	r, err := q.request(command, q.body)
	if err != nil {
		return answer{}, err
	}
	shown := q.menu
	if command.Output != nil {
		shown = command.Output
	}
	e := newEncoder(shown, q.proplist, command.Output == nil)
	if command.Arg("once") != nil {
		return q.monitor(r, e)
	}
	if command.Name == "print" && len(r.Args) == 0 && !q.menu.Singleton {
		return q.stream(e, r)
	}
	rows, value, err := q.do(r)
	switch _, count := r.Args["count-only"]; {
	case err != nil:
		return answer{}, err
	case count:
		return answer{status: http.StatusOK, body: result(strconv.Itoa(len(rows)))}, nil
	case value != nil:
		return answer{status: http.StatusOK, body: result(strings.Join(value, ";"))}, nil
	}
	return answer{status: http.StatusOK, body: e.list(rows)}, nil
}

// listen waits as long as a command may run. What changes would be told at its
// end, which never comes, as with RouterOS.
func (q *request) listen(print *menu.Command) (answer, error) {
	if !q.user.May(print.Policy) {
		return answer{}, menu.Errorf(menu.Forbidden, "not enough permissions (9)")
	}
	<-q.ctx.Done()
	return answer{}, menu.Errorf(menu.Interrupted, sessionClosed)
}

// monitor collects the replies of a command that answers again and again, each
// row with the number of its reply.
func (q *request) monitor(r *menu.Request, e encoder) (answer, error) {
	b := []byte{'['}
	section, count := 0, 0
	_, err := q.tree.Execute(q.ctx, q.user, r, func(rows []*menu.Row) error {
		if count += len(rows); count > maxReplies {
			return menu.Errorf(menu.Interrupted, sessionClosed)
		}
		for _, row := range rows {
			if len(b) > 1 {
				b = append(b, ',')
			}
			b = e.append(b, row, section)
		}
		section++
		return nil
	})
	return answer{status: http.StatusOK, body: append(b, ']')}, err
}

// request makes the operation that the fields of a body ask for.
func (q *request) request(command *menu.Command, fields []field) (*menu.Request, error) {
	r := &menu.Request{Menu: q.menu, Command: command, Args: map[string]string{}}
	for _, f := range fields {
		var err error
		switch arg := command.Arg(f.name); {
		case f.name == proplistKey && (command.Name == "print" || command.Output != nil):
			q.choose(f.text())
		case f.name == queryKey && command.Where != menu.NoWhere:
			r.Filter, err = query.Compile(f.texts)
		case command.Arg(menu.Numbers) != nil && (f.name == menu.IDKey || f.name == menu.Numbers || f.name == numberKey),
			command.Name == "print" && q.lists() && (f.name == menu.IDKey || f.name == "from"):
			err = q.name(r, f)
		case arg == nil:
			err = assign(r, f)
		case f.null:
			// as if it were not there
		case arg.Name == "proplist":
			q.choose(f.text())
		case arg.Type != nil:
			r.Args[f.name] = f.text()
		case f.text() != menu.False && f.text() != "no": // a word that stands alone is there or not
			r.Args[f.name] = ""
		}
		if err != nil {
			return nil, err
		}
	}
	if command.Name == "print" && r.Items != nil {
		among(r)
	}
	return r, nil
}

// among makes the items that a print was given a part of its filter.
func among(r *menu.Request) {
	filter, items := r.Filter, map[string]bool{}
	for _, id := range r.Items {
		items[id] = true
	}
	r.Items = nil
	r.Filter = func(row *menu.Row) bool { return items[row.ID.String()] && (filter == nil || filter(row)) }
}

// name adds the items that a field names. A text may name several, separated by
// commas; a list may not, so that a comma can be part of a name.
func (q *request) name(r *menu.Request, f field) error {
	items := f.texts
	if !f.list {
		items = strings.Split(f.text(), ",")
	}
	if r.Items == nil {
		r.Items = []string{}
	}
	for _, text := range items {
		id, err := q.tree.Identify(q.menu, text)
		if err != nil {
			return err
		}
		r.Items = append(r.Items, id.String())
	}
	return nil
}

// assign gives a property its value. It is taken away by null, by an
// exclamation mark before its name, and by nothing where it may be absent.
func assign(r *menu.Request, f field) error {
	name, unset := strings.CutPrefix(f.name, "!")
	p := r.Menu.Property(name)
	if !r.Command.Changes || p == nil || !p.Settable() {
		return unknown(f.name)
	}
	a := menu.Assignment{Name: name, Value: f.text()}
	if unset || f.null || p.Optional && a.Value == "" {
		a = menu.Assignment{Name: name, Unset: true}
	}
	r.Values = append(r.Values, a)
	return nil
}

// maxOutput bounds what a script may print.
const maxOutput = 1 << 20

// output keeps what a script prints.
type output struct{ strings.Builder }

var errOutput = &problem{http.StatusBadRequest, "the script prints too much"}

func (o *output) Write(p []byte) (int, error) {
	if o.Len()+len(p) > maxOutput {
		return 0, errOutput
	}
	return o.Builder.Write(p)
}

// execute runs a script. Its errors are part of what it prints, as they would be
// at a console: RouterOS answers with 200 as well.
func (q *request) execute() (answer, error) {
	script, given := "", false
	for _, f := range q.body {
		switch f.name {
		case "script":
			script, given = f.text(), true
		case "as-string": // it is always waited for
		default:
			return answer{}, unknown(f.name)
		}
	}
	if !given {
		return answer{}, menu.Missing("script")
	}
	var out output
	err := q.run(q.ctx, q.user, script, &out)
	q.gate.epoch.Add(1) // it may have changed users
	if q.ctx.Err() != nil {
		return answer{}, menu.Errorf(menu.Interrupted, sessionClosed)
	}
	text := out.String()
	var e *menu.Error
	switch {
	case errors.As(err, &e):
		text += e.Error()
	case err != nil:
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: result(strings.TrimSuffix(text, "\n"))}, nil
}
