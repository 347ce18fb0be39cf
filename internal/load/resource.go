package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// Addresses gives the addresses of a network for n sessions, in turn where there
// are fewer: neither the network's first and last one nor the target.
func Addresses(network netip.Prefix, n int, target netip.Addr) ([]netip.Addr, error) {
	if !network.IsValid() || !network.Addr().Is4() {
		return nil, fmt.Errorf("not an IPv4 network: %v", network)
	}
	network = network.Masked()
	var all []netip.Addr
	for a := network.Addr(); network.Contains(a) && len(all) < n; a = a.Next() {
		end := network.Bits() < 31 && (a == network.Addr() || !network.Contains(a.Next()))
		if !end && a != target {
			all = append(all, a)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no address is left in %v", network)
	}
	return all, nil
}

const (
	// spareFiles are the descriptors that a process has beside those of sessions.
	spareFiles = 64
)

// RaiseFiles makes room in this process for the control connections of n sessions, of
// which calls share one, and checks that the daemon, if it is known, has room for them
// and for the interface of each session.
func RaiseFiles(n, calls int, daemon *Process) error {
	connections := (n + calls - 1) / calls
	need := uint64(connections + spareFiles)
	if err := raiseFiles(need); err != nil {
		return fmt.Errorf("%d sessions need %d file descriptors: %w: raise the limit (ulimit -Hn %d) or run as root", n, need, err, need)
	}
	if daemon == nil {
		return nil
	}
	var limit unix.Rlimit
	if err := unix.Prlimit(daemon.PID, unix.RLIMIT_NOFILE, nil, &limit); err != nil {
		return fmt.Errorf("the limits of the daemon, process %d: %w", daemon.PID, err)
	}
	if need := uint64(connections + n + spareFiles); limit.Cur < need {
		return fmt.Errorf("the daemon may have %d file descriptors and needs %d: start it after ulimit -Hn %d, or as a service with LimitNOFILE=%d, or let sessions share connections (--calls)",
			limit.Cur, need, need, need)
	}
	return nil
}

func raiseFiles(need uint64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Cur >= need {
		return nil
	}
	limit.Cur, limit.Max = need, max(limit.Max, need)
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}

// Dialer opens control connections to a target, from a given address or, if that is
// zero, from one of the machine's choice.
func Dialer(target netip.AddrPort) func(ctx context.Context, from netip.Addr) (net.Conn, error) {
	return func(ctx context.Context, from netip.Addr) (net.Conn, error) {
		var d net.Dialer
		if from.IsValid() {
			d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
		}
		nc, err := d.DialContext(ctx, "tcp4", target.String())
		if errors.Is(err, syscall.EADDRNOTAVAIL) {
			return nil, fmt.Errorf("%w: the machine has not this address, or no port of it is left (ip route add local NETWORK dev lo makes a network's addresses its own)", err)
		}
		return nc, err
	}
}
