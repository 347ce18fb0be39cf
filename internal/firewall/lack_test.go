package firewall

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"

	"gopptp/internal/host/hosttest"
)

// TestWithoutNftables: a kernel that knows no such socket keeps nothing from starting.
// Who needs it is told what is missing, who does not goes on.
func TestWithoutNftables(t *testing.T) {
	for _, lack := range []error{unix.EPROTONOSUPPORT, unix.EOPNOTSUPP, unix.EPERM} {
		f, err := open(func() (*nftables.Conn, error) { return nil, os.NewSyscallError("socket", lack) })
		if err != nil {
			t.Fatalf("%v: %v", lack, err)
		}
		remove, err := f.Add(Session{Interface: tunnel, Remote: clientAddr})
		if err != nil {
			t.Errorf("%v: a session that needs nothing: %v", lack, err)
		} else if err := remove(); err != nil {
			t.Error(err)
		}
		for _, s := range []Session{
			{FitMSS: true}, {AddressLists: []string{"a"}}, {InterfaceList: "LAN"}, {IncomingFilter: "in"}, {OutgoingFilter: "out"},
		} {
			s.Interface, s.Remote = tunnel, clientAddr
			_, err := f.Add(s)
			if !errors.Is(err, lack) || !strings.Contains(err.Error(), "modprobe nf_tables") && !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
				t.Errorf("%v: %+v: %v", lack, s, err)
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := open(func() (*nftables.Conn, error) { return nil, unix.EMFILE }); !errors.Is(err, unix.EMFILE) {
		t.Errorf("an error that has nothing to do with it: %v", err)
	}
}

// TestAsksAgainNowAndThen: the kernel looks for a module each time that it is asked,
// and hundreds of sessions may come in a second.
func TestAsksAgainNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		f, err := open(func() (*nftables.Conn, error) { asked++; return nil, unix.EPROTONOSUPPORT })
		if err != nil {
			t.Fatal(err)
		}
		add := func(want int) {
			t.Helper()
			for range 100 {
				if _, err := f.Add(Session{Interface: tunnel, FitMSS: true}); !errors.Is(err, unix.EPROTONOSUPPORT) {
					t.Fatal(err)
				}
			}
			if asked != want {
				t.Errorf("asked %d times, want %d", asked, want)
			}
		}
		add(1)
		time.Sleep(retryAfter)
		add(2)
	})
}

// TestRequiresRootModuleIsLoadedLater: once the kernel has it, the next session is
// protected.
func TestRequiresRootModuleIsLoadedLater(t *testing.T) {
	hosttest.New(t).Do(func() {
		loaded := false
		f, err := open(func() (*nftables.Conn, error) {
			if !loaded {
				return nil, os.NewSyscallError("socket", unix.EPROTONOSUPPORT)
			}
			return nftables.New(nftables.AsLasting())
		})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		s := Session{Interface: tunnel, Remote: clientAddr, AddressLists: []string{"a"}}
		if _, err := f.Add(s); err == nil {
			t.Fatal("a list without nftables")
		}
		loaded, f.tried = true, f.tried.Add(-retryAfter)
		remove, err := f.Add(s)
		if err != nil {
			t.Fatal(err)
		}
		if elements, err := f.nft.GetSetElements(&nftables.Set{Table: table(), Name: "a"}); err != nil || len(elements) != 1 {
			t.Errorf("in the list: %v, %v", elements, err)
		}
		if err := remove(); err != nil {
			t.Error(err)
		}
	})
}
