package link

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"gopptp/mppe"
	"gopptp/ppp"
	"gopptp/ppp/auth"
)

// TestMatrix brings up every method with every pair of policies and strengths.
func TestMatrix(t *testing.T) {
	policies := []Encryption{EncryptionNo, EncryptionYes, EncryptionRequired}
	strengths := [][]mppe.Strength{{mppe.Bits128}, {mppe.Bits40}, {mppe.Bits128, mppe.Bits40, mppe.Bits56}}
	for _, method := range allMethods {
		for _, sp := range policies {
			for _, cp := range policies {
				for i, ss := range strengths {
					for j, cs := range strengths {
						t.Run(fmt.Sprintf("%v/%v-%v/%d-%d", method, sp, cp, i, j), func(t *testing.T) {
							matrixCase(t, method, sp, cp, ss, cs)
						})
					}
				}
			}
		}
	}
}

func matrixCase(t *testing.T, method auth.Method, sp, cp Encryption, ss, cs []mppe.Strength) {
	s, c := serverConfig(), clientConfig()
	s.Auth = []auth.Method{method}
	s.Encryption, c.Encryption = sp, cp
	s.Strengths, c.Strengths = ss, cs
	w := newWire(t, s, c)
	w.start()
	w.until(2*time.Minute, func() bool { return w.bothUp() || w.bothDead() })

	best := mppe.None
	for _, v := range []mppe.Strength{mppe.Bits40, mppe.Bits56, mppe.Bits128} {
		if slices.Contains(ss, v) && slices.Contains(cs, v) {
			best = v
		}
	}
	encrypts := method >= auth.MSCHAPv1 && sp != EncryptionNo && cp != EncryptionNo && best != mppe.None
	required := sp == EncryptionRequired || cp == EncryptionRequired
	if required && !encrypts {
		none[NetworkUp](w.server)
		none[NetworkUp](w.client)
		reasons := []string{one[Down](w.server).Reason, one[Down](w.client).Reason}
		if !slices.Contains(reasons, ReasonEncryption) {
			t.Errorf("reasons %q", reasons)
		}
		return
	}
	su, cu := one[NetworkUp](w.server), one[NetworkUp](w.client)
	if su.Local != serverAddr || su.Remote != clientAddr || cu.Local != clientAddr || cu.Remote != serverAddr {
		t.Errorf("addresses: server %+v, client %+v", su, cu)
	}
	if len(cu.DNS) != 1 || cu.DNS[0] != dnsAddr {
		t.Errorf("client's DNS is %v", cu.DNS)
	}
	if su.MTU != 1450 || su.MRU != 1450 || cu.MTU != 1450 {
		t.Errorf("sizes: server %+v, client %+v", su, cu)
	}
	if w.now != start {
		t.Errorf("waited %v for a timer\nserver:\n%s\nclient:\n%s", w.now.Sub(start), w.server.dump(), w.client.dump())
	}
	if !encrypts {
		if su.Send != (mppe.Config{}) || cu.Receive != (mppe.Config{}) {
			t.Errorf("encryption out of nothing: %+v", su)
		}
		none[SendKey](w.server)
		none[SendKey](w.client)
		return
	}
	want := mppe.Config{Strength: best, Stateless: true}
	sk, ck := one[SendKey](w.server), one[SendKey](w.client)
	srs, crs := got[ReceiveKey](w.server), got[ReceiveKey](w.client)
	sr, cr := srs[len(srs)-1], crs[len(crs)-1]
	if sk.Config != want || ck.Config != want || sr.Config != want || cr.Config != want ||
		su.Send != want || su.Receive != want || cu.Send != want || cu.Receive != want {
		t.Errorf("want %v, got %v %v %v %v", want, sk.Config, ck.Config, sr.Config, cr.Config)
	}
	if sk.Key != cr.Key || ck.Key != sr.Key {
		t.Error("the keys do not match crosswise")
	}
	if sk.Key.Long == [16]byte{} {
		t.Error("empty key")
	}
	keysFirst(t, w.server)
	keysFirst(t, w.client)
	if a := one[Authenticated](w.server); a.User != "MT-User" || a.Method != method {
		t.Errorf("authenticated %+v", a)
	}
}

// keysFirst checks the order that keeps a link from being a black hole: accel-ppp
// lost packets of peers that acked before its decompressor was ready.
func keysFirst(t *testing.T, e *end) {
	t.Helper()
	armed, acked, up := false, false, false
	for _, o := range e.log {
		switch o := o.(type) {
		case ReceiveKey:
			armed = true
		case Blocked:
			armed, acked = false, false
		case SendKey:
			if !acked {
				t.Errorf("%s: SendKey before the Configure-Ack\n%s", e.name, e.dump())
			}
		case NetworkUp:
			up = true
			if !armed || !acked {
				t.Errorf("%s: NetworkUp without keys\n%s", e.name, e.dump())
			}
		case Frame:
			h, p := parse(o)
			if h.Protocol == ppp.ProtocolCCP && (p.Code == 1 || p.Code == 2) {
				acked = acked || p.Code == 2
				if !armed {
					t.Errorf("%s: %s before ReceiveKey\n%s", e.name, describe(o), e.dump())
				}
			}
		}
	}
	if !up {
		t.Errorf("%s: never up", e.name)
	}
}

// TestRoundTrips: with a delay on the wire, the time to connect is the number of
// one-way trips, and no timer adds to it.
func TestRoundTrips(t *testing.T) {
	const oneWay = 10 * time.Millisecond
	w := newWire(t, serverConfig(), clientConfig())
	w.delay = oneWay
	w.start()
	if !w.until(time.Minute, w.bothUp) {
		t.Fatal("not up")
	}
	// LCP 2, challenge, response, success, CCP 2 (the success and the server's
	// request travel together), IPCP 3 requests from the client.
	trips := int(w.now.Sub(start) / oneWay)
	if w.now.Sub(start)%oneWay != 0 || trips > 15 {
		t.Errorf("connected after %v, %d trips\nserver:\n%s\nclient:\n%s", w.now.Sub(start), trips, w.server.dump(), w.client.dump())
	}
	t.Logf("%d one-way trips", trips)
}

// TestHostileWire connects through loss, copies and reordering.
func TestHostileWire(t *testing.T) {
	for seed := range uint64(200) {
		s, c := serverConfig(), clientConfig()
		s.Auth = []auth.Method{allMethods[seed%4]}
		both := []mppe.Strength{mppe.Bits40, mppe.Bits128, mppe.Bits56}
		s.Strengths, c.Strengths = both[:1+seed%3], both[:1+seed%2]
		s.Rand, c.Rand = source(10+seed), source(1000+seed)
		w := newWire(t, s, c)
		w.rng.Uint64()
		for range seed {
			w.rng.Uint64()
		}
		w.lose, w.dup = 0.15, 0.1
		w.delay, w.jitter = 5*time.Millisecond, 20*time.Millisecond
		if seed%3 == 0 {
			w.server.lookup = time.Second
		}
		w.start()
		if !w.until(3*time.Minute, func() bool { return w.bothUp() && w.server.link.sending == w.client.link.receiving }) {
			t.Errorf("seed %d: not up after %v\nserver:\n%s\nclient:\n%s", seed, w.now.Sub(start), w.server.dump(), w.client.dump())
			continue
		}
		w.lose, w.dup = 0, 0
		w.run(20 * time.Second)
		if !w.bothUp() {
			t.Errorf("seed %d: fell down again\nserver:\n%s\nclient:\n%s", seed, w.server.dump(), w.client.dump())
		}
		if a, b := w.server.link, w.client.link; a.sending != b.receiving || a.receiving != b.sending {
			t.Errorf("seed %d: one end encrypts otherwise than the other", seed)
		}
	}
}
