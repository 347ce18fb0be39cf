package host

import (
	"errors"
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
)

func TestWhole(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct {
		what  string
		errs  []error // of the lists, one after the other; then they are whole
		err   error
		asked int
	}{
		{"at once", nil, nil, 1},
		{"after changes", []error{netlink.ErrDumpInterrupted, netlink.ErrDumpInterrupted}, nil, 3},
		{"another error", []error{netlink.ErrDumpInterrupted, broken}, broken, 2},
		{"never", slices.Repeat([]error{netlink.ErrDumpInterrupted}, maxLists+1), netlink.ErrDumpInterrupted, maxLists},
	} {
		asked := 0
		all, err := whole(func() ([]int, error) {
			asked++
			if asked <= len(test.errs) {
				return nil, test.errs[asked-1]
			}
			return []int{asked}, nil
		})
		if !errors.Is(err, test.err) || asked != test.asked || err == nil && !slices.Equal(all, []int{asked}) {
			t.Errorf("%s: %v, %v after %d", test.what, all, err, asked)
		}
	}
}
