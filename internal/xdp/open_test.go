package xdp

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"gopptp/internal/host/hosttest"
)

// TestRequiresRootOpenFails: what was made before the error goes again.
func TestRequiresRootOpenFails(t *testing.T) {
	in := cable(t)
	if _, err := open(in, "eth0", "nothere"); err == nil {
		t.Fatal("no error")
	}
	before := holds(t)
	for range 5 {
		open(in, "eth0", "nothere")
		open(in, "eth0", "lo")
		open(in, "eth0", "eth0")
		open(in, "eth0:driver", "nothere")
	}
	if now := holds(t); now.files > before.files || now.goroutines > before.goroutines || now.rings > before.rings || now.tables > before.tables {
		t.Errorf("the process holds %+v, before %+v", now, before)
	}
	if attached(in, "eth0") {
		t.Error("a program is bound")
	}
}

// TestAdvised: the errors that people get, and what they are told to do.
func TestAdvised(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{unix.EPERM, "operation not permitted: run as root, or grant CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF"},
		{unix.EBUSY, "device or resource busy: another program, perhaps another gopptp, has it for XDP: end that"},
		{unix.EEXIST, "file exists: another program"},
		{unix.ENOBUFS, "no buffer space available: too little memory may be locked: let more be (ulimit -l unlimited"},
		{unix.EAFNOSUPPORT, "address family not supported by protocol: this kernel cannot do it (CONFIG_XDP_SOCKETS"},
		{ebpf.ErrNotSupported, "not supported: this kernel cannot do it"},
		{unix.EIO, "input/output error"},
	} {
		if got := advised(os.NewSyscallError("call", test.err)).Error(); !strings.HasPrefix(got, "call: "+test.want) {
			t.Errorf("%v: %s, want %s", test.err, got, test.want)
		}
	}
}

// TestRequiresRootErrors: what somebody is told who gives us the wrong interface.
func TestRequiresRootErrors(t *testing.T) {
	in, far := pair(t)
	hosttest.Cable(t, 9000,
		hosttest.Port{In: in, Name: "jumbo", Prefix: netip.MustParsePrefix("198.51.100.1/24")},
		hosttest.Port{In: far, Name: "jumbo", Prefix: netip.MustParsePrefix("198.51.100.2/24")})
	if err := in.Handle.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "many", NumRxQueues: maxQueues + 1, NumTxQueues: 1}, PeerName: "many2"}); err != nil {
		t.Fatal(err)
	}
	if err := in.Handle.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "taken"}, PeerName: "taken2"}); err != nil {
		t.Fatal(err)
	}
	openPorts(t, in, "taken")
	for _, test := range []struct {
		names []string
		want  string
	}{
		{[]string{"eth7"}, `fast path: interface "eth7": Link not found`},
		{[]string{""}, `fast path: interface "": `},
		{[]string{"lo"}, `fast path: interface "lo": it is not an Ethernet interface`},
		{[]string{"eth0", "eth0"}, `fast path: interface "eth0" is named twice`},
		{[]string{"eth0:driver", "eth0"}, `fast path: interface "eth0" is named twice`},
		{[]string{"eth0:native"}, `fast path: interface "eth0": after its name only ":driver" can stand, not ":native"`},
		{[]string{"jumbo"}, `fast path: interface "jumbo": its MTU is 9000 and may be at most 1778`},
		{[]string{"many"}, `fast path: interface "many": it has more than 16 queues: give it fewer (ethtool -L many combined 16)`},
		{[]string{"taken"}, `fast path: interface "taken": bind: device or resource busy: another program, perhaps another gopptp, has it for XDP: ` +
			`end that, or leave this interface out of --fast-path`},
	} {
		p, err := open(in, test.names...)
		if err == nil {
			p.Close()
		}
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q: %v, want %s", test.names, err, test.want)
		}
	}
	err := in.WithoutCapabilities(func() error {
		p, err := Open([]string{"eth0"})
		if err == nil {
			p.Close()
		}
		return err
	})
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "run as root, or grant CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF") {
		t.Errorf("without capabilities: %v", err)
	}
	if attached(in, "eth0") {
		t.Error("a program is bound to eth0")
	}
}
