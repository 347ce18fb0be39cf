package script

import (
	"cmp"
	"math"
	"regexp"
	"slices"

	"gopptp/internal/menu"
)

// nouns are what errors call the kinds.
var nouns = [...]string{"nothing", "nil", "boolean", "integer number", "string", "ip address", "ip prefix", "time interval", "internal number", "array", "code"}

// verbs are what errors call the operators, with the word between the operands.
var verbs = map[string][2]string{
	"+": {"add", "to"}, "-": {"subtract", "from"}, "*": {"multiply", "by"}, "/": {"divide", "by"}, "%": {"divide", "by"},
	"&": {"and", "with"}, "|": {"or", "with"}, "^": {"xor", "with"}, "<<": {"shift", "by"}, ">>": {"shift", "by"},
}

// errOperands says that an operation is not possible with such operands.
func errOperands(op string, a, b Value) error {
	if op == "-" || op == "+" {
		a, b = b, a
	}
	return menu.Errorf(menu.BadArgument, "cannot %s %s %s %s", verbs[op][0], nouns[a.kind], verbs[op][1], nouns[b.kind])
}

// binary carries out an operation of two operands.
func binary(op string, a, b Value) (Value, error) {
	switch op {
	case "->":
		return a.at(b), nil
	case ".":
		if a.size()+b.size() > maxValue {
			return Value{}, errTooLarge()
		}
		return bounded(a.String() + b.String())
	case ",":
		return concatenate(a, b)
	}
	// Text that is a number calculates like one.
	if n := toNum(a); a.kind == Str && n.kind == Num {
		a = n
	}
	if n := toNum(b); b.kind == Str && n.kind == Num {
		b = n
	}
	v, ok, err := calculate(op, a, b)
	if err == nil && !ok {
		err = errOperands(op, a, b)
	}
	return v, err
}

// calculate carries out arithmetic; ok is false if the operands do not fit.
func calculate(op string, a, b Value) (v Value, ok bool, err error) {
	is4 := func(v Value) bool { return v.kind == IP && v.ip.Addr().Is4() }
	switch {
	case a.kind == Num && b.kind == Num, a.kind == Bool && b.kind == Bool && (op == "&" || op == "|" || op == "^"):
		n, err := integer(op, a.number, b.number)
		return Value{kind: a.kind, number: n}, true, err
	case a.kind == Time && b.kind == Time, a.kind == Time && b.kind == Num, a.kind == Num && b.kind == Time:
		return duration(op, a, b)
	case is4(a) && is4(b):
		switch op {
		case "-":
			return Number(int64(ipNumber(a)) - int64(ipNumber(b))), true, nil
		case "&", "|", "^":
			n, err := integer(op, int64(ipNumber(a)), int64(ipNumber(b)))
			return ipOf(uint32(n)), true, err
		}
	case is4(a) && b.kind == Num:
		switch op {
		case "+", "-", "&", "|", "^", "<<", ">>":
			n, err := integer(op, int64(ipNumber(a)), b.number)
			return ipOf(uint32(n)), true, err
		}
	case a.kind == Num && is4(b) && op == "+":
		return ipOf(uint32(a.number) + ipNumber(b)), true, nil
	}
	return Value{}, false, nil
}

// duration carries out arithmetic on times; a number beside a time in a sum is
// one of seconds.
func duration(op string, a, b Value) (Value, bool, error) {
	switch op {
	case "+", "-":
		a, b = toTime(a), toTime(b)
		if a.kind != Time || b.kind != Time {
			return Value{}, false, nil
		}
	case "*":
		if a.kind == b.kind {
			return Value{}, false, nil
		}
	case "/", "%":
		if a.kind != Time {
			return Value{}, false, nil
		}
		if b.kind == Time && op == "/" {
			n, err := integer(op, a.number, b.number)
			return Number(n), true, err
		}
	default:
		return Value{}, false, nil
	}
	n, err := integer(op, a.number, b.number)
	return Value{kind: Time, number: n}, true, err
}

// integer carries out arithmetic on numbers of 64 bits, which overflow silently.
func integer(op string, a, b int64) (int64, error) {
	switch op {
	case "+":
		return a + b, nil
	case "-":
		return a - b, nil
	case "*":
		return a * b, nil
	case "/", "%":
		switch {
		case b == 0:
			return 0, menu.Errorf(menu.BadArgument, "division by zero")
		case a == math.MinInt64 && b == -1: // its result is no number of 64 bits
			return 0, menu.Errorf(menu.BadArgument, "result is too large")
		case op == "/":
			return a / b, nil
		}
		return a % b, nil
	case "&":
		return a & b, nil
	case "|":
		return a | b, nil
	case "^":
		return a ^ b, nil
	}
	if b < 0 || b > 63 {
		return 0, nil
	}
	if op == "<<" {
		return a << b, nil
	}
	return int64(uint64(a) >> b), nil
}

// unary carries out - or ~.
func unary(op string, a Value) (Value, error) {
	if n := toNum(a); a.kind == Str && n.kind == Num {
		a = n
	}
	switch {
	case op == "-" && (a.kind == Num || a.kind == Time):
		return Value{kind: a.kind, number: -a.number}, nil
	case op == "~" && a.kind == Num:
		return Number(^a.number), nil
	case op == "~" && a.kind == IP && a.ip.Addr().Is4():
		return ipOf(^ipNumber(a)), nil
	case op == "~":
		return Value{}, menu.Errorf(menu.BadArgument, "cannot invert %s", nouns[a.kind])
	}
	return Value{}, menu.Errorf(menu.BadArgument, "cannot negate %s", nouns[a.kind])
}

// concatenate makes one array of two, or of values.
func concatenate(a, b Value) (Value, error) {
	var list []Value
	var dict []pair
	for _, v := range []Value{a, b} {
		switch v.kind {
		case Array:
			list = append(list, v.array.list...)
			dict = append(dict, v.array.dict...)
		case Nothing, Nil:
		default:
			list = append(list, v)
		}
	}
	return newArray(list, dict)
}

// compare carries out = != < > <= >= ~ in.
func compare(op string, a, b Value) (bool, error) {
	switch op {
	case "~":
		re, err := regexp.Compile(b.String())
		if err != nil {
			return false, menu.Errorf(menu.BadArgument, "invalid regular expression")
		}
		return re.MatchString(a.String()), nil
	case "in":
		return within(a, b), nil
	case "=":
		return equal(a, b), nil
	case "!=":
		return !equal(a, b), nil
	}
	order := ordered(a, b)
	switch op {
	case "<":
		return order < 0, nil
	case ">":
		return order > 0, nil
	case "<=":
		return order <= 0, nil
	}
	return order >= 0, nil
}

// within reports whether a is an element of the array b, or an address in the
// prefix b.
func within(a, b Value) bool {
	if s := toIP(b); b.kind == Str && s.kind == Prefix {
		b = s
	}
	switch b.kind {
	case Array:
		return slices.ContainsFunc(b.array.all(), func(p pair) bool { return equal(a, p.value) })
	case Prefix:
		switch inner := toIP(a); inner.kind {
		case IP:
			return b.ip.Contains(inner.ip.Addr())
		case Prefix:
			return b.ip.Bits() <= inner.ip.Bits() && b.ip.Contains(inner.ip.Addr())
		}
		return false
	}
	return equal(a, b)
}

// equal compares values of one kind by their value and of two by their text.
// Nothing and nil are the same as the empty text.
func equal(a, b Value) bool {
	if a.kind == b.kind && a.kind != Array && a.kind != Code {
		return a.text == b.text && a.number == b.number && a.ip == b.ip
	}
	return a.String() == b.String()
}

// ordered compares numbers, times and addresses by their size and others by
// their text.
func ordered(a, b Value) int {
	for _, convert := range []func(Value) Value{toNum, toTime} {
		if x, y := convert(a), convert(b); x.kind != Nil && y.kind != Nil && a.kind != IP && b.kind != IP {
			if a.kind == Str && b.kind == Str {
				break // two texts are texts
			}
			return cmp.Compare(x.number, y.number)
		}
	}
	if a.kind == IP && b.kind == IP {
		return a.ip.Addr().Compare(b.ip.Addr())
	}
	return cmp.Compare(a.String(), b.String())
}
