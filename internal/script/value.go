package script

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopptp/internal/menu"
)

// A Kind is the type of a value, as :typeof calls it.
type Kind uint8

// The kinds. Nothing is the value of what was never set; Nil is that of a search
// or a conversion that failed.
const (
	Nothing Kind = iota
	Nil
	Bool
	Num
	Str
	IP
	Prefix
	Time
	ID
	Array
	Code
)

var kindNames = [...]string{"nothing", "nil", "bool", "num", "str", "ip", "ip-prefix", "time", "id", "array", "code"}

// String gives the name of the kind.
func (k Kind) String() string { return kindNames[k] }

// typeName gives the name of the value's kind; addresses of IPv6 have their own.
func (v Value) typeName() string {
	switch {
	case v.kind == IP && v.ip.Addr().Is6():
		return "ip6"
	case v.kind == Prefix && v.ip.Addr().Is6():
		return "ip6-prefix"
	}
	return v.kind.String()
}

// maxValue bounds one value in octets, with overhead for each element of an
// array: more than any configuration, and small enough to copy.
const maxValue = 4 << 20

// overhead is what a value takes beside its text, in octets, about.
const overhead = 96

// A Value is what an expression is worth. It is never changed. The zero Value is
// nothing.
type Value struct {
	kind   Kind
	text   string // of Str and ID
	number int64  // of Bool, Num and Time
	ip     netip.Prefix
	array  *array
	code   *menu.Script
}

// array is a list of values, with a dictionary behind it that is sorted by its
// keys.
type array struct {
	list []Value
	dict []pair
	size int
	deep int // arrays in it, one in the other
}

type pair struct {
	key   string
	value Value
}

// Text makes a text.
func Text(s string) Value { return Value{kind: Str, text: s} }

// Number makes a number.
func Number(n int64) Value { return Value{kind: Num, number: n} }

// Truth makes a bool.
func Truth(b bool) Value {
	v := Value{kind: Bool}
	if b {
		v.number = 1
	}
	return v
}

// Interval makes a time.
func Interval(d time.Duration) Value { return Value{kind: Time, number: int64(d)} }

// Address makes an IP address.
func Address(a netip.Addr) Value { return Value{kind: IP, ip: netip.PrefixFrom(a, a.BitLen())} }

func function(s *menu.Script) Value { return Value{kind: Code, code: s} }

var none = Value{kind: Nil}

// errTooLarge says that a value would not fit.
func errTooLarge() error { return menu.Errorf(menu.Refused, "value is too large") }

// bounded makes a text that may have grown.
func bounded(s string) (Value, error) {
	if len(s) > maxValue {
		return Value{}, errTooLarge()
	}
	return Text(s), nil
}

// newArray makes an array; it sorts dict.
func newArray(list []Value, dict []pair) (Value, error) {
	a := &array{list: list, size: overhead}
	slices.SortStableFunc(dict, func(x, y pair) int { return cmp.Compare(x.key, y.key) })
	for i, p := range dict {
		if i+1 < len(dict) && dict[i+1].key == p.key {
			continue // the last of equal keys counts
		}
		a.dict = append(a.dict, p)
		a.add(len(p.key), p.value)
	}
	for _, v := range list {
		a.add(0, v)
	}
	if a.size > maxValue || a.deep > maxDeep {
		return Value{}, errTooLarge()
	}
	return Value{kind: Array, array: a}, nil
}

// maxDeep bounds arrays in arrays.
const maxDeep = 32

// add counts an element with a key of n octets.
func (a *array) add(n int, v Value) {
	a.size += n + v.size()
	if v.kind == Array {
		a.deep = max(a.deep, v.array.deep+1)
	}
}

// listOf makes an array of texts that are ids or literals.
func listOf(texts []string) (Value, error) {
	list := make([]Value, len(texts))
	for i, s := range texts {
		list[i] = infer(s)
	}
	return newArray(list, nil)
}

// size is what the value takes in octets, about. An array that stands in another
// one several times counts each time, since it is printed each time.
func (v Value) size() int {
	if v.kind == Array {
		return v.array.size
	}
	return len(v.text) + overhead
}

// String gives the value as :put prints it.
func (v Value) String() string { return v.join(";") }

// join is String with sep between the elements of an array.
func (v Value) join(sep string) string {
	switch v.kind {
	case Bool:
		return strconv.FormatBool(v.number != 0)
	case Num:
		return strconv.FormatInt(v.number, 10)
	case Str, ID:
		return v.text
	case IP:
		return v.ip.Addr().String()
	case Prefix:
		return v.ip.String()
	case Time:
		return clock(time.Duration(v.number))
	case Code:
		return "(code)"
	case Array:
		var b strings.Builder
		for i, e := range v.array.all() {
			if i > 0 {
				b.WriteString(sep)
			}
			if i >= len(v.array.list) {
				b.WriteString(e.key + "=")
			}
			b.WriteString(e.value.join(sep))
		}
		return b.String()
	}
	return ""
}

// clock writes a time as scripts see it: 1w2d03:04:05.006.
func clock(d time.Duration) string {
	const day, week = 24 * time.Hour, 7 * 24 * time.Hour
	var b strings.Builder
	n := uint64(d)
	if d < 0 {
		b.WriteByte('-')
		n = -n
	}
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{week, "w"}, {day, "d"}} {
		if n >= uint64(u.unit) {
			fmt.Fprintf(&b, "%d%s", n/uint64(u.unit), u.name)
			n %= uint64(u.unit)
		}
	}
	d = time.Duration(n)
	fmt.Fprintf(&b, "%02d:%02d:%02d", d/time.Hour, d/time.Minute%60, d/time.Second%60)
	switch rest := d % time.Second; {
	case rest == 0:
	case rest%time.Millisecond == 0:
		fmt.Fprintf(&b, ".%03d", rest/time.Millisecond)
	case rest%time.Microsecond == 0:
		fmt.Fprintf(&b, ".%06d", rest/time.Microsecond)
	default:
		fmt.Fprintf(&b, ".%09d", rest)
	}
	return b.String()
}

// all gives the elements with their keys: places for those of the list.
func (a *array) all() []pair {
	out := make([]pair, 0, len(a.list)+len(a.dict))
	for i, v := range a.list {
		out = append(out, pair{strconv.Itoa(i), v})
	}
	return append(out, a.dict...)
}

// find gives the place of a key in dict.
func (a *array) find(key string) (int, bool) {
	return slices.BinarySearchFunc(a.dict, key, func(p pair, key string) int { return cmp.Compare(p.key, key) })
}

// at gives an element: by its place, or by its key. It is nothing if there is none.
func (v Value) at(key Value) Value {
	if v.kind != Array {
		return Value{}
	}
	if i, ok := v.array.find(key.String()); ok {
		return v.array.dict[i].value
	}
	all := len(v.array.list) + len(v.array.dict)
	if key.kind != Num || key.number < 0 || key.number >= int64(all) {
		return Value{}
	}
	if i := int(key.number); i < len(v.array.list) {
		return v.array.list[i]
	}
	return v.array.dict[int(key.number)-len(v.array.list)].value
}

// with gives the array with another element; nothing takes the element away.
func (v Value) with(key, element Value) (Value, error) {
	if v.kind != Array {
		v.array = &array{}
	}
	list, dict := slices.Clone(v.array.list), slices.Clone(v.array.dict)
	switch i, found := v.array.find(key.String()); {
	case found && element.kind == Nothing:
		dict = slices.Delete(dict, i, i+1)
	case found:
		dict[i].value = element
	case key.kind == Num && key.number >= 0 && key.number < int64(len(list)):
		if element.kind == Nothing {
			list = slices.Delete(list, int(key.number), int(key.number)+1)
		} else {
			list[key.number] = element
		}
	case element.kind == Nothing:
	case key.kind == Num && key.number == int64(len(list)):
		list = append(list, element)
	case key.kind == Num:
		return Value{}, menu.Errorf(menu.BadArgument, "no such index")
	default:
		dict = append(dict, pair{key.String(), element})
	}
	return newArray(list, dict)
}
