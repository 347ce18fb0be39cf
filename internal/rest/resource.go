package rest

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"gopptp/internal/menu"
	"gopptp/internal/query"
)

// proplistKey chooses the properties of an answer.
const proplistKey = ".proplist"

// get answers with the rows of a menu, one of its items, or the settings of a
// singleton.
func (q *request) get() (answer, error) {
	command := q.menu.Command("print")
	if command == nil || len(q.rest) > 1 || len(q.rest) == 1 && !q.lists() {
		return answer{}, errNoCommand
	}
	q.choose(q.query.Get(proplistKey))
	filter, err := q.filter()
	if err != nil {
		return answer{}, err
	}
	e := newEncoder(q.menu, q.proplist, true)
	if len(q.rest) == 1 {
		row, err := q.tree.Item(q.user, q.menu, q.rest[0])
		switch {
		case err != nil:
			return answer{}, err
		case filter != nil && !filter(row):
			return answer{}, errNotFound
		}
		return answer{status: http.StatusOK, body: e.append(nil, row, noSection)}, nil
	}
	if id := q.query.Get(menu.IDKey); id != "" && !q.menu.Singleton {
		return q.byID(e, id, filter)
	}
	r := &menu.Request{Menu: q.menu, Command: command, Args: map[string]string{}, Filter: filter}
	if !q.menu.Singleton {
		return q.stream(e, r)
	}
	rows, _, err := q.do(r)
	switch {
	case err != nil:
		return answer{}, err
	case len(rows) == 1: // the query may want none
		return answer{status: http.StatusOK, body: e.append(nil, rows[0], noSection)}, nil
	}
	return answer{status: http.StatusOK, body: e.list(rows)}, nil
}

// lists reports whether the menu has items, so that a word after its path is one.
func (q *request) lists() bool { return q.menu.Command("print") != nil && !q.menu.Singleton }

// choose takes the properties of an answer from a list; an empty one is all.
func (q *request) choose(list string) {
	if list != "" {
		q.proplist = strings.Split(list, ",")
	}
}

// filter is made of the query of a GET: name=value must hold for all.
func (q *request) filter() (menu.Filter, error) {
	var words []string
	for name, values := range q.query {
		for _, v := range values {
			if name != proplistKey {
				words = append(words, "="+name+"="+v)
			}
		}
	}
	return query.Compile(words)
}

// byID answers with the row with an id, if the filter wants it. A program that
// looks at one item does so in this way; then there is no need to look at all
// others.
func (q *request) byID(e encoder, id string, filter menu.Filter) (answer, error) {
	none := answer{status: http.StatusOK, body: e.list(nil)}
	if !strings.HasPrefix(id, "*") {
		return none, nil
	}
	row, err := q.tree.Item(q.user, q.menu, id)
	var wrong *menu.Error
	switch {
	case errors.As(err, &wrong) && wrong.Kind != menu.Forbidden, err == nil && !filter(row):
		return none, nil
	case err != nil:
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: e.list([]*menu.Row{row})}, nil
}

// put adds an item and answers with it.
func (q *request) put() (answer, error) {
	command := q.menu.Command("add")
	switch {
	case len(q.rest) == 1 && q.lists():
		return answer{}, errNoResource
	case len(q.rest) > 0:
		return answer{}, errNoCommand
	case command == nil:
		return answer{}, unsupported("add")
	}
	r, err := q.request(command, q.body)
	if err != nil {
		return answer{}, err
	}
	_, value, err := q.do(r)
	if err != nil {
		return answer{}, err
	}
	return q.object(http.StatusCreated, value[0])
}

// patch changes an item and answers with what it is now.
func (q *request) patch() (answer, error) {
	id, command, err := q.addressed("set")
	if err != nil {
		return answer{}, err
	}
	r, err := q.request(command, q.body)
	if err != nil {
		return answer{}, err
	}
	if slices.ContainsFunc(r.Items, func(also string) bool { return also != id }) {
		return answer{}, errNoResource // some programs repeat the id in the body, but this is another
	}
	r.Items = []string{id}
	if _, _, err := q.do(r); err != nil {
		return answer{}, err
	}
	return q.object(http.StatusOK, id)
}

// delete removes an item.
func (q *request) delete() (answer, error) {
	id, command, err := q.addressed("remove")
	if err != nil {
		return answer{}, err
	}
	_, _, err = q.do(&menu.Request{Menu: q.menu, Command: command, Items: []string{id}, Args: map[string]string{}})
	return answer{status: http.StatusNoContent}, err
}

// addressed gives the id of the item that the path ends with, and the command
// for it.
func (q *request) addressed(name string) (id string, command *menu.Command, err error) {
	command = q.menu.Command(name)
	switch {
	case len(q.rest) > 1 || len(q.rest) == 1 && !q.lists():
		return "", nil, errNoCommand
	case command == nil:
		return "", nil, unsupported(name)
	case len(q.rest) == 0:
		return "", nil, errNoResource
	}
	found, err := q.tree.Identify(q.menu, q.rest[0])
	if err != nil {
		return "", nil, err
	}
	return found.String(), command, nil
}

// object answers with a row that was changed. The change was made whether the
// user may see it or not, and even if somebody else removed the row since.
func (q *request) object(status int, id string) (answer, error) {
	row, err := q.tree.Item(q.user, q.menu, id)
	if err != nil {
		b := append(appendString([]byte("{"), menu.IDKey), ':')
		return answer{status: status, body: append(appendString(b, id), '}')}, nil
	}
	return answer{status: status, body: newEncoder(q.menu, nil, true).append(nil, row, noSection)}, nil
}
