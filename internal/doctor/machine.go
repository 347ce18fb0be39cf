package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"gopptp/internal/load"
	"gopptp/internal/rawgre"
)

// A Machine is what is examined.
type Machine interface {
	// Files are the machine's, from its root on: names have no slash in front.
	Files() fs.FS
	// Writable reports whether a file can be written, without writing it.
	Writable(name string) error
	// Program reports whether a program is installed.
	Program(name string) bool
	// OpenTUN opens /dev/net/tun and closes it again.
	OpenTUN() error
	// OpenGRE opens a raw socket for GRE.
	OpenGRE() (rawgre.Conn, error)
	// Ruleset reads what nftables has.
	Ruleset() (*Ruleset, error)
	// WayOut gives the interface that leads to an address, and its MTU.
	WayOut(to netip.Addr) (link string, mtu int, err error)
	// Daemon gives the process that listens on a Unix socket.
	Daemon(socket string) (pid int, err error)
	// Ask runs a command in the daemon, and gives what it printed.
	Ask(ctx context.Context, socket, command string) (string, error)
	// Resolve gives the IPv4 address of a host.
	Resolve(ctx context.Context, host string) (netip.Addr, error)
	// Dial connects by TCP.
	Dial(ctx context.Context, to netip.AddrPort) (net.Conn, error)
}

// A Console runs commands in the daemon, and gives the status of gopptp exec.
type Console func(ctx context.Context, socket string, commands []string, out, errs io.Writer) int

// Host is the machine that the program runs on.
type Host struct{ Console Console }

// Files gives the file system.
func (Host) Files() fs.FS { return os.DirFS("/") }

// Writable asks the kernel.
func (Host) Writable(name string) error {
	if err := unix.Faccessat(unix.AT_FDCWD, "/"+name, unix.W_OK, unix.AT_EACCESS); err != nil {
		return &fs.PathError{Op: "access", Path: "/" + name, Err: err}
	}
	return nil
}

// Program looks for a program where root finds it.
func (Host) Program(name string) bool {
	if _, err := exec.LookPath(name); err == nil {
		return true
	}
	for _, dir := range []string{"/usr/sbin/", "/sbin/"} { // which a user's PATH may lack
		if _, err := os.Stat(dir + name); err == nil {
			return true
		}
	}
	return false
}

// OpenTUN opens the device; no interface comes of that.
func (Host) OpenTUN() error {
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// OpenGRE opens a raw socket.
func (Host) OpenGRE() (rawgre.Conn, error) {
	sockets, err := rawgre.Listen(1)
	if err != nil {
		return nil, err
	}
	return sockets[0], nil
}

// Ruleset reads nftables by netlink.
func (Host) Ruleset() (*Ruleset, error) {
	c, err := nftables.New(nftables.AsLasting())
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.CloseLasting() }()
	return readRuleset(c)
}

// WayOut asks the kernel for its route.
func (Host) WayOut(to netip.Addr) (string, int, error) {
	routes, err := netlink.RouteGet(to.AsSlice())
	if err != nil {
		return "", 0, err
	}
	if len(routes) == 0 {
		return "", 0, errors.New("no route")
	}
	link, err := netlink.LinkByIndex(routes[0].LinkIndex)
	if err != nil {
		return "", 0, err
	}
	mtu := link.Attrs().MTU
	if m := routes[0].MTU; m > 0 && m < mtu {
		mtu = m
	}
	return link.Attrs().Name, mtu, nil
}

// Daemon asks the socket who listens on it.
func (Host) Daemon(socket string) (int, error) { return load.Listener(socket) }

// Ask runs a command as gopptp exec does.
func (h Host) Ask(ctx context.Context, socket, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	var out, errs bytes.Buffer
	if status := h.Console(ctx, socket, []string{command}, &out, &errs); status != 0 {
		return "", fmt.Errorf("%s", bytes.TrimSpace(errs.Bytes()))
	}
	return out.String(), nil
}

// Resolve asks the resolver.
func (Host) Resolve(ctx context.Context, host string) (netip.Addr, error) {
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil {
		return netip.Addr{}, err
	}
	if len(list) == 0 {
		return netip.Addr{}, errors.New("the host has no IPv4 address")
	}
	return list[0].Unmap(), nil
}

// Dial connects by TCP.
func (Host) Dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp4", to.String())
}
