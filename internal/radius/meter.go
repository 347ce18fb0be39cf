package radius

import (
	"cmp"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"gopptp/internal/latency"
)

// A Purpose is what a server is asked for.
type Purpose uint8

// The purposes.
const (
	ForAuthentication Purpose = iota
	ForAccounting
	ForStatus // whether it is there: a Status-Server (RFC 5997) to one that did not answer
	NumPurposes
)

// String gives the purpose's name.
func (p Purpose) String() string {
	return [NumPurposes]string{"authentication", "accounting", "status"}[p]
}

// A Result is what became of a request.
type Result uint8

// The results.
const (
	Accepted   Result = iota // of accounting and status: answered
	Rejected                 // a user
	Unanswered               // in time, though it may have been sent several times
	Abandoned                // nobody waits for the answer any more
	Failed                   // there was no packet to send
	NumResults
)

// String gives the result's name.
func (r Result) String() string {
	return [NumResults]string{"accept", "reject", "timeout", "abandoned", "error"}[r]
}

// A meter counts what becomes of the requests to one address. Unlike the counters that
// /radius/monitor shows it is never set to zero.
type meter struct {
	results             [NumPurposes][NumResults]atomic.Uint64
	answered            [NumPurposes]latency.Histogram
	resends, badReplies atomic.Uint64
}

func (m *meter) count(p Purpose, r Result) { m.results[p][r].Add(1) }

// answer counts a request that was answered, when it had taken so long.
func (m *meter) answer(p Purpose, took time.Duration) { m.answered[p].Add(took) }

func purposeOf(p port) Purpose {
	if p == acctPort {
		return ForAccounting
	}
	return ForAuthentication
}

// A Tally is what was counted of the server with an address, by all rows that have it.
type Tally struct {
	Address             netip.Addr
	Results             [NumPurposes][NumResults]uint64
	Answered            [NumPurposes]latency.Snapshot // how long it took, from the first transmission
	Resends, BadReplies uint64
	Pending             int
	// Silent says that the server did not answer when it was last asked for that; nobody
	// knows it of a row that is disabled.
	Silent [NumPurposes]bool
}

// tally gives what was counted of an address.
func (m *meter) tally(a netip.Addr) Tally {
	t := Tally{Address: a, Resends: m.resends.Load(), BadReplies: m.badReplies.Load()}
	for p := range NumPurposes {
		for r := range NumResults {
			t.Results[p][r] = m.results[p][r].Load()
		}
		t.Answered[p] = m.answered[p].Read()
	}
	return t
}

// Tallies gives what was counted of each server in /radius, by address.
func (c *Client) Tallies() []Tally {
	c.mu.Lock()
	servers := c.servers
	c.mu.Unlock()
	var all []Tally
	for _, s := range servers {
		if !s.Address.IsValid() {
			continue
		}
		i := slices.IndexFunc(all, func(t Tally) bool { return t.Address == s.Address })
		if i < 0 {
			i = len(all)
			all = append(all, s.meter.tally(s.Address))
		}
		t := &all[i]
		t.Pending += int(s.n.pending.Load())
		for p := range s.health {
			if s.usable() && s.health[p].isDead() {
				t.Silent[purposeOf(port(p))] = true
			}
		}
	}
	slices.SortFunc(all, func(a, b Tally) int { return cmp.Compare(a.Address.String(), b.Address.String()) })
	return all
}
