package menu

import (
	"cmp"
	"errors"
	"strconv"
	"strings"
)

// Int is an integer, or one word in its place: disabled.
type Int struct {
	Min, Max uint64 // both inclusive
	Word     string // empty for none
}

// Parse accepts a decimal number, or a hexadecimal one after 0x.
func (t Int) Parse(name, text string, _ Resolver) (string, error) {
	if t.Word != "" && text != "" && strings.HasPrefix(t.Word, text) {
		return t.Word, nil
	}
	digits, negative := strings.CutPrefix(text, "-")
	base, set := 10, "0123456789"
	if rest, ok := strings.CutPrefix(digits, "0x"); ok {
		digits, base, set = rest, 16, "0123456789abcdefABCDEF"
	}
	if rest := strings.TrimLeft(digits, set); rest == digits {
		return "", errInvalid(name)
	} else if rest != "" {
		return "", Errorf(BadArgument, "value of %s contains invalid trailing characters", name)
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if errors.Is(err, strconv.ErrRange) || negative && n != 0 || n < t.Min || n > t.Max {
		return "", errRange(name, strconv.FormatUint(t.Min, 10), strconv.FormatUint(t.Max, 10))
	}
	return strconv.FormatUint(n, 10), nil
}

// errRange is the error for a value of name outside its bounds.
func errRange(name, low, high string) *Error {
	return Errorf(BadArgument, "value of %s out of range (%s..%s)", name, low, high)
}

// number marks the types that a table writes to the right.
func (Int) number() {}

// Text gives the number.
func (Int) Text(s string) string { return s }

// Compare orders by size; the word comes before every number.
func (t Int) Compare(a, b string) int {
	x, errX := strconv.ParseUint(a, 10, 64)
	y, errY := strconv.ParseUint(b, 10, 64)
	switch {
	case errX != nil && errY != nil:
		return cmp.Compare(a, b)
	case errX != nil:
		return -1
	case errY != nil:
		return 1
	}
	return cmp.Compare(x, y)
}

// Seconds is a time whose canonical form is its number of seconds, or one word
// in its place.
type Seconds struct{ Int }

// Parse accepts what Int and Time accept.
func (t Seconds) Parse(name, text string, _ Resolver) (string, error) {
	if d, err := ParseTime(text); err == nil {
		text = strconv.FormatInt(int64(d.Seconds()), 10)
	}
	return t.Int.Parse(name, text, nil)
}
