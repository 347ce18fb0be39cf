package host_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"gopptp/internal/host"
)

// TestRequiresRootNetwork reads back what was set up in a namespace.
func TestRequiresRootNetwork(t *testing.T) {
	in, h := open(t)
	create(t, in, "tun0")
	if err := setup(in, h, host.LinkConfig{Name: "tun0", AltName: "<pptp-u>", MTU: 1400, Local: local, Remote: remote}); err != nil {
		t.Fatal(err)
	}
	in.Do(func() {
		tun, err := netlink.LinkByName("tun0")
		if err != nil {
			t.Fatal(err)
		}
		dst := &net.IPNet{IP: net.IPv4(10, 9, 0, 0), Mask: net.CIDRMask(16, 32)}
		if err := netlink.RouteAdd(&netlink.Route{LinkIndex: tun.Attrs().Index, Dst: dst, Gw: remote.AsSlice(), Priority: 7, Protocol: unix.RTPROT_STATIC}); err != nil {
			t.Fatal(err)
		}
		veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "eth7"}, PeerName: "eth8"}
		if err := netlink.LinkAdd(veth); err != nil {
			t.Fatal(err)
		}
		eth, err := netlink.LinkByName("eth7")
		if err != nil {
			t.Fatal(err)
		}
		if err := netlink.LinkSetUp(eth); err != nil {
			t.Fatal(err)
		}
		mac, _ := net.ParseMAC("02:00:00:00:00:07")
		if err := netlink.NeighAdd(&netlink.Neigh{LinkIndex: eth.Attrs().Index, IP: net.IPv4(10, 8, 0, 7), HardwareAddr: mac, State: unix.NUD_PERMANENT}); err != nil {
			t.Fatal(err)
		}
	})
	addresses, err := h.Addresses()
	if err != nil {
		t.Fatal(err)
	}
	var found bool
	for _, a := range addresses {
		if a.Link.Name == "tun0" && a.Prefix.Addr() == local {
			found = a.Peer == remote && len(a.Link.AltNames) == 1 && a.Link.AltNames[0] == "<pptp-u>"
		}
	}
	if !found {
		t.Errorf("addresses: %+v", addresses)
	}
	routes, err := h.Routes()
	if err != nil {
		t.Fatal(err)
	}
	connected, static := false, false
	for _, r := range routes {
		switch r.Destination {
		case netip.PrefixFrom(remote, 32):
			connected = r.Connected && r.Link.Name == "tun0" && !r.Gateway.IsValid()
		case netip.MustParsePrefix("10.9.0.0/16"):
			static = !r.Connected && !r.Learned && r.Gateway == remote && r.Metric == 7
		}
	}
	if !connected || !static {
		t.Errorf("routes: %+v", routes)
	}
	neighbors, err := h.Neighbors()
	if err != nil {
		t.Fatal(err)
	}
	found = false
	for _, n := range neighbors {
		if n.Address == netip.MustParseAddr("10.8.0.7") {
			found = n.Hardware == "02:00:00:00:00:07" && n.Link.Name == "eth7" && n.Fixed && !n.Router
		}
	}
	if !found {
		t.Errorf("neighbours: %+v", neighbors)
	}
}
