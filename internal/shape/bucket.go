package shape

import "time"

const (
	// credit is how far a stream that was held up may run ahead of its rate: what
	// a timer that fires late has cost is made good, and no more.
	credit = 10 * time.Millisecond
	// slots is into how many parts the burst time is divided, as in RouterOS.
	slots = 16
)

// A Bucket holds one direction to its Rate. It is not safe for concurrent use.
// The zero value has no limit.
type Bucket struct {
	rate Rate
	next time.Time // when the stream has paid for what it has sent

	// The octets of the last slots of the burst time, and their sum.
	sent  [slots]int64
	total int64
	slot  int64 // the number of the current slot, since start
	start time.Time
}

// NewBucket makes a bucket that is full at now.
func NewBucket(r Rate, now time.Time) *Bucket {
	return &Bucket{rate: r, next: now, start: now}
}

// Take sends a packet of so many octets and says how long it has to wait for
// that, counted from now. Packets are taken in the order in which they leave, each
// after the one before has waited.
func (b *Bucket) Take(now time.Time, octets int) time.Duration {
	if b.rate.Max == 0 {
		return 0
	}
	if earliest := now.Add(-credit); b.next.Before(earliest) {
		b.next = earliest
	}
	wait := max(0, b.next.Sub(now))
	rate := b.current(now.Add(wait), int64(octets))
	b.next = b.next.Add(time.Duration(float64(octets) * 8 / float64(rate) * float64(time.Second)))
	return wait
}

// current is the rate in force at a time, at which so many octets leave.
func (b *Bucket) current(at time.Time, octets int64) int64 {
	if b.rate.Burst == 0 {
		return b.rate.Max
	}
	width := b.rate.BurstTime / slots
	if width <= 0 {
		return b.rate.Max
	}
	slot := int64(at.Sub(b.start) / width)
	if slot-b.slot >= slots {
		b.sent, b.total = [slots]int64{}, 0
	} else {
		for s := b.slot + 1; s <= slot; s++ {
			b.total -= b.sent[s%slots]
			b.sent[s%slots] = 0
		}
	}
	b.slot = max(b.slot, slot)
	average := int64(float64(b.total) * 8 / b.rate.BurstTime.Seconds())
	b.sent[b.slot%slots] += octets
	b.total += octets
	if average < b.rate.Threshold {
		return b.rate.Burst
	}
	return b.rate.Max
}
