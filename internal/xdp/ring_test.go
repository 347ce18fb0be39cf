package xdp

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"
)

// twin gives both sides of a ring in memory of ours: what one puts in, the other takes.
func twin(size int, from uint32) (producer, consumer *ring[uint64]) {
	entries := make([]uint64, size)
	var in, out atomic.Uint32
	in.Store(from)
	out.Store(from)
	return &ring[uint64]{producer: &in, consumer: &out, entries: entries, ours: from},
		&ring[uint64]{producer: &in, consumer: &out, entries: entries, ours: from}
}

// TestRing fills and empties a ring in steps that do not divide its size, past the ends
// of the entries and of the counters.
func TestRing(t *testing.T) {
	const size = 8
	for _, from := range []uint32{0, 5, math.MaxUint32 - 20} {
		in, out := twin(size, from)
		var put, taken uint64
		for round := range 50 {
			n := min(1+round%size, size-in.waiting())
			for i := range n {
				*in.entry(i) = put
				put++
			}
			if got, want := out.filled(), int(put-taken)-n; got != want {
				t.Fatalf("from %d: filled before the put = %d, want %d", from, got, want)
			}
			in.put(n)
			if got, want := out.filled(), int(put-taken); got != want || in.waiting() != want {
				t.Fatalf("from %d: filled = %d, waiting = %d, want %d", from, got, in.waiting(), want)
			}
			n = (out.filled() + 1) / 2
			for i := range n {
				if got := *out.entry(i); got != taken {
					t.Fatalf("from %d: took %d, want %d", from, got, taken)
				}
				taken++
			}
			out.take(n)
		}
		if put < 3*size {
			t.Errorf("from %d: only %d entries went through", from, put)
		}
	}
}

func TestRingUnput(t *testing.T) {
	for _, from := range []uint32{0, math.MaxUint32 - 1} {
		in, out := twin(4, from)
		*in.entry(0), *in.entry(1), *in.entry(2) = 1, 2, 3
		in.put(3)
		in.unput(3)
		if in.waiting() != 0 || out.filled() != 0 {
			t.Fatalf("from %d: waiting = %d, filled = %d after all was taken back", from, in.waiting(), out.filled())
		}
		*in.entry(0) = 4
		in.put(1)
		if out.filled() != 1 || *out.entry(0) != 4 {
			t.Errorf("from %d: filled = %d, entry = %d, want 1 and 4", from, out.filled(), *out.entry(0))
		}
	}
}

// TestRingOrder lets both sides run at once. Under the race detector it shows that each
// entry is handed over.
func TestRingOrder(t *testing.T) {
	const total = 20_000
	in, out := twin(64, math.MaxUint32-total/2)
	var wg sync.WaitGroup
	wg.Go(func() {
		for next := uint64(0); next < total; {
			n := min(64-in.waiting(), total-int(next))
			for i := range n {
				*in.entry(i) = next
				next++
			}
			in.put(n)
		}
	})
	for next := uint64(0); next < total; {
		n := out.filled()
		for i := range n {
			if got := *out.entry(i); got != next {
				t.Fatalf("took %d, want %d", got, next)
			}
			next++
		}
		out.take(n)
	}
	wg.Wait()
}
