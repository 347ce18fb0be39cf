package tun

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestCreateRefusesNames(t *testing.T) {
	for _, name := range []string{"", "sixteen-octets-x", "tun%d", "a\x00b"} {
		if d, err := Create(name); err == nil || !strings.Contains(err.Error(), "invalid interface name") {
			t.Errorf("Create(%q) = %v, %v; want an error about the name", name, d, err)
		}
	}
}

func TestExplain(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{unix.EPERM, "CAP_NET_ADMIN"},
		{unix.EACCES, "CAP_NET_ADMIN"},
		{unix.ENOENT, "modprobe tun"},
		{unix.ENODEV, "modprobe tun"},
		{errNoOffload, "2.6.27"},
		{unix.EMFILE, "too many open files"},
	} {
		err := explain("tun0", &os.PathError{Op: "open", Path: clonePath, Err: test.err})
		if !errors.Is(err, test.err) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), `"tun0"`) {
			t.Errorf("%v became %q, want the name and %q in it", test.err, err, test.want)
		}
	}
}
