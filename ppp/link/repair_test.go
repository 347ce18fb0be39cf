package link

import (
	"testing"
	"time"

	"gopptp/mppe"
	"gopptp/ppp"
	"gopptp/ppp/cp"
)

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
		"only MPPC":     func(w *wire) { w.inject(w.server, ppp.ProtocolCCP, 1, 77, offerMPPC) },
		"code reject":   func(w *wire) { w.inject(w.server, ppp.ProtocolCCP, 7, 77, "\x01\x01\x00\x04") },
	}
	for name, attack := range attacks {
		neverClear(t, name, attack, serverConfig(), clientConfig())
		s, c := serverConfig(), clientConfig()
		s.Compression, c.Compression = true, true
		neverClear(t, name+", compressed", attack, s, c)
	}
}

func neverClear(t *testing.T, name string, attack func(w *wire), s, c Config) {
	t.Run(name, func(t *testing.T) {
		w := connect(t, s, c)
		if u := one[NetworkUp](w.server); u.Send.Compress != s.Compression {
			t.Fatalf("%+v", u)
		}
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
	w.run(2*encryptionWait + 2*time.Second)
	none[NetworkUp](w.server)
	if d := one[Down](w.server); d.Reason != ReasonEncryption {
		t.Errorf("down: %+v", d)
	}
}

// TestSlowAgreement: a peer that has shown that it wants encryption gets twice the
// time, for a wire that loses much.
func TestSlowAgreement(t *testing.T) {
	w := scripted(t, serverConfig(), EncryptionRequired)
	w.inject(w.server, ppp.ProtocolCCP, 1, 1, offer128)
	w.run(encryptionWait + 5*time.Second)
	w.ackOurs(w.server, ppp.ProtocolCCP)
	one[SendKey](w.server)
	w.bringUp()
}

// TestSecondLossEndsAtOnce: the real client is there and would negotiate for ever.
func TestSecondLossEndsAtOnce(t *testing.T) {
	w := connect(t, serverConfig(), clientConfig())
	for range 2 {
		none[Down](w.server)
		w.run(repairWindow / 3)
		w.inject(w.server, ppp.ProtocolCCP, 5, 77, "")
		w.run(time.Second)
	}
	if d := one[Down](w.server); d.Reason != ReasonEncryption || d.Cause != cp.ErrTerminated {
		t.Errorf("down: %+v", d)
	}
}

// TestGateWaitsForCCP: IPCP opens while CCP is negotiated again.
func TestGateWaitsForCCP(t *testing.T) {
	w := scripted(t, serverConfig(), EncryptionYes)
	w.inject(w.server, ppp.ProtocolCCP, 1, 1, offer128)
	w.ackOurs(w.server, ppp.ProtocolCCP)
	w.inject(w.server, ppp.ProtocolCCP, 1, 2, offer128) // anew
	one[Blocked](w.server)
	w.inject(w.server, ppp.ProtocolIPCP, 1, 1, "\x03\x06\x0a\x00\x00\x05")
	w.ackOurs(w.server, ppp.ProtocolIPCP)
	none[NetworkUp](w.server)
	w.ackOurs(w.server, ppp.ProtocolCCP)
	if u := one[NetworkUp](w.server); u.Send.Strength != mppe.Bits128 || u.Receive.Strength != mppe.Bits128 {
		t.Errorf("%+v", u)
	}
}
