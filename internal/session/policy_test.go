package session

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/shape"
	"gopptp/ppp/auth"
)

// happened gives the server's events so far, as words.
func (p *pair) happened() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var words []string
	for _, e := range p.events {
		switch e.Kind {
		case Up:
			words = append(words, "up "+e.Status.User)
		case Down:
			words = append(words, "down "+e.Status.User)
		case Ended:
			words = append(words, fmt.Sprintf("ended %s %v %v", e.Status.User, e.Cause, e.Lasted.Round(time.Second)))
		}
	}
	return strings.Join(words, ", ")
}

// secret is the user's, with another profile.
func secret(profile string) aaa.Secret {
	return aaa.Secret{ID: 1, Name: "MT-User", Service: "pptp", Password: "StrongPass", Profile: profile, LocalAddress: innerLocal, RemoteAddress: innerPeer}
}

func TestSessionTimeout(t *testing.T) {
	withPair(t, func(p *pair) {
		p.server.PutProfile(5, aaa.Profile{Name: "short", UseEncryption: aaa.Yes, SessionTimeout: time.Hour})
		p.server.PutSecret(secret("short"))
		p.client.PutClient(clientConfig())
		p.devices("<pptp-MT-User>")
		time.Sleep(time.Hour - time.Minute)
		if got := p.happened(); got != "up MT-User" {
			t.Fatalf("events: %s", got)
		}
		time.Sleep(time.Minute + time.Second)
		p.client.RemoveClient(1)
		p.server.logged(t, "pptp,ppp,info <pptp-MT-User>: terminating... - session timeout", "pptp,ppp,info <pptp-MT-User>: disconnected")
		if got := p.happened(); got != "up MT-User, down MT-User, ended MT-User session-timeout 1h0m0s" {
			t.Errorf("events: %s", got)
		}
	})
}

// TestIdleTimeout: keepalive, acknowledgements and control packets are no traffic.
func TestIdleTimeout(t *testing.T) {
	withPair(t, func(p *pair) {
		p.server.PutProfile(5, aaa.Profile{Name: "idle", UseEncryption: aaa.Yes, IdleTimeout: 5 * time.Minute})
		p.server.PutSecret(secret("idle"))
		p.client.PutClient(clientConfig())
		sdev, cdev := p.devices("<pptp-MT-User>")
		for range 6 {
			time.Sleep(4 * time.Minute)
			p.crosses(cdev, sdev)
			time.Sleep(4 * time.Minute)
			p.crosses(sdev, cdev)
		}
		time.Sleep(5*time.Minute - time.Second)
		if got := p.happened(); got != "up MT-User" {
			t.Fatalf("events: %s", got)
		}
		time.Sleep(2 * time.Second)
		p.client.RemoveClient(1)
		p.server.logged(t, "pptp,ppp,info <pptp-MT-User>: terminating... - idle timeout", "pptp,ppp,info <pptp-MT-User>: disconnected")
		if got := p.happened(); got != "up MT-User, down MT-User, ended MT-User idle-timeout 53m0s" {
			t.Errorf("events: %s", got)
		}
	})
}

func TestByteLimits(t *testing.T) {
	for name, change := range map[string]func(*aaa.Secret){
		"in":  func(s *aaa.Secret) { s.LimitIn = 10 * 1400 },
		"out": func(s *aaa.Secret) { s.LimitOut = 10 * 1400 },
	} {
		t.Run(name, func(t *testing.T) {
			withPair(t, func(p *pair) {
				s := secret("default-encryption")
				change(&s)
				p.server.PutSecret(s)
				p.client.PutClient(clientConfig())
				sdev, cdev := p.devices("<pptp-MT-User>")
				from, to := cdev, sdev
				other, another := sdev, cdev
				if name == "out" {
					from, to, other, another = sdev, cdev, cdev, sdev
				}
				for range 9 {
					p.crosses(from, to)
				}
				for range 20 { // the other direction does not count
					p.crosses(other, another)
				}
				time.Sleep(10 * time.Second)
				if got := p.happened(); got != "up MT-User" {
					t.Fatalf("events: %s", got)
				}
				p.crosses(from, to)
				time.Sleep(2 * time.Second)
				p.client.RemoveClient(1)
				p.server.logged(t, "pptp,ppp,info <pptp-MT-User>: terminating... - traffic limit reached")
				if got := p.happened(); !strings.Contains(got, "down MT-User, ended MT-User nas-request") {
					t.Errorf("events: %s", got)
				}
			})
		})
	}
}

// TestOnlyOne: a second session is refused, unless it is from the same address:
// then the first is one that the client has lost.
func TestOnlyOne(t *testing.T) {
	withPair(t, func(p *pair) {
		p.server.PutProfile(5, aaa.Profile{Name: "one", UseEncryption: aaa.Yes, OnlyOne: aaa.Yes})
		p.server.PutSecret(secret("one"))
		p.client.PutClient(clientConfig())
		p.devices("<pptp-MT-User>")
		first := p.server.Active()[0].ID

		p.other.PutClient(clientConfig())
		time.Sleep(10 * time.Second)
		p.server.logged(t, "user MT-User authentication failed - user is already active")
		if a := p.server.Active(); len(a) != 1 || a[0].ID != first {
			t.Errorf("active: %+v", a)
		}
		p.other.RemoveClient(1)

		again := clientConfig()
		again.ID, again.Name = 2, "pptp-out2"
		p.client.PutClient(again)
		time.Sleep(900 * time.Millisecond) // the first client has not dialed again yet
		p.server.logged(t, "pptp,ppp,info <pptp-MT-User>: terminating... - user is already active")
		if a := p.server.Active(); len(a) != 1 || a[0].ID == first || a[0].Interface != "<pptp-MT-User>" {
			t.Errorf("active: %+v", a)
		}
		p.client.RemoveClient(1)
	})
}

// TestWithoutOnlyOne: as many as like.
func TestWithoutOnlyOne(t *testing.T) {
	withPair(t, func(p *pair) {
		p.client.PutClient(clientConfig())
		p.other.PutClient(clientConfig())
		time.Sleep(5 * time.Second)
		if n := len(p.server.Active()); n != 2 {
			t.Errorf("%d active\n%s", n, p.server.lines())
		}
	})
}

func TestRateLimitOfProfile(t *testing.T) {
	withPair(t, func(p *pair) {
		limit := shape.Limit{Rx: shape.Rate{Max: 1e6}, Tx: shape.Rate{Max: 1e6}}
		p.server.PutProfile(5, aaa.Profile{Name: "slow", UseEncryption: aaa.Yes, RateLimit: &limit})
		p.server.PutSecret(secret("slow"))
		p.client.PutClient(clientConfig())
		sdev, cdev := p.devices("<pptp-MT-User>")
		begin := time.Now()
		for range 100 {
			p.crosses(cdev, sdev)
		}
		// 100 packets of 1400 octets are 1.12 s.
		if took := time.Since(begin); took < 1050*time.Millisecond || took > 1200*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

// TestOthersKnowTheUser: a user who is no secret here is asked for elsewhere,
// which may take its time; one who is a secret never is.
func TestOthersKnowTheUser(t *testing.T) {
	withPair(t, func(p *pair) {
		var calls []aaa.Call
		p.authenticate = func(_ context.Context, req *auth.Request, call aaa.Call) *aaa.Grant {
			calls = append(calls, call)
			time.Sleep(2 * time.Second)
			result := req.Verify("elsewhere")
			return &aaa.Grant{OK: result.OK, User: req.User, Result: result, Local: innerLocal, Remote: innerPeer, Encryption: aaa.Yes, Reason: "rejected"}
		}
		c := clientConfig()
		c.User, c.Password = "guest", "elsewhere"
		p.client.PutClient(c)
		p.devices("<pptp-guest>")
		a := p.server.Active()[0]
		want := aaa.Call{CallerID: clientAddr.String(), CalledID: serverAddr.String(), DefaultProfile: "default-encryption", SessionID: a.SessionID, Port: uint32(a.ID)}
		if len(calls) != 1 || calls[0] != want {
			t.Errorf("asked %+v, want %+v", calls, want)
		}
		c.Password = "wrong"
		p.client.PutClient(c)
		time.Sleep(6 * time.Second)
		p.server.logged(t, "user guest authentication failed")

		wrong := clientConfig()
		wrong.Password = "wrong"
		p.client.PutClient(wrong)
		time.Sleep(time.Second)
		asked := len(calls)
		time.Sleep(time.Minute)
		if len(calls) != asked {
			t.Error("others were asked for a user that is a secret")
		}
	})
}

// TestPeerHangsUpWhileOthersThink: nothing is left of a question whose session is
// gone.
func TestPeerHangsUpWhileOthersThink(t *testing.T) {
	withPair(t, func(p *pair) {
		asked := make(chan struct{}, 10)
		p.authenticate = func(ctx context.Context, _ *auth.Request, _ aaa.Call) *aaa.Grant {
			asked <- struct{}{}
			<-ctx.Done()
			return &aaa.Grant{Reason: "gave up"}
		}
		c := clientConfig()
		c.User = "guest"
		p.client.PutClient(c)
		<-asked
		p.client.RemoveClient(1)
		time.Sleep(3 * time.Second)
		p.server.mu.Lock()
		n := len(p.server.sessions)
		p.server.mu.Unlock()
		if n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

// TestGuessingIsSlow: one who guesses waits longer and longer for the answer, and
// one who knows the password never does, from the same address as well.
func TestGuessingIsSlow(t *testing.T) {
	withPair(t, func(p *pair) {
		bad := clientConfig()
		bad.ID, bad.Name, bad.Password = 2, "pptp-out2", "wrong"
		p.client.PutClient(bad)
		time.Sleep(30 * time.Second)
		if n := strings.Count(p.server.lines(), "authentication failed"); n < 3 || n > 12 {
			t.Errorf("%d guesses in 30 s", n)
		}
		begin := time.Now()
		p.client.PutClient(clientConfig())
		p.devices("<pptp-MT-User>")
		if took := time.Since(begin); took > time.Second {
			t.Errorf("the right password took %v", took)
		}
	})
}

func TestGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard()
		now := time.Now()
		one, two := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
		var delays []time.Duration
		for range 6 {
			delays = append(delays, g.failed(now, one))
			now = now.Add(10 * time.Second)
		}
		if got := fmt.Sprint(delays); got != "[250ms 500ms 1s 2s 2s 2s]" {
			t.Errorf("delays %s", got)
		}
		if d := g.failed(now, two); d != firstDelay {
			t.Errorf("another address waits %v", d)
		}
		g.succeeded(one)
		if d := g.failed(now.Add(time.Second), one); d != firstDelay {
			t.Errorf("after a success %v", d)
		}
		if d := g.failed(now.Add(2*forgetFailures), two); d != firstDelay {
			t.Errorf("after a long time %v", d)
		}
		// A flood from many addresses is answered at a bounded pace, and remembered
		// in bounded memory.
		now = now.Add(3 * forgetFailures)
		var last time.Duration
		for i := range 2 * maxFailing {
			last = g.failed(now, netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}))
		}
		if last < maxSpacing || last > maxSpacing+maxDelay+time.Second || len(g.failing) > maxFailing {
			t.Errorf("the last of a flood waits %v; %d addresses", last, len(g.failing))
		}
	})
}

// TestGuardDrivesOutTheFlood: strangers of one address are bounded, and when there
// are too many in all, one of the busiest address makes room.
func TestGuardDrivesOutTheFlood(t *testing.T) {
	g := newGuard()
	stranger := func() *session { return &session{kill: make(chan ending, 1)} }
	flood := netip.MustParseAddr("192.0.2.1")
	var first *session
	for i := range maxStrangersPerAddr {
		s := stranger()
		if i == 0 {
			first = s
		}
		if err := g.enter(s, flood); err != nil {
			t.Fatal(err)
		}
	}
	if g.enter(stranger(), flood) == nil {
		t.Error("one address may have any number")
	}
	g.leave(first, flood)
	g.leave(first, flood) // twice counts once
	if err := g.enter(stranger(), flood); err != nil {
		t.Error(err)
	}
	if g.enter(stranger(), flood) == nil {
		t.Error("a place was given back twice")
	}
	var all []*session
	for i := range maxStrangers - maxStrangersPerAddr {
		s := stranger()
		all = append(all, s)
		if err := g.enter(s, netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})); err != nil {
			t.Fatal(err)
		}
	}
	before := len(g.strangers[flood])
	if err := g.enter(stranger(), netip.MustParseAddr("192.0.2.9")); err != nil {
		t.Errorf("an honest stranger: %v", err)
	}
	if len(g.strangers[flood]) != before-1 || g.total != maxStrangers {
		t.Errorf("%d of %d strangers of the flood are left, %d in all", len(g.strangers[flood]), before, g.total)
	}
	for _, s := range all {
		if len(s.kill) != 0 {
			t.Error("one that is no part of the flood was driven out")
		}
	}
	// Without a busiest address it is the oldest of all.
	for _, s := range slices.Clone(g.strangers[flood]) {
		g.leave(s.session, flood)
	}
	for g.total < maxStrangers {
		g.enter(stranger(), netip.AddrFrom4([4]byte{10, 1, byte(g.total >> 8), byte(g.total)}))
	}
	for i, s := range all[:3] {
		if err := g.enter(stranger(), netip.AddrFrom4([4]byte{10, 2, 0, byte(i)})); err != nil || len(s.kill) != 1 || len(all[i+1].kill) != 0 {
			t.Errorf("the oldest of all did not make room: %v", err)
		}
	}
}

// TestCompression: both ends must want it, and a required encryption stays.
func TestCompression(t *testing.T) {
	for _, test := range []struct {
		name           string
		server, client aaa.Profile
		encoding       string
	}{
		{"with encryption", aaa.Profile{UseEncryption: aaa.Required, UseCompression: aaa.Yes}, aaa.Profile{UseEncryption: aaa.Yes, UseCompression: aaa.Yes}, "MPPC+MPPE128 stateless"},
		{"alone", aaa.Profile{UseCompression: aaa.Yes}, aaa.Profile{UseCompression: aaa.Yes}, "MPPC"},
		{"the client wants none", aaa.Profile{UseEncryption: aaa.Required, UseCompression: aaa.Yes}, aaa.Profile{UseEncryption: aaa.Yes}, "MPPE128 stateless"},
		{"the server wants none", aaa.Profile{UseEncryption: aaa.Yes}, aaa.Profile{UseEncryption: aaa.Yes, UseCompression: aaa.Yes}, "MPPE128 stateless"},
	} {
		t.Run(test.name, func(t *testing.T) {
			withPair(t, func(p *pair) {
				test.server.Name, test.client.Name = "default-encryption", "default-encryption"
				p.server.PutProfile(1, test.server)
				p.client.PutProfile(1, test.client)
				p.client.PutClient(clientConfig())
				sdev, cdev := p.devices("<pptp-MT-User>")
				for range 50 {
					p.crosses(cdev, sdev)
					p.crosses(sdev, cdev)
				}
				if got := p.server.Active()[0].Encoding; got != test.encoding {
					t.Errorf("encoding %q, want %q", got, test.encoding)
				}
			})
		})
	}
}
