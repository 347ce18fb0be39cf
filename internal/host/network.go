package host

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A Link is a network interface.
type Link struct {
	Name     string
	AltNames []string // that the kernel knows it by as well
}

// An Address is one of the machine's own.
type Address struct {
	Link   Link
	Prefix netip.Prefix
	Peer   netip.Addr // the other end of a link that has two; the zero Addr for none
}

// A TableRoute is a route of the main table.
type TableRoute struct {
	Link        Link
	Destination netip.Prefix
	Gateway     netip.Addr // the zero Addr for none
	Source      netip.Addr // the address to send from; the zero Addr if it is not fixed
	Metric      int
	Connected   bool // it is there because an address is
	Learned     bool // another program or machine gave it
}

// A Neighbor is a machine on a link.
type Neighbor struct {
	Link     Link
	Address  netip.Addr
	Hardware string // as six pairs of digits; empty while it is not known
	Router   bool
	Fixed    bool // somebody configured it
}

// Addresses gives the machine's own addresses.
func (h *Handle) Addresses() ([]Address, error) {
	links, err := h.links()
	if err != nil {
		return nil, err
	}
	all, err := h.nl.AddrList(nil, netlink.FAMILY_ALL)
	if !listed(err) {
		return nil, fmt.Errorf("host: list addresses: %w", err)
	}
	var out []Address
	for _, a := range all {
		p, ok := prefix(a.IPNet)
		if !ok {
			continue
		}
		found := Address{Link: links[a.LinkIndex], Prefix: p}
		if peer, ok := prefix(a.Peer); ok && peer.Addr() != p.Addr() {
			found.Peer = peer.Addr()
		}
		out = append(out, found)
	}
	return out, nil
}

// Routes gives the routes to IPv4 networks.
func (h *Handle) Routes() ([]TableRoute, error) {
	links, err := h.links()
	if err != nil {
		return nil, err
	}
	all, err := h.nl.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	if !listed(err) {
		return nil, fmt.Errorf("host: list routes: %w", err)
	}
	var out []TableRoute
	for _, r := range all {
		to, ok := prefix(r.Dst)
		if !ok {
			to = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		}
		found := TableRoute{
			Link: links[r.LinkIndex], Destination: to, Gateway: unmapped(r.Gw), Source: unmapped(r.Src), Metric: r.Priority,
			Connected: r.Protocol == unix.RTPROT_KERNEL, Learned: r.Protocol != unix.RTPROT_BOOT && r.Protocol != unix.RTPROT_STATIC,
		}
		if len(r.MultiPath) > 0 { // the first stands for all
			found.Link, found.Gateway = links[r.MultiPath[0].LinkIndex], unmapped(r.MultiPath[0].Gw)
		}
		out = append(out, found)
	}
	return out, nil
}

// Neighbors gives the machines on the links, by ARP and by IPv6's way.
func (h *Handle) Neighbors() ([]Neighbor, error) {
	links, err := h.links()
	if err != nil {
		return nil, err
	}
	var out []Neighbor
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		all, err := h.nl.NeighList(0, family)
		if !listed(err) {
			return nil, fmt.Errorf("host: list neighbours: %w", err)
		}
		for _, n := range all {
			address := unmapped(n.IP)
			if !address.IsValid() || n.State == unix.NUD_NOARP {
				continue // what a link needs no neighbour for
			}
			found := Neighbor{Link: links[n.LinkIndex], Address: address, Router: n.Flags&netlink.NTF_ROUTER != 0, Fixed: n.State&unix.NUD_PERMANENT != 0}
			if n.State&(unix.NUD_FAILED|unix.NUD_INCOMPLETE) == 0 && len(n.HardwareAddr) > 0 {
				found.Hardware = n.HardwareAddr.String()
			}
			out = append(out, found)
		}
	}
	slices.SortFunc(out, func(a, b Neighbor) int {
		return cmp.Or(a.Address.Compare(b.Address), cmp.Compare(a.Link.Name, b.Link.Name))
	})
	return out, nil
}

// links gives the interfaces by their number.
func (h *Handle) links() (map[int]Link, error) {
	all, err := h.nl.LinkList()
	if !listed(err) {
		return nil, fmt.Errorf("host: list interfaces: %w", err)
	}
	links := make(map[int]Link, len(all))
	for _, l := range all {
		links[l.Attrs().Index] = Link{l.Attrs().Name, l.Attrs().AltNames}
	}
	return links, nil
}

// listed reports whether a list is good: one that changed while it was read is
// about as good as one of a moment later.
func listed(err error) bool { return err == nil || errors.Is(err, netlink.ErrDumpInterrupted) }

func prefix(n *net.IPNet) (netip.Prefix, bool) {
	if n == nil {
		return netip.Prefix{}, false
	}
	bits, _ := n.Mask.Size()
	a := unmapped(n.IP)
	return netip.PrefixFrom(a, bits), a.IsValid()
}

// unmapped gives the zero Addr for no address.
func unmapped(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}
