package login

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// firstDelay is the wait after the first failure of an address; each further
	// failure doubles it up to maxDelay.
	firstDelay = 500 * time.Millisecond
	maxDelay   = 16 * time.Second
	// maxQueue is how long an attempt waits for those before it from the same
	// address; one that would wait longer is refused unseen, so that a flood does
	// not pile up.
	maxQueue = 30 * time.Second
	// forget is how long a failure counts.
	forget = 10 * time.Minute
	// maxRecords bounds the addresses that are remembered; the one that failed
	// longest ago makes room.
	maxRecords = 1024
	// answerEvery spaces the failures of all addresses together; maxAnswer bounds
	// what that adds to one of them.
	answerEvery = 100 * time.Millisecond
	maxAnswer   = 5 * time.Second
)

// A throttle slows down those who guess passwords. It sets no timer: it says how
// long to wait.
type throttle struct {
	mu      sync.Mutex
	records map[netip.Prefix]*record
	answer  time.Time // when the next failure may be answered
}

// A record is what is known of an address that failed.
type record struct {
	failures int
	last     time.Time // of the failures
	next     time.Time // when the next attempt may be looked at
}

// delay is the wait that the record's failures cost.
func (r *record) delay() time.Duration {
	if r.failures > 16 { // a larger shift has no meaning
		return maxDelay
	}
	return min(firstDelay<<(r.failures-1), maxDelay)
}

// origin is what counts as one address: whoever has an IPv6 address has at
// least 2^64 of them.
func origin(from netip.Addr) netip.Prefix {
	from = from.Unmap().WithZone("")
	bits := from.BitLen()
	if from.Is6() {
		bits = 64
	}
	p, _ := from.Prefix(bits) // the zero Prefix for the zero Addr
	return p
}

// wait says how long an attempt from an address has to wait before it may be
// looked at; ok is false if it must not be looked at.
func (t *throttle) wait(now time.Time, from netip.Addr) (d time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.records[origin(from)]
	if r == nil {
		return 0, true
	}
	if now.Sub(r.last) > forget {
		delete(t.records, origin(from))
		return 0, true
	}
	start := r.next
	if start.Before(now) {
		start = now
	}
	if start.Sub(now) > maxQueue {
		return 0, false
	}
	r.next = start.Add(r.delay()) // those who come at the same time queue
	return start.Sub(now), true
}

// failed notes a failure and says how long to wait before it is answered.
func (t *throttle) failed(now time.Time, from netip.Addr) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := origin(from)
	r := t.records[key]
	if r == nil {
		if len(t.records) >= maxRecords {
			t.evict()
		}
		r = &record{}
		t.records[key] = r
	}
	r.failures++
	r.last = now
	if next := now.Add(r.delay()); next.After(r.next) {
		r.next = next
	}
	if t.answer.Before(now) {
		t.answer = now
	}
	d := t.answer.Sub(now)
	if d < maxAnswer {
		t.answer = t.answer.Add(answerEvery)
	}
	return d
}

// evict forgets the address that failed longest ago.
func (t *throttle) evict() {
	var oldest netip.Prefix
	for key, r := range t.records {
		if o := t.records[oldest]; o == nil || r.last.Before(o.last) {
			oldest = key
		}
	}
	delete(t.records, oldest)
}

// succeeded forgets the failures of an address: whoever mistyped must not be
// slow for the rest of the day.
func (t *throttle) succeeded(from netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.records, origin(from))
}
