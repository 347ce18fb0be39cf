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
	offerMPPC  = "\x12\x06\x00\x00\x00\x01"
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
	for range 100 {
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
