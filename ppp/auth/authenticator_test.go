package auth

import (
	"bytes"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"gopptp/mppe"
	"gopptp/ppp"
)

// respond lets an honest peer answer the challenge that a puts out.
func respond(t *testing.T, a *Authenticator, user, password string) (response []byte, p *Peer) {
	t.Helper()
	p = newPeer(t, a.cfg.Method, user, password)
	must(t, p.Start(start))
	if a.cfg.Method != PAP {
		must(t, p.Input(start, ppp.ProtocolCHAP, next[Frame](t, a).Packet))
	}
	return next[Frame](t, p).Packet, p
}

func TestAuthenticatorVerdicts(t *testing.T) {
	for _, c := range []struct {
		method Method
		result Result
		code   uint8
		data   string // a regular expression
	}{
		{PAP, Result{OK: true}, papAuthenticateAck, "^\x0eAccess granted$"},
		{PAP, Result{}, papAuthenticateNak, "^\x18bad username or password$"},
		{PAP, Result{Message: "go away"}, papAuthenticateNak, "^\x07go away$"},
		{CHAP, Result{OK: true, Message: "hello"}, chapSuccess, "^hello$"},
		{CHAP, Result{}, chapFailure, "^bad username or password$"},
		{MSCHAPv1, Result{OK: true}, chapSuccess, "^Access granted$"},
		{MSCHAPv1, Result{}, chapFailure, "^E=691 R=0 C=[0-9A-F]{16} V=2$"},
		{MSCHAPv1, Result{Code: CodeDisabled, Message: "go away"}, chapFailure, "^E=647 R=0 C=[0-9A-F]{16} V=2$"},
		{MSCHAPv2, Result{}, chapFailure, "^E=691 R=0 C=[0-9A-F]{32} V=3 M=bad username or password$"},
		{MSCHAPv2, Result{Code: CodeNoDialIn, Message: "go away"}, chapFailure, "^E=649 R=0 C=[0-9A-F]{32} V=3 M=go away$"},
		{MSCHAPv2, Result{OK: true, Message: "S=407A5589115FD0D6209F510FE9C04566932CDA56"}, chapSuccess, "^S=407A5589115FD0D6209F510FE9C04566932CDA56$"},
		// A RADIUS server that sends no proof, or half of one.
		{MSCHAPv2, Result{OK: true, Keys: &mppe.Keys{}}, chapFailure, "^E=691 "},
		{MSCHAPv2, Result{OK: true, Keys: &mppe.Keys{}, Message: "S=407A"}, chapFailure, "^E=691 "},
		{CHAP, Result{OK: true, Message: strings.Repeat("x", 1000)}, chapSuccess, "^x{255}$"},
		{PAP, Result{OK: true, Message: strings.Repeat("x", 1000)}, papAuthenticateAck, "^.x{255}$"},
	} {
		a := newAuthenticator(t, c.method)
		must(t, a.Start(start))
		pkt, _ := respond(t, a, "user", "p")
		must(t, a.Input(start, c.method.Protocol(), pkt))
		r := next[*Request](t, a)
		none(t, a)
		a.Answer(c.result)
		verdict := packet(t, a)
		if verdict.Code != c.code || verdict.ID != r.ID {
			t.Errorf("%v %+v: code %d id %d", c.method, c.result, verdict.Code, verdict.ID)
		}
		if !regexp.MustCompile(c.data).Match(verdict.Data) {
			t.Errorf("%v %+v: data %q, want %q", c.method, c.result, verdict.Data, c.data)
		}
		d := next[Done](t, a)
		ok := c.code == chapSuccess
		if c.method == PAP {
			ok = c.code == papAuthenticateAck
		}
		if (d.Err == nil) != ok || !ok && !errors.Is(d.Err, ErrRefused) || !ok && d.Keys != nil {
			t.Errorf("%v %+v: %v, keys %v", c.method, c.result, d.Err, d.Keys)
		}
		if _, ok := a.Deadline(); ok {
			t.Error("a deadline after the verdict")
		}

		// The peer missed it and repeats itself: the same again, and no Done.
		for i := range 3 {
			if c.method == PAP {
				pkt[1] += 7
			}
			must(t, a.Input(start.Add(time.Hour), c.method.Protocol(), pkt))
			again := packet(t, a)
			if again.Code != verdict.Code || again.ID != pkt[1] || !bytes.Equal(again.Data, verdict.Data) {
				t.Errorf("%v, repetition %d: %v, was %v", c.method, i, again, verdict)
			}
			none(t, a)
		}
		// A late or second answer changes nothing.
		a.Answer(Result{OK: !c.result.OK})
		none(t, a)
	}
}

func TestAuthenticatorTimeout(t *testing.T) {
	for _, m := range allMethods {
		a := newAuthenticator(t, m)
		must(t, a.Start(start))
		var challenge []byte
		frames := 0
		now := start
		for {
			for o, ok := a.Next(); ok; o, ok = a.Next() {
				switch o := o.(type) {
				case Frame:
					frames++
					if challenge != nil && !bytes.Equal(challenge, o.Packet) {
						t.Errorf("%v: a retransmission differs", m)
					}
					challenge = o.Packet
				case Done:
					var timeout interface{ Timeout() bool }
					if !errors.Is(o.Err, ErrTimeout) || !errors.As(o.Err, &timeout) || !timeout.Timeout() {
						t.Errorf("%v: %v", m, o.Err)
					}
				}
			}
			d, ok := a.Deadline()
			if !ok {
				break
			}
			a.Tick(d.Add(-1))
			none(t, a)
			now = d
			a.Tick(now)
		}
		if got := now.Sub(start); got != 30*time.Second {
			t.Errorf("%v: gives up after %v", m, got)
		}
		if want := map[bool]int{true: 0, false: maxTransmits}[m == PAP]; frames != want {
			t.Errorf("%v: %d frames, want %d", m, frames, want)
		}
		if err := a.Input(now, m.Protocol(), raw(2, 0, nil)); !errors.Is(err, ErrUnexpected) {
			t.Errorf("%v: %v after the end", m, err)
		}
	}
}

// TestAuthenticatorOwnerSilent: if nobody answers the Request, the peer is told.
func TestAuthenticatorOwnerSilent(t *testing.T) {
	a := newAuthenticator(t, MSCHAPv2)
	must(t, a.Start(start))
	pkt, _ := respond(t, a, "u", "p")
	must(t, a.Input(start, ppp.ProtocolCHAP, pkt))
	r := next[*Request](t, a)
	must(t, a.Input(start, ppp.ProtocolCHAP, pkt)) // the peer repeats itself
	none(t, a)
	d, ok := a.Deadline()
	if !ok || d.Sub(start) != patience {
		t.Fatalf("deadline %v", d)
	}
	a.Tick(d)
	if got := packet(t, a); got.Code != chapFailure {
		t.Errorf("code %d", got.Code)
	}
	if got := next[Done](t, a); !errors.Is(got.Err, ErrTimeout) {
		t.Error(got.Err)
	}
	a.Answer(r.Verify("p"))
	none(t, a)
}

func TestAuthenticatorChallenge(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range allMethods[1:] {
		for range 50 {
			a := newAuthenticator(t, m)
			if a.Issued(nil) || a.Issued([]byte{}) {
				t.Error("nothing counts as issued")
			}
			must(t, a.Start(start))
			c := packet(t, a)
			var v chapValue
			must(t, v.Parse(c.Data))
			if string(v.name) != "server" || len(v.value) != m.challengeSize() || c.Code != chapChallenge {
				t.Errorf("%v: challenge %v", m, c)
			}
			if seen[string(v.value)] {
				t.Fatal("a challenge was used twice")
			}
			seen[string(v.value)] = true
			if !a.Issued(v.value) || a.Issued(v.value[1:]) {
				t.Error("Issued does not know its challenge")
			}
			if err := a.Start(start); !errors.Is(err, ErrStarted) {
				t.Errorf("second Start: %v", err)
			}
		}
	}
	a, err := NewAuthenticator(AuthenticatorConfig{Method: CHAP})
	must(t, err)
	must(t, a.Start(start))
	if c := packet(t, a); !bytes.HasSuffix(c.Data, []byte(defaultName)) {
		t.Error("the name is empty")
	}
	if _, err := NewAuthenticator(AuthenticatorConfig{Method: CHAP, Name: strings.Repeat("x", 256)}); err == nil {
		t.Error("a long name passes")
	}
}

// TestAuthenticatorFailureChallenge: the challenge in a Failure is fresh.
func TestAuthenticatorFailureChallenge(t *testing.T) {
	a := newAuthenticator(t, MSCHAPv2)
	must(t, a.Start(start))
	pkt, _ := respond(t, a, "u", "p")
	must(t, a.Input(start, ppp.ProtocolCHAP, pkt))
	r := next[*Request](t, a)
	a.Answer(Result{})
	f := ParseFailure(string(packet(t, a).Data))
	if len(f.Challenge) != 16 || bytes.Equal(f.Challenge, r.Challenge) {
		t.Errorf("challenge %s in the Failure", hex.EncodeToString(f.Challenge))
	}
	if !a.Issued(f.Challenge) {
		t.Error("that challenge does not count as issued")
	}
}

func TestAuthenticatorNoRandom(t *testing.T) {
	broken := errors.New("broken")
	a, err := NewAuthenticator(AuthenticatorConfig{Method: CHAP, Rand: iotest.ErrReader(broken)})
	must(t, err)
	if err := a.Start(start); !errors.Is(err, broken) {
		t.Errorf("Start: %v", err)
	}
	none(t, a)
	p, err := NewPeer(PeerConfig{Method: MSCHAPv2, Rand: iotest.ErrReader(broken)})
	must(t, err)
	must(t, p.Start(start))
	c := chapValue{make([]byte, 16), nil}
	must(t, p.Input(start, ppp.ProtocolCHAP, raw(chapChallenge, 1, c.Append(nil))))
	if d := next[Done](t, p); !errors.Is(d.Err, broken) {
		t.Error(d.Err)
	}
}

func TestAuthenticatorIgnores(t *testing.T) {
	for _, m := range allMethods {
		a := newAuthenticator(t, m)
		if err := a.Input(start, m.Protocol(), raw(2, 0, nil)); !errors.Is(err, ErrUnexpected) {
			t.Errorf("%v before Start: %v", m, err)
		}
		must(t, a.Start(start))
		pkt, _ := respond(t, a, "u", "p")
		deadline, _ := a.Deadline()
		other := ppp.ProtocolCHAP
		if m != PAP {
			other = ppp.ProtocolPAP
		}
		if err := a.Input(start, other, pkt); !errors.Is(err, ErrProtocol) {
			t.Errorf("%v, other protocol: %v", m, err)
		}
		code := pkt[0]
		for c := range 256 {
			if byte(c) == code {
				continue
			}
			pkt[0] = byte(c)
			if err := a.Input(start, m.Protocol(), pkt); !errors.Is(err, ErrUnexpected) {
				t.Errorf("%v, code %d: %v", m, c, err)
			}
		}
		pkt[0] = code
		if m != PAP {
			id := pkt[1]
			for i := range 255 {
				pkt[1] = id + 1 + byte(i)
				if err := a.Input(start, m.Protocol(), pkt); !errors.Is(err, ErrUnexpected) {
					t.Errorf("%v, wrong id: %v", m, err)
				}
			}
			pkt[1] = id
		}
		for n := range pkt {
			if err := a.Input(start, m.Protocol(), pkt[:n]); err == nil {
				t.Errorf("%v: a prefix of %d octets passes", m, n)
			}
		}
		none(t, a)
		if d, _ := a.Deadline(); d != deadline {
			t.Errorf("%v: what is ignored moved the deadline", m)
		}
		must(t, a.Input(start, m.Protocol(), pkt))
		r := next[*Request](t, a)
		clear(pkt) // Input retains nothing
		a.Answer(r.Verify("p"))
		packet(t, a)
		if d := next[Done](t, a); d.Err != nil {
			t.Errorf("%v: %v", m, d.Err)
		}
	}
}

// TestAuthenticatorPAPRepeats: a client that repeats its request under new
// identifiers gets the answer under the latest, but cannot exchange the
// credentials that are being looked at.
func TestAuthenticatorPAPRepeats(t *testing.T) {
	a := newAuthenticator(t, PAP)
	must(t, a.Start(start))
	honest := papRequest{"u", "p"}
	must(t, a.Input(start, ppp.ProtocolPAP, raw(papAuthenticateRequest, 1, honest.Append(nil))))
	next[*Request](t, a)
	must(t, a.Input(start, ppp.ProtocolPAP, raw(papAuthenticateRequest, 2, honest.Append(nil))))
	other := papRequest{"root", "p"}
	if err := a.Input(start, ppp.ProtocolPAP, raw(papAuthenticateRequest, 3, other.Append(nil))); !errors.Is(err, ErrUnexpected) {
		t.Errorf("other credentials: %v", err)
	}
	none(t, a)
	a.Answer(Result{OK: true})
	if got := packet(t, a); got.ID != 2 || got.Code != papAuthenticateAck {
		t.Errorf("verdict %v", got)
	}
	if next[Done](t, a).Err != nil {
		t.Error("refused")
	}
	// No second guess after a verdict either: the code stays.
	must(t, a.Input(start, ppp.ProtocolPAP, raw(papAuthenticateRequest, 4, other.Append(nil))))
	if got := packet(t, a); got.ID != 4 || got.Code != papAuthenticateAck {
		t.Errorf("verdict %v", got)
	}
}

// TestAuthenticatorRepeatBounded: an owner that takes no output is not buried.
func TestAuthenticatorRepeatBounded(t *testing.T) {
	a := newAuthenticator(t, CHAP)
	must(t, a.Start(start))
	pkt, p := respond(t, a, "u", "p")
	must(t, a.Input(start, ppp.ProtocolCHAP, pkt))
	a.Answer(next[*Request](t, a).Verify("p"))
	challenge := frame(ppp.ProtocolCHAP, ppp.Packet{Code: chapChallenge, ID: a.id, Data: (&chapValue{a.challenge, []byte("server")}).Append(nil)})
	for range 1000 {
		must(t, a.Input(start, ppp.ProtocolCHAP, pkt))
		must(t, p.Input(start, ppp.ProtocolCHAP, challenge.Packet))
	}
	if len(a.out) > 3 || len(p.out) > 3 {
		t.Errorf("%d and %d outputs wait", len(a.out), len(p.out))
	}
}

func TestForAuthenticator(t *testing.T) {
	for _, c := range []struct {
		proto ppp.Protocol
		code  uint8
		want  bool
	}{
		{ppp.ProtocolPAP, papAuthenticateRequest, true},
		{ppp.ProtocolPAP, papAuthenticateAck, false},
		{ppp.ProtocolPAP, papAuthenticateNak, false},
		{ppp.ProtocolCHAP, chapChallenge, false},
		{ppp.ProtocolCHAP, chapResponse, true},
		{ppp.ProtocolCHAP, chapSuccess, false},
		{ppp.ProtocolCHAP, chapFailure, false},
		{ppp.ProtocolLCP, chapResponse, false},
	} {
		if got := ForAuthenticator(c.proto, raw(c.code, 1, nil)); got != c.want {
			t.Errorf("%v code %d: %v", c.proto, c.code, got)
		}
	}
	if ForAuthenticator(ppp.ProtocolCHAP, []byte{2}) {
		t.Error("a short packet")
	}
}
