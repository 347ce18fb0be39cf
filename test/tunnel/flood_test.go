package tunnel

import (
	"cmp"
	"context"
	"io"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gopptp/internal/host/hosttest"
	"gopptp/internal/plane"
	"gopptp/pptp"
	"gopptp/test/rig"
)

const (
	// hostile is how many connections a second the server must bear.
	hostile = 200
	// floodVariable makes the floods as long as it says, as 30s; make flood sets it.
	floodVariable = "GOPPTP_FLOOD"
)

// crowd is where the hostile ones are.
var crowd = netip.MustParsePrefix("10.66.0.0/16")

// An attack is what a hostile connection does.
type attack func(ctx context.Context, c *caller, from netip.Addr)

// silent connects and says nothing.
func silent(ctx context.Context, c *caller, from netip.Addr) {
	nc, err := c.connect(ctx, from)
	if err != nil {
		return
	}
	defer nc.Close()
	defer context.AfterFunc(ctx, func() { nc.Close() })()
	_, _ = io.Copy(io.Discard, nc)
}

// mute gets a call and never answers in PPP.
func mute(ctx context.Context, c *caller, from netip.Addr) {
	_ = c.call(ctx, from, func(_ *plane.Call, call *pptp.Call) error {
		select {
		case <-call.Done():
		case <-ctx.Done():
		}
		return nil
	})
}

// guess tries a password.
func guess(ctx context.Context, c *caller, from netip.Addr) {
	_, _ = c.dial(ctx, from, "good", "wrong")
}

// TestRequiresRootFlood: while hostile connections come, from one address and from
// many, a good client connects in less than twice the time that it needs without
// them.
func TestRequiresRootFlood(t *testing.T) {
	server := newMachine(t, "server")
	good, own := hosttest.New(t), newMachine(t, "crowd")
	bad := own.Namespace
	cable := func(n *hosttest.Namespace, port, net string) {
		hosttest.Cable(t, 1500,
			hosttest.Port{In: server.Namespace, Name: port, Prefix: netip.MustParsePrefix(net + ".2/24")},
			hosttest.Port{In: n, Name: "wan", Prefix: netip.MustParsePrefix(net + ".3/24")})
	}
	cable(good, "wan", "192.168.51")
	cable(bad, "crowd", "192.168.52")
	server.Route(crowd, netip.MustParseAddr("192.168.52.3"))
	bad.Route(netip.MustParsePrefix("192.168.51.0/24"), netip.MustParseAddr("192.168.52.2"))
	own.Run("ip", "route", "add", "local", crowd.String(), "dev", "lo")
	server.Start()
	server.On(
		"/interface/pptp-server/server/set enabled=yes",
		"/ip/pool/add name=p ranges=10.0.0.2-10.0.255.254",
		"/ppp/profile/set default-encryption remote-address=p local-address=10.0.0.1",
		"/ppp/secret/add name=good password=p",
	)
	client, enemy := newCaller(t, good), newCaller(t, bad)

	var long time.Duration
	if text := os.Getenv(floodVariable); text != "" {
		var err error
		if long, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	connects := func(until func(n int) bool) time.Duration {
		var times []time.Duration
		for n := 0; !until(n); n++ {
			took, err := client.dial(t.Context(), netip.MustParseAddr(rig.ClientAddress), "good", "p")
			if err != nil {
				t.Errorf("a good client did not get in: %v", err)
				took = callLimit
			}
			times = append(times, took)
			time.Sleep(20 * time.Millisecond)
		}
		slices.Sort(times)
		t.Logf("%d good calls, the median %v, the longest %v", len(times), times[len(times)/2], times[len(times)-1])
		return times[len(times)/2]
	}
	quiet := connects(func(n int) bool { return n == 30 })
	for _, f := range []struct {
		name    string
		attacks []attack
		many    bool // addresses
		short   time.Duration
	}{
		{"silent from one", []attack{silent}, false, 0},
		{"silent from many", []attack{silent}, true, 3 * time.Second}, // that is more than may be half-open
		{"mute from one", []attack{mute}, false, 0},
		{"mute from many", []attack{mute}, true, 0},
		{"guess from one", []attack{guess}, false, 0},
		{"guess from many", []attack{guess}, true, 0},
		{"all from one", []attack{silent, mute, guess}, false, 1500 * time.Millisecond},
		{"all from many", []attack{silent, mute, guess}, true, 1500 * time.Millisecond},
	} {
		length := cmp.Or(long, f.short)
		if length == 0 {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			ctx, stop := context.WithTimeout(t.Context(), length+callLimit)
			defer stop()
			var all sync.WaitGroup
			var come atomic.Int64
			over := make(chan struct{})
			all.Go(func() {
				defer close(over)
				tick := time.NewTicker(time.Second / hostile)
				defer tick.Stop()
				from := crowd.Addr()
				for n := range int(length.Seconds() * hostile) {
					if n == 0 || f.many {
						from = from.Next()
					}
					from := from
					<-tick.C
					all.Go(func() {
						f.attacks[n%len(f.attacks)](ctx, enemy, from)
						come.Add(1)
					})
				}
			})
			flooded := connects(func(n int) bool {
				select {
				case <-over:
					return n > 0
				default:
					return false
				}
			})
			stop()
			all.Wait()
			t.Logf("%d hostile connections in %v", come.Load(), length)
			if flooded <= 2*quiet {
				return
			}
			// Perhaps the machine has become slower meanwhile, and not the server.
			if again := connects(func(n int) bool { return n == 30 }); flooded > 2*again {
				t.Errorf("the median is %v, before it was %v and afterwards %v", flooded, quiet, again)
			}
		})
	}
}
