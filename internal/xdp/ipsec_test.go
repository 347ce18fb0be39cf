package xdp

import (
	"net"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// TestRequiresRootIPsec: while the kernel has a policy, it sends, and so obeys it.
func TestRequiresRootIPsec(t *testing.T) {
	t.Parallel()
	a, b := both(t)
	if a.ports.ways.ipsec == nil {
		t.Fatal("the kernel of this machine has no IPsec")
	}
	a.warm(b, addrA, addrB)
	policy := &netlink.XfrmPolicy{
		Src: &net.IPNet{IP: addrA.AsSlice(), Mask: net.CIDRMask(32, 32)}, Dst: &net.IPNet{IP: addrB.AsSlice(), Mask: net.CIDRMask(32, 32)},
		Proto: 47, Dir: netlink.XFRM_DIR_OUT, Action: netlink.XFRM_POLICY_BLOCK,
	}
	var ipsec *netlink.Handle
	a.Do(func() {
		var err error
		if ipsec, err = netlink.NewHandle(unix.NETLINK_XFRM); err != nil {
			t.Fatal(err)
		}
	})
	defer ipsec.Close()
	if err := ipsec.XfrmPolicyAdd(policy); err != nil {
		t.Fatal(err)
	}
	a.until("nothing leaves any more", b, addrA, addrB, func(came []delivery) bool {
		sent := a.ports.Stats().Sent
		for len(b.came) > 0 {
			<-b.came
		}
		if _, err := a.conn.WriteBatch(probe(1, addrA, addrB)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
		return len(b.came) == 0 && a.ports.Stats().Sent == sent
	})
	if err := ipsec.XfrmPolicyDel(policy); err != nil {
		t.Fatal(err)
	}
	a.warm(b, addrA, addrB)
}
