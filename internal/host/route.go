package host

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// ErrNoRoute says that the machine does not know how to reach an address.
var ErrNoRoute = errors.New("host: no route")

// A Route is how the machine reaches an address.
type Route struct {
	Interface string     // the way out
	Gateway   netip.Addr // the next router; the zero Addr if the address is on the link
	Source    netip.Addr // the address that the machine would send from
	Local     bool       // the address is one of the machine's own
}

// RouteTo asks the kernel how it would send a packet to an IPv4 address now. A
// tunnel whose server is reached through the tunnel itself carries nothing; its
// owner compares Interface with the tunnel's.
func (h *Handle) RouteTo(dst netip.Addr) (r Route, err error) {
	err = h.apart(func() error {
		r, err = h.routeTo(dst)
		return err
	})
	return r, err
}

func (h *Handle) routeTo(dst netip.Addr) (Route, error) {
	if !dst.Is4() {
		return Route{}, fmt.Errorf("host: route to %v: not an IPv4 address", dst)
	}
	routes, err := h.nl.RouteGet(dst.AsSlice())
	switch {
	case errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.EHOSTUNREACH),
		errors.Is(err, unix.EACCES), errors.Is(err, unix.EINVAL), // routes of type prohibit and blackhole
		err == nil && len(routes) == 0:
		return Route{}, fmt.Errorf("%w to %v", ErrNoRoute, dst)
	case err != nil:
		return Route{}, fmt.Errorf("host: route to %v: %w", dst, explain(err))
	}
	found := routes[0]
	link, err := h.nl.LinkByIndex(found.LinkIndex)
	if err != nil {
		return Route{}, fmt.Errorf("host: route to %v: interface %d: %w", dst, found.LinkIndex, err)
	}
	gateway, _ := netip.AddrFromSlice(found.Gw) // none is the zero Addr
	source, _ := netip.AddrFromSlice(found.Src)
	return Route{
		Interface: link.Attrs().Name,
		Gateway:   gateway.Unmap(),
		Source:    source.Unmap(),
		Local:     found.Type == unix.RTN_LOCAL,
	}, nil
}

// LocalAddr gives the address that the machine would send from to dst.
func (h *Handle) LocalAddr(dst netip.Addr) (netip.Addr, error) {
	r, err := h.RouteTo(dst)
	return r.Source, err
}

// IsLocal reports whether an address is one of the machine's own. An address
// that cannot be reached is not.
func (h *Handle) IsLocal(addr netip.Addr) (bool, error) {
	r, err := h.RouteTo(addr)
	if errors.Is(err, ErrNoRoute) {
		return false, nil
	}
	return r.Local, err
}
