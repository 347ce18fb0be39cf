package radius

import (
	"context"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	wire "layeh.com/radius"

	"gopptp/ppp/auth"
)

// TestTallies goes through every result of every purpose.
func TestTallies(t *testing.T) {
	var speak, deny, forge atomic.Bool
	speak.Store(true)
	s := serveFake(t, func(n int, request []byte) [][]byte {
		switch {
		case !speak.Load():
			return nil
		case deny.Load():
			return [][]byte{respond(request, wire.CodeAccessReject, false)}
		case forge.Load():
			b := respond(request, wire.CodeAccessAccept, false)
			b[5] ^= 1
			return [][]byte{b}
		}
		return accept()(n, request)
	})
	one, two := s.row(1), s.row(2) // two rows of one server
	one.CalledID = "192.0.2.9"
	c := newClient(t, one, two)
	tally := func() Tally {
		t.Helper()
		all := c.Tallies()
		if len(all) != 1 || all[0].Address != netip.MustParseAddr("127.0.0.1") {
			t.Fatalf("%+v", all)
		}
		return all[0]
	}
	ask := func(ctx context.Context) { _, _ = c.Authenticate(ctx, papRequest("u", "p")) }

	start := func(secret []byte, n nas) (*wire.Packet, error) {
		return (&Record{Status: Start}).packet(secret, n, time.Now())
	}
	ask(t.Context())
	q := papRequest("u", "p")
	q.Session.Called = one.CalledID
	_, _ = c.Authenticate(t.Context(), q)
	deny.Store(true)
	ask(t.Context())
	deny.Store(false)
	forge.Store(true)
	ask(t.Context())
	forge.Store(false)
	speak.Store(false)
	_ = c.account(t.Context(), papRequest("u", "p").Session, start)
	if got := tally(); !got.Silent[ForAuthentication] || !got.Silent[ForAccounting] {
		t.Errorf("silent: %v", got.Silent)
	}
	probe := func(want uint64) {
		c.probe(t.Context(), time.Now().Add(2*probeInterval))
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
			sum := uint64(0)
			for _, n := range tally().Results[ForStatus] {
				sum += n
			}
			if sum == want {
				return
			}
			if time.Now().After(deadline) {
				t.Fatal("nobody was probed")
			}
		}
	}
	probe(2)
	speak.Store(true)
	for p := range c.servers[1].health {
		c.servers[1].health[p].nextProbe = time.Time{}
	}
	probe(4)
	_ = c.account(t.Context(), papRequest("u", "p").Session, start)
	gone, leave := context.WithCancel(t.Context())
	leave()
	speak.Store(false)
	ask(gone)
	long := papRequest("u", "p")
	long.Credentials.Password = auth.Secret(make([]byte, 200)) // more than a packet can carry
	_, _ = c.Authenticate(t.Context(), long)

	got := tally()
	if want := [NumPurposes][NumResults]uint64{
		ForAuthentication: {Accepted: 2, Rejected: 1, Unanswered: 1, Abandoned: 1, Failed: 1},
		ForAccounting:     {Accepted: 1, Unanswered: 1},
		ForStatus:         {Accepted: 2, Unanswered: 2},
	}; got.Results != want {
		t.Errorf("%v, want %v", got.Results, want)
	}
	for p, want := range [NumPurposes]uint64{3, 1, 2} {
		if a := got.Answered[p]; a.Count != want || a.Sum <= 0 || a.Sum > time.Minute {
			t.Errorf("%v: %d answered in %v", Purpose(p), a.Count, a.Sum)
		}
	}
	if got.BadReplies != transmissions || got.Resends != 2*(transmissions-1) || got.Pending != 0 || got.Silent != [NumPurposes]bool{} {
		t.Errorf("%+v", got)
	}

	c.ResetCounters(1)
	c.ResetCounters(2)
	if after := tally(); after.Results != got.Results || after.Resends != got.Resends {
		t.Errorf("reset-counters has set back %+v", after)
	}
	c.Configure([]Server{two})
	if after := tally(); after.Results != got.Results || after.Resends != got.Resends || after.Answered[ForStatus].Count != got.Answered[ForStatus].Count {
		t.Errorf("a row that is gone has taken along what was counted of the server that another has: %+v", after)
	}
	two.Address = netip.MustParseAddr("127.0.0.2")
	c.Configure([]Server{two})
	if all := c.Tallies(); len(all) != 1 || all[0].Address != two.Address || all[0].Results[ForAuthentication][Accepted] != 0 {
		t.Errorf("another address has what was counted of the old one: %+v", all)
	}
}
