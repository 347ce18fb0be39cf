package link

import (
	"testing"
	"time"

	"gopptp/mppe"
	"gopptp/ppp"
	"gopptp/ppp/auth"
)

var mppc = mppe.Config{Compress: true}

// compressing turns compression on in both configurations.
func compressing(s, c Config) (Config, Config) {
	s.Compression, c.Compression = true, true
	return s, c
}

// TestCompressionWithEncryption: both ends agree on both, with no timer.
func TestCompressionWithEncryption(t *testing.T) {
	for _, policy := range []Encryption{EncryptionYes, EncryptionRequired} {
		s, c := compressing(serverConfig(), clientConfig())
		s.Encryption, c.Encryption = policy, policy
		w := connect(t, s, c)
		want := mppe.Config{Strength: mppe.Bits128, Stateless: true, Compress: true}
		for _, e := range []*end{w.server, w.client} {
			if u, k := one[NetworkUp](e), one[SendKey](e); u.Send != want || u.Receive != want || k.Config != want {
				t.Errorf("%s: %+v %+v", e.name, u, k.Config)
			}
			keysFirst(t, e)
		}
		if w.now != start {
			t.Errorf("waited %v", w.now.Sub(start))
		}
	}
}

// TestCompressionAlone: where no encryption is wanted, or an authentication gives
// no keys.
func TestCompressionAlone(t *testing.T) {
	for name, change := range map[string]func(s, c *Config){
		"policy":  func(s, c *Config) { s.Encryption, c.Encryption = EncryptionNo, EncryptionNo },
		"default": func(s, c *Config) { s.Encryption, c.Encryption = EncryptionDefault, EncryptionDefault },
		"PAP":     func(s, _ *Config) { s.Auth = []auth.Method{auth.PAP} },
	} {
		t.Run(name, func(t *testing.T) {
			s, c := compressing(serverConfig(), clientConfig())
			change(&s, &c)
			w := connect(t, s, c)
			for _, e := range []*end{w.server, w.client} {
				u, k := one[NetworkUp](e), one[SendKey](e)
				if u.Send != mppc || u.Receive != mppc || k.Config != mppc || k.Key != (mppe.StartKey{}) {
					t.Errorf("%s: %+v %+v", e.name, u, k.Config)
				}
				if got[ReceiveKey](e)[0].Key != (mppe.StartKey{}) {
					t.Errorf("%s: a key for nothing", e.name)
				}
				keysFirst(t, e)
			}
			if w.now != start {
				t.Errorf("waited %v", w.now.Sub(start))
			}
		})
	}
}

// TestCompressionOneSided: only one end has it.
func TestCompressionOneSided(t *testing.T) {
	for _, policy := range []Encryption{EncryptionNo, EncryptionYes, EncryptionRequired} {
		for _, server := range []bool{true, false} {
			s, c := serverConfig(), clientConfig()
			s.Encryption, c.Encryption = policy, policy
			s.Compression, c.Compression = server, !server
			w := connect(t, s, c)
			for _, e := range []*end{w.server, w.client} {
				u := one[NetworkUp](e)
				if u.Send.Compress || u.Receive.Compress || (u.Send.Strength == mppe.None) != (policy == EncryptionNo) {
					t.Errorf("%v, %s: %+v", policy, e.name, u)
				}
				none[Down](e)
			}
		}
	}
}

func TestGrantOfCompression(t *testing.T) {
	yes, no := true, false
	for _, r := range []struct {
		base  bool
		grant *bool
		want  bool
	}{{true, nil, true}, {false, nil, false}, {true, &no, false}, {false, &yes, true}} {
		s, c := serverConfig(), clientConfig()
		s.Compression, c.Compression = r.base, true
		w := newWire(t, s, c)
		w.server.grant = func(q *auth.Request) Grant {
			g := verify(q)
			g.Compression = r.grant
			return g
		}
		w.start()
		if !w.until(time.Minute, w.bothUp) || one[NetworkUp](w.server).Send.Compress != r.want {
			t.Errorf("%+v\n%s", r, w.server.dump())
		}
	}
}

// scriptedAlone is scripted with nothing but compression to agree on.
func scriptedAlone(t *testing.T) *wire {
	s := serverConfig()
	s.Compression = true
	return scripted(t, s, EncryptionNo)
}

// TestCompressionRefused: a peer without it is connected all the same.
func TestCompressionRefused(t *testing.T) {
	for name, answer := range map[string]func(w *wire, req ppp.Packet){
		"Protocol-Reject": func(w *wire, _ ppp.Packet) {
			w.inject(w.server, ppp.ProtocolLCP, 8, 1, "\x80\xfd\x01\x01\x00\x0a"+offerMPPC)
		},
		"Configure-Reject": func(w *wire, req ppp.Packet) {
			w.inject(w.server, ppp.ProtocolCCP, 4, req.ID, string(req.Data))
		},
		"Nak": func(w *wire, req ppp.Packet) {
			again := expect(w.t, w.inject(w.server, ppp.ProtocolCCP, 3, req.ID, offer128), ppp.ProtocolCCP, 1)
			w.inject(w.server, ppp.ProtocolCCP, 3, again.ID, offer128)
		},
		"silence": func(w *wire, _ ppp.Packet) { w.run(compressionWait + time.Second) },
		"agreement, but no end": func(w *wire, _ ppp.Packet) {
			w.inject(w.server, ppp.ProtocolCCP, 1, 1, offerMPPC)
			w.run(compressionWait + time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := scriptedAlone(t)
			reqs := w.server.find(ppp.ProtocolCCP, 1)
			if len(reqs) != 1 || string(reqs[0].Data) != offerMPPC {
				t.Fatalf("%v", reqs)
			}
			answer(w, reqs[0])
			w.bringUp()
			if u := one[NetworkUp](w.server); u.Send.Active() || u.Receive.Active() {
				t.Errorf("%+v", u)
			}
			none[SendKey](w.server)
			none[Down](w.server)
			w.run(10 * time.Second)
			one[NetworkUp](w.server)
		})
	}
}

// TestCompressionHalf: the peer compresses, and wants nothing compressed.
func TestCompressionHalf(t *testing.T) {
	w := scriptedAlone(t)
	expect(t, w.inject(w.server, ppp.ProtocolCCP, 1, 1, ""), ppp.ProtocolCCP, 2)
	w.ackOurs(w.server, ppp.ProtocolCCP)
	w.bringUp()
	if u := one[NetworkUp](w.server); u.Send.Active() || u.Receive != mppc {
		t.Errorf("%+v", u)
	}
}

// TestCompressionIsRepairedOnce: what takes compression away is repaired once, and
// the second time the link goes on without.
func TestCompressionIsRepairedOnce(t *testing.T) {
	lose := map[string]func(w *wire){
		"terminate request": func(w *wire) { w.inject(w.server, ppp.ProtocolCCP, 5, 77, "") },
		"protocol reject":   func(w *wire) { w.inject(w.server, ppp.ProtocolLCP, 8, 77, "\x80\xfd\x01\x01\x00\x04") },
		"data rejected": func(w *wire) {
			w.run(2 * time.Second)
			w.inject(w.server, ppp.ProtocolLCP, 8, 77, "\x00\xfd\x60\x00")
		},
		"no answer to Reset-Requests": func(w *wire) {
			for range maxResets + 1 {
				w.server.link.NeedReset(w.now)
				w.drain()
				w.now = w.now.Add(minResetWait)
			}
		},
	}
	for name, lose := range lose {
		t.Run(name, func(t *testing.T) {
			s, c := compressing(serverConfig(), clientConfig())
			s.Encryption, c.Encryption = EncryptionNo, EncryptionNo
			w := connect(t, s, c)
			lose(w)
			if !w.until(10*time.Second, func() bool { return w.server.link.settled && w.client.link.settled }) {
				t.Fatalf("not repaired\n%s", w.server.dump())
			}
			if n := len(got[SendKey](w.server)); n != 2 || len(got[Blocked](w.server)) != 1 {
				t.Fatalf("%d SendKeys\n%s", n, w.server.dump())
			}
			none[NetworkDown](w.server)
			w.run(2 * time.Second)
			lose(w)
			w.run(20 * time.Second)
			if !w.bothUp() {
				t.Fatalf("not up\nserver:\n%s\nclient:\n%s", w.server.dump(), w.client.dump())
			}
			ups := got[NetworkUp](w.server)
			if u := ups[len(ups)-1]; len(ups) != 2 || u.Send.Active() || u.Receive.Active() {
				t.Errorf("%+v\n%s", ups, w.server.dump())
			}
			none[Down](w.server)
			none[Down](w.client)
		})
	}
}

// TestCompressionNeverReplacesEncryption: the peer has only compression to offer.
func TestCompressionNeverReplacesEncryption(t *testing.T) {
	for _, policy := range []Encryption{EncryptionYes, EncryptionRequired} {
		s := serverConfig()
		s.Compression = true
		w := scripted(t, s, policy)
		for range 4 {
			reqs := w.server.find(ppp.ProtocolCCP, 1)
			w.inject(w.server, ppp.ProtocolCCP, 3, reqs[len(reqs)-1].ID, offerMPPC)
			w.inject(w.server, ppp.ProtocolCCP, 1, 9, offerMPPC)
		}
		none[SendKey](w.server)
		if policy == EncryptionRequired {
			w.run(5 * time.Second) // for the peer's Terminate-Ack
			if d := one[Down](w.server); d.Reason != ReasonEncryption {
				t.Errorf("down: %+v", d)
			}
			none[NetworkUp](w.server)
			continue
		}
		w.bringUp()
		if u := one[NetworkUp](w.server); u.Send.Active() || u.Receive.Active() {
			t.Errorf("%+v", u)
		}
	}
}
