package xdp

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"gopptp/internal/rawgre"
)

// inDrivers makes two machines like both, whose drivers run the program.
func inDrivers(t *testing.T) (a, b *machine) {
	t.Helper()
	left, right := pair(t)
	a, b = newMachine(t, left, "eth0:driver"), newMachine(t, right, "eth0:driver")
	a.steer(1, addrA, addrB)
	b.steer(1, addrB, addrA)
	return a, b
}

// alone is how many packets have left by AF_XDP, each for itself.
func (m *machine) alone() uint32 {
	q := m.ports.ports[0].queues[0]
	q.tx.mu.Lock()
	defer q.tx.mu.Unlock()
	return q.tx.packets.ours
}

// bursting sends until the kernel says that the far end takes bursts, or that it does not.
func (m *machine) bursting(to *machine, local, peer netip.Addr, want bool) {
	m.t.Helper()
	m.until("bursts begin or end", to, local, peer, func([]delivery) bool {
		return m.ports.ports[0].burst.takes(worthBurst) == want
	})
}

// TestRequiresRootBursts: large batches go to the far end of a veth pair at once, small ones
// do not, and the order of all is kept.
func TestRequiresRootBursts(t *testing.T) {
	t.Parallel()
	a, b := inDrivers(t)
	for _, m := range []*machine{a, b} {
		if x := m.Link("eth0").Attrs().Xdp; x == nil || x.AttachMode != 1 { // XDP_ATTACHED_DRV
			t.Fatalf("not in the driver: %+v", x)
		}
	}
	a.warm(b, addrA, addrB)
	b.warm(a, addrB, addrA)
	a.bursting(b, addrA, addrB, true)
	b.bursting(a, addrB, addrA, true)
	exchange(t, a, b)
	for n := 1; n <= rawgre.BatchSize; n++ {
		before, sent := a.alone(), a.ports.Stats().Sent
		lengths := make([]int, n)
		for i := range lengths {
			lengths[i] = (n*97 + i*53) % 1473
		}
		pkts := packets(1, addrA, addrB, lengths...)
		a.send(pkts)
		b.expect(pkts, true)
		alone := uint32(0)
		if n < worthBurst {
			alone = uint32(n)
		}
		if got := a.alone() - before; got != alone {
			t.Fatalf("%d of %d packets left alone, want %d", got, n, alone)
		}
		if got := a.ports.Stats().Sent - sent; got != uint64(n) {
			t.Fatalf("%d of %d packets are counted", got, n)
		}
	}
}

// TestRequiresRootBurstsInOrder: small batches do not overtake large ones, nor these them.
func TestRequiresRootBurstsInOrder(t *testing.T) {
	t.Parallel()
	a, b := inDrivers(t)
	a.warm(b, addrA, addrB)
	a.bursting(b, addrA, addrB, true)
	batches := []int{64, 1, 64, 7, 8, 64, 2}
	all := packets(1, addrA, addrB, slices.Repeat([]int{1}, 210)...) // each is another one
	for range 50 {
		from := 0
		for _, n := range batches {
			a.send(all[from : from+n])
			from += n
		}
		b.expect(all, true)
	}
}

// TestRequiresRootBurstsNeedFarEnd: the far end begins and ends to take bursts. Nothing is
// lost where there never were any.
func TestRequiresRootBurstsNeedFarEnd(t *testing.T) {
	t.Parallel()
	left, right := pair(t)
	a, b := newMachine(t, left, "eth0:driver"), newMachine(t, right)
	a.warm(b, addrA, addrB)
	a.bursting(b, addrA, addrB, false)
	pkts := packets(1, addrA, addrB, make([]int, rawgre.BatchSize)...)
	before := a.alone()
	a.send(pkts)
	b.expect(pkts, false)
	if n := a.alone() - before; n != rawgre.BatchSize {
		t.Fatalf("%d packets left alone, want all", n)
	}
	far, err := open(right, "eth0:driver")
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	a.bursting(b, addrA, addrB, true)
	before = a.alone()
	a.send(pkts) // no call is steered: they come by the socket
	b.expect(pkts, false)
	if n := a.alone() - before; n != 0 {
		t.Fatalf("%d packets left alone, want none", n)
	}
	far.Close()
	a.bursting(b, addrA, addrB, false)
	a.send(pkts)
	b.expect(pkts, false)
}

// TestRequiresRootBurstsRefused: a kernel that does not let us have bursts sends the packets
// alone, and is not asked again.
func TestRequiresRootBurstsRefused(t *testing.T) {
	t.Parallel()
	a, b := inDrivers(t)
	a.warm(b, addrA, addrB)
	a.bursting(b, addrA, addrB, true)
	burst := a.ports.ports[0].burst
	q := a.ports.ports[0].queues[0]
	q.tx.mu.Lock()
	burst.run.sizeIn = 1 // less than a frame has at least
	q.tx.mu.Unlock()
	before := a.alone()
	pkts := packets(1, addrA, addrB, make([]int, rawgre.BatchSize)...)
	a.send(pkts)
	b.expect(pkts, true)
	if n := a.alone() - before; n != rawgre.BatchSize || !burst.refused.Load() {
		t.Fatalf("%d packets left alone, want all; refused: %v", n, burst.refused.Load())
	}
	a.bursting(b, addrA, addrB, false)
}

// TestRequiresRootNoBursts: where packets could overtake each other, or nobody has asked,
// there are none.
func TestRequiresRootNoBursts(t *testing.T) {
	t.Parallel()
	left, right := pair(t)
	if p := openPorts(t, left, "eth0"); p.ports[0].burst != nil {
		t.Error("nobody asked for the driver")
	}
	for _, link := range []netlink.Link{
		&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "wide", NumRxQueues: 4, NumTxQueues: 4}, PeerName: "wide2"},
		&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "other"}},
	} {
		if err := right.Handle.LinkAdd(link); err != nil {
			t.Fatal(err)
		}
	}
	if p := openPorts(t, right, "wide:driver"); p.ports[0].burst != nil {
		t.Error("the interface has several queues")
	}
	p, err := open(right, "other:driver")
	if err == nil {
		p.Close()
	}
	const want = `fast path: interface "other": attach a program to its driver: `
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestRequiresRootFarEnds: no interface, and one that is gone.
func TestRequiresRootFarEnds(t *testing.T) {
	in := cable(t)
	var f *farEnds
	var err error
	in.Do(func() { f, err = openFarEnds() })
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	index := in.Link("eth0").Attrs().Index
	for _, i := range []int{0, -1, 1 << 30, index} {
		if f.take(i) {
			t.Errorf("interface %d takes bursts", i)
		}
	}
	if err := in.Handle.LinkDel(in.Link("eth0")); err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); time.Since(start) < 10*time.Millisecond; {
		if f.take(index) {
			t.Fatal("an interface that is gone takes bursts")
		}
	}
}
