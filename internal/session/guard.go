package session

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// firstDelay is how long the first failed authentication of an address waits
	// for its answer; each further one waits twice as long, up to maxDelay: longer,
	// and a client takes the silence for a loss and asks again.
	firstDelay = 250 * time.Millisecond
	maxDelay   = 2 * time.Second
	// forgetFailures is how long an address is known for its failures.
	forgetFailures = time.Minute
	// refusalsASecond spaces the refusals of all addresses together, and maxSpacing
	// bounds what one of them waits for that.
	refusalsASecond = 50
	maxSpacing      = 2 * time.Second
	// maxStrangers bounds the sessions that have not authenticated yet, and
	// maxStrangersPerAddr those of one address: behind one NAT whole offices redial
	// at once after a power cut, and an honest one is through within a second.
	maxStrangers        = 1024
	maxStrangersPerAddr = 64
	// maxFailing bounds the addresses that are known for their failures.
	maxFailing = 4096
)

// errCrowd says that too many sessions of an address, or in all, have not shown
// yet who they are.
var errCrowd = errors.New("too many sessions that have not authenticated")

// A guard keeps strangers from taking what others need: it bounds their number
// and slows down those who guess passwords. A client that authenticates at once is
// never delayed, whatever others do from its address. It is safe for concurrent
// use.
type guard struct {
	mu        sync.Mutex
	strangers map[netip.Addr][]stranger // oldest first
	total     int
	came      uint64 // how many strangers there were
	failing   map[netip.Addr]*failures
	refusal   time.Time // when the next refusal may be told
}

// A stranger is a session that has not authenticated. A later one has a higher
// number.
type stranger struct {
	*session
	number uint64
}

type failures struct {
	n    int
	last time.Time
}

func newGuard() *guard {
	return &guard{strangers: map[netip.Addr][]stranger{}, failing: map[netip.Addr]*failures{}}
}

// enter counts a session that has not authenticated. When there are too many in
// all, the oldest of the address that has most of them makes room, so that a flood
// drives out its own; of several such addresses, the oldest of all, since who is
// honest does not take long.
func (g *guard) enter(s *session, from netip.Addr) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.strangers[from]) >= maxStrangersPerAddr {
		return errCrowd
	}
	if g.total >= maxStrangers {
		busiest := from
		for a, list := range g.strangers {
			most := g.strangers[busiest]
			if len(list) > len(most) || len(list) == len(most) && list[0].number < most[0].number {
				busiest = a
			}
		}
		victim := g.strangers[busiest][0].session
		g.removeLocked(victim, busiest)
		victim.stop(endCrowd)
	}
	g.came++
	g.strangers[from] = append(g.strangers[from], stranger{s, g.came})
	g.total++
	return nil
}

// leave says that a session is no stranger any more, or is gone.
func (g *guard) leave(s *session, from netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.removeLocked(s, from)
}

func (g *guard) removeLocked(s *session, from netip.Addr) {
	list := g.strangers[from]
	i := slices.IndexFunc(list, func(o stranger) bool { return o.session == s })
	if i < 0 {
		return
	}
	g.total--
	if len(list) == 1 {
		delete(g.strangers, from)
		return
	}
	g.strangers[from] = slices.Delete(list, i, i+1)
}

// failed notes that an authentication failed and says how long to wait before the
// answer.
func (g *guard) failed(now time.Time, from netip.Addr) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.failing[from]
	if f == nil || now.Sub(f.last) > forgetFailures {
		if f == nil && len(g.failing) >= maxFailing {
			g.forgetLocked(now)
		}
		f = &failures{}
		g.failing[from] = f
	}
	delay := firstDelay << min(f.n, 8)
	f.n++
	f.last = now

	if g.refusal.Before(now) {
		g.refusal = now
	}
	spacing := g.refusal.Sub(now)
	if spacing < maxSpacing {
		g.refusal = g.refusal.Add(time.Second / refusalsASecond)
	}
	return min(delay, maxDelay) + spacing
}

// forgetLocked forgets the addresses whose failures are long ago, or if there are
// none the one that failed longest ago.
func (g *guard) forgetLocked(now time.Time) {
	var oldest netip.Addr
	for a, f := range g.failing {
		if now.Sub(f.last) > forgetFailures {
			delete(g.failing, a)
		} else if o := g.failing[oldest]; o == nil || f.last.Before(o.last) {
			oldest = a
		}
	}
	if len(g.failing) >= maxFailing {
		delete(g.failing, oldest)
	}
}

// succeeded forgets the failures of an address: whoever mistyped must not be slow
// for longer than that.
func (g *guard) succeeded(from netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.failing, from)
}
