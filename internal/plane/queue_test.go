package plane

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/shape"
)

// received counts the octets that come out of an interface until ctx ends.
func received(ctx context.Context, e *end) (octets int) {
	for {
		p, err := e.dev.Receive(ctx)
		if err != nil {
			return octets
		}
		octets += len(p)
	}
}

// flood sends packets into a tunnel for a time, twice as fast as rate, and gives
// what comes out at the other end in bits per second.
func flood(t *testing.T, from, to *end, rate int64, d time.Duration) float64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	octets := make(chan int, 1)
	go func() { octets <- received(ctx, to) }()
	gap := time.Duration(1000 * 8 * float64(time.Second) / float64(2*rate))
	for ctx.Err() == nil {
		if err := from.dev.Send(ctx, packet(1000, 1)); err != nil && ctx.Err() == nil {
			t.Fatal(err)
		}
		time.Sleep(gap)
	}
	return float64(<-octets) * 8 / d.Seconds()
}

func TestLimitHoldsBothDirections(t *testing.T) {
	for _, rate := range []int64{1e6, 10e6, 100e6} {
		synctest.Test(t, func(t *testing.T) {
			_, a, b := tunnel(t)
			encrypt(a, b)
			b.call.SetLimit(shape.Limit{Rx: shape.Rate{Max: rate}, Tx: shape.Rate{Max: 2 * rate}})
			for _, test := range []struct {
				name     string
				from, to *end
				want     float64
			}{{"rx", a, b, float64(rate)}, {"tx", b, a, 2 * float64(rate)}} {
				if got := flood(t, test.from, test.to, int64(test.want), 2*time.Second); got < 0.95*test.want || got > 1.05*test.want {
					t.Errorf("%s: %.0f bit/s, want %.0f", test.name, got, test.want)
				}
			}
			if s := b.call.Stats(); s.RxDrops == 0 || s.TxDrops == 0 {
				t.Errorf("nothing was dropped: %+v", s)
			}
			if b.plane.Drops(DropRate) == 0 {
				t.Error("no drop has rate-limit for its reason")
			}
		})
	}
}

// TestLimitChanges: another rate is in force at once, even for a packet that
// waits by one under which it would wait for minutes, and no packet overtakes
// another.
func TestLimitChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		encrypt(a, b)
		b.call.SetLimit(shape.Limit{Rx: shape.Rate{Max: 100}})
		for n := range byte(10) {
			if err := a.dev.Send(t.Context(), packet(1000, n)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		b.call.SetLimit(shape.Limit{})
		if err := a.dev.Send(t.Context(), packet(1000, 10)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for n := range byte(11) {
			p, err := b.dev.Receive(ctx)
			if err != nil || p[len(p)-1] != n {
				t.Fatalf("packet %d: %v", n, err)
			}
		}
	})
}

// TestLimitEnds: a call that is closed while packets wait ends at once.
func TestLimitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		encrypt(a, b)
		b.call.SetLimit(shape.Limit{Rx: shape.Rate{Max: 100}})
		for n := range byte(10) {
			if err := a.dev.Send(t.Context(), packet(1000, n)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		before := time.Now()
		b.call.Close()
		if d := time.Since(before); d != 0 {
			t.Errorf("Close took %v", d)
		}
		b.call.SetLimit(shape.Limit{Rx: shape.Rate{Max: 100}}) // starts nothing any more
	})
}

func TestQueueDoesNotAllocate(t *testing.T) {
	q := &queue{wake: make(chan struct{}, 1)}
	q.setRate(shape.Rate{Max: 1e6})
	p := packet(1400, 1)
	var spare []byte
	cycle := func() {
		for range 5 {
			q.put(ipPacket, p)
		}
		for range 5 {
			spare = q.take(spare)
		}
	}
	for range 4 {
		cycle()
	}
	if n := testing.AllocsPerRun(100, cycle); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		encrypt(a, b)
		begin := time.Now()
		if u := a.call.Used(); !u.Equal(begin) {
			t.Errorf("used %v after the start", u.Sub(begin))
		}
		time.Sleep(time.Hour)
		crosses(t, a, b, packet(100, 1))
		later := time.Now()
		for _, e := range []*end{a, b} {
			if u := e.call.Used(); u.Before(begin.Add(time.Hour)) || u.After(later) {
				t.Errorf("used %v after the start", u.Sub(begin))
			}
		}
		time.Sleep(time.Hour) // acknowledgements are no traffic
		if u := a.call.Used(); u.After(later) {
			t.Errorf("used %v after the start", u.Sub(begin))
		}
	})
}

// TestQueueIsBoundedInOctets: few packets as large as an MRRU allows fill a queue,
// and their buffers are not kept.
func TestQueueIsBoundedInOctets(t *testing.T) {
	q := &queue{wake: make(chan struct{}, 1)}
	q.setRate(shape.Rate{Max: 1e9})
	n := 0
	for q.put(ipPacket, packet(60000, 1)) {
		n++
	}
	if n != maxOctets/60000 {
		t.Errorf("%d packets of 60,000 octets", n)
	}
	var spare []byte
	for range n {
		spare = q.take(spare)
	}
	kept := 0
	for _, b := range q.ring {
		kept += cap(b)
	}
	if kept > 0 || q.octets != 0 {
		t.Errorf("%d octets are kept, %d counted", kept, q.octets)
	}
	if !q.put(ipPacket, packet(60000, 1)) {
		t.Error("an empty queue takes nothing")
	}
}
