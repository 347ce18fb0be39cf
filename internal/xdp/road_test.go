package xdp

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"gopptp/internal/host/hosttest"
	"gopptp/internal/rawgre"
)

// both makes two machines on a cable, fast on their eth0, which know of call 1.
func both(t *testing.T) (a, b *machine) {
	t.Helper()
	left, right := pair(t)
	a, b = newMachine(t, left, "eth0"), newMachine(t, right, "eth0")
	a.steer(1, addrA, addrB)
	b.steer(1, addrB, addrA)
	return a, b
}

func (m *machine) steer(id uint16, local, peer netip.Addr) {
	m.t.Helper()
	if err := m.ports.Steer(id, local, peer); err != nil {
		m.t.Fatal(err)
	}
}

// exchange sends batches both ways, which have to arrive whole, in order and fast.
func exchange(t *testing.T, a, b *machine) {
	t.Helper()
	a.warm(b, addrA, addrB)
	b.warm(a, addrB, addrA)
	for round := range 40 {
		lengths := make([]int, 1+(round*7)%rawgre.BatchSize)
		for i := range lengths {
			lengths[i] = (round*131 + i*37) % (1480 - 8 + 1)
		}
		lengths[0] = []int{0, 1472}[round%2]
		for _, way := range []struct {
			from, to    *machine
			local, peer netip.Addr
		}{{a, b, addrA, addrB}, {b, a, addrB, addrA}} {
			before, received := way.from.ports.Stats().Sent, way.to.ports.Stats().Received
			pkts := packets(1, way.local, way.peer, lengths...)
			way.from.send(pkts)
			way.to.expect(pkts, true)
			if n := way.from.ports.Stats().Sent - before; n != uint64(len(pkts)) {
				t.Fatalf("%d of %d packets were sent fast", n, len(pkts))
			}
			if n := way.to.ports.Stats().Received - received; n != uint64(len(pkts)) {
				t.Fatalf("%d of %d packets were received fast", n, len(pkts))
			}
		}
	}
	for _, m := range []*machine{a, b} {
		if s := m.ports.Stats(); s.Malformed != 0 || s.NoBuffer != 0 || s.Overflow != 0 {
			t.Errorf("%+v", s)
		}
	}
}

func TestRequiresRootBothWays(t *testing.T) {
	t.Parallel()
	a, b := both(t)
	exchange(t, a, b)
}

// TestRequiresRootQueues: an interface with more queues than one.
func TestRequiresRootQueues(t *testing.T) {
	for _, test := range []struct {
		name             string
		receive, send    int
		queues, willSend int
	}{{"four of each", 4, 4, 4, 4}, {"one to send", 4, 1, 4, 1}, {"two to send", 4, 2, 4, 2}, {"one to receive", 1, 4, 4, 4}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			left, right := hosttest.New(t), hosttest.New(t)
			cableOf(t, left, right, test.receive, test.send)
			a, b := newMachine(t, left, "eth0"), newMachine(t, right)
			if n := len(a.ports.ports[0].queues); n != test.queues {
				t.Fatalf("%d queues, want %d", n, test.queues)
			}
			a.warm(b, addrA, addrB)
			for id := uint16(1); id <= 32; id++ {
				a.steer(id, addrA, addrB)
				pkts := packets(id, addrA, addrB, 0, 1, 100, 1472)
				a.send(pkts)
				b.expect(pkts, false)
				pkts = packets(id, addrB, addrA, 0, 1, 100, 1472)
				b.send(pkts)
				a.expect(pkts, true)
			}
			if n := int(a.ports.ports[0].senders.Load()); n != test.willSend {
				t.Errorf("%d queues send, want %d", n, test.willSend)
			}
			if s := a.ports.Stats(); s.Sent < 32*4-3*4 || s.Received != 32*4 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// cableOf makes a cable whose end in a has so many queues.
func cableOf(t *testing.T, a, b *hosttest.Namespace, receive, send int) {
	t.Helper()
	t.Helper()
	var far netlink.NsFd
	b.Do(func() {
		f, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		far = netlink.NsFd(f.Fd())
	})
	err := a.Handle.LinkAdd(&netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: "eth0", MTU: 1500, NumTxQueues: send, NumRxQueues: receive},
		PeerName:  "eth0", PeerNamespace: far, PeerNumTxQueues: uint32(receive), PeerNumRxQueues: uint32(send),
	})
	if err != nil {
		t.Fatal(err)
	}
	a.Address("eth0", netip.PrefixFrom(addrA, 24))
	b.Address("eth0", netip.PrefixFrom(addrB, 24))
	a.Up("eth0")
	b.Up("eth0")
}

// TestRequiresRootLong: what is longer than the interface takes is for the kernel to cut.
func TestRequiresRootLong(t *testing.T) {
	t.Parallel()
	a, b := both(t)
	a.warm(b, addrA, addrB)
	sent := a.ports.Stats().Sent
	pkts := packets(1, addrA, addrB, 1473, 2000, 3500)
	a.send(pkts)
	b.expect(pkts, false)
	if n := a.ports.Stats().Sent - sent; n != 0 {
		t.Errorf("%d of them were sent fast", n)
	}
	a.send(packets(1, addrA, addrB, 10, 3000, 20)) // between short ones, in one batch
	came := map[int]bool{}
	for range 3 {
		d := b.next()
		came[len(d.gre)-8] = d.fast
	}
	if len(came) != 3 || !came[10] || came[3000] || !came[20] {
		t.Errorf("of 10, 3000 and 20 octets came, fast or not: %v", came)
	}
}

// TestRequiresRootMalformed: frames that the program gives us, and that are not sound.
func TestRequiresRootMalformed(t *testing.T) {
	t.Parallel()
	left, right := pair(t)
	a, b := newMachine(t, left, "eth0"), newMachine(t, right)
	a.steer(1, addrA, addrB)
	good := callFrame(1, addrB, addrA, 4)
	beyond := set(good, atIP+2, 0xff, 0xff) // a total length that is not there
	sum := checksum(beyond[atIP:atGRE])
	padded := append(bytes.Clone(good), make([]byte, 60-len(good))...) // as Ethernet does
	var fd int
	b.Do(func() {
		var err error
		if fd, err = syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW, 0); err != nil {
			t.Fatal(err)
		}
	})
	defer syscall.Close(fd)
	to := &syscall.SockaddrLinklayer{Ifindex: b.Link("eth0").Attrs().Index, Halen: macLen}
	for range 2 * rawgre.BatchSize {
		for _, f := range [][]byte{set(good, atIP+10, 1, 2), set(beyond, atIP+10, byte(sum>>8), byte(sum)), padded} {
			if err := syscall.Sendto(fd, f, 0, to); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 2 * rawgre.BatchSize {
		if d := a.next(); !bytes.Equal(d.gre, good[atGRE:]) || d.peer != addrB || d.local != addrA || !d.fast {
			t.Fatalf("got %s", d)
		}
	}
	if s := a.ports.Stats(); s.Malformed != 4*rawgre.BatchSize || s.Received != 2*rawgre.BatchSize {
		t.Errorf("%+v", s)
	}
}

// TestRequiresRootFirstPackets: nobody knows the neighbor yet.
func TestRequiresRootFirstPackets(t *testing.T) {
	t.Parallel()
	a, b := both(t)
	pkts := packets(1, addrA, addrB, 1, 2, 3)
	a.send(pkts)
	b.expect(pkts, true)
	if n := a.ports.Stats().Sent; n != 0 {
		t.Errorf("%d were sent fast before anybody could know where to", n)
	}
	if d := func() time.Duration {
		start := time.Now()
		a.warm(b, addrA, addrB)
		return time.Since(start)
	}(); d > 3*time.Second {
		t.Errorf("fast only after %v", d)
	}
}

// TestRequiresRootNeighborMoves: the peer has another Ethernet address all at once.
func TestRequiresRootNeighborMoves(t *testing.T) {
	t.Parallel()
	left, right := pair(t)
	a, b := newMachine(t, left, "eth0"), newMachine(t, right)
	a.warm(b, addrA, addrB)
	if err := b.Handle.LinkSetHardwareAddr(b.Link("eth0"), macB); err != nil {
		t.Fatal(err)
	}
	a.send(probe(1, addrA, addrB))
	select {
	case d := <-b.came:
		t.Fatalf("%v arrived at the old address: the test shows nothing", d)
	case <-time.After(50 * time.Millisecond):
	}
	known := a.neighbor("eth0", addrB)
	if err := a.Handle.NeighDel(&known); err != nil {
		t.Fatal(err)
	}
	sent := a.ports.Stats().Sent
	d := a.until("packets arrive again", b, addrA, addrB, func(came []delivery) bool { return len(came) > 0 })
	if d > 3*time.Second {
		t.Errorf("only after %v", d)
	}
	a.warm(b, addrA, addrB)
	if a.ports.Stats().Sent == sent {
		t.Error("they are not fast any more")
	}
}

// TestRequiresRootRouteMoves: the peer is behind another interface all at once.
func TestRequiresRootRouteMoves(t *testing.T) {
	t.Parallel()
	a, b := both(t)
	hosttest.Cable(t, 1500,
		hosttest.Port{In: a.Namespace, Name: "eth1", Prefix: netip.MustParsePrefix("198.51.100.1/24")},
		hosttest.Port{In: b.Namespace, Name: "eth1", Prefix: netip.MustParsePrefix("198.51.100.2/24")})
	for _, path := range []string{"all", "eth0", "eth1"} {
		b.Sysctl("net/ipv4/conf/"+path+"/rp_filter", "0")
	}
	a.warm(b, addrA, addrB)
	peer := &net.IPNet{IP: addrB.AsSlice(), Mask: net.CIDRMask(32, 32)}
	route := &netlink.Route{Dst: peer, LinkIndex: a.Link("eth1").Attrs().Index, Scope: netlink.SCOPE_LINK, Src: addrA.AsSlice()}
	if err := a.Handle.RouteAdd(route); err != nil {
		t.Fatal(err)
	}
	d := a.until("packets follow the route", b, addrA, addrB, func(came []delivery) bool { return len(came) > 0 && !came[len(came)-1].fast })
	if d > 3*time.Second {
		t.Errorf("only after %v", d)
	}
	sent := a.ports.Stats().Sent
	pkts := packets(1, addrA, addrB, 1, 10, 100, 1000)
	a.send(pkts)
	b.expect(pkts, false)
	if n := a.ports.Stats().Sent - sent; n != 0 {
		t.Errorf("%d still go the old way", n)
	}
	if err := a.Handle.RouteDel(route); err != nil {
		t.Fatal(err)
	}
	a.until("packets come back", b, addrA, addrB, func(came []delivery) bool { return len(came) > 0 && came[len(came)-1].fast })
}

// TestRequiresRootGateway: the peer is behind a router.
func TestRequiresRootGateway(t *testing.T) {
	t.Parallel()
	left, router, right := hosttest.New(t), hosttest.New(t), hosttest.New(t)
	near, far := netip.MustParseAddr("192.0.2.254"), netip.MustParseAddr("198.51.100.254")
	peer := netip.MustParseAddr("198.51.100.2")
	hosttest.Cable(t, 1500, hosttest.Port{In: left, Name: "eth0", Prefix: netip.PrefixFrom(addrA, 24)}, hosttest.Port{In: router, Name: "eth0", Prefix: netip.PrefixFrom(near, 24)})
	hosttest.Cable(t, 1500, hosttest.Port{In: right, Name: "eth0", Prefix: netip.PrefixFrom(peer, 24)}, hosttest.Port{In: router, Name: "eth1", Prefix: netip.PrefixFrom(far, 24)})
	router.Sysctl("net/ipv4/ip_forward", "1")
	left.Route(netip.MustParsePrefix("0.0.0.0/0"), near)
	right.Route(netip.MustParsePrefix("0.0.0.0/0"), far)
	a, b := newMachine(t, left, "eth0"), newMachine(t, right, "eth0")
	a.steer(1, addrA, peer)
	b.steer(1, peer, addrA)
	a.warm(b, addrA, peer)
	b.warm(a, peer, addrA)
	pkts := packets(1, addrA, peer, 0, 700, 1472)
	a.send(pkts)
	b.expect(pkts, true)
	pkts = packets(1, peer, addrA, 0, 700, 1472)
	b.send(pkts)
	a.expect(pkts, true)
}

// TestRequiresRootStaleNeighbor: the kernel asks again for a neighbor that only we use.
func TestRequiresRootStaleNeighbor(t *testing.T) {
	t.Parallel()
	a, b := both(t)
	a.Sysctl("net/ipv4/neigh/eth0/delay_first_probe_time", "1")
	a.warm(b, addrA, addrB)
	n := a.neighbor("eth0", addrB)
	n.State = netlink.NUD_STALE
	if err := a.Handle.NeighSet(&n); err != nil {
		t.Fatal(err)
	}
	if got := a.neighbor("eth0", addrB).State; got != netlink.NUD_STALE {
		t.Fatalf("the state is %#x: the test shows nothing", got)
	}
	before := a.ports.Stats().Sent
	var sends uint64
	a.until("the neighbor is reachable", b, addrA, addrB, func([]delivery) bool {
		sends++
		return a.neighbor("eth0", addrB).State == netlink.NUD_REACHABLE
	})
	if n := a.ports.Stats().Sent - before; n != sends {
		t.Errorf("%d of %d packets were sent fast", n, sends)
	}
}

// TestRequiresRootOthers: what is not of our calls is the kernel's.
func TestRequiresRootOthers(t *testing.T) {
	t.Parallel()
	a, b := both(t)
	a.warm(b, addrA, addrB)

	pkts := packets(2, addrA, addrB, 0, 1, 100, 1472) // of a call that nobody steers
	a.send(pkts)
	b.expect(pkts, false)

	var l net.Listener
	b.Do(func() {
		var err error
		if l, err = net.Listen("tcp4", addrB.String()+":0"); err != nil {
			t.Fatal(err)
		}
	})
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			io.Copy(c, c)
			c.Close()
		}
	}()
	a.Do(func() {
		c, err := net.DialTimeout("tcp4", l.Addr().String(), patience)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		const size = 1 << 20
		go func() {
			c.Write(make([]byte, size))
			c.(*net.TCPConn).CloseWrite()
		}()
		if n, err := io.Copy(io.Discard, c); n != size || err != nil {
			t.Errorf("%d octets came back by TCP, %v", n, err)
		}
	})
	a.Do(func() { // an answer of ICMP: nobody has this port
		c, err := net.Dial("udp4", addrB.String()+":9")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		c.Write([]byte("anybody?"))
		if _, err = c.Read(make([]byte, 10)); err == nil || !isRefused(err) {
			t.Errorf("no answer of ICMP: %v", err)
		}
	})
}

func isRefused(err error) bool {
	op, ok := err.(*net.OpError)
	if !ok {
		return false
	}
	call, ok := op.Err.(*os.SyscallError)
	return ok && call.Err == syscall.ECONNREFUSED
}
