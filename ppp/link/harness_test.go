package link

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"gopptp/ppp"
	"gopptp/ppp/auth"
)

// start is any time; the machines must not look at another clock.
var start = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

var (
	serverAddr = netip.MustParseAddr("10.0.0.1")
	clientAddr = netip.MustParseAddr("10.0.0.5")
	dnsAddr    = netip.MustParseAddr("10.0.0.53")
	allMethods = []auth.Method{auth.MSCHAPv2, auth.MSCHAPv1, auth.CHAP, auth.PAP}
)

const password = "StrongPass"

// source is a deterministic io.Reader for a Config.
func source(seed uint64) *rand.ChaCha8 {
	return rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), 1})
}

func serverConfig() Config {
	return Config{Server: true, Auth: allMethods, Name: "gw", Local: serverAddr, Remote: clientAddr,
		DNS: []netip.Addr{dnsAddr}, Encryption: EncryptionYes, Rand: source(1)}
}

func clientConfig() Config {
	return Config{Auth: allMethods, User: "MT-User", Password: password, RequestDNS: true,
		Encryption: EncryptionYes, Rand: source(2)}
}

// An end is a link under test and what it put out.
type end struct {
	t    testing.TB
	name string
	link *Link
	log  []Output
	// grant, if not nil, answers AuthRequests; lookup is how long that takes.
	grant  func(*auth.Request) Grant
	lookup time.Duration
	out    func(now time.Time, f Frame)
	answer *Grant
	due    time.Time
}

// drain takes the queue.
func (e *end) drain(now time.Time) {
	for o, ok := e.link.Next(); ok; o, ok = e.link.Next() {
		e.log = append(e.log, o)
		switch o := o.(type) {
		case Frame:
			if e.out != nil {
				e.out(now, o)
			}
		case AuthRequest:
			if e.grant != nil {
				g := e.grant(o.Request)
				if e.lookup == 0 {
					e.link.Authorize(now, g)
				} else {
					e.answer, e.due = &g, now.Add(e.lookup)
				}
			}
		}
	}
}

// got gives the outputs of one type.
func got[T Output](e *end) []T {
	var found []T
	for _, o := range e.log {
		if v, ok := o.(T); ok {
			found = append(found, v)
		}
	}
	return found
}

// one gives the only output of a type.
func one[T Output](e *end) T {
	e.t.Helper()
	all := got[T](e)
	if len(all) != 1 {
		e.t.Fatalf("%s: %d outputs %T, want 1\n%s", e.name, len(all), *new(T), e.dump())
	}
	return all[0]
}

// none asserts that there is no output of a type.
func none[T Output](e *end) {
	e.t.Helper()
	if n := len(got[T](e)); n != 0 {
		e.t.Fatalf("%s: %d outputs %T, want none\n%s", e.name, n, *new(T), e.dump())
	}
}

func (e *end) dump() string {
	s := ""
	for _, o := range e.log {
		if f, ok := o.(Frame); ok {
			s += "  > " + describe(f) + "\n"
			continue
		}
		s += fmt.Sprintf("  %T %v\n", o, o)
	}
	return s
}

func describe(f []byte) string {
	h, p := parse(f)
	return fmt.Sprintf("%v code %d id %d %x", h.Protocol, p.Code, p.ID, p.Data)
}

// parse reads a frame; a bad one gives zeros.
func parse(f []byte) (h ppp.Header, p ppp.Packet) {
	if info, err := h.Parse(f); err == nil {
		_ = p.Parse(info)
	}
	return h, p
}

// verify is an owner with one secret.
func verify(r *auth.Request) Grant { return Grant{Result: r.Verify(password)} }

// A wire joins two links in virtual time and may lose, double and delay frames.
type wire struct {
	t              testing.TB
	server, client *end
	now            time.Time
	rng            *rand.Rand
	lose, dup      float64
	delay, jitter  time.Duration
	flying         []flight
	filter         func(from *end, f Frame) bool // false swallows the frame
	steps          int
}

type flight struct {
	at time.Time
	to *end
	f  Frame
}

func newWire(t testing.TB, server, client Config) *wire {
	w := &wire{t: t, now: start, rng: rand.New(rand.NewPCG(1, 2))}
	w.server = &end{t: t, name: "server", link: New(server), grant: verify}
	w.client = &end{t: t, name: "client", link: New(client)}
	w.server.out = func(now time.Time, f Frame) { w.send(w.server, w.client, f) }
	w.client.out = func(now time.Time, f Frame) { w.send(w.client, w.server, f) }
	return w
}

func (w *wire) send(from, to *end, f Frame) {
	if w.filter != nil && !w.filter(from, f) || w.rng.Float64() < w.lose {
		return
	}
	for n := 1; n > 0; n-- {
		d := w.delay
		if w.jitter > 0 {
			d += time.Duration(w.rng.Int64N(int64(w.jitter)))
		}
		w.flying = append(w.flying, flight{w.now.Add(d), to, f})
		if w.rng.Float64() < w.dup {
			n++
		}
	}
}

func (w *wire) start() {
	w.server.link.Start(w.now)
	w.client.link.Start(w.now)
	w.drain()
}

func (w *wire) drain() {
	w.server.drain(w.now)
	w.client.drain(w.now)
}

// step lets the earliest thing happen, if it is not after the limit.
func (w *wire) step(limit time.Time) bool {
	var at time.Time
	var do func()
	consider := func(when time.Time, f func()) {
		if do == nil || when.Before(at) {
			at, do = when, f
		}
	}
	for i, f := range w.flying {
		consider(f.at, func() {
			w.flying = append(w.flying[:i:i], w.flying[i+1:]...)
			f.to.link.Input(w.now, f.f)
		})
	}
	for _, e := range []*end{w.server, w.client} {
		if e.answer != nil {
			consider(e.due, func() {
				g := *e.answer
				e.answer = nil
				e.link.Authorize(w.now, g)
			})
		}
		if d, ok := e.link.Deadline(); ok {
			consider(d, func() { e.link.Tick(w.now) })
		}
	}
	if do == nil || at.After(limit) {
		return false
	}
	if at.After(w.now) {
		w.now = at
	}
	if w.steps++; w.steps > 100_000 {
		w.t.Fatal("the links never come to rest")
	}
	do()
	w.drain()
	return true
}

// until runs until the condition holds, at most for d.
func (w *wire) until(d time.Duration, cond func() bool) bool {
	limit := w.now.Add(d)
	for !cond() {
		if !w.step(limit) {
			return cond()
		}
	}
	return true
}

// run lets d pass.
func (w *wire) run(d time.Duration) {
	limit := w.now.Add(d)
	for w.step(limit) {
	}
	w.now = limit
}

func (e *end) isUp() bool    { return e.link.up }
func (w *wire) bothUp() bool { return w.server.isUp() && w.client.isUp() }
func (w *wire) bothDead() bool {
	return w.server.link.Dead() && w.client.link.Dead()
}

// connect brings both ends up without a loss, which must need no timer at all.
func connect(t testing.TB, server, client Config) *wire {
	t.Helper()
	w := newWire(t, server, client)
	w.start()
	if !w.until(time.Minute, w.bothUp) {
		t.Fatalf("not up\nserver:\n%s\nclient:\n%s", w.server.dump(), w.client.dump())
	}
	return w
}

// cut takes the client away: what the server sends goes nowhere, and the test
// speaks for the peer.
func (w *wire) cut() {
	w.filter = func(*end, Frame) bool { return false }
	w.flying = nil
}

// inject gives e a packet as if its peer had sent it, and returns the frames that
// e sends in answer.
func (w *wire) inject(e *end, proto ppp.Protocol, code, id uint8, data string) []Frame {
	p := ppp.Packet{Code: code, ID: id, Data: []byte(data)}
	return w.injectFrame(e, p.Append(ppp.Header{Protocol: proto}.Append(nil)))
}

func (w *wire) injectFrame(e *end, f []byte) []Frame {
	n := len(e.log)
	e.link.Input(w.now, f)
	e.drain(w.now)
	return framesOf(e.log[n:])
}

func framesOf(log []Output) []Frame {
	var fs []Frame
	for _, o := range log {
		if f, ok := o.(Frame); ok {
			fs = append(fs, f)
		}
	}
	return fs
}

// expect asserts that the only frame is a packet of the protocol and code, and
// returns its data.
func expect(t testing.TB, fs []Frame, proto ppp.Protocol, code uint8) ppp.Packet {
	t.Helper()
	if len(fs) != 1 {
		t.Fatalf("%d frames, want one: %v", len(fs), describeAll(fs))
	}
	h, p := parse(fs[0])
	if h.Protocol != proto || p.Code != code {
		t.Fatalf("got %s, want %v code %d", describe(fs[0]), proto, code)
	}
	return p
}

func describeAll(fs []Frame) []string {
	var s []string
	for _, f := range fs {
		s = append(s, describe(f))
	}
	return s
}

// find gives the packets of a protocol and code among all that e sent.
func (e *end) find(proto ppp.Protocol, code uint8) []ppp.Packet {
	var ps []ppp.Packet
	for _, f := range framesOf(e.log) {
		if h, p := parse(f); h.Protocol == proto && p.Code == code {
			ps = append(ps, p)
		}
	}
	return ps
}
