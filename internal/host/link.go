package host

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	// txQueueLen is how many packets wait in an interface for its reader: 10 ms
	// of half a gigabit per second, which is how long the reader may be kept off
	// its processor. It adds no delay to a slow tunnel, because we read at the
	// speed of the machine and not of the path.
	txQueueLen = 500

	// maxAlias is the longest alias (IFALIASZ of Linux less its final zero).
	maxAlias = 255
)

// ErrName says that an interface works but did not get its alternative name or
// alias, for instance because another one has the name. A session can go on.
var ErrName = errors.New("host: interface is set up without its second name")

// A LinkConfig says how an interface is to be.
type LinkConfig struct {
	Name    string // of the interface, which exists
	AltName string // empty: none
	Alias   string // free text for people, cut to 255 octets; empty: none
	MTU     int

	// The two ends of the point-to-point link, IPv4. Many interfaces may have
	// the same Local.
	Local, Remote netip.Addr
	// Former is an address that programs got before and may still use: the kernel
	// takes packets to it, and chooses it for none. Zero: none.
	Former netip.Addr
	// New says that the interface has just been made. It has nothing then that would
	// have to be looked for among what all interfaces have.
	New bool
}

// SetupLink gives an interface its MTU, address and names, in place of those that
// it may have had, and sets it up. The kernel then has a route to Remote through
// it. IPv6 is off there: a PPTP tunnel carries none. On an error other than ErrName the interface is half set up and
// is to be closed.
//
// It must be called in the network namespace in which the Handle was opened.
func (h *Handle) SetupLink(cfg LinkConfig) error {
	if !cfg.Local.Is4() || !cfg.Remote.Is4() {
		return fmt.Errorf("host: set up interface %.32q: local %v and remote %v must be IPv4 addresses", cfg.Name, cfg.Local, cfg.Remote)
	}
	link, err := h.linkByName(cfg.Name)
	if err != nil {
		return fmt.Errorf("host: set up interface %.32q: %w", cfg.Name, explain(err))
	}
	// Before "up", or the kernel sends router solicitations.
	if err := h.disableIPv6(link); err != nil {
		return fmt.Errorf("host: turn off IPv6 of interface %.32q: %w", cfg.Name, explain(err))
	}
	return h.apart(func() error { return h.configure(link, cfg) })
}

// configure does what SetupLink does by requests alone.
func (h *Handle) configure(link netlink.Link, cfg LinkConfig) error {
	addrs := []*netlink.Addr{{IPNet: hostNet(cfg.Local), Peer: hostNet(cfg.Remote)}}
	if cfg.Former.Is4() {
		addrs = append(addrs, &netlink.Addr{IPNet: hostNet(cfg.Former), Scope: unix.RT_SCOPE_HOST})
	}
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"set MTU", func() error { return h.nl.LinkSetMTU(link, cfg.MTU) }},
		{"set queue length", func() error { return h.nl.LinkSetTxQLen(link, txQueueLen) }},
		// Before the addresses: with each that is there the kernel makes its routes anew when
		// an interface comes up, and looks for each among those of all tunnels.
		{"set up", func() error { return h.nl.LinkSetUp(link) }},
		{"add address", func() error { return h.addAddresses(link, addrs) }},
		// After the new one is there: an interface without any loses its routes.
		{"remove old addresses", func() error {
			if cfg.New {
				return nil
			}
			return h.dropOtherAddresses(link, addrs)
		}},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("host: %s of interface %.32q: %w", step.what, cfg.Name, explain(err))
		}
	}
	return h.nameLink(link, cfg)
}

func (h *Handle) addAddresses(link netlink.Link, addrs []*netlink.Addr) error {
	for _, a := range addrs {
		if err := h.nl.AddrReplace(link, a); err != nil {
			return err
		}
	}
	return nil
}

// dropOtherAddresses removes the addresses of an interface but for some.
func (h *Handle) dropOtherAddresses(link netlink.Link, keep []*netlink.Addr) error {
	addrs, err := whole(func() ([]netlink.Addr, error) { return h.nl.AddrList(link, netlink.FAMILY_V4) })
	if err != nil {
		return err
	}
	var errs []error
	for _, a := range addrs {
		if !slices.ContainsFunc(keep, func(k *netlink.Addr) bool { return sameAddress(k, &a) }) {
			errs = append(errs, h.nl.AddrDel(link, &a))
		}
	}
	return errors.Join(errs...)
}

// maxLists is how often a list is asked for that changes while it is told: with
// thousands of tunnels others come and go all the time.
const maxLists = 32

// whole asks the kernel for a list until it was told one that did not change
// meanwhile.
func whole[T any](list func() ([]T, error)) (all []T, err error) {
	for range maxLists {
		if all, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return all, err
}

// sameAddress reports whether have, as the kernel tells it, is what want asks for:
// without a peer it says that an address is its own.
func sameAddress(want, have *netlink.Addr) bool {
	peer := func(a *netlink.Addr) string { return cmp.Or(a.Peer, a.IPNet).String() }
	return want.IPNet.String() == have.IPNet.String() && peer(want) == peer(have)
}

// nameLink sets what an interface can do without. It tries both.
func (h *Handle) nameLink(link netlink.Link, cfg LinkConfig) error {
	var errs []error
	if cfg.AltName != "" {
		if err := h.nl.LinkAddAltName(link, cfg.AltName); err != nil && !slices.Contains(link.Attrs().AltNames, cfg.AltName) {
			errs = append(errs, fmt.Errorf("%w: alternative name %.64q: %w", ErrName, cfg.AltName, err))
		}
	}
	if cfg.Alias != "" {
		alias := cfg.Alias[:min(len(cfg.Alias), maxAlias)]
		if err := h.nl.LinkSetAlias(link, alias); err != nil {
			errs = append(errs, fmt.Errorf("%w: alias %.64q: %w", ErrName, alias, err))
		}
	}
	return errors.Join(errs...)
}

// disableIPv6 turns IPv6 off on an interface. Where /proc/sys is not writable,
// as in most containers, it at least keeps the kernel from making a link-local
// address; what IPv6 is still sent there is dropped by the data path.
func (h *Handle) disableIPv6(link netlink.Link) error {
	path := "/proc/sys/net/ipv6/conf/" + link.Attrs().Name + "/disable_ipv6"
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	switch {
	case errors.Is(err, os.ErrNotExist): // a kernel or an interface without IPv6
		return nil
	case errors.Is(err, unix.EROFS), errors.Is(err, os.ErrPermission):
		return h.apart(func() error { return h.nl.LinkSetIP6AddrGenMode(link, addrGenModeNone) })
	case err != nil:
		return err
	}
	_, err = file.WriteString("1")
	return errors.Join(err, file.Close())
}

// addrGenModeNone is IN6_ADDR_GEN_MODE_NONE of linux/if_link.h.
const addrGenModeNone = 1

// Taken reports whether an interface of the machine has the name, be it an
// alternative one.
func (h *Handle) Taken(name string) bool {
	if name == "" || len(name) > maxAltName {
		return false
	}
	_, err := h.linkByName(name)
	return err == nil
}

// ipNet gives a prefix as netlink wants it.
func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Masked().Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// hostNet makes the network that has one address only.
func hostNet(a netip.Addr) *net.IPNet {
	return &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(a.BitLen(), a.BitLen())}
}
