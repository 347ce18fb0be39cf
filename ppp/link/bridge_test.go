package link

import (
	"testing"
	"time"

	"gopptp/mppe"
	"gopptp/ppp"
	"gopptp/ppp/auth"
	"gopptp/ppp/cp"
)

const bcpWanted = "\x03\x03\x01\x08\x03\x01\x09\x02"

func bridging(c Config) Config {
	c.Bridge = true
	return c
}

// noIP is a server that bridges only.
func noIP(c Config) Config {
	c.Local, c.Remote = Config{}.Local, Config{}.Remote
	return bridging(c)
}

func (w *wire) bothBridged() bool { return w.server.link.bridged && w.client.link.bridged }

// bridged brings both ends up with frames, without a loss.
func bridged(t *testing.T, server, client Config) *wire {
	t.Helper()
	w := connect(t, server, client)
	if !w.until(time.Second, w.bothBridged) {
		t.Fatalf("no bridge\nserver:\n%s\nclient:\n%s", w.server.dump(), w.client.dump())
	}
	return w
}

func TestBridgeBesideIP(t *testing.T) {
	s, c := bridging(serverConfig()), bridging(clientConfig())
	s.MRRU, c.MRRU = 1600, 1600
	w := bridged(t, s, c)
	for _, e := range []*end{w.server, w.client} {
		n, b := one[NetworkUp](e), one[BridgeUp](e)
		if !n.Local.IsValid() || n.Send.Strength != mppe.Bits128 {
			t.Errorf("%s: %+v", e.name, n)
		}
		if want := (BridgeUp{MTU: 1600 - mppeRoom - 2, Tagged: true, Inline: true}); b != want {
			t.Errorf("%s: %+v, want %+v", e.name, b, want)
		}
	}
	w.client.link.Close(w.now, "x")
	w.drain()
	w.run(3 * time.Second)
	for _, e := range []*end{w.server, w.client} {
		one[NetworkDown](e)
		none[BridgeDown](e) // NetworkDown says it
	}
}

func TestBridgeWithoutFragments(t *testing.T) {
	w := bridged(t, bridging(serverConfig()), bridging(clientConfig()))
	if b := one[BridgeUp](w.server); b.MTU != 1450-2 {
		t.Errorf("%+v", b)
	}
}

// TestBridgeByGrant: the server learns of the bridge when it knows the user, who
// may have asked before.
func TestBridgeByGrant(t *testing.T) {
	s := serverConfig()
	w := newWire(t, s, bridging(clientConfig()))
	was := w.server.grant
	w.server.grant = func(r *auth.Request) Grant {
		g := was(r)
		g.Bridge = true
		return g
	}
	w.server.lookup = time.Second
	w.start()
	if !w.until(time.Minute, w.bothBridged) {
		t.Fatalf("no bridge\n%s", w.server.dump())
	}
}

// TestBridgeOnly: no addresses are configured, and none are asked for.
func TestBridgeOnly(t *testing.T) {
	for _, policy := range []Encryption{EncryptionNo, EncryptionRequired} {
		s, c := noIP(serverConfig()), bridging(clientConfig())
		s.Encryption, c.Encryption = policy, policy
		w := bridged(t, s, c)
		for _, e := range []*end{w.server, w.client} {
			n := one[NetworkUp](e)
			if n.Local.IsValid() || n.Remote.IsValid() || n.DNS != nil || (n.Send.Strength == mppe.Bits128) != (policy == EncryptionRequired) {
				t.Errorf("%s: %+v", e.name, n)
			}
			one[BridgeUp](e)
			before := false
			for _, o := range e.log {
				if _, up := o.(NetworkUp); up {
					before = true
				}
				if _, up := o.(BridgeUp); up && !before {
					t.Errorf("%s: frames before the network\n%s", e.name, e.dump())
				}
			}
		}
		w.run(5 * time.Minute) // no limit is left to run out
		if !w.bothBridged() {
			t.Errorf("ended\n%s", w.server.dump())
		}
	}
}

// TestPeerWithoutAddresses speaks BCP, but IP only to no end: it says nothing, or
// gives no address, or gives up.
func TestPeerWithoutAddresses(t *testing.T) {
	client := func(t *testing.T) *wire {
		t.Helper()
		s, c := bridging(serverConfig()), bridging(clientConfig())
		s.Encryption, c.Encryption = EncryptionNo, EncryptionNo
		w := newWire(t, s, c)
		w.filter = func(_ *end, f Frame) bool {
			h, _ := parse(f)
			return h.Protocol != ppp.ProtocolIPCP
		}
		w.start()
		w.run(time.Second)
		none[NetworkUp](w.client)
		return w
	}
	for _, r := range []struct {
		name  string
		speak func(w *wire, e *end)
	}{
		{"silent", func(*wire, *end) {}},
		{"refuses to give one", func(w *wire, e *end) {
			reqs := e.find(ppp.ProtocolIPCP, 1)
			w.inject(e, ppp.ProtocolIPCP, 4, reqs[0].ID, string(reqs[0].Data))
		}},
		{"asks for ever", func(w *wire, e *end) {
			for id := range uint8(20) {
				w.inject(e, ppp.ProtocolIPCP, 1, id, ipcpWanted)
				w.run(4 * time.Second)
			}
		}},
		{"ends it", func(w *wire, e *end) { w.inject(e, ppp.ProtocolIPCP, 5, 9, "") }},
		{"knows no IP", func(w *wire, e *end) { w.inject(e, ppp.ProtocolLCP, 8, 9, "\x80\x21\x01") }},
	} {
		t.Run(r.name, func(t *testing.T) {
			w := client(t)
			r.speak(w, w.client)
			w.run(10 * time.Minute)
			if u := one[NetworkUp](w.client); u.Local.IsValid() || !w.client.link.bridged {
				t.Errorf("%+v\n%s", u, w.client.dump())
			}
			if fs := w.inject(w.client, ppp.ProtocolIPCP, 1, 77, ipcpWanted); len(fs) != 1 {
				t.Errorf("a late word about IP: %v", describeAll(fs))
			}
			none[Down](w.client)
		})
	}
}

// TestPeerWithoutBridge: BCP gets a Protocol-Reject, IP goes on.
func TestPeerWithoutBridge(t *testing.T) {
	for _, r := range []struct {
		name           string
		server, client Config
	}{
		{"client", bridging(serverConfig()), clientConfig()},
		{"server", serverConfig(), bridging(clientConfig())},
	} {
		t.Run(r.name, func(t *testing.T) {
			w := connect(t, r.server, r.client)
			w.run(5 * time.Minute)
			for _, e := range []*end{w.server, w.client} {
				one[NetworkUp](e)
				none[BridgeUp](e)
				none[Down](e)
			}
		})
	}
	w := newWire(t, noIP(serverConfig()), clientConfig())
	w.start()
	w.run(time.Minute)
	if d := one[Down](w.server); d.Reason != ReasonBridge && d.Reason != ReasonHungup {
		t.Errorf("neither IP nor a bridge: %+v", d)
	}
	none[NetworkUp](w.server)
}

// TestNoBridgeHere: the owner has no bridge to join.
func TestNoBridgeHere(t *testing.T) {
	w := bridged(t, bridging(serverConfig()), bridging(clientConfig()))
	w.server.link.EndBridge(w.now)
	w.drain()
	w.run(5 * time.Minute)
	for _, e := range []*end{w.server, w.client} {
		one[BridgeDown](e)
		none[NetworkDown](e)
	}
	w = bridged(t, noIP(serverConfig()), bridging(clientConfig()))
	w.server.link.EndBridge(w.now)
	w.drain()
	w.run(time.Minute)
	if d := one[Down](w.server); d.Reason != ReasonBridge {
		t.Errorf("%+v", d)
	}
	one[Down](w.client)
}

// TestBridgeWaitsForEncryption: a peer that speaks BCP at once gets no answer
// before CCP is settled, and none at all if encryption is required and refused.
func TestBridgeWaitsForEncryption(t *testing.T) {
	w := scripted(t, bridging(serverConfig()), EncryptionRequired)
	if fs := w.inject(w.server, ppp.ProtocolBCP, cp.ConfigureRequest, 1, bcpWanted); len(fs) != 0 {
		t.Errorf("answered: %v", describeAll(fs))
	}
	w.inject(w.server, ppp.ProtocolLCP, 8, 1, "\x80\xfd")
	w.run(time.Minute)
	one[Down](w.server)
	if n := len(w.server.find(ppp.ProtocolBCP, cp.ConfigureRequest)); n != 0 {
		t.Errorf("%d requests", n)
	}

	w = scripted(t, bridging(serverConfig()), EncryptionYes)
	w.inject(w.server, ppp.ProtocolBCP, cp.ConfigureRequest, 1, bcpWanted)
	w.inject(w.server, ppp.ProtocolCCP, 1, 1, offer128)
	w.ackOurs(w.server, ppp.ProtocolCCP)
	if n := len(w.server.find(ppp.ProtocolBCP, cp.ConfigureAck)); n != 1 {
		t.Errorf("%d answers to the early request\n%s", n, w.server.dump())
	}
}

// TestBridgeBegunAnew: the peer negotiates BCP again, then gives it up; IP is not
// touched.
func TestBridgeBegunAnew(t *testing.T) {
	w := scripted(t, bridging(serverConfig()), EncryptionNo)
	w.inject(w.server, ppp.ProtocolBCP, cp.ConfigureRequest, 1, bcpWanted)
	w.ackOurs(w.server, ppp.ProtocolBCP)
	none[BridgeUp](w.server) // not before IP
	w.bringUp()
	one[BridgeUp](w.server)
	w.inject(w.server, ppp.ProtocolBCP, cp.ConfigureRequest, 2, "")
	one[BridgeDown](w.server)
	w.ackOurs(w.server, ppp.ProtocolBCP)
	if b := got[BridgeUp](w.server); len(b) != 2 || b[1].Tagged || b[1].Inline {
		t.Errorf("%+v", b)
	}
	w.inject(w.server, ppp.ProtocolBCP, cp.TerminateRequest, 3, "")
	if n := len(got[BridgeDown](w.server)); n != 2 {
		t.Errorf("%d downs", n)
	}
	none[NetworkDown](w.server)
	one[NetworkUp](w.server)
}

// TestFramesAreNotRejected: those in flight while BCP is not open here would
// otherwise end it at the peer.
func TestFramesAreNotRejected(t *testing.T) {
	frame := append(ppp.Header{Protocol: ppp.ProtocolBridge}.Append(nil), "\x00\x01abcdefghijklmnop"...)
	w := scripted(t, bridging(serverConfig()), EncryptionNo)
	if fs := w.injectFrame(w.server, frame); len(fs) != 0 {
		t.Errorf("answered %v", describeAll(fs))
	}
	w = scripted(t, serverConfig(), EncryptionNo)
	expect(t, w.injectFrame(w.server, frame), ppp.ProtocolLCP, 8)
	expect(t, w.inject(w.server, ppp.ProtocolBCP, cp.ConfigureRequest, 1, bcpWanted), ppp.ProtocolLCP, 8)
}

// TestRejectTellsNothing: the peer hears which protocol is refused, but what came
// encrypted is not repeated in clear.
func TestRejectTellsNothing(t *testing.T) {
	for _, p := range []ppp.Protocol{ppp.ProtocolBridge, ppp.ProtocolIPv6} {
		frame := append(ppp.Header{Protocol: p}.Append(nil), "a secret of somebody"...)
		w := scripted(t, serverConfig(), EncryptionNo)
		if r := expect(t, w.injectFrame(w.server, frame), ppp.ProtocolLCP, 8); len(r.Data) != 2+20 {
			t.Errorf("%x", r.Data)
		}
		w = connect(t, serverConfig(), clientConfig())
		w.cut()
		if r := expect(t, w.injectFrame(w.server, frame), ppp.ProtocolLCP, 8); len(r.Data) != 2 {
			t.Errorf("%x", r.Data)
		}
	}
}
