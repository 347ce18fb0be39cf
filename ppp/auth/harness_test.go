package auth

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"gopptp/mppe"
	"gopptp/ppp"
)

// start is any time; the machines must not look at another clock.
var start = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

func newAuthenticator(t testing.TB, m Method) *Authenticator {
	t.Helper()
	a, err := NewAuthenticator(AuthenticatorConfig{Method: m, Name: "server"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func newPeer(t testing.TB, m Method, user, password string) *Peer {
	t.Helper()
	p, err := NewPeer(PeerConfig{Method: m, User: user, Password: Secret(password)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// next takes the next output, which must be of type T.
func next[T Output](t testing.TB, m interface{ Next() (Output, bool) }) T {
	t.Helper()
	o, ok := m.Next()
	if !ok {
		t.Fatalf("no output, want %T", *new(T))
	}
	got, ok := o.(T)
	if !ok {
		t.Fatalf("output %T %v, want %T", o, o, *new(T))
	}
	return got
}

// none fails if there is an output.
func none(t testing.TB, m interface{ Next() (Output, bool) }) {
	t.Helper()
	if o, ok := m.Next(); ok {
		t.Fatalf("unexpected output %T %v", o, o)
	}
}

// packet takes the next output, a Frame, and parses it.
func packet(t testing.TB, m interface{ Next() (Output, bool) }) ppp.Packet {
	t.Helper()
	var p ppp.Packet
	must(t, p.Parse(next[Frame](t, m).Packet))
	return p
}

func raw(code, id uint8, data []byte) []byte {
	return (&ppp.Packet{Code: code, ID: id, Data: data}).Append(nil)
}

// A channel carries packets in virtual time and may lose, double and delay them.
type channel struct {
	rng            *rand.Rand
	lose, dup      float64
	maxDelay       time.Duration
	lookup         time.Duration // how long the owner takes to answer
	toPeer, toAuth []flight
	answer         Result
	answerAt       time.Time
	authDone       []Done
	peerDone       []Done
	requests       int
	serverPassword string
}

type flight struct {
	at time.Time
	f  Frame
}

func (c *channel) send(q *[]flight, now time.Time, f Frame) {
	if c.rng.Float64() < c.lose {
		return
	}
	for n := 1; n > 0; n-- {
		delay := time.Duration(0)
		if c.maxDelay > 0 {
			delay = time.Duration(c.rng.Int64N(int64(c.maxDelay)))
		}
		*q = append(*q, flight{now.Add(delay), f})
		if c.rng.Float64() < c.dup {
			n++
		}
	}
}

func (c *channel) drain(t testing.TB, a *Authenticator, p *Peer, now time.Time) {
	for {
		o, ok := a.Next()
		if !ok {
			break
		}
		switch o := o.(type) {
		case Frame:
			c.send(&c.toPeer, now, o)
		case *Request:
			c.requests++
			c.answer, c.answerAt = o.Verify(c.serverPassword), now.Add(c.lookup)
		case Done:
			c.authDone = append(c.authDone, o)
		}
	}
	for {
		o, ok := p.Next()
		if !ok {
			break
		}
		switch o := o.(type) {
		case Frame:
			c.send(&c.toAuth, now, o)
		case Done:
			c.peerDone = append(c.peerDone, o)
		default:
			t.Fatalf("a peer puts out %T", o)
		}
	}
}

// run carries packets until nothing is left to happen.
func (c *channel) run(t testing.TB, a *Authenticator, p *Peer) {
	t.Helper()
	now := start
	must(t, a.Start(now))
	must(t, p.Start(now))
	input := func(err error) {
		if err != nil && !errors.Is(err, ErrUnexpected) {
			t.Fatal(err)
		}
	}
	for range 10_000 {
		c.drain(t, a, p, now)
		// The earliest thing to happen.
		var at time.Time
		var do func()
		consider := func(when time.Time, f func()) {
			if do == nil || when.Before(at) {
				at, do = when, f
			}
		}
		for i, f := range c.toPeer {
			consider(f.at, func() {
				c.toPeer = append(c.toPeer[:i:i], c.toPeer[i+1:]...)
				input(p.Input(now, f.f.Protocol, f.f.Packet))
			})
		}
		for i, f := range c.toAuth {
			consider(f.at, func() {
				c.toAuth = append(c.toAuth[:i:i], c.toAuth[i+1:]...)
				input(a.Input(now, f.f.Protocol, f.f.Packet))
			})
		}
		if !c.answerAt.IsZero() {
			consider(c.answerAt, func() { c.answerAt = time.Time{}; a.Answer(c.answer) })
		}
		if d, ok := a.Deadline(); ok {
			consider(d, func() { a.Tick(now) })
		}
		if d, ok := p.Deadline(); ok {
			consider(d, func() { p.Tick(now) })
		}
		if do == nil {
			return
		}
		if at.After(now) {
			now = at
		}
		do()
	}
	t.Fatal("the machines never come to rest")
}

func sameKeys(t testing.TB, server, client *mppe.Keys) {
	t.Helper()
	if (server == nil) != (client == nil) {
		t.Fatalf("server has keys: %v, client: %v", server != nil, client != nil)
	}
	if server != nil && (server.Send != client.Receive || server.Receive != client.Send) {
		t.Error("the keys do not match crosswise")
	}
}
