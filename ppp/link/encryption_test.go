package link

import (
	"testing"
	"time"

	"gopptp/mppe"
	"gopptp/ppp"
	"gopptp/ppp/auth"
)

// bits of the MPPE option, as seen on the wire.
const (
	offer128   = "\x12\x06\x01\x00\x00\x40"
	offerAll   = "\x12\x06\x01\x00\x00\xe1" // Windows: +H +M +S +L +C
	offerNone  = "\x12\x06\x00\x00\x00\x00" // TP-Link
	stateful   = "\x12\x06\x00\x00\x00\x40"
	ipcpWanted = "\x03\x06\x00\x00\x00\x00"
)

// TestWindowsOffersAllBits: Windows has all bits in its request and expects the
// Nak that chooses.
func TestWindowsOffersAllBits(t *testing.T) {
	w := scripted(t, serverConfig(), EncryptionYes)
	if p := expect(t, w.inject(w.server, ppp.ProtocolCCP, 1, 9, offerAll), ppp.ProtocolCCP, 3); string(p.Data) != offer128 {
		t.Errorf("Nak %x", p.Data)
	}
	expect(t, w.inject(w.server, ppp.ProtocolCCP, 1, 10, offer128), ppp.ProtocolCCP, 2)
	none[SendKey](w.server) // our own request is not acked yet
	w.ackOurs(w.server, ppp.ProtocolCCP)
	if k := one[SendKey](w.server); k.Config.String() != "MPPE128 stateless" {
		t.Errorf("send %v", k.Config)
	}
}

// scripted brings a server to the start of the Network phase; the test speaks
// for the client from there.
func scripted(t testing.TB, s Config, policy Encryption) *wire {
	t.Helper()
	s.Encryption = policy
	w := newWire(t, s, clientConfig())
	w.filter = func(_ *end, f Frame) bool {
		h, _ := parse(f)
		return h.Protocol == ppp.ProtocolLCP || h.Protocol == ppp.ProtocolCHAP || h.Protocol == ppp.ProtocolPAP
	}
	w.start()
	w.until(time.Second, func() bool { return w.server.link.phase == network && w.client.link.phase == network })
	if w.server.link.phase != network {
		t.Fatalf("not in Network\n%s", w.server.dump())
	}
	w.cut()
	return w
}

// ackOurs acks the last request that e sent.
func (w *wire) ackOurs(e *end, proto ppp.Protocol) []Frame {
	reqs := e.find(proto, 1)
	if len(reqs) == 0 {
		w.t.Fatalf("%s sent no %v request", e.name, proto)
	}
	last := reqs[len(reqs)-1]
	return w.inject(e, proto, 2, last.ID, string(last.Data))
}

// bringUp opens IPCP by script.
func (w *wire) bringUp() {
	w.t.Helper()
	w.inject(w.server, ppp.ProtocolIPCP, 1, 1, "\x03\x06\x0a\x00\x00\x05")
	w.ackOurs(w.server, ppp.ProtocolIPCP)
	if !w.server.isUp() {
		w.t.Fatalf("not up\n%s", w.server.dump())
	}
}

func TestStatefulDirections(t *testing.T) {
	w := scripted(t, serverConfig(), EncryptionYes)
	expect(t, w.inject(w.server, ppp.ProtocolCCP, 1, 1, stateful), ppp.ProtocolCCP, 2)
	w.ackOurs(w.server, ppp.ProtocolCCP)
	if k := one[SendKey](w.server); k.Config != (mppe.Config{Strength: mppe.Bits128}) {
		t.Errorf("send %v", k.Config)
	}
	if k := one[ReceiveKey](w.server); k.Config != (mppe.Config{Strength: mppe.Bits128, Stateless: true}) {
		t.Errorf("receive %v", k.Config)
	}

	s := serverConfig()
	s.StatelessOnly = true
	w = scripted(t, s, EncryptionYes)
	if p := expect(t, w.inject(w.server, ppp.ProtocolCCP, 1, 1, stateful), ppp.ProtocolCCP, 3); string(p.Data) != offer128 {
		t.Errorf("Nak %x", p.Data)
	}
}

// TestInstantAck: the peer acks as soon as our request is on the wire. By then
// the data path must have its key (peers.md, the black hole of accel-ppp).
func TestInstantAck(t *testing.T) {
	w := scripted(t, serverConfig(), EncryptionRequired)
	keysBefore := func() {
		armed := false
		for _, o := range w.server.log {
			if _, ok := o.(ReceiveKey); ok {
				armed = true
			}
			if f, ok := o.(Frame); ok {
				if h, p := parse(f); h.Protocol == ppp.ProtocolCCP && p.Code == 1 && !armed {
					t.Errorf("request without key\n%s", w.server.dump())
				}
			}
		}
	}
	keysBefore()
	w.ackOurs(w.server, ppp.ProtocolCCP)
	w.inject(w.server, ppp.ProtocolCCP, 1, 1, offer128)
	keysBefore()
	one[SendKey](w.server)
	// The peer suggests other bits: again the key comes first.
	s := serverConfig()
	s.Strengths = []mppe.Strength{mppe.Bits128, mppe.Bits40}
	w = scripted(t, s, EncryptionYes)
	n := len(w.server.log)
	reqs := w.server.find(ppp.ProtocolCCP, 1)
	w.inject(w.server, ppp.ProtocolCCP, 3, reqs[0].ID, "\x12\x06\x01\x00\x00\x20")
	if k, ok := w.server.log[n].(ReceiveKey); !ok || k.Config.Strength != mppe.Bits40 {
		t.Errorf("after the Nak: %v", w.server.log[n:])
	}
}

// TestRetransmissionKeepsKey: a repeated request does not reset the chain that
// the peer may already be using.
func TestRetransmissionKeepsKey(t *testing.T) {
	w := scripted(t, serverConfig(), EncryptionYes)
	w.run(8 * time.Second)
	if n := len(w.server.find(ppp.ProtocolCCP, 1)); n < 3 {
		t.Fatalf("%d requests", n)
	}
	one[ReceiveKey](w.server)
}

// TestTPLink: CCP without any strength every few seconds for ever
// (ppp issue 558).
func TestTPLink(t *testing.T) {
	w := scripted(t, serverConfig(), EncryptionYes)
	for i := range uint8(3) {
		w.inject(w.server, ppp.ProtocolCCP, 1, i, offerNone)
	}
	none[Down](w.server)
	w.bringUp()
	if u := one[NetworkUp](w.server); u.Send != (mppe.Config{}) {
		t.Errorf("encrypted: %+v", u)
	}
	w.server.link.keepalive.period = 0
	for i := range 200 {
		w.run(5 * time.Second)
		expect(t, w.inject(w.server, ppp.ProtocolCCP, 1, uint8(i), offerNone), ppp.ProtocolCCP, 4)
	}
	expect(t, w.inject(w.server, ppp.ProtocolCCP, 1, 7, ""), ppp.ProtocolCCP, 2)
	expect(t, w.inject(w.server, ppp.ProtocolCCP, 5, 8, ""), ppp.ProtocolCCP, 6)
	none[NetworkDown](w.server)
	none[Down](w.server)
	if n := len(w.server.find(ppp.ProtocolIPCP, 1)); n != 1 {
		t.Errorf("IPCP was restarted: %d requests", n)
	}
}

// TestTPLinkSameID is the same device that never changes its identifier: the
// wait for CCP is bounded.
func TestTPLinkSameID(t *testing.T) {
	for _, policy := range []Encryption{EncryptionYes, EncryptionRequired} {
		w := scripted(t, serverConfig(), policy)
		for range 8 {
			w.inject(w.server, ppp.ProtocolCCP, 1, 1, offerNone)
			w.run(3 * time.Second)
		}
		none[SendKey](w.server)
		if policy == EncryptionRequired {
			if d := one[Down](w.server); d.Reason != ReasonEncryption {
				t.Errorf("down: %+v", d)
			}
			continue
		}
		w.bringUp()
	}
}

// TestNoHalfEncryption: a peer that acks our request but wants nothing itself is
// not encrypted.
func TestNoHalfEncryption(t *testing.T) {
	w := scripted(t, serverConfig(), EncryptionYes)
	w.ackOurs(w.server, ppp.ProtocolCCP)
	for range 10 {
		w.inject(w.server, ppp.ProtocolCCP, 1, 1, "")
	}
	w.run(15 * time.Second)
	none[SendKey](w.server)
	if n := len(w.server.find(ppp.ProtocolCCP, 5)); n != 1 {
		t.Errorf("%d Terminate-Requests to a peer that believes in encryption", n)
	}
	w.bringUp()
	if u := one[NetworkUp](w.server); u.Receive != (mppe.Config{}) {
		t.Errorf("%+v", u)
	}
	one[Blocked](w.server)
}

func TestPolicyNoRejectsCCP(t *testing.T) {
	w := scripted(t, serverConfig(), EncryptionNo)
	for i := range uint8(3) {
		p := expect(t, w.inject(w.server, ppp.ProtocolCCP, 1, i, offer128), ppp.ProtocolLCP, 8)
		if string(p.Data[:2]) != "\x80\xfd" {
			t.Errorf("rejected %x", p.Data)
		}
	}
	w.bringUp()
}

// TestSilentCCP: the peer speaks IPCP but says nothing about CCP.
func TestSilentCCP(t *testing.T) {
	for _, policy := range []Encryption{EncryptionYes, EncryptionRequired} {
		w := scripted(t, serverConfig(), policy)
		if fs := w.inject(w.server, ppp.ProtocolIPCP, 1, 1, ipcpWanted); len(fs) != 0 {
			t.Errorf("IPCP answered before CCP is settled: %v", describeAll(fs))
		}
		n := len(w.server.log)
		w.run(15 * time.Second)
		if policy == EncryptionRequired {
			if d := one[Down](w.server); d.Reason != ReasonEncryption {
				t.Errorf("down: %+v", d)
			}
			none[NetworkUp](w.server)
			continue
		}
		none[Down](w.server)
		naks := 0
		for _, f := range framesOf(w.server.log[n:]) {
			if h, p := parse(f); h.Protocol == ppp.ProtocolIPCP && p.Code == 3 {
				naks++
			}
		}
		if naks != 1 {
			t.Errorf("the early IPCP request got %d answers\n%s", naks, w.server.dump())
		}
		w.bringUp()
	}
}

func TestRequiredWithoutKeys(t *testing.T) {
	for _, m := range []auth.Method{auth.PAP, auth.CHAP} {
		s := serverConfig()
		s.Auth, s.Encryption = []auth.Method{m}, EncryptionRequired
		w := newWire(t, s, clientConfig())
		w.start()
		w.run(5 * time.Second)
		if d := one[Down](w.server); d.Reason != ReasonEncryption || d.Cause != ErrNoKeys {
			t.Errorf("%v: %+v", m, d)
		}
		none[NetworkUp](w.client)
	}
}

// TestNeverClear: a link that was encrypted repairs CCP once, and then ends.
// What takes CCP away may be forged.
func TestNeverClear(t *testing.T) {
	attacks := map[string]func(w *wire){
		"terminate request": func(w *wire) { w.inject(w.server, ppp.ProtocolCCP, 5, 77, "") },
		"protocol reject":   func(w *wire) { w.inject(w.server, ppp.ProtocolLCP, 8, 77, "\x80\xfd\x01\x01\x00\x04") },
		"data rejected": func(w *wire) {
			w.run(2 * time.Second)
			w.inject(w.server, ppp.ProtocolLCP, 8, 77, "\x00\xfd\x90\x00")
		},
		"undecryptable": func(w *wire) {
			w.run(2 * time.Second)
			w.server.link.Undecryptable(w.now)
			w.drain()
		},
		"terminate ack": func(w *wire) { w.inject(w.server, ppp.ProtocolCCP, 6, 77, "") },
		"empty request": func(w *wire) { w.inject(w.server, ppp.ProtocolCCP, 1, 77, "") },
		"other option":  func(w *wire) { w.inject(w.server, ppp.ProtocolCCP, 1, 77, "\x1a\x03\x00") },
		"no strength":   func(w *wire) { w.inject(w.server, ppp.ProtocolCCP, 1, 77, offerNone) },
		"code reject":   func(w *wire) { w.inject(w.server, ppp.ProtocolCCP, 7, 77, "\x01\x01\x00\x04") },
	}
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			w := connect(t, serverConfig(), clientConfig())
			attack(w)
			one[Blocked](w.server)
			if !w.until(20*time.Second, func() bool { return w.server.link.settled && w.client.link.settled }) {
				t.Fatalf("not repaired\nserver:\n%s\nclient:\n%s", w.server.dump(), w.client.dump())
			}
			if n := len(got[SendKey](w.server)); n != 2 {
				t.Fatalf("%d SendKeys\n%s", n, w.server.dump())
			}
			keysFirst(t, w.server)
			keysFirst(t, w.client)
			none[NetworkDown](w.server)
			// The real client is gone now; only the forger speaks.
			w.cut()
			for range 6 {
				attack(w)
				w.run(3 * time.Second)
			}
			w.run(30 * time.Second)
			if d := one[Down](w.server); d.Reason != ReasonEncryption {
				t.Errorf("down: %+v\n%s", d, w.server.dump())
			}
			one[NetworkUp](w.server)
		})
	}
}

// TestRepairIsForgiven: two losses of CCP far apart are both repaired.
func TestRepairIsForgiven(t *testing.T) {
	w := connect(t, serverConfig(), clientConfig())
	for range 3 {
		w.inject(w.server, ppp.ProtocolCCP, 5, 77, "")
		w.run(2 * repairWindow)
	}
	if !w.bothUp() || !w.server.link.settled || len(got[SendKey](w.server)) != 4 {
		t.Errorf("not repaired\n%s", w.server.dump())
	}
}

// TestEncryptedStaysRequired: LCP is negotiated again, and the peer now refuses
// encryption.
func TestEncryptedStaysRequired(t *testing.T) {
	w := connect(t, serverConfig(), clientConfig())
	c := clientConfig()
	c.Encryption, c.Rand = EncryptionNo, source(99)
	w.client.link = New(c)
	w.client.link.Start(w.now)
	w.drain()
	w.run(10 * time.Second)
	if d := one[Down](w.server); d.Reason != ReasonEncryption {
		t.Errorf("down: %+v", d)
	}
	one[NetworkUp](w.server)
}

func TestResetRequestOnlyFlushes(t *testing.T) {
	w := connect(t, serverConfig(), clientConfig())
	n := len(w.server.log)
	for range 3 {
		if fs := w.inject(w.server, ppp.ProtocolCCP, 14, 1, ""); len(fs) != 0 {
			t.Errorf("frames %v", describeAll(fs))
		}
		w.inject(w.server, ppp.ProtocolCCP, 15, 1, "")
	}
	for _, o := range w.server.log[n:] {
		if _, ok := o.(FlushSend); !ok {
			t.Errorf("%T %v", o, o)
		}
	}
	if len(w.server.log[n:]) != 3 {
		t.Errorf("%d flushes", len(w.server.log[n:]))
	}
}

func TestNeedReset(t *testing.T) {
	w := connect(t, serverConfig(), clientConfig())
	w.cut()
	resets := func() int { return len(w.server.find(ppp.ProtocolCCP, 14)) }
	for range 10 { // within 90 ms
		w.server.link.NeedReset(w.now)
		w.drain()
		w.now = w.now.Add(9 * time.Millisecond)
	}
	if resets() != 1 {
		t.Fatalf("%d Reset-Requests at once", resets())
	}
	w.server.link.Resynced()
	none[Blocked](w.server)
	for range 20 {
		w.server.link.NeedReset(w.now)
		w.drain()
		w.now = w.now.Add(minResetWait)
	}
	if resets() != 1+maxResets {
		t.Errorf("%d Reset-Requests", resets())
	}
	one[Blocked](w.server) // then CCP is repaired
}

// TestUndecryptableInClear: the peer encrypts although nothing was agreed.
func TestUndecryptableInClear(t *testing.T) {
	w := scripted(t, serverConfig(), EncryptionNo)
	w.bringUp()
	w.server.link.Undecryptable(w.now.Add(2 * time.Second))
	w.drain()
	w.run(5 * time.Second)
	if d := one[Down](w.server); d.Reason != ReasonEncryption || d.Cause != ErrNoMPPE {
		t.Errorf("down: %+v", d)
	}

	// With keys it is worth a try.
	w = scripted(t, serverConfig(), EncryptionYes)
	reqs := w.server.find(ppp.ProtocolCCP, 1)
	w.inject(w.server, ppp.ProtocolCCP, 4, reqs[0].ID, string(reqs[0].Data))
	w.bringUp()
	w.run(2 * time.Second)
	w.injectFrame(w.server, []byte("\xfd\x90\x00encrypted"))
	if n := len(got[Blocked](w.server)); n == 0 {
		t.Fatal("user packets still pass")
	}
	w.inject(w.server, ppp.ProtocolCCP, 1, 1, offer128)
	w.ackOurs(w.server, ppp.ProtocolCCP)
	one[SendKey](w.server)
	one[NetworkUp](w.server)
	none[Down](w.server)
}

// TestPromisedEncryptionIsNotTakenBack: we acked the peer's request, and then
// nothing came of ours. The peer may believe in the agreement and drop what comes
// in clear, so the link ends rather than carry nothing.
func TestPromisedEncryptionIsNotTakenBack(t *testing.T) {
	w := scripted(t, serverConfig(), EncryptionYes)
	expect(t, w.inject(w.server, ppp.ProtocolCCP, 1, 1, offer128), ppp.ProtocolCCP, 2)
	w.run(15 * time.Second)
	none[NetworkUp](w.server)
	if d := one[Down](w.server); d.Reason != ReasonEncryption {
		t.Errorf("down: %+v", d)
	}
}
