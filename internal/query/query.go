// Package query compiles the queries of RouterOS's API into filters of rows: words
// that push truths onto a stack, and words of operations on it. The binary API
// and REST send the same words.
//
// It knows no menu before it sees a row, holds no state that a caller could
// notice, and reads no sentence: taking the words out of one is the door's work.
package query

import (
	"strings"
	"sync/atomic"

	"gopptp/internal/menu"
)

// maxSteps bounds the truths and operations of one query. Each is carried out
// for every row, so that their number multiplies what a hostile client can ask
// for; programs that select a few hundred ids get by.
const maxSteps = 1024

// A step of a query works on the stack of truths.
type step struct {
	op    op
	index int  // of copied and only
	test  test // of push
}

// A test asks something about a row.
type test interface {
	holds(r *menu.Row) bool
}

// Compile makes a filter of the words of a query, with or without the question
// mark in front:
//
//	name      the row has a value of the property
//	-name     it has none
//	name=v    the value is v; also =name=v
//	<name=v   the value comes before v
//	>name=v   the value comes after v
//	#ops      operations, see operations
//
// The row is wanted if no false is left on the stack. The filter is safe for
// concurrent use; without words it is nil, which wants every row. An error is a
// *menu.Error.
func Compile(words []string) (menu.Filter, error) {
	var steps []step
	for _, word := range words {
		more, err := parse(strings.TrimPrefix(word, "?"))
		if err != nil {
			return nil, err
		}
		if steps = append(steps, more...); len(steps) > maxSteps {
			return nil, menu.Errorf(menu.BadArgument, "query is too long")
		}
	}
	if len(steps) == 0 {
		return nil, nil
	}
	return func(r *menu.Row) bool {
		var s stack
		for i := range steps {
			s.run(&steps[i], r)
		}
		return s.holds()
	}, nil
}

// parse reads one word.
func parse(word string) ([]step, error) {
	if ops, ok := strings.CutPrefix(word, "#"); ok {
		return operations(ops)
	}
	if name, ok := strings.CutPrefix(word, "-"); ok {
		if name == "" || strings.Contains(name, "=") {
			return nil, errInvalid()
		}
		return pushed(has{name: name, want: false}), nil
	}
	op := byte(0)
	if word != "" && strings.IndexByte("=<>", word[0]) >= 0 {
		op, word = word[0], word[1:]
	}
	name, value, compares := strings.Cut(word, "=")
	switch {
	case name == "", op != 0 && !compares:
		return nil, errInvalid()
	case !compares:
		return pushed(has{name: name, want: true}), nil
	case op == 0:
		op = '='
	}
	return pushed(&compare{name: name, op: op, value: value}), nil
}

// pushed is the step that pushes what a test finds.
func pushed(t test) []step { return []step{{op: push, test: t}} }

func errInvalid() *menu.Error { return menu.Errorf(menu.BadArgument, "invalid query") }

// lookup gives a value of a row, which may know nothing of the property.
func lookup(r *menu.Row, name string) (text string, there bool) {
	if name == menu.IDKey {
		return r.ID.String(), !r.Menu.Singleton
	}
	if r.Menu.Property(name) == nil {
		return "", false
	}
	return r.Lookup(name)
}

// has asks whether a row has a value. An empty one is none, as a comment is left
// out of an answer when it is empty.
type has struct {
	name string
	want bool
}

func (h has) holds(r *menu.Row) bool {
	text, there := lookup(r, h.name)
	return (there && text != "") == h.want
}

// compare compares a value.
type compare struct {
	name  string
	op    byte // = < >
	value string
	known atomic.Pointer[operand]
}

// An operand is what rows of one menu are compared with.
type operand struct {
	menu  *menu.Menu
	typ   menu.Type
	value string // canonical, as the values of rows are
}

// operand gives what a row of m is compared with. All rows of an answer belong
// to one menu, so that the last is the next.
func (c *compare) operand(m *menu.Menu) *operand {
	if o := c.known.Load(); o != nil && o.menu == m {
		return o
	}
	o := &operand{menu: m, typ: menu.String{}, value: c.value}
	switch p := m.Property(c.name); {
	case c.name == menu.IDKey:
		o.typ = idType{}
	case p != nil:
		o.typ = p.Type
	}
	// yes is true and 60 is 1m, but the beginning of a word is not the word: a
	// program that asks for a value wants that one.
	if _, word := o.typ.(menu.Enum); !word {
		if text, err := o.typ.Parse(c.name, c.value, nil); err == nil {
			o.value = text
		}
	}
	c.known.Store(o)
	return o
}

func (c *compare) holds(r *menu.Row) bool {
	text, there := lookup(r, c.name)
	o := c.operand(r.Menu)
	switch c.op {
	case '=':
		return text == o.value
	case '<':
		return there && o.typ.Compare(text, o.value) < 0
	}
	return there && o.typ.Compare(text, o.value) > 0
}

// idType is the type of ids, which are ordered by number.
type idType struct{ menu.String }

func (idType) Parse(_, text string, _ menu.Resolver) (string, error) {
	id, ok, err := menu.ParseID(text)
	if !ok || err != nil {
		return text, err
	}
	return id.String(), nil
}

func (t idType) Compare(a, b string) int {
	x, okX, errX := menu.ParseID(a)
	y, okY, errY := menu.ParseID(b)
	switch {
	case !okX || !okY || errX != nil || errY != nil:
		return t.String.Compare(a, b)
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}
