package aaa

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// A Route leads to a network behind a client while it is connected.
type Route struct {
	Dst      netip.Prefix // IPv4
	Gateway  netip.Addr   // invalid for the client itself
	Distance int          // 1 to 255
}

const (
	// defaultDistance is that of a route that names none.
	defaultDistance = 1
	maxDistance     = 255
	// maxRoutes bounds the routes of one user: more belong to a routing protocol.
	maxRoutes = 256
)

// ErrRoutes says that a text is no list of routes.
var ErrRoutes = errors.New("aaa: not a list of routes, each of them dst gateway metric")

// ParseRoutes reads the routes of a secret: "dst gateway metric", separated by
// commas. Gateway and metric may be left out; a gateway of 0.0.0.0 is the client.
func ParseRoutes(text string) ([]Route, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var routes []Route
	for item := range strings.SplitSeq(text, ",") {
		r, err := ParseRoute(item)
		if err != nil || len(routes) == maxRoutes {
			return nil, ErrRoutes
		}
		routes = append(routes, r)
	}
	return routes, nil
}

// ParseRoute reads one route. It is the text of Framed-Route as well, in which
// more than one metric may stand (RFC 2865, section 5.22); the first counts.
func ParseRoute(text string) (Route, error) {
	fields := strings.Fields(text)
	r := Route{Distance: defaultDistance}
	if len(fields) == 0 {
		return Route{}, ErrRoutes
	}
	dst, err := netip.ParsePrefix(fields[0])
	if err != nil {
		var a netip.Addr
		if a, err = netip.ParseAddr(fields[0]); err == nil {
			dst = classful(a)
		}
	}
	if err != nil || !dst.Addr().Is4() {
		return Route{}, ErrRoutes
	}
	r.Dst = dst.Masked()
	if len(fields) > 1 {
		if r.Gateway, err = netip.ParseAddr(fields[1]); err != nil || !r.Gateway.Is4() {
			return Route{}, ErrRoutes
		}
		if r.Gateway.IsUnspecified() {
			r.Gateway = netip.Addr{}
		}
	}
	if len(fields) > 2 {
		if r.Distance, err = strconv.Atoi(fields[2]); err != nil || r.Distance < 0 || r.Distance > maxDistance {
			return Route{}, ErrRoutes
		}
		r.Distance = max(r.Distance, defaultDistance)
	}
	for _, more := range fields[min(3, len(fields)):] {
		if _, err := strconv.ParseUint(more, 10, 32); err != nil {
			return Route{}, ErrRoutes
		}
	}
	return r, nil
}

// classful gives the network of an address that is written without the length of
// its prefix: a host, unless it is the address of a network of its class (RFC 2865,
// section 5.22).
func classful(a netip.Addr) netip.Prefix {
	if !a.Is4() {
		return netip.PrefixFrom(a, a.BitLen())
	}
	b := a.As4()
	bits := 24
	switch {
	case b[0] < 128:
		bits = 8
	case b[0] < 192:
		bits = 16
	}
	if p := netip.PrefixFrom(a, bits); p.Masked().Addr() == a {
		return p
	}
	return netip.PrefixFrom(a, 32)
}
