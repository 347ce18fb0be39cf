package shape

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	one := func(maximum, burst, threshold int64, seconds time.Duration, minimum int64) Rate {
		return Rate{Max: maximum, Burst: burst, Threshold: threshold, BurstTime: seconds * time.Second, Min: minimum}
	}
	for text, want := range map[string]Limit{
		"":                                  {Priority: 8},
		"128k":                              {one(128e3, 0, 0, 0, 128e3), one(128e3, 0, 0, 0, 128e3), 8},
		"64k/128M":                          {one(64e3, 0, 0, 0, 64e3), one(128e6, 0, 0, 0, 128e6), 8},
		"64":                                {one(64, 0, 0, 0, 64), one(64, 0, 0, 0, 64), 8}, // bits, without a unit
		"2G/0":                              {one(2e9, 0, 0, 0, 2e9), Rate{}, 8},
		"64k 256k":                          {one(64e3, 256e3, 64e3, 1, 64e3), one(64e3, 256e3, 64e3, 1, 64e3), 8},
		"64k/64k 256k/256k 128k/128k 10/10": {one(64e3, 256e3, 128e3, 10, 64e3), one(64e3, 256e3, 128e3, 10, 64e3), 8},
		"64k/32k 256k/128k 96k 10/20s 1 16k/8000": {one(64e3, 256e3, 96e3, 10, 16e3), one(32e3, 128e3, 96e3, 20, 8e3), 1},
		"1M 0/0 0/0 0/0 5":                        {one(1e6, 0, 0, 0, 1e6), one(1e6, 0, 0, 0, 1e6), 5},
	} {
		if got, err := Parse(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"x", "k", "64kk", "-1k", "1k/", "/1k", "1k/2k/3k", "1k 2k 3k 4 9", "1k 2k 3k 4 0", "1k 2k 3k 1d", "1k 2k 3k -1s",
		"1k 2k 3k 4 5 6k 7k", "9223372036854775807k", "1k 1k 1k 1 8 2k", "18446744073709551615",
	} {
		if l, err := Parse(text); err == nil {
			t.Errorf("%q: %+v, want an error", text, l)
		}
	}
	if _, err := Parse("x"); !errors.Is(err, ErrSyntax) {
		t.Errorf("error %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("64k/32k 256k/128k 96k 10/20s 1 16k/8000")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := Parse(text)
		if err != nil {
			return
		}
		for _, r := range []Rate{l.Rx, l.Tx} {
			if r.Max < 0 || r.Burst < 0 || r.Threshold < 0 || r.BurstTime < 0 || r.Min < 0 || l.Priority < 1 || l.Priority > 8 {
				t.Fatalf("%q: %+v", text, l)
			}
		}
	})
}

// drive sends packets as fast as the bucket lets it for a time and gives the
// octets of each tenth of a second.
func drive(b *Bucket, start time.Time, d time.Duration, size func() int) []int {
	tenths := make([]int, d/(100*time.Millisecond))
	for now := start; ; {
		n := size()
		now = now.Add(b.Take(now, n))
		i := int(now.Sub(start) / (100 * time.Millisecond))
		if i >= len(tenths) {
			return tenths
		}
		tenths[i] += n
	}
}

func sum(list []int) (n int) {
	for _, v := range list {
		n += v
	}
	return n
}

func TestRateIsHeld(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	r := rand.New(rand.NewPCG(1, 2))
	for _, rate := range []int64{64e3, 1e6, 10e6, 100e6, 1e9} {
		b := NewBucket(Rate{Max: rate}, start)
		octets := sum(drive(b, start, 10*time.Second, func() int { return 20 + r.IntN(1480) }))
		if got := float64(octets) * 8 / 10; got < 0.99*float64(rate) || got > 1.01*float64(rate)+8*1500 {
			t.Errorf("rate %d: %.0f", rate, got)
		}
	}
}

// TestLateTimers drives a bucket whose owner wakes up to 3 ms too late.
func TestLateTimers(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	r := rand.New(rand.NewPCG(1, 2))
	b := NewBucket(Rate{Max: 10e6}, start)
	now, octets := start, 0
	for now.Sub(start) < 10*time.Second {
		if wait := b.Take(now, 1400); wait > 0 {
			now = now.Add(wait + time.Duration(r.IntN(3_000_000)))
		}
		octets += 1400
	}
	if got := float64(octets) * 8 / now.Sub(start).Seconds(); got < 9.8e6 || got > 10.2e6 {
		t.Errorf("%.0f bit/s, want 10,000,000", got)
	}
}

// TestIdleEarnsLittle: a stream that was silent for an hour may not make it good.
func TestIdleEarnsLittle(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	b := NewBucket(Rate{Max: 1e6}, start)
	later := start.Add(time.Hour)
	free := 0
	for b.Take(later, 1250) == 0 {
		free++
	}
	if free < 1 || free > 3 { // 1,250 octets are 10 ms
		t.Errorf("%d packets at once", free)
	}
}

// TestBurst checks RouterOS's example: with max-limit 1M, burst-limit 4M,
// threshold 750k and time 16 s the burst lasts as long as the average over 16 s
// is below 750k, which 4M reaches after 3 s.
func TestBurst(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	b := NewBucket(Rate{Max: 1e6, Burst: 4e6, Threshold: 750e3, BurstTime: 16 * time.Second}, start)
	tenths := drive(b, start, 60*time.Second, func() int { return 1250 })
	rate := func(from, to int) float64 { return float64(sum(tenths[10*from:10*to])) * 8 / float64(to-from) }
	if got := rate(0, 2); got < 3.8e6 {
		t.Errorf("%.0f bit/s in the first 2 s, want 4M", got)
	}
	if got := rate(5, 15); got < 0.95e6 || got > 1.05e6 {
		t.Errorf("%.0f bit/s after the burst, want 1M", got)
	}
	if got := rate(0, 60); got > 1.5e6 {
		t.Errorf("%.0f bit/s in a minute", got)
	}
	// After a pause as long as the burst time there is a burst again.
	resumed := start.Add(100 * time.Second)
	if got := float64(sum(drive(b, resumed, time.Second, func() int { return 1250 }))) * 8; got < 3.8e6 {
		t.Errorf("%.0f bit/s after a pause, want 4M", got)
	}
}

func TestNoLimit(t *testing.T) {
	b := new(Bucket)
	if wait := b.Take(time.Now(), 1<<20); wait != 0 {
		t.Errorf("waits %v", wait)
	}
	if !(Limit{}).Unlimited() || (Limit{Tx: Rate{Max: 1}}).Unlimited() {
		t.Error("Unlimited is wrong")
	}
	if n := testing.AllocsPerRun(100, func() { b.Take(time.Time{}, 100) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
