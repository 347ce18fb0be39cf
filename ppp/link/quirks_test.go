package link

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gopptp/ppp"
	"gopptp/ppp/auth"
	"gopptp/ppp/fsm"
	"gopptp/ppp/lcp"
)

// TestPeerDropsEarlyPackets: accel-ppp discards what comes before its own layer
// starts. A lost first packet costs the restart timer, and not the call.
func TestPeerDropsEarlyPackets(t *testing.T) {
	w := newWire(t, serverConfig(), clientConfig())
	w.delay = time.Millisecond
	seen := map[ppp.Protocol]bool{}
	w.filter = func(from *end, f Frame) bool {
		h, _ := parse(f)
		if from != w.client || h.Protocol != ppp.ProtocolCCP && h.Protocol != ppp.ProtocolIPCP || seen[h.Protocol] {
			return true
		}
		seen[h.Protocol] = true
		return false
	}
	w.start()
	if !w.until(time.Minute, w.bothUp) || w.now.Sub(start) > 2*fsm.RestartInterval+100*time.Millisecond {
		t.Errorf("connected after %v", w.now.Sub(start))
	}
}

// TestFirstFrameLost: the peer's end of the GRE tunnel is not there yet.
func TestFirstFrameLost(t *testing.T) {
	w := newWire(t, serverConfig(), clientConfig())
	w.delay = time.Millisecond
	n := 0
	w.filter = func(from *end, f Frame) bool { n++; return n > 2 }
	w.start()
	if !w.until(time.Minute, w.bothUp) || w.now.Sub(start) > 1500*time.Millisecond {
		t.Errorf("connected after %v", w.now.Sub(start))
	}
}

// TestEarlyTerminateAck: the peer's IPCP is not open yet and says so.
func TestEarlyTerminateAck(t *testing.T) {
	w := newWire(t, serverConfig(), clientConfig())
	refused := 0
	w.filter = func(from *end, f Frame) bool {
		h, p := parse(f)
		if from == w.server && h.Protocol == ppp.ProtocolIPCP && p.Code == 1 && refused < 3 {
			refused++
			ack := ppp.Packet{Code: 6, ID: p.ID}
			w.flying = append(w.flying, flight{w.now, w.server, ack.Append(h.Append(nil))})
			return false
		}
		return true
	}
	w.start()
	if !w.until(time.Minute, w.bothUp) || refused != 3 || w.now.Sub(start) > 1500*time.Millisecond {
		t.Errorf("connected after %v, refused %d", w.now.Sub(start), refused)
	}
}

// TestPipelining: MikroTik sends CCP and IPCP while we still ask who it is
// (accel-ppp issue 353). Nothing is answered, nothing is lost, no timer is
// waited for.
func TestPipelining(t *testing.T) {
	w := newWire(t, serverConfig(), clientConfig())
	w.server.lookup = 2 * time.Second
	w.start()
	if !w.until(time.Second, func() bool { return len(got[AuthRequest](w.server)) == 1 }) {
		t.Fatal("no AuthRequest")
	}
	for id := range uint8(3) { // with repetitions, of which the last counts
		for _, fs := range [][]Frame{
			w.inject(w.server, ppp.ProtocolCCP, 1, 40+id, offer128),
			w.inject(w.server, ppp.ProtocolIPCP, 1, 50+id, ipcpWanted),
		} {
			if len(fs) != 0 {
				t.Errorf("answered early: %v", describeAll(fs))
			}
		}
	}
	w.filter = func(from *end, f Frame) bool { // the client is a script from here
		h, _ := parse(f)
		return h.Protocol != ppp.ProtocolCCP && h.Protocol != ppp.ProtocolIPCP
	}
	w.run(2 * time.Second)
	if p := w.server.find(ppp.ProtocolCCP, 2); len(p) != 1 || p[0].ID != 42 {
		t.Fatalf("CCP acks %v\n%s", p, w.server.dump())
	}
	if p := w.server.find(ppp.ProtocolIPCP, 3); len(p) != 0 {
		t.Error("IPCP answered before CCP is settled")
	}
	w.ackOurs(w.server, ppp.ProtocolCCP)
	if p := w.server.find(ppp.ProtocolIPCP, 3); len(p) != 1 || p[0].ID != 52 {
		t.Fatalf("IPCP naks %v\n%s", p, w.server.dump())
	}
	w.bringUp()
}

// TestChallengeBeforeLCPOpens: reordering brings the challenge first.
func TestChallengeBeforeLCPOpens(t *testing.T) {
	w := newWire(t, serverConfig(), clientConfig())
	var late []flight
	w.filter = func(from *end, f Frame) bool {
		h, p := parse(f)
		if from == w.server && h.Protocol == ppp.ProtocolLCP && p.Code == 2 {
			late = append(late, flight{w.now, w.client, f})
			return false
		}
		return true
	}
	w.start()
	w.run(0)
	w.filter = nil
	if len(late) == 0 || len(w.client.link.early.kept) != 1 {
		t.Fatalf("kept %d", len(w.client.link.early.kept))
	}
	w.flying = append(w.flying, late...)
	if !w.until(time.Minute, w.bothUp) || w.now != start {
		t.Errorf("connected after %v", w.now.Sub(start))
	}
}

// TestIPV6CP: Phicomm and Linksys terminate an IPV6CP that was never open; that
// must not end IPv4 (accel-ppp issues 57 and 330).
func TestIPV6CP(t *testing.T) {
	w := connect(t, serverConfig(), clientConfig())
	for i := range uint8(20) {
		for _, code := range []uint8{1, 5} {
			p := expect(t, w.inject(w.server, ppp.ProtocolIPV6CP, code, i, ""), ppp.ProtocolLCP, 8)
			if string(p.Data[:2]) != "\x80\x57" {
				t.Errorf("rejected %x", p.Data)
			}
		}
	}
	if !w.bothUp() {
		t.Error("IPv4 went down")
	}
}

// TestUnknownProtocols: data of unknown protocols is refused a few times a
// second, IP never, and a Protocol-Reject fits the smallest MRU.
func TestUnknownProtocols(t *testing.T) {
	w := connect(t, serverConfig(), clientConfig())
	long := strings.Repeat("x", 1400)
	for _, c := range []struct {
		frame string
		want  int
	}{
		{"\x21\x45", 0},
		{"\xff\x03\x00\x21\x45", 0},
		{"\x00\x2d" + long, maxRejects}, // VJ
		{"\x00\x57" + long, maxRejects}, // IPv6
		{"\x00\x3d" + long, maxRejects}, // multilink
		{"\x40\x25" + long, maxRejects}, // LQR's neighbour
	} {
		w.run(time.Second)
		n := 0
		for range 100 {
			for _, f := range w.injectFrame(w.server, []byte(c.frame)) {
				n++
				if len(f)-4 > lcp.MinMRU {
					t.Errorf("reject of %d octets", len(f))
				}
			}
		}
		if n != c.want {
			t.Errorf("%x: %d rejects, want %d", c.frame[:2], n, c.want)
		}
	}
	if !w.bothUp() {
		t.Error("went down")
	}
}

// TestEchoReply: the reply is cut to what the peer can receive, and our own echo
// that comes back is no sign of life.
func TestEchoReply(t *testing.T) {
	c := clientConfig()
	c.MRU = 200
	w := connect(t, serverConfig(), c)
	if u := one[NetworkUp](w.server); u.MTU != 200 {
		t.Errorf("MTU %d", u.MTU)
	}
	p := expect(t, w.inject(w.server, ppp.ProtocolLCP, 9, 5, "abcd"+strings.Repeat("x", 1000)), ppp.ProtocolLCP, 10)
	if p.ID != 5 || p.Len() != 200 {
		t.Errorf("id %d, %d octets", p.ID, p.Len())
	}
	magic := string(p.Data[:4])
	if fs := w.inject(w.server, ppp.ProtocolLCP, 9, 6, magic); len(fs) != 0 {
		t.Errorf("answered itself: %v", describeAll(fs))
	}
	if fs := w.inject(w.server, ppp.ProtocolLCP, 9, 6, "abc"); len(fs) != 0 {
		t.Errorf("answered a short echo: %v", describeAll(fs))
	}
	for _, code := range []uint8{10, 11, 12, 13} {
		if fs := w.inject(w.server, ppp.ProtocolLCP, code, 7, "abcdWindows"); len(fs) != 0 {
			t.Errorf("code %d: %v", code, describeAll(fs))
		}
	}
	expect(t, w.inject(w.server, ppp.ProtocolLCP, 14, 7, "abcd"), ppp.ProtocolLCP, 7)
}

// TestRenegotiation: the peer negotiates LCP again in the middle. IP goes down,
// the peer has to authenticate again, and all comes back, with new keys.
func TestRenegotiation(t *testing.T) {
	w := connect(t, serverConfig(), clientConfig())
	c := clientConfig()
	c.Rand = source(77)
	w.client.link = New(c)
	w.client.link.Start(w.now)
	w.drain()
	w.step(w.now)
	one[NetworkDown](w.server)
	if !w.until(time.Minute, w.bothUp) {
		t.Fatalf("not up again\n%s\n%s", w.server.dump(), w.client.dump())
	}
	if len(got[AuthRequest](w.server)) != 2 || len(got[Authenticated](w.server)) != 2 || len(got[NetworkUp](w.server)) != 2 {
		t.Errorf("not authenticated again\n%s", w.server.dump())
	}
	keys := got[SendKey](w.server)
	if len(keys) != 2 || keys[0].Key == keys[1].Key {
		t.Error("old keys")
	}
	keysFirst(t, w.server)
}

// TestEndlessRenegotiation: LCP that opens and never gets anywhere ends.
func TestEndlessRenegotiation(t *testing.T) {
	w := newWire(t, serverConfig(), clientConfig())
	w.server.grant = nil
	w.start()
	w.run(0)
	for i := range uint64(20) {
		c := clientConfig()
		c.Rand = source(300 + i)
		w.client.link = New(c)
		w.client.link.Start(w.now)
		w.drain()
		w.run(0)
	}
	w.run(3 * time.Second)
	if d := one[Down](w.server); d.Cause != ErrOpens {
		t.Errorf("down: %+v", d)
	}
}

// TestLoopback feeds a link its own frames.
func TestLoopback(t *testing.T) {
	for _, cfg := range []Config{serverConfig(), clientConfig()} {
		w := newWire(t, cfg, clientConfig())
		w.server.out = func(_ time.Time, f Frame) {
			w.flying = append(w.flying, flight{w.now.Add(time.Millisecond), w.server, f})
		}
		w.server.link.Start(w.now)
		w.server.drain(w.now)
		for w.step(start.Add(30 * time.Second)) {
		}
		if d := one[Down](w.server); d.Reason != ReasonLCP || d.Cause != lcp.ErrLoopback {
			t.Errorf("down: %+v\n%s", d, w.server.dump())
		}
	}
}

// TestMethodFallback: the client refuses what it does not allow, and the server
// falls back, but not below its list.
func TestMethodFallback(t *testing.T) {
	for _, c := range []struct {
		server, client []auth.Method
		want           auth.Method
	}{
		{allMethods, []auth.Method{auth.PAP}, auth.PAP},
		{allMethods, []auth.Method{auth.PAP, auth.CHAP}, auth.CHAP},
		{allMethods, []auth.Method{auth.MSCHAPv1, auth.PAP}, auth.MSCHAPv1},
		{[]auth.Method{auth.MSCHAPv2, auth.MSCHAPv1}, []auth.Method{auth.MSCHAPv1}, auth.MSCHAPv1},
		{[]auth.Method{auth.MSCHAPv2, auth.PAP}, []auth.Method{auth.CHAP, auth.PAP}, auth.PAP},
		{[]auth.Method{auth.MSCHAPv2, auth.MSCHAPv1}, []auth.Method{auth.CHAP, auth.PAP}, 0},
		{allMethods, nil, 0},
	} {
		s, cl := serverConfig(), clientConfig()
		s.Auth, cl.Auth = c.server, c.client
		w := newWire(t, s, cl)
		w.start()
		w.until(time.Minute, func() bool { return w.bothUp() || w.bothDead() })
		if c.want == 0 {
			if d := one[Down](w.server); d.Reason != ReasonAuth || !errors.Is(d.Cause, lcp.ErrNoMethod) {
				t.Errorf("%v/%v: %+v", c.server, c.client, d)
			}
			want := ReasonOurAuth
			if c.client == nil {
				want = ReasonHungup // it does not know what was wrong: it never meant to authenticate
			}
			if d := one[Down](w.client); d.Reason != want {
				t.Errorf("%v/%v: client %+v", c.server, c.client, d)
			}
			none[AuthRequest](w.server)
			continue
		}
		if w.now != start {
			t.Errorf("%v/%v: waited %v", c.server, c.client, w.now.Sub(start))
		}
		if a := one[Authenticated](w.client); a.Method != c.want {
			t.Errorf("%v/%v: %v", c.server, c.client, a.Method)
		}
	}
}

// TestNoAuthentication: neither side asks for any, so there are no keys.
func TestNoAuthentication(t *testing.T) {
	s, c := serverConfig(), clientConfig()
	s.Auth = nil
	w := connect(t, s, c)
	none[Authenticated](w.server)
	none[SendKey](w.server)
	if w.now != start {
		t.Error("waited")
	}
	c.Encryption = EncryptionRequired
	w = newWire(t, s, c)
	w.start()
	w.run(5 * time.Second)
	none[NetworkUp](w.client)
	if d := one[Down](w.client); d.Reason != ReasonEncryption {
		t.Errorf("%+v", d)
	}
}

// TestClientIsNotAsked: a client that demands that the server authenticates
// itself gets a Configure-Reject.
func TestClientIsNotAsked(t *testing.T) {
	w := newWire(t, serverConfig(), clientConfig())
	w.server.link.Start(w.now)
	w.drain()
	w.cut()
	const chap = "\x03\x05\xc2\x23\x81"
	if p := expect(t, w.inject(w.server, ppp.ProtocolLCP, 1, 1, chap+"\x0d\x03\x06"), ppp.ProtocolLCP, 4); string(p.Data) != chap+"\x0d\x03\x06" {
		t.Errorf("rejected %x", p.Data)
	}
}

// TestSlowPeerGetsNoCopies: pppd in a slow machine answers late. A copy of a
// request that arrives after its layer opened makes it negotiate anew, and with
// MPPE it hangs up for that; so nothing above LCP is sent twice to a peer that
// takes two seconds.
func TestSlowPeerGetsNoCopies(t *testing.T) {
	w := newWire(t, serverConfig(), clientConfig())
	w.delay = time.Millisecond
	requests := map[string]int{}
	w.filter = func(from *end, f Frame) bool {
		h, p := parse(f)
		if h.Protocol == ppp.ProtocolCCP || h.Protocol == ppp.ProtocolIPCP {
			w.delay = time.Second
			if p.Code == 1 && from == w.server {
				requests[string(f)]++
			}
		}
		return true
	}
	w.start()
	if !w.until(time.Minute, w.bothUp) {
		t.Fatal("not connected")
	}
	for f, n := range requests {
		if n > 1 {
			t.Errorf("%x was sent %d times", f, n)
		}
	}
	if len(requests) == 0 {
		t.Error("no request was seen")
	}
}
