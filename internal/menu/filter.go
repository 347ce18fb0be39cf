package menu

import (
	"cmp"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// A Filter says whether a row is wanted.
type Filter func(*Row) bool

// Compile makes a filter of an expression over m's rows. Parts that do not
// depend on the row are evaluated once, by eval. An expression without fields
// may be asked about no row, and needs no menu.
func Compile(m *Menu, e Expr, eval func(Expr) (string, error)) (Filter, error) {
	switch e := e.(type) {
	case *Logic:
		terms := make([]Filter, len(e.Terms))
		for i, t := range e.Terms {
			f, err := Compile(m, t, eval)
			if err != nil {
				return nil, err
			}
			terms[i] = f
		}
		return func(r *Row) bool {
			for _, t := range terms {
				if t(r) == e.Or {
					return e.Or
				}
			}
			return !e.Or
		}, nil
	case *Not:
		f, err := Compile(m, e.X, eval)
		if err != nil {
			return nil, err
		}
		return func(r *Row) bool { return !f(r) }, nil
	case *Field:
		return func(r *Row) bool {
			text, ok := lookup(r, e.Name)
			return ok && text != "" && text != False
		}, nil
	case *Compare:
		return compileCompare(m, e, eval)
	}
	text, err := eval(e)
	if err != nil {
		return nil, err
	}
	truth := text == True || text == "yes"
	return func(*Row) bool { return truth }, nil
}

// lookup is Row.Lookup with the id as one more property.
func lookup(r *Row, name string) (string, bool) {
	if name == IDKey {
		return r.ID.String(), true
	}
	return r.Lookup(name)
}

func compileCompare(m *Menu, e *Compare, eval func(Expr) (string, error)) (Filter, error) {
	right, err := eval(e.Right)
	if err != nil {
		return nil, err
	}
	field, ok := e.Left.(*Field)
	if !ok {
		left, err := eval(e.Left)
		if err != nil {
			return nil, err
		}
		test, err := comparison(e.Op, loose{}, "", right)
		if err != nil {
			return nil, err
		}
		truth := test(left, true)
		return func(*Row) bool { return truth }, nil
	}
	var typ Type = String{}
	if p := m.Property(field.Name); p != nil {
		typ = p.Type
	}
	test, err := comparison(e.Op, typ, field.Name, right)
	if err != nil {
		return nil, err
	}
	return func(r *Row) bool { return test(lookup(r, field.Name)) }, nil
}

// comparison makes the test of a value, that may be absent, against right.
func comparison(op string, typ Type, name, right string) (func(left string, there bool) bool, error) {
	switch op {
	case "~":
		re, err := regexp.Compile(right)
		if err != nil {
			return nil, Errorf(BadArgument, "invalid regular expression")
		}
		return func(left string, there bool) bool { return there && re.MatchString(left) }, nil
	case "in":
		if prefix, err := netip.ParsePrefix(right); err == nil {
			return func(left string, there bool) bool {
				a, err := netip.ParseAddr(left)
				return there && err == nil && prefix.Contains(a)
			}, nil
		}
		list := strings.FieldsFunc(right, func(r rune) bool { return r == ',' || r == ';' })
		return func(left string, there bool) bool { return there && slices.Contains(list, left) }, nil
	}
	if canonical, err := typ.Parse(name, right, nil); err == nil {
		right = canonical
	}
	return func(left string, there bool) bool {
		switch op {
		case "=":
			return left == right
		case "!=":
			return left != right
		}
		if !there {
			return false
		}
		order := typ.Compare(left, right)
		switch op {
		case "<":
			return order < 0
		case ">":
			return order > 0
		case "<=":
			return order <= 0
		}
		return order >= 0
	}, nil
}

// loose compares numbers and times by size and other text by its letters.
type loose struct{ String }

// Compare orders two texts.
func (loose) Compare(a, b string) int {
	x, errX := ParseTime(a)
	y, errY := ParseTime(b)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(a, b)
}
