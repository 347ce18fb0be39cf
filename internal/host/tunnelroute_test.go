package host_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"

	"gopptp/internal/host"
	"gopptp/internal/host/hosttest"
)

// office is a machine with a default route by way of 192.0.2.2, and a tunnel
// interface that is up.
func office(t *testing.T) (*hosttest.Namespace, *host.Handle) {
	t.Helper()
	in, h := open(t)
	hosttest.Cable(t, 1500,
		hosttest.Port{In: in, Name: "eth0", Prefix: netip.MustParsePrefix("192.0.2.1/24")},
		hosttest.Port{In: hosttest.New(t), Name: "eth0", Prefix: netip.MustParsePrefix("192.0.2.2/24")})
	in.Route(netip.MustParsePrefix("0.0.0.0/0"), netip.MustParseAddr("192.0.2.2"))
	create(t, in, "pptp-out1")
	if err := setup(in, h, host.LinkConfig{Name: "pptp-out1", MTU: 1450, Local: local, Remote: remote}); err != nil {
		t.Fatal(err)
	}
	return in, h
}

// way checks which interface leads to an address.
func way(t *testing.T, h *host.Handle, when, dst, want string) {
	t.Helper()
	r, err := h.RouteTo(netip.MustParseAddr(dst))
	if err != nil || r.Interface != want {
		t.Errorf("%s: the way to %s is %q, %v; want %q", when, dst, r.Interface, err, want)
	}
}

func TestRequiresRootDefaultRoute(t *testing.T) {
	in, h := office(t)
	server := netip.MustParseAddr("198.51.100.1")
	release, err := h.KeepOutside(server)
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.KeepOutside(server) // another client of the same server
	if err != nil {
		t.Fatal(err)
	}
	if err := h.AddDefaultRoute("pptp-out1", 1); err != nil {
		t.Fatal(err)
	}
	way(t, h, "with the tunnel", "203.0.113.1", "pptp-out1")
	way(t, h, "with the tunnel", "8.8.8.8", "pptp-out1")
	way(t, h, "with the tunnel", "198.51.100.1", "eth0")
	way(t, h, "with the tunnel", "192.0.2.77", "eth0")
	release()
	way(t, h, "while the other client needs it", "198.51.100.1", "eth0")
	again()
	way(t, h, "when nobody needs it", "198.51.100.1", "pptp-out1")

	// The interface goes, as when the daemon is killed: the old default route holds.
	link := in.Link("pptp-out1")
	if err := in.Handle.LinkDel(link); err != nil {
		t.Fatal(err)
	}
	way(t, h, "without the tunnel", "203.0.113.1", "eth0")
	if r, _ := h.RouteTo(server); r.Gateway != netip.MustParseAddr("192.0.2.2") {
		t.Errorf("the server's route is %+v", r)
	}
}

// TestRequiresRootBackupRoute: at a larger distance the tunnel is the way only
// where the machine has no better one.
func TestRequiresRootBackupRoute(t *testing.T) {
	in, h := office(t)
	if err := h.AddDefaultRoute("pptp-out1", 10); err != nil {
		t.Fatal(err)
	}
	way(t, h, "with another default route", "203.0.113.1", "eth0")
	routes, err := in.Handle.RouteList(in.Link("eth0"), netlink.FAMILY_V4)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range routes {
		if r.Gw != nil {
			if err := in.Handle.RouteDel(&r); err != nil {
				t.Fatal(err)
			}
		}
	}
	way(t, h, "without another default route", "203.0.113.1", "pptp-out1")
}

// TestRequiresRootForgetRoutes: what a killed daemon left of its routes goes, and
// the administrator's stay.
func TestRequiresRootForgetRoutes(t *testing.T) {
	in, h := office(t)
	own := netip.MustParsePrefix("198.51.100.9/32")
	in.Route(own, netip.MustParseAddr("192.0.2.2"))
	for _, server := range []string{"198.51.100.1", "198.51.100.9"} {
		if _, err := h.KeepOutside(netip.MustParseAddr(server)); err != nil {
			t.Fatal(err)
		}
	}
	count := func() (ours, theirs int) {
		routes, err := in.Handle.RouteList(in.Link("eth0"), netlink.FAMILY_V4)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range routes {
			switch r.Dst.String() {
			case "198.51.100.1/32":
				ours++
			case own.String():
				theirs++
			}
		}
		return ours, theirs
	}
	if ours, theirs := count(); ours != 1 || theirs != 1 {
		t.Fatalf("%d and %d routes", ours, theirs)
	}
	var next *host.Handle
	in.Do(func() {
		var err error
		if next, err = host.Open(); err != nil {
			t.Fatal(err)
		}
	})
	defer next.Close()
	if err := next.ForgetRoutes(); err != nil {
		t.Fatal(err)
	}
	if ours, theirs := count(); ours != 0 || theirs != 1 {
		t.Errorf("%d and %d routes after a restart", ours, theirs)
	}
}

func TestRequiresRootRoutesOfAUser(t *testing.T) {
	in, h := office(t)
	lan := netip.MustParsePrefix("10.9.0.0/16")
	if err := h.AddRoute("pptp-out1", lan, netip.Addr{}, 1); err != nil {
		t.Fatal(err)
	}
	if err := h.AddRoute("pptp-out1", netip.MustParsePrefix("10.8.0.0/16"), remote, 2); err != nil {
		t.Fatal(err)
	}
	way(t, h, "with the tunnel", "10.9.1.1", "pptp-out1")
	way(t, h, "with the tunnel", "10.8.1.1", "pptp-out1")
	create(t, in, "pptp-out2")
	if err := setup(in, h, host.LinkConfig{Name: "pptp-out2", MTU: 1450, Local: local, Remote: netip.MustParseAddr("10.0.0.6")}); err != nil {
		t.Fatal(err)
	}
	if err := h.AddRoute("pptp-out2", lan, netip.Addr{}, 1); err != nil {
		t.Errorf("a second tunnel to the same network: %v", err)
	}
	if err := in.Handle.LinkDel(in.Link("pptp-out1")); err != nil {
		t.Fatal(err)
	}
	way(t, h, "with the second tunnel", "10.9.1.1", "pptp-out2")
	way(t, h, "with the second tunnel", "10.8.1.1", "eth0")
	if err := h.AddRoute("nobody", lan, netip.Addr{}, 1); err == nil {
		t.Error("a route through an interface that is not there")
	}
}

// TestRequiresRootOutsideOfItself: a client whose interface is the default route
// while it is down finds the way to its server all the same.
func TestRequiresRootOutsideOfItself(t *testing.T) {
	_, h := office(t)
	if err := h.AddDefaultRoute("pptp-out1", 1); err != nil {
		t.Fatal(err)
	}
	way(t, h, "before", "198.51.100.1", "pptp-out1")
	release, err := h.KeepOutside(netip.MustParseAddr("198.51.100.1"))
	if err != nil {
		t.Fatal(err)
	}
	way(t, h, "kept outside", "198.51.100.1", "eth0")
	release()
	way(t, h, "released", "198.51.100.1", "pptp-out1")
}

// TestRequiresRootAddressesChange: the routes of an interface outlive a change of
// its addresses, and go when they are not wanted any more.
func TestRequiresRootAddressesChange(t *testing.T) {
	in, h := office(t)
	if err := h.AddDefaultRoute("pptp-out1", 1); err != nil {
		t.Fatal(err)
	}
	if err := h.AddRoute("pptp-out1", netip.MustParsePrefix("192.0.2.128/25"), netip.Addr{}, 1); err != nil {
		t.Fatal(err)
	}
	newer := host.LinkConfig{Name: "pptp-out1", MTU: 1400, Local: netip.MustParseAddr("10.7.0.5"), Remote: netip.MustParseAddr("10.7.0.1")}
	if err := setup(in, h, newer); err != nil {
		t.Fatal(err)
	}
	way(t, h, "with other addresses", "8.8.8.8", "pptp-out1")
	way(t, h, "with other addresses", "10.7.0.1", "pptp-out1")
	if err := setup(in, h, newer); err != nil { // once more changes nothing
		t.Fatal(err)
	}
	addrs, err := in.Handle.AddrList(in.Link("pptp-out1"), netlink.FAMILY_V4)
	if err != nil || len(addrs) != 1 || addrs[0].Peer.IP.String() != "10.7.0.1" || in.Link("pptp-out1").Attrs().MTU != 1400 {
		t.Errorf("addresses %v, %v", addrs, err)
	}
	if err := h.DropRoutes("pptp-out1", host.DefaultPrefixes(1)); err != nil {
		t.Fatal(err)
	}
	way(t, h, "with the default route only", "8.8.8.8", "pptp-out1")
	way(t, h, "with the default route only", "192.0.2.200", "eth0")
	if err := h.DropRoutes("pptp-out1", nil); err != nil {
		t.Fatal(err)
	}
	way(t, h, "without routes", "8.8.8.8", "eth0")
}

// TestRequiresRootNewWayOutside: a machine that has another default route by now, as
// one that was carried to another network, gets the server's route by that the next
// time that it is asked for, though somebody needs it all the time.
func TestRequiresRootNewWayOutside(t *testing.T) {
	in, h := office(t)
	server := netip.MustParseAddr("198.51.100.1")
	gateway := func(when, want string) {
		t.Helper()
		if r, err := h.RouteTo(server); err != nil || r.Interface != "eth0" || r.Gateway != netip.MustParseAddr(want) {
			t.Errorf("%s: the server's route is %+v, %v; want by %s", when, r, err, want)
		}
	}
	var releases []func()
	keep := func() {
		t.Helper()
		release, err := h.KeepOutside(server)
		if err != nil {
			t.Fatal(err)
		}
		releases = append(releases, release)
	}
	keep()
	if err := h.AddDefaultRoute("pptp-out1", 1); err != nil {
		t.Fatal(err)
	}
	keep()
	gateway("asked for again", "192.0.2.2")

	link := in.Link("eth0").Attrs().Index
	for _, r := range []*netlink.Route{{LinkIndex: link, Gw: netip.MustParseAddr("192.0.2.2").AsSlice()}} {
		if err := in.Handle.RouteDel(r); err != nil {
			t.Fatal(err)
		}
	}
	keep() // there is no way now, and perhaps the old one serves still
	gateway("without a default route", "192.0.2.2")
	in.Route(netip.MustParsePrefix("0.0.0.0/0"), netip.MustParseAddr("192.0.2.3"))
	keep()
	gateway("with another gateway", "192.0.2.3")

	ours := netlink.Route{LinkIndex: link, Dst: &net.IPNet{IP: server.AsSlice(), Mask: net.CIDRMask(32, 32)}}
	if err := in.Handle.RouteDel(&ours); err != nil { // as when the interface was down
		t.Fatal(err)
	}
	way(t, h, "when the route is gone", "198.51.100.1", "pptp-out1")
	keep()
	gateway("asked for when it was gone", "192.0.2.3")
	for _, release := range releases {
		release()
	}
	way(t, h, "when nobody needs it", "198.51.100.1", "pptp-out1")
}

// TestRequiresRootServerBehindATunnel: a server in a network behind another tunnel is
// reached by that, which is no default route.
func TestRequiresRootServerBehindATunnel(t *testing.T) {
	in, h := office(t)
	create(t, in, "pptp-out2")
	if err := setup(in, h, host.LinkConfig{Name: "pptp-out2", MTU: 1450, Local: netip.MustParseAddr("10.8.0.5"), Remote: netip.MustParseAddr("10.8.0.1")}); err != nil {
		t.Fatal(err)
	}
	if err := h.AddRoute("pptp-out1", netip.MustParsePrefix("198.51.100.0/24"), netip.Addr{}, 1); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		release, err := h.KeepOutside(netip.MustParseAddr("198.51.100.1"))
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		if err := h.AddDefaultRoute("pptp-out2", 1); err != nil {
			t.Fatal(err)
		}
		way(t, h, "with a default route", "198.51.100.1", "pptp-out1")
		way(t, h, "with a default route", "8.8.8.8", "pptp-out2")
	}
}
