package script

import (
	"strings"

	"gopptp/internal/menu"
)

// condition carries out :if.
func (r run) condition(c *menu.Call) (Value, error) {
	e := argument(c, "condition")
	if e == nil {
		return Value{}, menu.Missing("condition")
	}
	holds, err := r.holds(e)
	switch {
	case err != nil:
		return Value{}, err
	case holds:
		return r.code(c, "do")
	}
	return r.code(c, "else")
}

// loop carries out :for, :foreach, :while and :do.
func (r run) loop(c *menu.Call) (Value, error) {
	switch c.Command.Name {
	case "for":
		return Value{}, r.count(c)
	case "foreach":
		return Value{}, r.each(c)
	case "do":
		return Value{}, r.do(c)
	}
	e := argument(c, "condition")
	if e == nil {
		return Value{}, menu.Missing("condition")
	}
	return Value{}, r.while(c, e, "do")
}

// while carries out code as long as a condition holds.
func (r run) while(c *menu.Call, condition menu.Expr, code string) error {
	for {
		if err := r.interrupted(); err != nil {
			return err
		}
		holds, err := r.holds(condition)
		if err != nil || !holds {
			return err
		}
		if _, err := r.code(c, code); err != nil {
			return err
		}
	}
}

// do carries out code once and then while a condition holds, and other code if
// there is an error.
func (r run) do(c *menu.Call) error {
	_, err := r.code(c, "command")
	if e := argument(c, "while"); e != nil && err == nil {
		err = r.while(c, e, "command")
	}
	if argument(c, "on-error") == nil {
		return err
	}
	_, ok, err := r.caught(err)
	if ok {
		_, err = r.code(c, "on-error")
	}
	return err
}

// onError carries out code and, if there is an error, other code that sees its
// text. It is worth whether there was one.
func (r run) onError(c *menu.Call) (Value, error) {
	name, err := variableName(c, "name")
	if err != nil {
		return Value{}, err
	}
	_, err = r.code(c, "in")
	text, ok, err := r.caught(err)
	if ok {
		_, err = r.code(c, "do", pair{name, Text(text)})
	}
	return Truth(ok), err
}

// count carries out code for each number.
func (r run) count(c *menu.Call) error {
	name, err := variableName(c, "name")
	if err != nil {
		return err
	}
	from, err := r.number(c, "from")
	if err != nil {
		return err
	}
	to, err := r.number(c, "to")
	if err != nil {
		return err
	}
	step := int64(1)
	if from > to {
		step = -1
	}
	if argument(c, "step") != nil {
		if step, err = r.number(c, "step"); err != nil {
			return err
		}
	}
	if step == 0 {
		return r.at(c.Pos, menu.Errorf(menu.BadArgument, "invalid value for argument step"))
	}
	for n := from; step > 0 && n <= to || step < 0 && n >= to; {
		if err := r.interrupted(); err != nil {
			return err
		}
		if _, err := r.code(c, "do", pair{name, Number(n)}); err != nil {
			return err
		}
		next := n + step
		if (next > n) != (step > 0) { // past the last number of 64 bits
			return nil
		}
		n = next
	}
	return nil
}

// each carries out code for each element of an array, in the order in which it
// prints.
func (r run) each(c *menu.Call) error {
	name, err := variableName(c, "variable")
	if err != nil {
		return err
	}
	v, err := r.value(c, "in")
	if err != nil {
		return err
	}
	if v.kind != Array {
		if v.kind == Nothing || v.kind == Nil {
			return nil
		}
		if v, err = newArray([]Value{v}, nil); err != nil {
			return err
		}
	}
	key, element, both := strings.Cut(name, ",")
	for i, e := range v.array.all() {
		if err := r.interrupted(); err != nil {
			return err
		}
		vars := []pair{{name, e.value}}
		if both {
			k := Text(e.key)
			if i < len(v.array.list) {
				k = Number(int64(i))
			}
			vars = []pair{{key, k}, {element, e.value}}
		}
		if _, err := r.code(c, "do", vars...); err != nil {
			return err
		}
	}
	return nil
}

// retry carries out code until it does not fail, as often as it may be tried, and
// then other code.
func (r run) retry(c *menu.Call) (Value, error) {
	most, err := r.number(c, "max")
	if err != nil {
		return Value{}, err
	}
	pause, err := r.optional(c, "delay", Interval(0))
	if err != nil {
		return Value{}, err
	}
	for n := int64(1); ; n++ {
		v, err := r.code(c, "command")
		if err == nil {
			return v, nil
		}
		_, ok, err := r.caught(err)
		switch {
		case !ok:
			return Value{}, err
		case n < most:
			if err := r.delay(c, "delay", pause); err != nil {
				return Value{}, err
			}
		case argument(c, "on-error") != nil:
			return r.code(c, "on-error")
		default:
			return Value{}, err
		}
	}
}
