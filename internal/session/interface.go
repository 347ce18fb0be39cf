package session

import (
	"net/netip"

	"gopptp/internal/aaa"
	"gopptp/internal/tun"
	"gopptp/ppp/link"
)

// An InterfaceConfig is what a tunnel asks of the machine: its network interface,
// and what goes with it and comes to an end with it.
type InterfaceConfig struct {
	Name          string     // as RouterOS shows it; the system's own name may be shorter
	MTU           int        // octets
	Local, Remote netip.Addr // inner addresses, point to point
	// Former is the local address from before, if programs still use it; zero for
	// none.
	Former netip.Addr

	Routes []aaa.Route // to networks behind the peer
	// DefaultRoute is the distance of a default route through the tunnel, and Outer
	// the peer's outer address, which stays outside of it; 0 for none.
	DefaultRoute int
	Outer        netip.Addr
	// DNS are name servers to ask while the tunnel is up, before the machine's own
	// or, with ExclusiveDNS, instead of them.
	DNS          []netip.Addr
	ExclusiveDNS bool

	FitMSS         bool // lower the MSS of TCP to what fits
	AddressLists   []string
	InterfaceList  string
	IncomingFilter string
	OutgoingFilter string
}

// An Interface is a tunnel's interface on the machine. Closing it takes back all
// that its configuration asked for.
type Interface interface {
	tun.Device
	// Refit gives the interface another configuration in place of the one it has.
	// The name stays, and so does what waits to be read.
	Refit(InterfaceConfig) error
}

// interfaceConfig gives what the session asks of the machine.
func (s *session) interfaceConfig(o link.NetworkUp) InterfaceConfig {
	p := &s.limits.policy
	c := InterfaceConfig{
		Name: s.name(), MTU: o.MTU, Local: o.Local, Remote: o.Remote, Outer: s.outer,
		Routes: p.Routes, AddressLists: p.AddressLists, InterfaceList: p.InterfaceList,
		IncomingFilter: p.IncomingFilter, OutgoingFilter: p.OutgoingFilter, FitMSS: p.ChangeMSS,
	}
	if s.route > 0 {
		c.DefaultRoute = s.route
	}
	if s.peerDNS != noDNS {
		c.DNS, c.ExclusiveDNS = o.DNS, s.peerDNS == exclusiveDNS
	}
	return c
}

// A peerDNS says what a client does with the name servers of its server.
type peerDNS uint8

const (
	noDNS peerDNS = iota
	useDNS
	exclusiveDNS
)

// peerDNSOf reads use-peer-dns.
func peerDNSOf(word string) peerDNS {
	switch word {
	case "yes":
		return useDNS
	case "exclusively":
		return exclusiveDNS
	}
	return noDNS
}
