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

// routeProtocol marks the routes that are ours, so that those which a killed
// daemon left behind are known: it is what "ip route" shows after proto. No other
// program that is known has the number.
const routeProtocol = 217

// The two halves of all addresses. A route for each is narrower than any default
// route, so it is taken whatever the metric of that is, and leaves it untouched:
// when the interface goes, even because the daemon was killed, the old one holds
// again.
var halves = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/1"), netip.MustParsePrefix("128.0.0.0/1")}

var everything = netip.MustParsePrefix("0.0.0.0/0")

// AddRoute leads a network through an interface, by a gateway on it if there is
// one. It goes with the interface.
func (h *Handle) AddRoute(name string, dst netip.Prefix, gateway netip.Addr, distance int) error {
	return h.apart(func() error { return h.addRoute(name, dst, gateway, distance) })
}

func (h *Handle) addRoute(name string, dst netip.Prefix, gateway netip.Addr, distance int) error {
	link, err := h.nl.LinkByName(name)
	if err != nil {
		return fmt.Errorf("host: route to %v: interface %.32q: %w", dst, name, explain(err))
	}
	r := &netlink.Route{
		LinkIndex: link.Attrs().Index, Dst: ipNet(dst), Priority: distance, Protocol: routeProtocol, Scope: netlink.SCOPE_LINK,
	}
	if gateway.IsValid() {
		r.Gw, r.Scope = gateway.AsSlice(), netlink.SCOPE_UNIVERSE
		r.Flags = int(netlink.FLAG_ONLINK) // a tunnel has no network in which to look for it
	}
	// Append: another tunnel may lead to the same network.
	if err := h.nl.RouteAppend(r); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("host: route to %v through %.32q: %w", dst, name, explain(err))
	}
	return nil
}

// AddDefaultRoute leads everything through an interface. At distance 1 it comes
// before every default route that the machine has, at any other one it is
// compared with theirs as the kernel does, by metric. It goes with the interface.
func (h *Handle) AddDefaultRoute(name string, distance int) error {
	for _, dst := range DefaultPrefixes(distance) {
		if err := h.AddRoute(name, dst, netip.Addr{}, distance); err != nil {
			return err
		}
	}
	return nil
}

// KeepOutside keeps packets to a server on the way that they take now, whatever
// default route comes. Release takes that back; the last of several for one server
// counts. Without it a tunnel that becomes the default route would lead into
// itself.
//
// Each call looks for the way anew: the machine may be in another network by now.
// While it is in none, a server that somebody needs keeps the way that it had.
func (h *Handle) KeepOutside(server netip.Addr) (release func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.outside[server]
	if o == nil {
		o = &outside{}
	}
	if err := h.apart(func() error { return h.leadOutside(o, server) }); err != nil && o.users == 0 {
		return nil, err
	}
	o.users++
	h.outside[server] = o
	return func() { h.release(server) }, nil
}

// leadOutside makes the route that a server needs, in place of one by another way.
func (h *Handle) leadOutside(o *outside, server netip.Addr) error {
	way, err := h.wayOutside(server)
	if err != nil {
		return err
	}
	if way.Local {
		return nil
	}
	link, err := h.nl.LinkByName(way.Interface)
	if err != nil {
		return fmt.Errorf("host: route to %v: interface %.32q: %w", server, way.Interface, explain(err))
	}
	route := &netlink.Route{
		LinkIndex: link.Attrs().Index, Dst: hostNet(server), Protocol: routeProtocol, Scope: netlink.SCOPE_LINK,
	}
	if way.Gateway.IsValid() {
		route.Gw, route.Scope = way.Gateway.AsSlice(), netlink.SCOPE_UNIVERSE
	}
	if o.route != nil && !o.route.Equal(*route) {
		_ = h.nl.RouteDel(o.route) // gone already if its interface is
		o.route = nil
	}
	switch err := h.nl.RouteAdd(route); {
	case errors.Is(err, unix.EEXIST): // ours, or an administrator's, which is good as it is
		return nil
	case err != nil:
		return fmt.Errorf("host: route to %v: %w", server, explain(err))
	}
	o.route = route
	return nil
}

// wayOutside is the way to a server that the machine would take without our default
// routes, and without the one that KeepOutside has made. Networks behind a tunnel are
// another matter: the server may be in one of them.
func (h *Handle) wayOutside(server netip.Addr) (Route, error) {
	way, err := h.routeTo(server)
	if err != nil || way.Local {
		return way, err
	}
	routes, err := h.nl.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return Route{}, fmt.Errorf("host: list routes: %w", explain(err))
	}
	ours := func(r netlink.Route) bool {
		return r.Protocol == routeProtocol && (bits(r.Dst) <= bits(ipNet(halves[0])) || bits(r.Dst) == server.BitLen())
	}
	leads := func(r netlink.Route) bool {
		return r.Type == unix.RTN_UNICAST && (r.Dst == nil || r.Dst.Contains(server.AsSlice()))
	}
	if !slices.ContainsFunc(routes, func(r netlink.Route) bool { return ours(r) && leads(r) }) {
		return way, nil
	}
	routes = slices.DeleteFunc(routes, func(r netlink.Route) bool { return ours(r) || !leads(r) })
	if len(routes) == 0 {
		return Route{}, fmt.Errorf("%w to %v but through a tunnel", ErrNoRoute, server)
	}
	best := slices.MinFunc(routes, func(a, b netlink.Route) int {
		return cmp.Or(cmp.Compare(bits(b.Dst), bits(a.Dst)), cmp.Compare(a.Priority, b.Priority))
	})
	link, err := h.nl.LinkByIndex(best.LinkIndex)
	if err != nil {
		return Route{}, fmt.Errorf("host: route to %v: interface %d: %w", server, best.LinkIndex, err)
	}
	gateway, _ := netip.AddrFromSlice(best.Gw) // none is the zero Addr
	return Route{Interface: link.Attrs().Name, Gateway: gateway.Unmap()}, nil
}

// bits is the length of a prefix; of none, that of a default route.
func bits(n *net.IPNet) int {
	if n == nil {
		return 0
	}
	ones, _ := n.Mask.Size()
	return ones
}

// DropRoutes removes the routes through an interface that AddRoute made, but for
// those to the networks in keep.
func (h *Handle) DropRoutes(name string, keep []netip.Prefix) error {
	return h.apart(func() error { return h.dropRoutes(name, keep) })
}

func (h *Handle) dropRoutes(name string, keep []netip.Prefix) error {
	link, err := h.nl.LinkByName(name)
	if err != nil {
		return fmt.Errorf("host: routes through %.32q: %w", name, explain(err))
	}
	routes, err := whole(func() ([]netlink.Route, error) {
		return h.nl.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{LinkIndex: link.Attrs().Index, Protocol: routeProtocol},
			netlink.RT_FILTER_OIF|netlink.RT_FILTER_PROTOCOL)
	})
	if err != nil {
		return fmt.Errorf("host: list routes: %w", explain(err))
	}
	var errs []error
	for _, r := range routes {
		dst := everything
		if r.Dst != nil {
			a, _ := netip.AddrFromSlice(r.Dst.IP)
			dst = netip.PrefixFrom(a.Unmap(), bits(r.Dst))
		}
		if !slices.Contains(keep, dst) {
			errs = append(errs, h.nl.RouteDel(&r))
		}
	}
	return errors.Join(errs...)
}

// DefaultPrefixes are the networks that AddDefaultRoute leads to at a distance.
func DefaultPrefixes(distance int) []netip.Prefix {
	if distance > 1 {
		return []netip.Prefix{everything}
	}
	return append([]netip.Prefix{everything}, halves...)
}

// An outside is a server that must be reached without its own tunnel.
type outside struct {
	users int
	route *netlink.Route // ours; nil if there was one
}

// release gives back one KeepOutside.
func (h *Handle) release(server netip.Addr) {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.outside[server]
	if o == nil {
		return
	}
	if o.users--; o.users > 0 {
		return
	}
	delete(h.outside, server)
	if o.route != nil {
		_ = h.apart(func() error { return h.nl.RouteDel(o.route) }) // gone already if its interface is
	}
}

// ForgetRoutes removes the routes that a daemon which was killed left behind.
func (h *Handle) ForgetRoutes() error {
	routes, err := h.nl.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Protocol: routeProtocol}, netlink.RT_FILTER_PROTOCOL)
	if err != nil {
		return fmt.Errorf("host: list routes: %w", explain(err))
	}
	var errs []error
	for _, r := range routes {
		if err := h.nl.RouteDel(&r); err != nil && !errors.Is(err, unix.ESRCH) {
			errs = append(errs, fmt.Errorf("host: remove route to %v: %w", r.Dst, explain(err)))
		}
	}
	return errors.Join(errs...)
}
