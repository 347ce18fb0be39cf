package link

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"gopptp/ppp"
	"gopptp/ppp/auth"
	"gopptp/ppp/cp"
	"gopptp/ppp/ipcp"
)

func TestWrongPassword(t *testing.T) {
	for _, m := range allMethods {
		s, c := serverConfig(), clientConfig()
		s.Auth, c.Password = []auth.Method{m}, "wrong"
		w := newWire(t, s, c)
		w.start()
		w.run(3 * time.Second)
		if d := one[Down](w.server); d.Reason != ReasonAuth || !errors.Is(d.Cause, auth.ErrRefused) {
			t.Errorf("%v: server %+v", m, d)
		}
		if d := one[Down](w.client); d.Reason != ReasonOurAuth {
			t.Errorf("%v: client %+v", m, d)
		}
		none[Authenticated](w.server)
		none[NetworkUp](w.client)
		if text := w.client.dump() + fmt.Sprintf("%+v %#v", w.client.log, w.client.log); strings.Contains(text, "wrong") {
			t.Errorf("%v: the password is in the outputs' text", m)
		}
	}
}

func TestNoAddress(t *testing.T) {
	s := serverConfig()
	s.Remote = netip.Addr{}
	w := newWire(t, s, clientConfig())
	w.start()
	w.run(5 * time.Second)
	if d := one[Down](w.server); d.Reason != ReasonAddress || d.Cause != ipcp.ErrNoAddress {
		t.Errorf("%+v", d)
	}
	one[Authenticated](w.server)

	// The address comes with the grant.
	w = newWire(t, s, clientConfig())
	other := netip.MustParseAddr("10.9.9.9")
	w.server.grant = func(r *auth.Request) Grant {
		return Grant{Result: r.Verify(password), Remote: other, Encryption: EncryptionRequired}
	}
	w.start()
	w.run(time.Second)
	if u := one[NetworkUp](w.client); u.Local != other || u.Send.Strength == 0 {
		t.Errorf("%+v", u)
	}
}

// TestClose is the orderly end, from either side.
func TestClose(t *testing.T) {
	w := connect(t, serverConfig(), clientConfig())
	w.server.link.Close(w.now, "administrator request")
	w.server.link.Close(w.now, "again")
	w.drain()
	w.run(0)
	if d := one[Down](w.server); d.Reason != "administrator request" {
		t.Errorf("%+v", d)
	}
	if d := one[Down](w.client); d.Reason != ReasonHungup {
		t.Errorf("%+v", d)
	}
	for _, e := range []*end{w.server, w.client} {
		one[NetworkDown](e)
		one[Blocked](e)
		if _, ok := e.log[len(e.log)-1].(Down); !ok || !e.link.Dead() {
			t.Errorf("%s: Down is not the last\n%s", e.name, e.dump())
		}
		n := len(e.log)
		for _, f := range []string{"\xff\x03\xc0\x21\x01\x01\x00\x04", "\xfd\x90\x00", "\xff\x03\xc2\x23\x01\x01\x00\x04"} {
			w.injectFrame(e, []byte(f))
		}
		e.link.Start(w.now)
		e.link.Tick(w.now.Add(time.Hour))
		e.link.Undecryptable(w.now)
		e.link.NeedReset(w.now)
		e.link.Authorize(w.now, Grant{})
		e.link.Close(w.now, "late")
		e.drain(w.now)
		if len(e.log) != n {
			t.Errorf("%s: the dead speak: %v", e.name, e.log[n:])
		}
		if _, ok := e.link.Deadline(); ok {
			t.Errorf("%s: the dead wait", e.name)
		}
	}
}

// TestCloseSilentPeer: two tries, within two seconds.
func TestCloseSilentPeer(t *testing.T) {
	w := connect(t, serverConfig(), clientConfig())
	w.cut()
	w.server.link.Close(w.now, "x")
	w.drain()
	w.until(time.Minute, w.server.link.Dead)
	if d := w.now.Sub(start); !w.server.link.Dead() || d > 2*time.Second {
		t.Errorf("took %v", d)
	}
	if n := len(w.server.find(ppp.ProtocolLCP, 5)); n != 2 {
		t.Errorf("%d Terminate-Requests", n)
	}
}

// TestCloseInEveryPhase: however far the link is, it ends once, in time.
func TestCloseInEveryPhase(t *testing.T) {
	for steps := range 60 {
		for _, cut := range []bool{false, true} {
			w := newWire(t, serverConfig(), clientConfig())
			w.delay = time.Millisecond
			w.start()
			for range steps {
				if w.bothUp() || !w.step(start.Add(time.Second)) {
					break
				}
			}
			if cut {
				w.cut()
			}
			at := w.now
			w.client.link.Close(at, "x")
			w.drain()
			w.until(time.Minute, w.client.link.Dead)
			if d := one[Down](w.client); d.Reason != "x" || w.now.Sub(at) > 2*time.Second {
				t.Errorf("after %d steps: %+v after %v", steps, d, w.now.Sub(at))
			}
		}
	}
}

// TestPeerLeavesInEveryPhase: a Terminate-Request is acked, and that is the end.
func TestPeerLeavesInEveryPhase(t *testing.T) {
	for steps := range 60 {
		w := newWire(t, serverConfig(), clientConfig())
		w.delay = time.Millisecond
		w.start()
		for range steps {
			if w.bothUp() || !w.step(start.Add(time.Second)) {
				break
			}
		}
		w.cut()
		expect(t, w.inject(w.server, ppp.ProtocolLCP, 5, 200, "bye"), ppp.ProtocolLCP, 6)
		if d := one[Down](w.server); d.Reason != ReasonHungup {
			t.Errorf("after %d steps: %+v", steps, d)
		}
	}
}

// TestNobodyThere: no answer at all.
func TestNobodyThere(t *testing.T) {
	w := newWire(t, serverConfig(), clientConfig())
	w.cut()
	w.start()
	w.run(time.Minute)
	for _, e := range []*end{w.server, w.client} {
		if d := one[Down](e); d.Reason != ReasonNotResponding || d.Cause != cp.ErrTimeout {
			t.Errorf("%s: %+v", e.name, d)
		}
		if n := len(e.find(ppp.ProtocolLCP, 1)); n != 10 {
			t.Errorf("%s: %d requests", e.name, n)
		}
	}
}

// TestStubbornPeer answers everything and agrees to nothing.
func TestStubbornPeer(t *testing.T) {
	w := newWire(t, serverConfig(), clientConfig())
	w.cut()
	w.server.link.Start(w.now)
	w.drain()
	for id := uint8(0); !w.server.link.Dead() && w.now.Sub(start) < 5*time.Minute; id++ {
		w.ackOurs(w.server, ppp.ProtocolLCP)
		w.inject(w.server, ppp.ProtocolLCP, 1, id, "\x01\x04\x00\x10")
		w.run(2 * time.Second)
	}
	if d := one[Down](w.server); d.Reason != ReasonLCP || d.Cause != ErrPhase {
		t.Errorf("%+v", d)
	}
}

// TestKeepalive is the founding page: silence, then an echo a second, five times.
func TestKeepalive(t *testing.T) {
	s := serverConfig()
	s.Keepalive = 30 * time.Second
	w := connect(t, s, clientConfig())
	w.run(10 * time.Minute) // the client answers
	none[MissedEcho](w.server)
	w.cut()
	heard := w.now
	w.server.link.Heard(heard)
	w.run(33 * time.Second) // three echoes
	if n := len(got[MissedEcho](w.server)); n != 3 {
		t.Errorf("%d missed", n)
	}
	w.server.link.Heard(w.now) // a user packet ends it
	heard = w.now
	w.server.log = nil
	w.until(time.Minute, w.server.link.Dead)
	if d := w.now.Sub(heard); d != 35*time.Second {
		t.Errorf("ended after %v", d)
	}
	for i, m := range got[MissedEcho](w.server) {
		if m.N != i+1 {
			t.Errorf("missed %d at place %d", m.N, i)
		}
	}
	if n, e := len(got[MissedEcho](w.server)), len(w.server.find(ppp.ProtocolLCP, 9)); n != 5 || e != 5 {
		t.Errorf("%d missed of %d", n, e)
	}
	if d := one[Down](w.server); d.Reason != ReasonNotResponding {
		t.Errorf("%+v", d)
	}
	one[NetworkDown](w.server)
	if n := len(w.server.find(ppp.ProtocolLCP, 5)); n != 1 {
		t.Errorf("%d Terminate-Requests", n)
	}
}

// TestKeepaliveWhileAsking: an AAA server that takes its time is not a silent
// peer.
func TestKeepaliveWhileAsking(t *testing.T) {
	s := serverConfig()
	s.Keepalive = 2 * time.Second
	w := newWire(t, s, clientConfig())
	w.server.lookup = 40 * time.Second
	w.start()
	if !w.until(time.Minute, w.bothUp) {
		t.Fatalf("not up\n%s", w.server.dump())
	}
	none[MissedEcho](w.server)
}

// TestAuthorizeTwice: only the first answer to a request counts.
func TestAuthorizeTwice(t *testing.T) {
	w := newWire(t, serverConfig(), clientConfig())
	w.server.grant = func(r *auth.Request) Grant {
		g := verify(r)
		w.server.link.Authorize(w.now, g)
		g.Remote = serverAddr
		return g
	}
	w.start()
	w.run(time.Second)
	if u := one[NetworkUp](w.server); u.Remote != clientAddr {
		t.Errorf("%+v", u)
	}
}

// TestPeerClosesIPCP ends the link.
func TestPeerClosesIPCP(t *testing.T) {
	w := connect(t, serverConfig(), clientConfig())
	w.cut()
	expect(t, w.inject(w.server, ppp.ProtocolIPCP, 5, 9, ""), ppp.ProtocolIPCP, 6)
	one[NetworkDown](w.server)
	w.run(10 * time.Second)
	if d := one[Down](w.server); d.Reason != ReasonHungup {
		t.Errorf("%+v", d)
	}
	// A peer without IPCP.
	w = scripted(t, serverConfig(), EncryptionNo)
	w.inject(w.server, ppp.ProtocolLCP, 8, 9, "\x80\x21\x01\x01\x00\x04")
	w.run(5 * time.Second)
	if d := one[Down](w.server); d.Reason != ReasonAddress || d.Cause != cp.ErrRejected {
		t.Errorf("%+v", d)
	}
}

// TestIPCPRenegotiation: the gate closes and opens again.
func TestIPCPRenegotiation(t *testing.T) {
	w := scripted(t, serverConfig(), EncryptionNo)
	w.bringUp()
	w.inject(w.server, ppp.ProtocolIPCP, 1, 9, ipcpWanted)
	one[NetworkDown](w.server)
	w.inject(w.server, ppp.ProtocolIPCP, 1, 10, "\x03\x06\x0a\x00\x00\x05")
	w.ackOurs(w.server, ppp.ProtocolIPCP)
	if !w.server.isUp() || len(got[NetworkUp](w.server)) != 2 {
		t.Errorf("not up again\n%s", w.server.dump())
	}
}

// TestRepeatedRequest: a copy of the request that opened a layer is acked again
// and closes nothing; the same request much later starts anew.
func TestRepeatedRequest(t *testing.T) {
	w := connect(t, serverConfig(), clientConfig())
	w.cut()
	for _, proto := range []ppp.Protocol{ppp.ProtocolLCP, ppp.ProtocolCCP, ppp.ProtocolIPCP} {
		reqs := w.client.find(proto, 1)
		last := reqs[len(reqs)-1]
		p := expect(t, w.inject(w.server, proto, 1, last.ID, string(last.Data)), proto, 2)
		if string(p.Data) != string(last.Data) {
			t.Errorf("%v: acked %x", proto, p.Data)
		}
		acks := w.client.find(proto, 2)
		if fs := w.inject(w.server, proto, 2, acks[0].ID, string(acks[0].Data)); len(fs) != 0 {
			t.Errorf("%v: a copy of an Ack got %v", proto, describeAll(fs))
		}
	}
	none[NetworkDown](w.server)
	none[Blocked](w.server)
	w.run(time.Minute)
	reqs := w.client.find(ppp.ProtocolLCP, 1)
	last := reqs[len(reqs)-1]
	w.inject(w.server, ppp.ProtocolLCP, 1, last.ID, string(last.Data))
	one[NetworkDown](w.server)
}

// TestQueueIsBounded: an owner that takes nothing loses the link, not the memory.
func TestQueueIsBounded(t *testing.T) {
	s := serverConfig()
	s.Keepalive = time.Second
	w := connect(t, s, clientConfig())
	l := w.server.link
	for i := range 10_000 {
		now := start.Add(time.Duration(3*i) * time.Second)
		reset := ppp.Packet{Code: 14, ID: byte(i)}
		v6 := ppp.Packet{Code: 1, ID: byte(i)}
		l.Input(now, reset.Append(ppp.Header{Protocol: ppp.ProtocolCCP}.Append(nil)))
		l.Input(now, v6.Append(ppp.Header{Protocol: ppp.ProtocolIPV6CP}.Append(nil)))
		l.Tick(now.Add(time.Second))
		l.Tick(now.Add(2 * time.Second))
		if len(l.out) > maxEvents+8 {
			t.Fatalf("%d outputs", len(l.out))
		}
		if n := len(framesOf(l.out)); n > maxQueue {
			t.Fatalf("%d frames", n)
		}
	}
	w.server.drain(w.now)
	if d := one[Down](w.server); d.Cause != ErrOverflow {
		t.Errorf("%+v", d)
	}
}

func TestEncryptionString(t *testing.T) {
	for e, want := range map[Encryption]string{EncryptionDefault: "default", EncryptionNo: "no", EncryptionYes: "yes",
		EncryptionRequired: "required", 9: "encryption(9)"} {
		if e.String() != want {
			t.Errorf("%d is %q", e, e)
		}
	}
}
