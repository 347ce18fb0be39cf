package login

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

func TestCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := newGate()
		try := func(ctx context.Context, d Door, password string, from netip.Addr) {
			if _, leave, err := g.Login(ctx, Attempt{Door: d, From: from, Name: "admin", Password: password}); err == nil {
				leave()
			}
		}
		ended, end := context.WithCancel(t.Context())
		end()
		try(t.Context(), DoorSSH, "secret", home)
		try(t.Context(), DoorSSH, "wrong", home)
		try(ended, DoorAPI, "wrong", home)
		try(t.Context(), DoorLocal, "", netip.Addr{})
		try(t.Context(), DoorWeb, "secret", netip.Addr{}) // from nowhere
		try(t.Context(), "tunnel", "secret", home)        // no such door
		for _, c := range []struct {
			door Door
			want [NumOutcomes]uint64
		}{
			{DoorSSH, [...]uint64{1, 1, 0}}, {DoorAPI, [...]uint64{0, 0, 0}}, {DoorLocal, [...]uint64{0, 0, 0}}, {DoorWeb, [...]uint64{0, 1, 0}}, {"tunnel", [...]uint64{0, 0, 0}},
		} {
			for o, want := range c.want {
				if got := g.Count(c.door, Outcome(o)); got != want {
					t.Errorf("%s %v: %d, want %d", c.door, Outcome(o), got, want)
				}
			}
		}
	})
}

// TestCountThrottled: who is not even looked at is counted as such.
func TestCountThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := newGate()
		const attempts = 200
		try := func() {
			_, _, _ = g.Login(t.Context(), Attempt{Door: DoorAPI, From: home, Name: "admin", Password: "wrong"})
		}
		try() // from now on the others queue
		var all sync.WaitGroup
		for range attempts - 1 {
			all.Go(try)
		}
		all.Wait()
		if denied, throttled := g.Count(DoorAPI, Denied), g.Count(DoorAPI, Throttled); denied == 0 || throttled == 0 || denied+throttled != attempts {
			t.Errorf("%d denied, %d throttled", denied, throttled)
		}
	})
	if d := Doors(); len(d) != len(doorPolicy) || !slices.IsSorted(d) {
		t.Errorf("doors %v", d)
	}
}
