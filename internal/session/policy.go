package session

import (
	"time"

	"gopptp/internal/aaa"
)

// countEvery is how often the traffic of a session with a byte limit is compared
// with it: at 1 Gbit/s it may exceed the limit by some 100 MB, which is as exact as
// a peer's retransmissions are.
const countEvery = time.Second

// limits are the ends that a session's policy sets.
type limits struct {
	policy aaa.Policy
	begin  time.Time // of the session for session-timeout; zero while it has none
	up     time.Time // of the network; zero while it is down
}

// due says whether a policy ends the session now, or else when to look again.
func (l *limits) due(now time.Time, used time.Time, traffic Traffic) (end ending, over bool, next time.Time) {
	look := func(at time.Time) bool {
		if next.IsZero() || at.Before(next) {
			next = at
		}
		return !now.Before(at)
	}
	p := &l.policy
	if p.SessionTimeout > 0 && !l.begin.IsZero() && look(l.begin.Add(p.SessionTimeout)) {
		return endSession, true, next
	}
	if l.up.IsZero() {
		return ending{}, false, next
	}
	if used.Before(l.up) {
		used = l.up
	}
	if p.IdleTimeout > 0 && look(used.Add(p.IdleTimeout)) {
		return endIdle, true, next
	}
	if p.LimitIn|p.LimitOut|p.LimitTotal != 0 {
		if exceeds(traffic.RxBytes, p.LimitIn) || exceeds(traffic.TxBytes, p.LimitOut) || exceeds(traffic.RxBytes+traffic.TxBytes, p.LimitTotal) {
			return endTraffic, true, next
		}
		look(now.Add(countEvery))
	}
	return ending{}, false, next
}

// exceeds reports that a limit, unless it is none, is reached.
func exceeds(octets, limit uint64) bool { return limit > 0 && octets >= limit }
