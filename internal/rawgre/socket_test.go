package rawgre_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"gopptp/internal/host/hosttest"
	"gopptp/internal/rawgre"
	"gopptp/internal/rawgre/rawgretest"
)

// send sends one GRE packet and demands that the kernel takes it.
func send(t testing.TB, s *rawgre.Socket, local, peer netip.Addr, content []byte) {
	t.Helper()
	if n, err := s.WriteBatch([]rawgre.Packet{{Buf: content, N: len(content), Local: local, Peer: peer}}); n != 1 || err != nil {
		t.Fatalf("WriteBatch = %d, %v (%+v)", n, err, s.Stats())
	}
}

// receive waits for one packet. A packet that does not come fails the test.
func receive(t testing.TB, s *rawgre.Socket) rawgre.Packet {
	t.Helper()
	defer time.AfterFunc(5*time.Second, func() { s.Close() }).Stop()
	pkts := rawgretest.Buffers(1, 1<<16)
	if n, err := s.ReadBatch(pkts); n != 1 || err != nil {
		t.Fatalf("ReadBatch = %d, %v", n, err)
	}
	return pkts[0]
}

// otherUser opens a raw socket of another user of GRE, without a filter.
func otherUser(t *testing.T, in *hosttest.Namespace) net.PacketConn {
	t.Helper()
	var c net.PacketConn
	in.Do(func() {
		var err error
		if c, err = net.ListenPacket("ip4:47", "0.0.0.0"); err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(func() { c.Close() })
	return c
}

func TestRequiresRootKernelFilters(t *testing.T) {
	a, b := machines(t)
	from, to := otherUser(t, a), listen(t, b)
	for _, other := range []string{
		"\x00\x00\x08\x00 plain GRE with IPv4",
		"\x20\x00\x88\x0b version 0",
		"\x10\x01\x88\x0b without K",
		"\x30\x01\x08\x00 version 1 with IPv4",
		"\x30",
	} {
		if _, err := from.WriteTo([]byte(other), &net.IPAddr{IP: addrB.AsSlice()}); err != nil {
			t.Fatal(err)
		}
	}
	ours := rawgretest.GRE(7, 20)
	if _, err := from.WriteTo(ours, &net.IPAddr{IP: addrB.AsSlice()}); err != nil {
		t.Fatal(err)
	}
	if p := receive(t, to); !bytes.Equal(p.Bytes(), ours) {
		t.Errorf("the first packet is %q, want the only one of PPTP", p.Bytes())
	}
	if got := to.Stats(); got != (rawgre.Stats{}) {
		t.Errorf("packets of others were counted: %+v", got)
	}
}

func TestRequiresRootLocalAddress(t *testing.T) {
	a, b := machines(t)
	client, server := listen(t, a), listen(t, b)
	// The kernel of B would choose its first address; the client dialed the second.
	send(t, client, addrA, addrB2, rawgretest.GRE(1, 4))
	p := receive(t, server)
	if p.Local != addrB2 || p.Peer != addrA {
		t.Fatalf("came from %v to %v, want from %v to %v", p.Peer, p.Local, addrA, addrB2)
	}
	if n, err := server.WriteBatch([]rawgre.Packet{p}); n != 1 || err != nil {
		t.Fatalf("WriteBatch of what was read = %d, %v", n, err)
	}
	if p := receive(t, client); p.Peer != addrB2 {
		t.Errorf("the answer came from %v, want %v", p.Peer, addrB2)
	}
	send(t, server, netip.Addr{}, addrA, rawgretest.GRE(2, 4))
	if p := receive(t, client); p.Peer != addrB {
		t.Errorf("without a local address the packet came from %v, want the kernel's choice %v", p.Peer, addrB)
	}
}

func TestRequiresRootBigPackets(t *testing.T) {
	a, b := machines(t)
	from, to := listen(t, a), listen(t, b)
	for _, size := range []int{1, 1464, 1469, 1488, 4000, 65000} {
		want := rawgretest.GRE(uint32(size), size)
		send(t, from, addrA, addrB, want)
		if p := receive(t, to); !bytes.Equal(p.Bytes(), want) {
			t.Errorf("%d octets arrived as %d", len(want), p.N)
		}
	}
}

// TestRequiresRootNarrowPath puts a router with a narrow cable in the middle:
// full packets pass it in fragments.
func TestRequiresRootNarrowPath(t *testing.T) {
	a, r, b := hosttest.New(t), hosttest.New(t), hosttest.New(t)
	prefix := netip.MustParsePrefix
	hosttest.Cable(t, 1500,
		hosttest.Port{In: a, Name: "eth0", Prefix: prefix("192.0.2.1/30")},
		hosttest.Port{In: r, Name: "eth0", Prefix: prefix("192.0.2.2/30")})
	hosttest.Cable(t, 600,
		hosttest.Port{In: r, Name: "eth1", Prefix: prefix("192.0.2.5/30")},
		hosttest.Port{In: b, Name: "eth0", Prefix: prefix("192.0.2.6/30")})
	r.Sysctl("net/ipv4/ip_forward", "1")
	a.Route(prefix("192.0.2.4/30"), netip.MustParseAddr("192.0.2.2"))
	b.Route(prefix("192.0.2.0/30"), netip.MustParseAddr("192.0.2.5"))

	from, to := listen(t, a), listen(t, b)
	for seq := range uint32(3) {
		want := rawgretest.GRE(seq, 1456)
		send(t, from, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.6"), want)
		if p := receive(t, to); !bytes.Equal(p.Bytes(), want) {
			t.Errorf("packet %d: got %d octets, want %d", seq, p.N, len(want))
		}
	}
}

func TestRequiresRootRefusalsAreCounted(t *testing.T) {
	a, _ := machines(t)
	s := listen(t, a)
	prohibited := netip.MustParseAddr("198.51.100.1")
	dst := &net.IPNet{IP: prohibited.AsSlice(), Mask: net.CIDRMask(32, 32)}
	if err := a.Handle.RouteAdd(&netlink.Route{Dst: dst, Type: unix.RTN_PROHIBIT}); err != nil {
		t.Fatal(err)
	}
	content := rawgretest.GRE(0, 1)
	huge := rawgretest.GRE(0, 1<<16)
	packet := func(b []byte, local, peer netip.Addr) rawgre.Packet {
		return rawgre.Packet{Buf: b, N: len(b), Local: local, Peer: peer}
	}
	n, err := s.WriteBatch([]rawgre.Packet{
		packet(content, addrA, prohibited),
		packet(content, addrA, addrB),
		packet(content, addrA, netip.MustParseAddr("203.0.113.1")), // no route
		packet(content, addrB, addrB),                              // not our address
		packet(huge, addrA, addrB),
		packet(content, addrA, netip.Addr{}),
		packet(content, addrA, addrB),
	})
	if n != 2 || err != nil {
		t.Errorf("WriteBatch = %d, %v; want 2, nil", n, err)
	}
	want := rawgre.Stats{Denied: 1, Unreachable: 2, TooBig: 1, Invalid: 1}
	if got := s.Stats(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestRequiresRootICMP sends to a machine that has no user of GRE. Its ICMP
// errors must not end reading, not even when the kernel passes them on.
func TestRequiresRootICMP(t *testing.T) {
	a, b := machines(t)
	s := listen(t, a)
	err := s.Raw()(func(fd uintptr) {
		if err := unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVERR, 1); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	send(t, s, addrA, addrB, rawgretest.GRE(0, 1))
	time.AfterFunc(50*time.Millisecond, func() { // later than the error
		b.Do(func() {
			sockets, err := rawgre.Listen(1)
			if err != nil {
				t.Error(err)
				return
			}
			answer := sockets[0]
			defer answer.Close()
			content := rawgretest.GRE(1, 1)
			answer.WriteBatch([]rawgre.Packet{{Buf: content, N: len(content), Peer: addrA}})
		})
	})
	if p, want := receive(t, s), rawgretest.GRE(1, 1); !bytes.Equal(p.Bytes(), want) {
		t.Errorf("got %x, want %x", p.Bytes(), want)
	}
	if got := s.Stats().ReceiveErrors; got != 1 {
		t.Errorf("%d errors were counted, want the one of the ICMP message", got)
	}
}

// TestRequiresRootSendBufferFull sends more than a slow cable takes, from several
// goroutines: nobody waits, each packet is sent or counted, and order is kept.
func TestRequiresRootSendBufferFull(t *testing.T) {
	a, b := machines(t)
	from, to := listen(t, a), listen(t, b)
	err := from.RawOut()(func(fd uintptr) {
		if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, 0); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	const rate = 20e6 / 8 // octets per second
	slow := &netlink.Tbf{
		QdiscAttrs: netlink.QdiscAttrs{LinkIndex: a.Link("eth0").Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT},
		Rate:       rate, Buffer: netlink.Xmittime(rate, 4000), Limit: 1 << 20,
	}
	if err := a.Handle.QdiscAdd(slow); err != nil {
		t.Skipf("skipping, the kernel has no token bucket filter: %v", err)
	}
	const writers, each, size = 4, 100, 1000
	var running sync.WaitGroup
	var sent atomic.Uint64
	for w := range writers {
		running.Go(func() {
			pkts := make([]rawgre.Packet, each)
			for i := range pkts {
				b := rawgretest.GRE(uint32(i), size+w)
				pkts[i] = rawgre.Packet{Buf: b, N: len(b), Local: addrA, Peer: addrB}
			}
			n, err := from.WriteBatch(pkts)
			if err != nil {
				t.Error(err)
			}
			sent.Add(uint64(n))
		})
	}
	running.Wait()
	lost := from.Stats().NoBuffer
	if lost == 0 || sent.Load()+lost != writers*each {
		t.Fatalf("of %d packets %d were sent and %d found no room", writers*each, sent.Load(), lost)
	}
	var next [writers]uint32
	for range sent.Load() {
		p := receive(t, to)
		w := p.N - len(rawgretest.GRE(0, size))
		got := binary.BigEndian.Uint32(p.Bytes()[8:])
		if got < next[w] {
			t.Fatalf("packet %d of writer %d came when %d was due", got, w, next[w])
		}
		next[w] = got + 1
	}
}

func TestRequiresRootOverflow(t *testing.T) {
	a, b := machines(t)
	from, to := listen(t, a), listen(t, b)
	err := to.Raw()(func(fd uintptr) {
		if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 0); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		send(t, from, addrA, addrB, rawgretest.GRE(0, 1000))
	}
	for range 1000 { // the kernel of B works beside us
		if to.Stats().Overflow > 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("50 packets in a buffer of none, and no overflow was counted")
}

func TestRequiresRootTruncated(t *testing.T) {
	a, b := machines(t)
	from, to := listen(t, a), listen(t, b)
	long, short := rawgretest.GRE(0, 500), rawgretest.GRE(1, 10)
	send(t, from, addrA, addrB, long)
	send(t, from, addrA, addrB, short)
	pkts := rawgretest.Buffers(1, rawgre.MinIPHeader+len(short))
	if n, err := to.ReadBatch(pkts); n != 1 || err != nil || !bytes.Equal(pkts[0].Bytes(), short) {
		t.Errorf("ReadBatch = %d, %v, %x; want the short packet", n, err, pkts[0].Bytes())
	}
	if got, want := to.Stats(), (rawgre.Stats{Truncated: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestRequiresRootReceiveBuffer(t *testing.T) {
	s := listen(t, hosttest.New(t))
	err := s.Raw()(func(fd uintptr) {
		n, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
		if err != nil || n != 2*rawgre.ReceiveBuffer { // socket(7): the kernel doubles the value
			t.Errorf("the receive buffer is %d, %v; want %d", n, err, 2*rawgre.ReceiveBuffer)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRequiresRootMissingCapability(t *testing.T) {
	in := hosttest.New(t)
	err := in.WithoutCapabilities(func() error {
		s, err := rawgre.Listen(1)
		if err == nil {
			s[0].Close()
		}
		return err
	})
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_RAW") {
		t.Errorf("Listen without capabilities: %v; want a permission error that names CAP_NET_RAW", err)
	}
}

// TestRequiresRootShards: of several sockets each receives the packets of its own Call
// IDs and no others, and nothing is counted as lost.
func TestRequiresRootShards(t *testing.T) {
	a, b := machines(t)
	from := listen(t, a)
	var to []*rawgre.Socket
	b.Do(func() {
		var err error
		if to, err = rawgre.Listen(4); err != nil {
			t.Fatal(err)
		}
	})
	content := func(id int) []byte {
		b := rawgretest.GRE(uint32(id), 1)
		b[7] = byte(id)
		return b
	}
	for id := range 16 {
		content := content(id)
		if n, err := from.WriteBatch([]rawgre.Packet{{Buf: content, N: len(content), Peer: addrB}}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	for i, s := range to {
		for n := range 4 {
			if p, want := receive(t, s), content(i+4*n); !bytes.Equal(p.Bytes(), want) {
				t.Errorf("socket %d: got %x, want %x", i, p.Bytes(), want)
			}
		}
	}
	if got := rawgre.Total(to); got != (rawgre.Stats{}) {
		t.Errorf("counted: %+v", got)
	}
	for _, s := range to {
		s.Close()
	}
}

func TestListenRefuses(t *testing.T) {
	for _, n := range []int{-1, 0, 3, 2 * rawgre.MaxShards} {
		if _, err := rawgre.Listen(n); err == nil {
			t.Errorf("%d sockets", n)
		}
	}
}
