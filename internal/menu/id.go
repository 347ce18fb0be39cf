package menu

import "strconv"

// An ID identifies a row of a menu for ever: it is not given out again after
// the row was removed.
type ID uint64

// String gives the printed form: *1A.
func (id ID) String() string {
	var b [17]byte // the star and sixteen digits; each row of each print has one
	i := len(b)
	for more := true; more; more = id > 0 {
		i--
		b[i] = "0123456789ABCDEF"[id&15]
		id >>= 4
	}
	i--
	b[i] = '*'
	return string(b[i:])
}

// ParseID reads the printed form; ok is false if s does not start with a star.
func ParseID(s string) (id ID, ok bool, err error) {
	if len(s) == 0 || s[0] != '*' {
		return 0, false, nil
	}
	n, err := strconv.ParseUint(s[1:], 16, 64)
	if err != nil {
		return 0, true, Errorf(BadArgument, "invalid internal item number")
	}
	return ID(n), true, nil
}
