// Package host speaks netlink to the machine for the sessions: it sets up a
// session's network interface and asks how the machine reaches an address.
//
// It does not make interfaces (package tun does), moves no packet, keeps hardly any
// record of what it has done (an interface that is closed takes its addresses
// and routes along), and starts no goroutine. Package hosttest has network
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

// explain says what is to be done about an error of the kernel.
func explain(err error) error {
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("%w: run as root, or grant CAP_NET_ADMIN (systemd: AmbientCapabilities=CAP_NET_ADMIN)", err)
	}
	return err
}
