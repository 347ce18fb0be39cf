// Package host speaks netlink to the machine for the sessions: it sets up a
// session's network interface and asks how the machine reaches an address.
//
// It does not make interfaces (package tun does), moves no packet, keeps hardly any
// record of what it has done (an interface that is closed takes its addresses
// and routes along), and leaves no goroutine behind. Package hosttest has network
// namespaces for tests.
package host

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// netlinkTimeout bounds the wait for the kernel's answer. The kernel answers at
// once, unless it lacks the memory to answer at all; then a session is to fail
// and not to hang.
const netlinkTimeout = 10 * time.Second

// A Handle is a netlink socket in the network namespace of the daemon. Any
// number of goroutines may use it; their requests follow one another.
type Handle struct {
	nl *netlink.Handle
	// turn is held by apart: there is one large stack, and the socket would let
	// only one request through at a time anyway. Taken with mu held; takes no other.
	turn sync.Mutex

	mu      sync.Mutex
	outside map[netip.Addr]*outside // guarded by mu
}

// Open opens a socket in the network namespace of the calling thread, where it
// stays. That needs no privilege; SetupLink does.
func Open() (*Handle, error) {
	nl, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("host: open netlink socket: %w", err)
	}
	if err := nl.SetSocketTimeout(netlinkTimeout); err != nil {
		nl.Close()
		return nil, fmt.Errorf("host: open netlink socket: %w", err)
	}
	return &Handle{nl: nl, outside: map[netip.Addr]*outside{}}, nil
}

// Close closes the socket. Nobody may use the Handle any more.
func (h *Handle) Close() { h.nl.Close() }

// apart runs f, which makes requests for a session, on a stack that goes when f
// returns, and waits. Package netlink reads an answer into an array of 64 KB on the
// stack: the goroutine of a session, which does so once, would keep a stack of twice
// that until the garbage collector has shrunk it in several steps. f does not call
// apart, nor anything that depends on the thread's network namespace.
func (h *Handle) apart(f func() error) error {
	h.turn.Lock()
	defer h.turn.Unlock()
	done := make(chan error)
	go func() { done <- f() }()
	return <-done
}

// linkByName finds an interface for a session.
func (h *Handle) linkByName(name string) (link netlink.Link, err error) {
	err = h.apart(func() error {
		link, err = h.nl.LinkByName(name)
		return err
	})
	return link, err
}

// explain says what is to be done about an error of the kernel.
func explain(err error) error {
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("%w: run as root, or grant CAP_NET_ADMIN (systemd: AmbientCapabilities=CAP_NET_ADMIN)", err)
	}
	return err
}
