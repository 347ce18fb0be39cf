package plane

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ackDelay is how long an acknowledgement waits for a packet to ride on. It is
// well below the half second after which peers begin to worry (RFC 2637,
// section 4.4).
const ackDelay = 100 * time.Millisecond

// Window is how many packets we tell peers that we buffer, as gre.Reorder does.
const Window = 192

// ackEvery is how many packets of one direction go without an acknowledgement when a
// reader comes back for more: with those of a batch less than Window, so that a peer that
// keeps to it never stalls. It is more than one batch, since what a batch brings to the
// interface is often answered, and the acknowledgement rides on the answer.
const ackEvery = Window / 2

// A negative constant does not compile.
const _ = uint(Window - ackEvery - batch)

// acks is what a call owes its peer: overdue and received are called by the reader,
// take under the tx lock.
type acks struct {
	highest atomic.Uint32
	owed    atomic.Uint32 // packets since the last acknowledgement
	queued  atomic.Bool   // stands in timers.acks
}

// overdue reports whether the peer should not wait any longer.
func (a *acks) overdue() bool { return a.owed.Load() >= ackEvery }

// received notes that n packets came, and all up to highest.
func (a *acks) received(c *Call, now time.Time, n, highest uint32) {
	a.highest.Store(highest)
	a.owed.Add(n)
	if a.queued.CompareAndSwap(false, true) {
		c.plane.timers.ack(c, now)
	}
}

// take gives the acknowledgement number if one is due, and marks it as given.
func (a *acks) take() (highest uint32, due bool) {
	return a.highest.Load(), a.owed.Swap(0) != 0
}

// timers are the two things in the plane that happen without a packet:
// acknowledgements that found nothing to ride on, and gaps whose time is up.
type timers struct {
	wake chan struct{}

	mu    sync.Mutex
	acks  []dueAck // guarded by mu; in order of time, since all wait equally long
	holds []*Call  // guarded by mu; calls with holdAt set
}

type dueAck struct {
	call *Call
	at   time.Time
}

// ack asks for an acknowledgement after ackDelay.
func (t *timers) ack(c *Call, now time.Time) {
	t.mu.Lock()
	t.acks = append(t.acks, dueAck{c, now.Add(ackDelay)})
	first := len(t.acks) == 1
	t.mu.Unlock()
	if first {
		t.kick()
	}
}

// hold asks for drainLocked at the time at, since plane.start.
func (t *timers) hold(c *Call, at int64) {
	switch was := c.holdAt.Swap(at); {
	case was == 0:
		t.mu.Lock()
		if !c.listed {
			c.listed = true
			t.holds = append(t.holds, c)
		}
		t.mu.Unlock()
		t.kick()
	case at < was:
		t.kick()
	}
}

func (t *timers) kick() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// runTimers ends with ctx.
func (p *Plane) runTimers(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var dueAcks []dueAck
	var dueHolds []*Call
	a := new(arrivals)
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.timers.wake:
		case <-timer.C:
		}
		now := time.Now()
		var next time.Time
		dueAcks, dueHolds, next = p.timers.due(now, p.start, dueAcks[:0], dueHolds[:0])
		for _, a := range dueAcks {
			a.call.acks.queued.Store(false)
			a.call.sendAck()
		}
		for _, c := range dueHolds {
			c.enter(a)
			c.holdAt.Store(0)
			c.drainLocked(now)
			c.leaveLocked(now)
		}
		clear(dueAcks)
		clear(dueHolds)
		if !next.IsZero() {
			timer.Reset(time.Until(next))
		}
	}
}

// due moves what is due at now into the two slices and says when the rest is.
func (t *timers) due(now, start time.Time, acks []dueAck, holds []*Call) ([]dueAck, []*Call, time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for n < len(t.acks) && !t.acks[n].at.After(now) {
		n++
	}
	acks = append(acks, t.acks[:n]...)
	t.acks = slices.Delete(t.acks, 0, n)
	var next time.Time
	if len(t.acks) > 0 {
		next = t.acks[0].at
	}
	t.holds = slices.DeleteFunc(t.holds, func(c *Call) bool {
		at := c.holdAt.Load()
		if at == 0 {
			c.listed = false
			return true
		}
		when := start.Add(time.Duration(at))
		if !when.After(now) {
			holds = append(holds, c)
			c.listed = false
			return true
		}
		if next.IsZero() || when.Before(next) {
			next = when
		}
		return false
	})
	return acks, holds, next
}
