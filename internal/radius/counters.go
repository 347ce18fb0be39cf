package radius

import (
	"sync/atomic"
	"time"
)

// Counters are what /radius/monitor shows of a server. Accounting counts too.
type Counters struct {
	Pending    int
	Requests   uint64
	Accepts    uint64 // accounting: acknowledged
	Rejects    uint64
	Resends    uint64
	Timeouts   uint64 // requests that got no answer
	BadReplies uint64 // of a wrong length, signature or content
	LastRTT    time.Duration
}

type counters struct {
	pending                                                   atomic.Int64
	requests, accepts, rejects, resends, timeouts, badReplies atomic.Uint64
	rtt                                                       atomic.Int64
}

// Monitor gives the counters of a row; false if there is no such row.
func (c *Client) Monitor(id uint64) (Counters, bool) {
	n := c.counters(id)
	if n == nil {
		return Counters{}, false
	}
	return Counters{
		Pending: int(n.pending.Load()), Requests: n.requests.Load(), Accepts: n.accepts.Load(), Rejects: n.rejects.Load(),
		Resends: n.resends.Load(), Timeouts: n.timeouts.Load(), BadReplies: n.badReplies.Load(), LastRTT: time.Duration(n.rtt.Load()),
	}, true
}

// ResetCounters sets the counters of a row to zero; false if there is no such
// row. What is pending stays so.
func (c *Client) ResetCounters(id uint64) bool {
	n := c.counters(id)
	if n == nil {
		return false
	}
	for _, v := range []*atomic.Uint64{&n.requests, &n.accepts, &n.rejects, &n.resends, &n.timeouts, &n.badReplies} {
		v.Store(0)
	}
	n.rtt.Store(0)
	return true
}

// Stray counts the replies that nobody waited for.
func (c *Client) Stray() uint64 { return c.stray.Load() }

func (c *Client) counters(id uint64) *counters {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.servers {
		if s.ID == id {
			return s.n
		}
	}
	return nil
}
