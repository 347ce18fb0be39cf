package rawgretest

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/rawgre"
)

var (
	addrA  = netip.MustParseAddr("192.0.2.1")
	addrB  = netip.MustParseAddr("192.0.2.2")
	addrB2 = netip.MustParseAddr("192.0.2.3")
)

func TestNetworkKeepsContract(t *testing.T) {
	TestContract(t, func(*testing.T) (a, b End) {
		n := New()
		return End{n.Listen(addrA), addrA}, End{n.Listen(addrB, addrB2), addrB}
	})
}

// carried sends count packets through a carrier and returns the numbers of those
// that arrive, in their order.
func carried(t *testing.T, f Carrier, count int) []byte {
	t.Helper()
	n := New()
	n.Carry(f)
	a, b := n.Listen(addrA), n.Listen(addrB)
	for i := range count {
		if k, err := a.WriteBatch([]rawgre.Packet{packet(GRE(uint32(i), 1), addrA, addrB)}); k != 1 || err != nil {
			t.Fatalf("WriteBatch = %d, %v", k, err)
		}
	}
	n.Deliver(Datagram{Src: addrA, Dst: addrB, Data: GRE(99, 1)}) // the end
	var got []byte
	pkts := Buffers(1, bufLen)
	for {
		if _, err := b.ReadBatch(pkts); err != nil {
			t.Fatal(err)
		}
		seq := pkts[0].Bytes()[11]
		if seq == 99 {
			return got
		}
		got = append(got, seq)
	}
}

func TestCarriers(t *testing.T) {
	for _, test := range []struct {
		name string
		f    Carrier
		want []byte
	}{
		{"all", All, []byte{0, 1, 2, 3, 4, 5}},
		{"none", None, nil},
		{"lose", Lose(3), []byte{0, 1, 3, 4}},
		{"double", Double(3), []byte{0, 1, 2, 2, 3, 4, 5, 5}},
		{"swap", Swap(2), []byte{0, 2, 1, 4, 3}}, // 5 waits for a successor
		{"swap all", Swap(1), []byte{0, 1, 2, 3, 4}},
	} {
		if got := carried(t, test.f, 6); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

func TestSecondAddress(t *testing.T) {
	n := New()
	a, b := n.Listen(addrA), n.Listen(addrB, addrB2)
	if k, _ := a.WriteBatch([]rawgre.Packet{packet(GRE(0, 1), addrA, addrB2)}); k != 1 {
		t.Fatal("not sent")
	}
	want(t, read(t, b, 1), addrA, addrB2, func(int) int { return 1 })
	if k, _ := b.WriteBatch([]rawgre.Packet{packet(GRE(0, 1), addrB2, addrA)}); k != 1 {
		t.Fatal("not sent")
	}
	want(t, read(t, a, 1), addrB2, addrA, func(int) int { return 1 })
}

func TestDeliverNowhere(t *testing.T) {
	n := New()
	b := n.Listen(addrB)
	if !n.Deliver(Datagram{Src: addrA, Dst: addrB, Data: GRE(0, 1)}) {
		t.Error("Deliver to an open end = false")
	}
	b.Close()
	for _, dst := range []netip.Addr{addrA, addrB} {
		if n.Deliver(Datagram{Src: addrA, Dst: dst, Data: GRE(0, 1)}) {
			t.Errorf("Deliver to %v = true, want false: nobody is there", dst)
		}
	}
}

func TestQueueIsBounded(t *testing.T) {
	n := New()
	n.Listen(addrB)
	for range queueLen {
		if !n.Deliver(Datagram{Src: addrA, Dst: addrB, Data: GRE(0, 1)}) {
			t.Fatal("Deliver = false before the queue is full")
		}
	}
	if n.Deliver(Datagram{Src: addrA, Dst: addrB, Data: GRE(0, 1)}) {
		t.Error("Deliver = true with a full queue")
	}
}

// A reader that waits must not keep the time of a bubble from passing.
func TestWaitingInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		a, b := n.Listen(addrA), n.Listen(addrB)
		start := time.Now()
		go func() {
			time.Sleep(time.Hour)
			a.WriteBatch([]rawgre.Packet{packet(GRE(0, 1), addrA, addrB)})
		}()
		read(t, b, 1)
		if passed := time.Since(start); passed != time.Hour {
			t.Errorf("the packet took %v, want an hour of the bubble", passed)
		}
	})
}
