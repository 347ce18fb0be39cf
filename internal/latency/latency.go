// Package latency counts how long things took, in buckets that are the same for
// all: fine enough for a round trip in a building and wide enough for a user who
// waits. Counting neither allocates nor waits.
//
// It writes no text and knows nobody who reads it.
package latency

import (
	"sync/atomic"
	"time"
)

// bounds are the longest times of the buckets but the last, which has no bound:
// from a server in the same rack to the longest that a client has patience for.
var bounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second,
}

// A Histogram is safe for concurrent use. The zero value is empty.
type Histogram struct {
	counts [len(bounds) + 1]atomic.Uint64
	sum    atomic.Int64
}

// Add counts something that took d.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0) // a clock that was set back is no reason for less than nothing
	i := 0
	for i < len(bounds) && d > bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(int64(d))
}

// A Snapshot is what a Histogram has counted.
type Snapshot struct {
	Count   uint64
	Sum     time.Duration
	Buckets []Bucket // by Most; what took longer than the last is in Count only
}

// A Bucket is how many took at most so long.
type Bucket struct {
	Most  time.Duration
	Count uint64
}

// Read gives what was counted. What is added meanwhile may be in a part of it.
func (h *Histogram) Read() Snapshot {
	s := Snapshot{Sum: time.Duration(h.sum.Load()), Buckets: make([]Bucket, len(bounds))}
	for i := range h.counts {
		s.Count += h.counts[i].Load()
		if i < len(bounds) {
			s.Buckets[i] = Bucket{bounds[i], s.Count}
		}
	}
	return s
}
