// Package hosttest makes network namespaces for the tests that need a kernel:
// a namespace is a machine of its own, and a veth pair is a cable between two.
//
// It is for tests only. Nothing it makes outlives the test process, and nothing
// outside of its namespaces is touched. Without root its tests are skipped.
package hosttest

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// A Namespace is a network namespace with its loopback interface up.
type Namespace struct {
	t      testing.TB
	ns     netns.NsHandle
	Handle *netlink.Handle // speaks to this namespace from any thread
}

// New makes a namespace that lives until the test ends. It skips the test if
// the process may not make one.
func New(t testing.TB) *Namespace {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := netns.Get()
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	ns, err := netns.New()
	if errors.Is(err, os.ErrPermission) {
		t.Skipf("skipping, a network namespace needs root: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	comeHome(home)
	h, err := netlink.NewHandleAt(ns, unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.Close()
		ns.Close()
	})
	n := &Namespace{t: t, ns: ns, Handle: h}
	n.Up("lo")
	return n
}

// comeHome moves the thread back. A thread that cannot come back would run
// other tests in the wrong namespace, so the process ends.
func comeHome(home netns.NsHandle) {
	if err := netns.Set(home); err != nil {
		panic(fmt.Sprintf("hosttest: leave namespace: %v", err))
	}
}

// Do runs f inside of the namespace, on the calling goroutine. The sockets and
// the files of /dev/net/tun and /proc/sys/net that f opens are the namespace's;
// goroutines that f starts are not in it.
func (n *Namespace) Do(f func()) {
	n.t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := netns.Get()
	if err != nil {
		n.t.Fatal(err)
	}
	defer home.Close()
	if err := netns.Set(n.ns); err != nil {
		n.t.Fatal(err)
	}
	defer comeHome(home)
	f()
}

// Up sets an interface up.
func (n *Namespace) Up(name string) {
	n.t.Helper()
	if err := n.Handle.LinkSetUp(n.Link(name)); err != nil {
		n.t.Fatalf("set %s up: %v", name, err)
	}
}

// Link finds an interface.
func (n *Namespace) Link(name string) netlink.Link {
	n.t.Helper()
	link, err := n.Handle.LinkByName(name)
	if err != nil {
		n.t.Fatalf("find interface %s: %v", name, err)
	}
	return link
}

// Address adds an address to an interface.
func (n *Namespace) Address(name string, prefix netip.Prefix) {
	n.t.Helper()
	addr, err := netlink.ParseAddr(prefix.String())
	if err != nil {
		n.t.Fatal(err)
	}
	if err := n.Handle.AddrAdd(n.Link(name), addr); err != nil {
		n.t.Fatalf("add %v to %s: %v", prefix, name, err)
	}
}

// Route sends what is for the prefix to a gateway.
func (n *Namespace) Route(prefix netip.Prefix, gateway netip.Addr) {
	n.t.Helper()
	dst, err := netlink.ParseIPNet(prefix.String())
	if err != nil {
		n.t.Fatal(err)
	}
	if err := n.Handle.RouteAdd(&netlink.Route{Dst: dst, Gw: gateway.AsSlice()}); err != nil {
		n.t.Fatalf("add route %v via %v: %v", prefix, gateway, err)
	}
}

// Sysctl writes a file below /proc/sys.
func (n *Namespace) Sysctl(path, value string) {
	n.t.Helper()
	n.Do(func() {
		if err := os.WriteFile(filepath.Join("/proc/sys", path), []byte(value), 0); err != nil {
			n.t.Fatal(err)
		}
	})
}

// A Port is one end of a cable.
type Port struct {
	In     *Namespace
	Name   string // of the interface that is made
	Prefix netip.Prefix
}

// Cable connects two namespaces with a veth pair of the given MTU.
func Cable(t testing.TB, mtu int, a, b Port) {
	t.Helper()
	pair := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: a.Name, MTU: mtu},
		PeerName:      b.Name,
		PeerNamespace: netlink.NsFd(b.In.ns),
	}
	if err := a.In.Handle.LinkAdd(pair); err != nil {
		t.Fatalf("make cable from %s to %s: %v", a.Name, b.Name, err)
	}
	for _, p := range []Port{a, b} {
		if err := p.In.Handle.LinkSetMTU(p.In.Link(p.Name), mtu); err != nil {
			t.Fatal(err)
		}
		if p.Prefix.IsValid() {
			p.In.Address(p.Name, p.Prefix)
		}
		p.In.Up(p.Name)
	}
	// The kernel connects the ends a moment later, and until then loses what is
	// sent, such as the first ARP request, which it repeats after a second.
	deadline := time.Now().Add(cableTimeout)
	for _, p := range []Port{a, b} {
		for p.In.Link(p.Name).Attrs().OperState != netlink.OperUp {
			if time.Now().After(deadline) {
				t.Fatalf("%s has no carrier after %v", p.Name, cableTimeout)
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// cableTimeout is far more than the kernel needs on a busy machine.
const cableTimeout = 5 * time.Second
