package latency

import (
	"slices"
	"sync"
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	if !slices.IsSorted(bounds[:]) {
		t.Errorf("the bounds are not in order: %v", bounds)
	}
	var h Histogram
	if s := h.Read(); s.Count != 0 || s.Sum != 0 || len(s.Buckets) != len(bounds) {
		t.Errorf("empty: %+v", s)
	}
	for _, d := range []time.Duration{-time.Second, 0, time.Millisecond, time.Millisecond + 1, 40 * time.Millisecond, 30 * time.Second, time.Hour} {
		h.Add(d)
	}
	s := h.Read()
	if want := 2*time.Millisecond + 1 + 40*time.Millisecond + 30*time.Second + time.Hour; s.Count != 7 || s.Sum != want {
		t.Errorf("%d in %v, want 7 in %v", s.Count, s.Sum, want)
	}
	for _, c := range []struct {
		most time.Duration
		n    uint64
	}{{time.Millisecond, 3}, {2500 * time.Microsecond, 4}, {25 * time.Millisecond, 4}, {50 * time.Millisecond, 5}, {10 * time.Second, 5}, {30 * time.Second, 6}} {
		if i := slices.IndexFunc(s.Buckets, func(b Bucket) bool { return b.Most == c.most }); i < 0 || s.Buckets[i].Count != c.n {
			t.Errorf("at most %v: %v, want %d", c.most, s.Buckets, c.n)
		}
	}
}

func TestAllocAdd(t *testing.T) {
	var h Histogram
	if n := testing.AllocsPerRun(100, func() { h.Add(time.Second) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestConcurrent(t *testing.T) {
	var h Histogram
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 1000 {
				h.Add(time.Millisecond)
				h.Read()
			}
		})
	}
	wg.Wait()
	if s := h.Read(); s.Count != 4000 || s.Sum != 4*time.Second {
		t.Errorf("%d in %v", s.Count, s.Sum)
	}
}
