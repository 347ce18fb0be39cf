package session

import (
	"net/netip"
	"testing"
	"time"

	"gopptp/internal/aaa"
)

// pooled lets MT-User take an address out of a pool of two.
func (p *pair) pooled() {
	first, last := netip.MustParseAddr("10.1.0.10"), netip.MustParseAddr("10.1.0.11")
	p.server.PutPool(1, aaa.Pool{Name: "clients", Ranges: []aaa.Range{{First: first, Last: last}}})
	p.server.PutProfile(5, aaa.Profile{Name: "pooled", UseEncryption: aaa.Yes, LocalAddress: innerLocal, RemotePool: "clients"})
	s := secret("pooled")
	s.LocalAddress, s.RemoteAddress = netip.Addr{}, netip.Addr{}
	p.server.PutSecret(s)
}

func TestAddressesFromPools(t *testing.T) {
	withPair(t, func(p *pair) {
		p.pooled()
		p.client.PutClient(clientConfig())
		sdev, cdev := p.devices("<pptp-MT-User>")
		p.crosses(cdev, sdev)
		had := p.server.Active()[0].RemoteAddress
		if used := p.server.PoolUsed(); len(used) != 1 || used[0].Address != had || used[0].Owner != "PPP" || used[0].Info != "MT-User" {
			t.Errorf("used %+v, the client has %v", used, had)
		}
		p.other.PutClient(clientConfig())
		time.Sleep(3 * time.Second)
		if used := p.server.PoolUsed(); len(used) != 2 {
			t.Errorf("used %+v", used)
		}
		p.client.RemoveClient(1)
		time.Sleep(3 * time.Second)
		if used := p.server.PoolUsed(); len(used) != 1 || used[0].Address == had {
			t.Errorf("used %+v after one has gone", used)
		}
	})
}

func TestPoolIsUsedUp(t *testing.T) {
	withPair(t, func(p *pair) {
		p.pooled()
		p.client.PutClient(clientConfig())
		p.other.PutClient(clientConfig())
		time.Sleep(3 * time.Second)
		third := clientConfig()
		third.ID, third.Name = 2, "pptp-out2"
		p.other.PutClient(third)
		time.Sleep(3 * time.Second)
		p.server.logged(t, "user MT-User gets no address: pool is used up",
			"pptp,ppp,info <pptp-MT-User-2>: terminating... - could not determine remote address")
		if n := len(p.server.Active()); n != 2 {
			t.Errorf("%d active", n)
		}
		p.client.RemoveClient(1)
		time.Sleep(40 * time.Second) // the third dials again
		if n := len(p.server.Active()); n != 2 {
			t.Errorf("%d active after one has gone\n%s", n, p.server.lines())
		}
	})
}

// TestFixedAddressIsNotGivenTwice: an address that a secret names is none that a
// pool gives while it is in use.
func TestFixedAddressIsNotGivenTwice(t *testing.T) {
	withPair(t, func(p *pair) {
		p.pooled()
		fixed := secret("pooled")
		fixed.ID, fixed.Name, fixed.RemoteAddress = 2, "fixed", netip.MustParseAddr("10.1.0.10")
		p.server.PutSecret(fixed)
		c := clientConfig()
		c.User = "fixed"
		p.client.PutClient(c)
		p.devices("<pptp-fixed>")
		p.other.PutClient(clientConfig())
		time.Sleep(3 * time.Second)
		seen := map[netip.Addr]bool{}
		for _, a := range p.server.Active() {
			seen[a.RemoteAddress] = true
		}
		if len(seen) != 2 {
			t.Errorf("addresses %v", seen)
		}
	})
}

// TestFixedAddressOfTwoSessions: a client that has lost its connection comes back
// with the same address; when its old session ends, the address is still in use.
func TestFixedAddressOfTwoSessions(t *testing.T) {
	withPair(t, func(p *pair) {
		p.pooled()
		fixed := secret("pooled")
		fixed.ID, fixed.Name, fixed.RemoteAddress = 2, "fixed", netip.MustParseAddr("10.1.0.10")
		p.server.PutSecret(fixed)
		c := clientConfig()
		c.User = "fixed"
		p.client.PutClient(c)
		p.other.PutClient(c)
		time.Sleep(3 * time.Second)
		if n := len(p.server.Active()); n != 2 {
			t.Fatalf("%d sessions", n)
		}
		p.client.RemoveClient(1)
		time.Sleep(3 * time.Second)
		p.client.PutClient(clientConfig())
		time.Sleep(3 * time.Second)
		seen := map[netip.Addr]bool{}
		for _, a := range p.server.Active() {
			seen[a.RemoteAddress] = true
		}
		if len(seen) != 2 {
			t.Errorf("addresses %v", seen)
		}
	})
}

// TestPoolHasTheLocalAddress: nobody gets our own end of the tunnel out of a pool
// that has it too.
func TestPoolHasTheLocalAddress(t *testing.T) {
	withPair(t, func(p *pair) {
		p.pooled()
		p.server.PutProfile(5, aaa.Profile{Name: "pooled", UseEncryption: aaa.Yes, LocalAddress: netip.MustParseAddr("10.1.0.10"), RemotePool: "clients"})
		p.client.PutClient(clientConfig())
		sdev, cdev := p.devices("<pptp-MT-User>")
		p.crosses(cdev, sdev)
		if st := p.server.Active()[0]; st.LocalAddress.String() != "10.1.0.10" || st.RemoteAddress.String() != "10.1.0.11" {
			t.Errorf("%v and %v", st.LocalAddress, st.RemoteAddress)
		}
		if used := p.server.PoolUsed(); len(used) != 1 || used[0].Address.String() != "10.1.0.11" {
			t.Errorf("used: %+v", used)
		}
		p.other.PutClient(clientConfig())
		time.Sleep(3 * time.Second)
		p.server.logged(t, "user MT-User gets no address: pool is used up")
	})
}
