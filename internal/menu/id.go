package menu

import (
	"fmt"
	"strconv"
)

// An ID identifies a row of a menu for ever: it is not given out again after
// the row was removed.
type ID uint64

// String gives the printed form: *1A.
func (id ID) String() string { return fmt.Sprintf("*%X", uint64(id)) }

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
