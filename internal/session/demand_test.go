package session

import (
	"context"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/tun/tuntest"
)

var (
	standLocal  = netip.MustParseAddr("10.112.112.1")
	standRemote = netip.MustParseAddr("10.112.112.101")
	behind      = netip.MustParseAddr("10.9.9.9")
)

// onDemand is a client that dials on demand and hangs up after a minute.
func (p *pair) onDemand(change func(*ClientConfig)) *tuntest.TUN {
	p.t.Helper()
	p.client.PutProfile(5, aaa.Profile{Name: "idle", UseEncryption: aaa.Yes, IdleTimeout: time.Minute})
	c := clientConfig()
	c.DialOnDemand, c.Profile = true, "idle"
	if change != nil {
		change(&c)
	}
	p.client.PutClient(c)
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	d, err := p.client.host.Wait(ctx, "pptp-out1")
	if err != nil {
		p.t.Fatal(err)
	}
	synctest.Wait()
	return d
}

// udp makes a packet without a UDP checksum.
func udp(src, dst netip.Addr, number byte) []byte {
	b := make([]byte, 40)
	b[0], b[8], b[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	copy(b[12:], src.AsSlice())
	copy(b[16:], dst.AsSlice())
	binary.BigEndian.PutUint16(b[20:], 4000)
	binary.BigEndian.PutUint16(b[22:], 5000)
	b[39] = number
	return b
}

func send(t *testing.T, d *tuntest.TUN, p []byte) {
	t.Helper()
	if err := d.Send(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

// arrives waits for a packet and gives its source, its destination and its number.
func arrives(t *testing.T, d *tuntest.TUN) (src, dst netip.Addr, number byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	p, err := d.Receive(ctx)
	if err != nil || len(p) != 40 {
		t.Fatalf("got %d octets, %v", len(p), err)
	}
	return netip.AddrFrom4([4]byte(p[12:16])), netip.AddrFrom4([4]byte(p[16:20])), p[39]
}

// TestDialOnDemand: the first packet makes the client dial, and none is lost; when
// nothing is sent for a while the client hangs up, until the next packet.
func TestDialOnDemand(t *testing.T) {
	withPair(t, func(p *pair) {
		cdev := p.onDemand(nil)
		time.Sleep(time.Hour)
		if st, _ := p.client.Client(1); st.State != "waiting for packets" || st.Running {
			t.Errorf("state %q", st.State)
		}
		if c := p.client.host.last; c.Local != standLocal || c.Remote != standRemote || c.MTU != 1450 {
			t.Errorf("the interface waits with %+v", c)
		}
		if strings.Contains(p.server.lines(), "TCP connection") {
			t.Fatal("the client dialed without a packet")
		}
		// What is for everybody wakes nobody.
		send(p.t, cdev, udp(standLocal, netip.MustParseAddr("224.0.0.251"), 0))
		send(p.t, cdev, udp(standLocal, netip.MustParseAddr("255.255.255.255"), 0))
		time.Sleep(time.Minute)
		if strings.Contains(p.server.lines(), "TCP connection") {
			t.Fatal("the client dialed for a multicast packet")
		}

		for n := range byte(30) { // more than are read before the tunnel is up
			send(p.t, cdev, udp(standLocal, behind, n))
		}
		ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
		defer cancel()
		sdev, err := p.server.host.Wait(ctx, "<pptp-MT-User>")
		if err != nil {
			t.Fatal(err)
		}
		for n := range byte(30) {
			if src, dst, number := arrives(p.t, sdev); src != innerPeer || dst != behind || number != n {
				t.Errorf("packet %d: %v to %v, number %d", n, src, dst, number)
			}
		}
		answer := udp(behind, innerPeer, 99)
		copy(answer[20:24], []byte{5000 >> 8, 5000 & 0xff, 4000 >> 8, 4000 & 0xff})
		send(p.t, sdev, answer)
		if src, dst, number := arrives(p.t, cdev); src != behind || dst != standLocal || number != 99 {
			t.Errorf("the answer: %v to %v, number %d", src, dst, number)
		}
		if c := p.client.host.last; c.Local != innerPeer || c.Remote != innerLocal {
			t.Errorf("the interface is up with %+v", c)
		}
		if st, _ := p.client.Client(1); st.State != "connected" || !st.Running {
			t.Errorf("state %q", st.State)
		}

		time.Sleep(65 * time.Second)
		p.client.logged(t, "pptp,ppp,info pptp-out1: terminating... - idle timeout", "pptp,ppp,info pptp-out1: waiting for packets")
		if len(p.server.Active()) != 0 {
			t.Error("the session lives")
		}
		if c := p.client.host.last; c.Local != innerPeer || c.Remote != standRemote {
			t.Errorf("the interface waits again with %+v", c)
		}

		// The second time the address is known, and nothing is translated.
		send(p.t, cdev, udp(innerPeer, behind, 7))
		ctx, cancel = context.WithTimeout(p.t.Context(), 10*time.Second)
		defer cancel()
		if sdev, err = p.server.host.Wait(ctx, "<pptp-MT-User>"); err != nil {
			t.Fatal(err)
		}
		if src, _, number := arrives(p.t, sdev); src != innerPeer || number != 7 {
			t.Errorf("%v, number %d", src, number)
		}
	})
}

// TestDemandWithoutServer: a client that reaches nobody tries again for the next
// packets, with pauses, and stops at once when it is told to.
func TestDemandWithoutServer(t *testing.T) {
	withPair(t, func(p *pair) {
		p.server.SetServer(ServerConfig{})
		time.Sleep(time.Second)
		cdev := p.onDemand(nil)
		for range 60 {
			_ = cdev.Send(p.t.Context(), udp(standLocal, behind, 1))
			time.Sleep(time.Second)
		}
		n := strings.Count(p.client.lines(), "pptp-out1: connecting...")
		if n < 3 || n > 10 {
			t.Errorf("%d attempts in a minute", n)
		}
		p.server.SetServer(serverConfig())
		time.Sleep(time.Minute)
		send(p.t, cdev, udp(standLocal, behind, 2))
		time.Sleep(5 * time.Second)
		if len(p.server.Active()) != 1 {
			t.Errorf("not connected:\n%s", p.client.lines())
		}
	})
}

// TestDemandAsDefaultRoute: the server stays outside of the interface from the
// start, and its name is asked for again at each call.
func TestDemandAsDefaultRoute(t *testing.T) {
	withPair(t, func(p *pair) {
		cdev := p.onDemand(func(c *ClientConfig) { c.AddDefaultRoute, c.DefaultRouteDistance = true, 3 })
		if c := p.client.host.last; c.Outer != serverAddr || c.DefaultRoute != 3 {
			t.Errorf("the interface waits with %+v", c)
		}
		send(p.t, cdev, udp(standLocal, behind, 1))
		ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
		defer cancel()
		sdev, err := p.server.host.Wait(ctx, "<pptp-MT-User>")
		if err != nil {
			t.Fatal(err)
		}
		arrives(p.t, sdev)
		if c := p.client.host.last; c.Outer != serverAddr || c.DefaultRoute != 3 || c.Local != innerPeer {
			t.Errorf("the interface is up with %+v", c)
		}
	})
}

func TestPlaceholders(t *testing.T) {
	m := NewManager(Config{})
	seen := map[netip.Addr]bool{}
	for i := range 253 {
		a, err := m.takePlaceholder()
		if err != nil || seen[a] || !placeholders.Contains(a) || a.As4()[3] < 2 || a.As4()[3] > 254 {
			t.Fatalf("%d: %v, %v", i, a, err)
		}
		if seen[a] = true; i == 0 && a != standRemote {
			t.Errorf("the first is %v", a)
		}
	}
	if _, err := m.takePlaceholder(); err == nil {
		t.Error("there is one more")
	}
	m.leavePlaceholder(standRemote)
	if a, err := m.takePlaceholder(); err != nil || a != standRemote {
		t.Errorf("%v, %v", a, err)
	}
}
