package script

import (
	"slices"
	"strings"

	"gopptp/internal/menu"
)

// bound gives an optional argument as a place between 0 and most.
func (r run) bound(c *menu.Call, name string, other, most int) (int, error) {
	v, err := r.optional(c, name, Number(int64(other)))
	if err != nil {
		return 0, err
	}
	if v = toNum(v); v.kind != Num {
		return 0, r.at(c.Pos, menu.Errorf(menu.BadArgument, "invalid value for argument %s", name))
	}
	return int(max(0, min(v.number, int64(most)))), nil
}

// pick takes a part of a text or of an array; without an end, one element.
func (r run) pick(c *menu.Call) (Value, error) {
	v, err := r.value(c, "counter")
	if err != nil {
		return Value{}, err
	}
	if argument(c, "begin") == nil {
		return Value{}, menu.Missing("begin")
	}
	all, _ := length(v)
	n := int(all.number)
	begin, err := r.bound(c, "begin", 0, n)
	if err != nil {
		return Value{}, err
	}
	end, err := r.bound(c, "end", begin+1, n)
	if err != nil {
		return Value{}, err
	}
	end = max(begin, end)
	if v.kind != Array {
		return Text(v.String()[begin:end]), nil
	}
	if argument(c, "end") == nil {
		return v.at(Number(int64(begin))), nil
	}
	split := len(v.array.list)
	list := v.array.list[min(begin, split):min(end, split)]
	dict := v.array.dict[max(begin-split, 0):max(end-split, 0)]
	return newArray(slices.Clone(list), slices.Clone(dict))
}

// search gives the place of a text in a text or of an element in an array, or nil.
func (r run) search(c *menu.Call) (Value, error) {
	v, err := r.value(c, "where")
	if err != nil {
		return Value{}, err
	}
	key, err := r.value(c, "key")
	if err != nil {
		return Value{}, err
	}
	all, _ := length(v)
	start := 0
	if argument(c, "start") != nil {
		s, err := r.value(c, "start")
		if err != nil {
			return Value{}, err
		}
		if n := toNum(s); n.kind == Num {
			start = int(max(0, min(n.number, all.number-1)+1))
		}
	}
	if v.kind == Array {
		for i, e := range v.array.all() {
			if i >= start && equal(e.value, key) {
				return Number(int64(i)), nil
			}
		}
		return none, nil
	}
	if i := strings.Index(v.String()[start:], key.String()); i >= 0 {
		return Number(int64(start + i)), nil
	}
	return none, nil
}
