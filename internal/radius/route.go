package radius

import (
	"net/netip"
	"strconv"
	"strings"
)

// A Route is one Framed-Route (RFC 2865, section 5.22).
type Route struct {
	Dst     netip.Prefix
	Gateway netip.Addr // zero, or 0.0.0.0 in the attribute: the client
	Metric  int        // zero if not said
}

// ParseRoute reads the text of a Framed-Route: a prefix, or an address whose
// length follows from its class as the RFC has it, a gateway and metrics, of
// which the first counts. What is not IPv4 is refused.
func ParseRoute(s string) (Route, bool) {
	fields := strings.Fields(s)
	if len(fields) == 0 {
		return Route{}, false
	}
	var r Route
	dst, bits, ok := strings.Cut(fields[0], "/")
	a, err := netip.ParseAddr(dst)
	if err != nil || !a.Is4() {
		return Route{}, false
	}
	ones := classBits(a)
	if ok {
		if ones, err = strconv.Atoi(bits); err != nil || ones < 0 || ones > 32 {
			return Route{}, false
		}
	}
	r.Dst = netip.PrefixFrom(a, ones).Masked()
	if len(fields) > 1 {
		gateway, err := netip.ParseAddr(fields[1])
		if err != nil || !gateway.Is4() {
			return Route{}, false
		}
		if !gateway.IsUnspecified() {
			r.Gateway = gateway
		}
	}
	if len(fields) > 2 {
		metric, err := strconv.ParseUint(fields[2], 10, 31)
		if err != nil {
			return Route{}, false
		}
		r.Metric = int(metric)
	}
	return r, true
}

// classBits is the length of a prefix without one: "the length specifier may be
// omitted, in which case it defaults to 8 bits for class A prefixes, 16 bits for
// class B prefixes, and 24 bits for class C prefixes" (RFC 2865, section 5.22).
func classBits(a netip.Addr) int {
	switch b := a.As4()[0]; {
	case b < 128:
		return 8
	case b < 192:
		return 16
	}
	return 24
}
