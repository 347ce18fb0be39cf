package script

import (
	"strings"

	"gopptp/internal/menu"
)

// evaluate gives the value of an expression that is about no row.
func (r run) evaluate(e menu.Expr) (Value, error) {
	switch e := e.(type) {
	case *menu.Literal:
		if e.Quoted {
			return Text(e.Text), nil
		}
		return infer(e.Text), nil
	case *menu.Variable:
		return r.lookup(e.Name), nil
	case *menu.Joined:
		return r.joined(e)
	case *menu.Substitution:
		r.scope, r.bracket = newScope(r.scope, false), true
		defer r.leave()
		return result(r.script(e.Script))
	case *menu.Array:
		return r.arrayOf(e)
	case *menu.Block:
		return function(e.Script), nil
	case *menu.Unary:
		x, err := r.evaluate(e.X)
		if err != nil {
			return Value{}, err
		}
		v, err := unary(e.Op, x)
		return v, r.at(e.Pos, err)
	case *menu.Not:
		holds, err := r.holds(e.X)
		return Truth(!holds), err
	case *menu.Logic:
		for _, term := range e.Terms {
			holds, err := r.holds(term)
			if err != nil || holds == e.Or {
				return Truth(e.Or), err
			}
		}
		return Truth(!e.Or), nil
	case *menu.Compare:
		left, err := r.evaluate(e.Left)
		if err != nil {
			return Value{}, err
		}
		right, err := r.evaluate(e.Right)
		if err != nil {
			return Value{}, err
		}
		holds, err := compare(e.Op, left, right)
		return Truth(holds), r.at(e.Pos, err)
	case *menu.Binary:
		return r.chain(e)
	}
	return Value{}, r.at(e.Position(), menu.Errorf(menu.Syntax, "syntax error"))
}

// chain evaluates operations from left to right without going down the left
// side, which is as deep as the expression is long.
func (r run) chain(e *menu.Binary) (Value, error) {
	var links []*menu.Binary
	var first menu.Expr = e
	for {
		b, ok := first.(*menu.Binary)
		if !ok {
			break
		}
		links = append(links, b)
		first = b.Left
	}
	value, err := r.evaluate(first)
	for i := len(links) - 1; i >= 0 && err == nil; i-- {
		var right Value
		if right, err = r.evaluate(links[i].Right); err != nil {
			break
		}
		if value, err = binary(links[i].Op, value, right); err != nil {
			err = r.at(links[i].Pos, err)
		}
	}
	return value, err
}

// holds evaluates a condition.
func (r run) holds(e menu.Expr) (bool, error) {
	v, err := r.evaluate(e)
	if err != nil {
		return false, err
	}
	if v.kind == Bool || v.kind == Str {
		if b := toBool(v); b.kind == Bool {
			return b.number != 0, nil
		}
	}
	return false, r.at(e.Position(), menu.Errorf(menu.BadArgument, "conditional not boolean"))
}

// joined gives a string with its parts evaluated.
func (r run) joined(e *menu.Joined) (Value, error) {
	var b strings.Builder
	for _, part := range e.Parts {
		v, err := r.evaluate(part)
		if err != nil {
			return Value{}, err
		}
		if b.Len()+v.size() > maxValue {
			return Value{}, r.at(e.Pos, errTooLarge())
		}
		b.WriteString(v.String())
	}
	return Text(b.String()), nil
}

// arrayOf gives the array that was written out.
func (r run) arrayOf(e *menu.Array) (Value, error) {
	var list []Value
	var dict []pair
	for _, element := range e.Elements {
		v, err := r.evaluate(element.Value)
		if err != nil {
			return Value{}, err
		}
		if element.Key == nil {
			list = append(list, v)
			continue
		}
		key, err := r.evaluate(element.Key)
		if err != nil {
			return Value{}, err
		}
		dict = append(dict, pair{key.String(), v})
	}
	v, err := newArray(list, dict)
	return v, r.at(e.Pos, err)
}

// text gives the value of an expression as one text: what an argument of a
// menu's command gets. An array becomes a list with commas.
func (r run) text(e menu.Expr) (string, error) {
	if l, ok := e.(*menu.Literal); ok {
		return l.Text, nil // as it was written: a password may look like a number
	}
	v, err := r.evaluate(e)
	return v.join(","), err
}
