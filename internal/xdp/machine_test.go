package xdp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"gopptp/internal/host/hosttest"
	"gopptp/internal/rawgre"
)

// patience is far more than anything here takes on a busy machine.
const patience = 10 * time.Second

// cable makes a namespace whose eth0 has a far end in another one.
func cable(t testing.TB) *hosttest.Namespace {
	t.Helper()
	a, _ := pair(t)
	return a
}

// pair makes two namespaces with a cable between.
func pair(t testing.TB) (a, b *hosttest.Namespace) {
	t.Helper()
	a, b = hosttest.New(t), hosttest.New(t)
	hosttest.Cable(t, 1500,
		hosttest.Port{In: a, Name: "eth0", Prefix: netip.PrefixFrom(addrA, 24)},
		hosttest.Port{In: b, Name: "eth0", Prefix: netip.PrefixFrom(addrB, 24)})
	return a, b
}

// open opens interfaces of a namespace.
func open(in *hosttest.Namespace, names ...string) (p *Ports, err error) {
	in.Do(func() { p, err = Open(names) })
	return p, err
}

// openPorts opens them until the test ends.
func openPorts(t testing.TB, in *hosttest.Namespace, names ...string) *Ports {
	t.Helper()
	p, err := open(in, names...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// A delivery is a packet that has come.
type delivery struct {
	gre         []byte
	peer, local netip.Addr
	fast        bool
}

// A machine is a namespace with a raw socket, and fast ports if it has names of some.
type machine struct {
	*hosttest.Namespace
	t      testing.TB
	ports  *Ports // nil without
	socket *rawgre.Socket
	conn   rawgre.Conn // to send
	came   chan delivery
}

// newMachine opens them until the test ends. Run keeps the ways; readers read all.
func newMachine(t testing.TB, in *hosttest.Namespace, names ...string) *machine {
	t.Helper()
	m := &machine{Namespace: in, t: t, came: make(chan delivery, 1<<14)}
	in.Do(func() {
		sockets, err := rawgre.Listen(1)
		if err != nil {
			t.Fatal(err)
		}
		m.socket = sockets[0]
	})
	m.conn = m.socket
	t.Cleanup(func() { m.socket.Close() })
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	wg.Go(func() { m.read(m.socket, false) })
	t.Cleanup(func() { m.socket.Close() })
	if len(names) == 0 {
		return m
	}
	m.ports = openPorts(t, in, names...)
	m.conn = m.ports.Over(m.socket)
	ctx, cancel := context.WithCancel(context.Background())
	var kept sync.WaitGroup
	kept.Go(func() { m.ports.Run(ctx) })
	t.Cleanup(func() { cancel(); kept.Wait() })
	for _, r := range m.ports.Readers() {
		wg.Go(func() { m.read(r, true) })
		t.Cleanup(func() { r.Close() })
	}
	return m
}

func (m *machine) read(c rawgre.Conn, fast bool) {
	pkts := buffers(rawgre.BatchSize)
	for {
		n, err := c.ReadBatch(pkts)
		for _, p := range pkts[:n] {
			m.came <- delivery{bytes.Clone(p.Bytes()), p.Peer, p.Local, fast}
		}
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				m.t.Errorf("a reader ended: %v", err)
			}
			return
		}
	}
}

func buffers(n int) []rawgre.Packet {
	pkts := make([]rawgre.Packet, n)
	for i := range pkts {
		pkts[i].Buf = make([]byte, 4096)
	}
	return pkts
}

// packets makes a batch for a call, whose lengths and contents differ.
func packets(id uint16, local, peer netip.Addr, lengths ...int) []rawgre.Packet {
	const headroom = 5
	var all []rawgre.Packet
	for i, n := range lengths {
		b := grePacket(id, bytes.Repeat([]byte{byte(i)}, n))
		all = append(all, rawgre.Packet{Buf: append(make([]byte, headroom), b...), Off: headroom, N: len(b), Local: local, Peer: peer})
	}
	return all
}

// send sends packets, all of them.
func (m *machine) send(pkts []rawgre.Packet) {
	m.t.Helper()
	if n, err := m.conn.WriteBatch(pkts); n != len(pkts) || err != nil {
		m.t.Fatalf("WriteBatch = %d, %v, want %d", n, err, len(pkts))
	}
}

// next is what comes next.
func (m *machine) next() delivery {
	m.t.Helper()
	select {
	case d := <-m.came:
		return d
	case <-time.After(patience):
		m.t.Fatal("nothing comes")
		return delivery{}
	}
}

// quiet throws away what comes until nothing does.
func (m *machine) quiet() {
	for {
		select {
		case <-m.came:
		case <-time.After(20 * time.Millisecond):
			return
		}
	}
}

// probe is a small packet of a call between the two machines.
func probe(id uint16, local, peer netip.Addr) []rawgre.Packet { return packets(id, local, peer, 20) }

// until sends a probe again and again until done says so of what has come in answer, and
// tells how long that took.
func (m *machine) until(what string, to *machine, local, peer netip.Addr, done func(came []delivery) bool) time.Duration {
	m.t.Helper()
	for start := time.Now(); time.Since(start) < patience; {
		if _, err := m.conn.WriteBatch(probe(1, local, peer)); err != nil {
			m.t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
		var came []delivery
		for len(to.came) > 0 {
			came = append(came, <-to.came)
		}
		if done(came) {
			to.quiet()
			return time.Since(start)
		}
	}
	m.t.Fatalf("not within %v: %s", patience, what)
	return 0
}

// warm sends until the packets leave the fast way and arrive.
func (m *machine) warm(to *machine, local, peer netip.Addr) {
	m.t.Helper()
	sent := m.ports.Stats().Sent
	m.until("packets leave fast", to, local, peer, func(came []delivery) bool { return len(came) > 0 && m.ports.Stats().Sent > sent })
}

// expect compares what comes with what was sent.
func (m *machine) expect(want []rawgre.Packet, fast bool) {
	m.t.Helper()
	for i, p := range want {
		got := m.next()
		if !bytes.Equal(got.gre, p.Bytes()) || got.peer != p.Local || got.local != p.Peer || got.fast != fast {
			m.t.Fatalf("packet %d: %s, want %s", i, got, delivery{p.Bytes(), p.Local, p.Peer, fast})
		}
	}
}

func (d delivery) String() string {
	return fmt.Sprintf("%d octets %.12x from %v to %v, fast: %v", len(d.gre), d.gre, d.peer, d.local, d.fast)
}

// neighbor is what a machine knows of a neighbor on an interface.
func (m *machine) neighbor(name string, ip netip.Addr) netlink.Neigh {
	m.t.Helper()
	list, err := m.Handle.NeighList(m.Link(name).Attrs().Index, netlink.FAMILY_V4)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, n := range list {
		if got, ok := netip.AddrFromSlice(n.IP.To4()); ok && got == ip {
			return n
		}
	}
	return netlink.Neigh{}
}
