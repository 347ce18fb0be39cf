package host_test

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"gopptp/internal/host"
	"gopptp/internal/host/hosttest"
)

func TestRequiresRootRouteTo(t *testing.T) {
	in, h := open(t)
	hosttest.Cable(t, 1500,
		hosttest.Port{In: in, Name: "eth0", Prefix: netip.MustParsePrefix("192.0.2.1/24")},
		hosttest.Port{In: hosttest.New(t), Name: "eth0", Prefix: netip.MustParsePrefix("192.0.2.2/24")})
	in.Address("eth0", netip.MustParsePrefix("192.0.2.3/24"))
	router := netip.MustParseAddr("192.0.2.2")
	in.Route(netip.MustParsePrefix("198.51.100.0/24"), router)
	for dst, kind := range map[string]int{"203.0.113.1/32": unix.RTN_PROHIBIT, "203.0.113.2/32": unix.RTN_BLACKHOLE} {
		_, prefix, _ := net.ParseCIDR(dst)
		if err := in.Handle.RouteAdd(&netlink.Route{Dst: prefix, Type: kind}); err != nil {
			t.Fatal(err)
		}
	}
	first := netip.MustParseAddr("192.0.2.1")

	for _, test := range []struct {
		dst  string
		want host.Route
	}{
		{"192.0.2.9", host.Route{Interface: "eth0", Source: first}},
		{"198.51.100.7", host.Route{Interface: "eth0", Gateway: router, Source: first}},
		{"192.0.2.3", host.Route{Interface: "lo", Source: first, Local: true}},
		{"127.0.0.1", host.Route{Interface: "lo", Source: netip.MustParseAddr("127.0.0.1"), Local: true}},
	} {
		dst := netip.MustParseAddr(test.dst)
		got, err := h.RouteTo(dst)
		if err != nil || got != test.want {
			t.Errorf("RouteTo(%v) = %+v, %v; want %+v", dst, got, err, test.want)
		}
		if src, err := h.LocalAddr(dst); err != nil || src != test.want.Source {
			t.Errorf("LocalAddr(%v) = %v, %v; want %v", dst, src, err, test.want.Source)
		}
		if is, err := h.IsLocal(dst); err != nil || is != test.want.Local {
			t.Errorf("IsLocal(%v) = %t, %v; want %t", dst, is, err, test.want.Local)
		}
	}
	for _, dst := range []string{"10.99.0.1", "203.0.113.1", "203.0.113.2"} {
		addr := netip.MustParseAddr(dst)
		if r, err := h.RouteTo(addr); !errors.Is(err, host.ErrNoRoute) {
			t.Errorf("RouteTo(%v) = %+v, %v; want ErrNoRoute", addr, r, err)
		}
		if is, err := h.IsLocal(addr); is || err != nil {
			t.Errorf("IsLocal(%v) = %t, %v; want false, nil", addr, is, err)
		}
	}
	if _, err := h.RouteTo(netip.IPv6Loopback()); err == nil || errors.Is(err, host.ErrNoRoute) {
		t.Errorf("RouteTo of an IPv6 address: %v, want another error", err)
	}
}

// TestRequiresRootRouteIntoItself is the mistake that RouteTo is there to find:
// the far end inside the tunnel has the address of the server outside.
func TestRequiresRootRouteIntoItself(t *testing.T) {
	in, h := open(t)
	hosttest.Cable(t, 1500,
		hosttest.Port{In: in, Name: "eth0", Prefix: netip.MustParsePrefix("192.0.2.1/24")},
		hosttest.Port{In: hosttest.New(t), Name: "eth0", Prefix: netip.MustParsePrefix("192.0.2.2/24")})
	server := netip.MustParseAddr("192.0.2.2")
	if r, err := h.RouteTo(server); err != nil || r.Interface != "eth0" {
		t.Fatalf("before: %+v, %v", r, err)
	}
	create(t, in, "pptp-out1")
	if err := setup(in, h, host.LinkConfig{Name: "pptp-out1", MTU: 1450, Local: local, Remote: server}); err != nil {
		t.Fatal(err)
	}
	if r, err := h.RouteTo(server); err != nil || r.Interface != "pptp-out1" {
		t.Errorf("with the tunnel: %+v, %v; want the way through pptp-out1", r, err)
	}
}
