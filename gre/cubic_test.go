package gre_test

import (
	"math"
	"slices"
	"testing"
	"time"
)

// A window is how much the sender of a path has on its way: NewReno's (RFC 5681) or,
// with cubic, that of RFC 9438, which begins in slow start without a limit.
type window struct {
	cwnd, ssthresh float64
	cubic          bool

	most, reno float64       // before it last shrank; and what NewReno would have since
	shrunk     time.Duration // when that was
}

const (
	cubicScale = 0.4 // C
	cubicKeeps = 0.7 // beta
	// cubicReno is what a NewReno that keeps cubicKeeps grows by in each round trip to
	// be no faster than one that keeps a half (RFC 9438, section 4.3).
	cubicReno = 3 * (1 - cubicKeeps) / (1 + cubicKeeps)
)

func newWindow(cubic bool) window {
	w := window{cwnd: 10, ssthresh: 40, cubic: cubic}
	if cubic {
		w.ssthresh = math.Inf(1)
	}
	return w
}

// shrink is what a loss does.
func (w *window) shrink(now time.Duration) {
	keeps := 0.5
	if w.cubic {
		keeps = cubicKeeps
	}
	w.most, w.shrunk = w.cwnd, now
	w.ssthresh = max(w.cwnd*keeps, 2)
	w.cwnd, w.reno = w.ssthresh, w.ssthresh
}

// grow is what the acknowledgement of one packet does.
func (w *window) grow(now, roundTrip time.Duration) {
	switch {
	case w.cwnd < w.ssthresh:
		w.cwnd++
	case !w.cubic:
		w.cwnd += 1 / w.cwnd
	default:
		w.reno += cubicReno / w.cwnd
		t := (now + roundTrip - w.shrunk).Seconds() - math.Cbrt(w.most*(1-cubicKeeps)/cubicScale)
		target := min(w.most+cubicScale*t*t*t, 1.5*w.cwnd)
		w.cwnd = max(w.cwnd+max(target-w.cwnd, 0)/w.cwnd, w.reno)
	}
}

// TestReorderKeepsCubic has a path of 200 Mbit/s with a round trip of 10 ms, whose
// queue overflows.
func TestReorderKeepsCubic(t *testing.T) {
	const packet = 60 * time.Microsecond // 1500 octets
	for _, tt := range []struct {
		name    string
		reorder float64
		seeds   int
		goodput float64 // at least, of what the path gives
	}{
		{"clean", 0, 1, 0.9},
		{"1% reordering", 0.01, 16, 0.9},
		{"5% reordering", 0.05, 16, 0.9},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var all []float64
			for seed := range uint64(tt.seeds) {
				r := measure(line{
					lasts: time.Second, serial: packet, oneWay: 5 * time.Millisecond, queue: 10 * time.Millisecond,
					reorder: tt.reorder, overtaken: 3, detour: 10 * time.Millisecond, cubic: true,
				}, seed, &ours{})
				all = append(all, r.goodput)
				t.Logf("seed %d: goodput %.3f, %d of %d overtaken packets saved, p99 %v, most %v", seed, r.goodput, r.saved, r.overtaken, r.p99, r.most)
			}
			slices.Sort(all)
			t.Logf("goodput %.3f (%.3f to %.3f)", all[len(all)/2], all[0], all[len(all)-1])
			if all[0] < tt.goodput {
				t.Errorf("goodput %.3f, want %.2f", all[0], tt.goodput)
			}
		})
	}
}
