package xdp

import (
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"

	"gopptp/internal/host/hosttest"
)

// TestRequiresRootBridge: an interface of the kernel's own, and the one below it.
func TestRequiresRootBridge(t *testing.T) {
	left, right := hosttest.New(t), hosttest.New(t)
	hosttest.Cable(t, 1500,
		hosttest.Port{In: left, Name: "eth0", Prefix: netip.MustParsePrefix("198.51.100.1/24")},
		hosttest.Port{In: right, Name: "eth0", Prefix: netip.PrefixFrom(addrB, 24)})
	if err := left.Handle.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0"}}); err != nil {
		t.Fatal(err)
	}
	if err := left.Handle.LinkSetMaster(left.Link("eth0"), left.Link("br0")); err != nil {
		t.Fatal(err)
	}
	left.Address("br0", netip.PrefixFrom(addrA, 24))
	left.Up("br0")
	b := newMachine(t, right)
	for _, test := range []struct {
		given string
		sends bool // fast: the route leads to the bridge
	}{{"br0", true}, {"eth0", false}} {
		t.Run(test.given, func(t *testing.T) {
			a := newMachine(t, left, test.given)
			a.steer(1, addrA, addrB)
			if test.sends {
				a.warm(b, addrA, addrB)
			}
			before := a.ports.Stats().Sent
			pkts := packets(1, addrA, addrB, 0, 100, 1472)
			a.send(pkts)
			b.expect(pkts, false)
			if n := a.ports.Stats().Sent - before; (n == 3) != test.sends {
				t.Errorf("%d of 3 packets were sent fast", n)
			}
			pkts = packets(1, addrB, addrA, 0, 100, 1472)
			b.send(pkts)
			a.expect(pkts, true)
		})
	}
}
