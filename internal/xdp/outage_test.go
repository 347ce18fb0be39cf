package xdp

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"gopptp/internal/host/hosttest"
	"gopptp/internal/rawgre"
)

// TestRequiresRootDownUp: an interface is set down and up again.
func TestRequiresRootDownUp(t *testing.T) {
	t.Parallel()
	a, b := both(t)
	a.warm(b, addrA, addrB)
	for range 2 {
		if err := a.Handle.LinkSetDown(a.Link("eth0")); err != nil {
			t.Fatal(err)
		}
		for range 3 * ringSize / rawgre.BatchSize { // more than there is room for
			if _, err := a.conn.WriteBatch(packets(1, addrA, addrB, make([]int, rawgre.BatchSize)...)); err != nil {
				t.Fatal(err)
			}
		}
		a.Up("eth0")
		d := a.until("packets arrive again", b, addrA, addrB, func(came []delivery) bool {
			for _, p := range came {
				if len(p.gre) == 8 {
					t.Fatal("a packet of the time when it was down came late")
				}
			}
			return len(came) > 0
		})
		if d > 5*time.Second {
			t.Errorf("only after %v", d)
		}
		a.warm(b, addrA, addrB)
	}
	pkts := packets(1, addrA, addrB, make([]int, rawgre.BatchSize)...)
	a.send(pkts)
	b.expect(pkts, true)
}

// TestRequiresRootNoCarrier: the far end is down, and the kernel refuses each packet.
func TestRequiresRootNoCarrier(t *testing.T) {
	t.Parallel()
	a, b := both(t)
	a.warm(b, addrA, addrB)
	if err := b.Handle.LinkSetDown(b.Link("eth0")); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if _, err := a.conn.WriteBatch(packets(1, addrA, addrB, make([]int, rawgre.BatchSize)...)); err != nil {
			t.Fatal(err)
		}
	}
	q := a.ports.ports[0].queues[0]
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		q.tx.mu.Lock()
		q.reapLocked()
		waiting, free := q.tx.packets.waiting(), len(q.tx.free)
		q.tx.mu.Unlock()
		if waiting == 0 && free == ringSize {
			break
		}
		if time.Since(start) > patience {
			t.Fatalf("%d packets wait, %d frames are free", waiting, free)
		}
	}
	b.Up("eth0")
	a.warm(b, addrA, addrB)
}

// TestRequiresRootOverflow: nobody reads. What there is no room for is lost and counted,
// and the kernel has all frames back once somebody does, but for those of the last batch.
func TestRequiresRootOverflow(t *testing.T) {
	t.Parallel()
	left, right := pair(t)
	b := newMachine(t, right)
	p := openPorts(t, left, "eth0")
	if err := p.Steer(1, addrA, addrB); err != nil {
		t.Fatal(err)
	}
	reader, in := p.Readers()[0], buffers(rawgre.BatchSize)
	var lost, received uint64
	held := 0
	for round := range 3 {
		room := ringSize - held
		const lots = ringSize + 500
		for i := range lots {
			b.send(packets(1, addrB, addrA, 4+(round*lots+i)%1400))
		}
		deadline := time.Now().Add(patience)
		for lost += uint64(lots - room); p.Stats().Overflow < lost && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		for got := 0; got < room; {
			n, err := reader.ReadBatch(in)
			if err != nil {
				t.Fatal(err)
			}
			for _, pkt := range in[:n] {
				if want := 12 + (round*lots+got)%1400; pkt.N != want {
					t.Fatalf("round %d, packet %d: %d octets, want %d", round, got, pkt.N, want)
				}
				got++
			}
			held = n
		}
		received += uint64(room)
		if s := p.Stats(); s.Overflow != lost || s.Received != received {
			t.Errorf("round %d: %+v", round, s)
		}
	}
}

// TestRequiresRootManyAtOnce sends more than the kernel takes in one go; the rest leaves
// though nobody sends any more.
func TestRequiresRootManyAtOnce(t *testing.T) {
	t.Parallel()
	a, b := both(t)
	a.warm(b, addrA, addrB)
	pkts := packets(1, addrA, addrB, make([]int, ringSize)...)
	a.send(pkts)
	b.expect(pkts, true)
	a.send(pkts[:1]) // all frames are back, or this one waits for ever
	b.expect(pkts[:1], true)
}

// TestRequiresRootDeleted: the interface goes away for good, under a reader and a sender.
// Not in parallel, since it measures the process.
func TestRequiresRootDeleted(t *testing.T) {
	a, b := both(t)
	a.warm(b, addrA, addrB)
	if err := a.Handle.LinkDel(a.Link("eth0")); err != nil {
		t.Fatal(err)
	}
	before := processTime(t)
	time.Sleep(300 * time.Millisecond)
	if used := processTime(t) - before; used > 100*time.Millisecond {
		t.Errorf("the readers used %v of 300 ms: they spin", used)
	}
	// Another cable takes its place, which nobody has given to us.
	hosttest.Cable(t, 1500,
		hosttest.Port{In: a.Namespace, Name: "eth0", Prefix: netip.PrefixFrom(addrA, 24)},
		hosttest.Port{In: b.Namespace, Name: "eth0", Prefix: netip.PrefixFrom(addrB, 24)})
	a.until("packets arrive by the socket", b, addrA, addrB, func(came []delivery) bool { return len(came) > 0 && !came[0].fast })
	sent := a.ports.Stats().Sent
	pkts := packets(1, addrA, addrB, 0, 100, 1472)
	a.send(pkts)
	b.expect(pkts, false)
	if n := a.ports.Stats().Sent - sent; n != 0 {
		t.Errorf("%d packets are counted as sent by what is gone", n)
	}
	// The readers still wait: newMachine fails the test if they end before Close.
}

// TestRequiresRootDeletedUnnoticed: nobody looks at the ways after the interface has gone,
// and even so no packet is lost.
func TestRequiresRootDeletedUnnoticed(t *testing.T) {
	left, right := pair(t)
	a, b := newMachine(t, left), newMachine(t, right)
	ports := openPorts(t, left, "eth0")
	a.conn = ports.Over(a.socket)
	a.send(probe(1, addrA, addrB))
	b.next()
	ports.ways.look(ports.ways.news(), time.Now())
	a.send(probe(1, addrA, addrB))
	b.next()
	if n := ports.Stats().Sent; n != 1 {
		t.Fatalf("%d packets were sent fast, want 1", n)
	}
	if err := a.Handle.LinkDel(a.Link("eth0")); err != nil {
		t.Fatal(err)
	}
	hosttest.Cable(t, 1500,
		hosttest.Port{In: left, Name: "eth0", Prefix: netip.PrefixFrom(addrA, 24)},
		hosttest.Port{In: right, Name: "eth0", Prefix: netip.PrefixFrom(addrB, 24)})
	pkts := packets(1, addrA, addrB, 0, 100, 1472)
	a.send(pkts)
	b.expect(pkts, false)
}

func processTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
