package auth

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"gopptp/mschap"
	"gopptp/ppp"
)

// challenge makes a Challenge packet with a value of n octets.
func challenge(id uint8, fill byte, n int) []byte {
	return raw(chapChallenge, id, (&chapValue{bytes.Repeat([]byte{fill}, n), []byte("srv")}).Append(nil))
}

// serverSide is what a server knows after a response: the request to verify.
func serverSide(t testing.TB, m Method, challenge []byte, response ppp.Packet) *Request {
	t.Helper()
	var c, r ppp.Packet
	must(t, c.Parse(challenge))
	r = response
	var cv, rv chapValue
	must(t, cv.Parse(c.Data))
	must(t, rv.Parse(r.Data))
	user, domain := splitName(string(rv.name))
	return &Request{Method: m, Name: string(rv.name), User: user, Domain: domain, ID: r.ID, Challenge: cv.value, Response: rv.value}
}

// TestPeerMutual: a server that does not know the password must not get a client
// of MS-CHAPv2 (RFC 2759, section 5), whatever it says.
func TestPeerMutual(t *testing.T) {
	for _, message := range []string{
		"", "S=", "S=0000000000000000000000000000000000000000", "M=Access granted",
		"S=407A5589115FD0D6209F510FE9C04566932CDA56", "E=691 R=0", strings.Repeat("S=", 500),
	} {
		p := newPeer(t, MSCHAPv2, "u", "p")
		must(t, p.Start(start))
		must(t, p.Input(start, ppp.ProtocolCHAP, challenge(9, 1, 16)))
		packet(t, p)
		must(t, p.Input(start, ppp.ProtocolCHAP, raw(chapSuccess, 9, []byte(message))))
		d := next[Done](t, p)
		if !errors.Is(d.Err, ErrNotMutual) || d.Keys != nil {
			t.Errorf("%.20q: %v", message, d.Err)
		}
		none(t, p)
		// It is over: not even the right proof helps now.
		if err := p.Input(start, ppp.ProtocolCHAP, challenge(10, 2, 16)); !errors.Is(err, ErrUnexpected) {
			t.Errorf("after the end: %v", err)
		}
		if _, ok := p.Deadline(); ok {
			t.Error("a deadline after the end")
		}
	}
}

// TestPeerUnprompted: a verdict before our answer says nothing.
func TestPeerUnprompted(t *testing.T) {
	for _, m := range allMethods[1:] {
		p := newPeer(t, m, "u", "p")
		for _, code := range []uint8{chapChallenge, chapSuccess, chapFailure} {
			if err := p.Input(start, ppp.ProtocolCHAP, raw(code, 0, nil)); !errors.Is(err, ErrUnexpected) {
				t.Errorf("%v, code %d before Start: %v", m, code, err)
			}
		}
		must(t, p.Start(start))
		for _, code := range []uint8{chapResponse, chapSuccess, chapFailure, 5, 6, 7} {
			if err := p.Input(start, ppp.ProtocolCHAP, raw(code, 0, nil)); !errors.Is(err, ErrUnexpected) {
				t.Errorf("%v, code %d: %v", m, code, err)
			}
		}
		must(t, p.Input(start, ppp.ProtocolCHAP, challenge(5, 1, m.challengeSize())))
		packet(t, p)
		for _, code := range []uint8{chapSuccess, chapFailure} {
			if err := p.Input(start, ppp.ProtocolCHAP, raw(code, 6, nil)); !errors.Is(err, ErrUnexpected) {
				t.Errorf("%v, wrong id: %v", m, err)
			}
		}
		for _, code := range []uint8{chapResponse, 5, 6, 7} {
			if err := p.Input(start, ppp.ProtocolCHAP, raw(code, 5, nil)); !errors.Is(err, ErrUnexpected) {
				t.Errorf("%v, code %d: %v", m, code, err)
			}
		}
		for _, pkt := range []string{"", "\x03\x05\x00", "\x03\x05\x00\x05"} {
			if err := p.Input(start, ppp.ProtocolCHAP, []byte(pkt)); err == nil {
				t.Errorf("%v, %q passes", m, pkt)
			}
		}
		if err := p.Input(start, ppp.ProtocolPAP, raw(papAuthenticateAck, 5, nil)); !errors.Is(err, ErrProtocol) {
			t.Errorf("%v: %v", m, err)
		}
		none(t, p)
	}
}

// TestPeerReflection: the other end hands our own challenge back, to hear from
// us what it should say itself.
func TestPeerReflection(t *testing.T) {
	for _, m := range allMethods[1:] {
		a := newAuthenticator(t, m)
		p, err := NewPeer(PeerConfig{Method: m, User: "u", Password: "p", Forbidden: a.Issued})
		must(t, err)
		must(t, a.Start(start))
		must(t, p.Start(start))
		must(t, p.Input(start, ppp.ProtocolCHAP, next[Frame](t, a).Packet))
		if d := next[Done](t, p); !errors.Is(d.Err, ErrReflected) {
			t.Errorf("%v: %v", m, d.Err)
		}
		none(t, p)
	}
}

func TestPeerChallengeSize(t *testing.T) {
	for _, m := range allMethods[1:] {
		for n := 1; n <= 255; n++ {
			p := newPeer(t, m, "u", "p")
			must(t, p.Start(start))
			must(t, p.Input(start, ppp.ProtocolCHAP, challenge(1, 1, n)))
			if m == CHAP || n == m.challengeSize() {
				packet(t, p)
			} else if d := next[Done](t, p); !errors.Is(d.Err, ErrChallenge) {
				t.Errorf("%v, %d octets: %v", m, n, d.Err)
			}
		}
	}
}

// TestPeerSameChallenge: the answer to a repeated challenge is the same to the
// octet, else the keys of MS-CHAPv2 would depend on which answer was heard.
func TestPeerSameChallenge(t *testing.T) {
	p := newPeer(t, MSCHAPv2, "u", "p")
	must(t, p.Start(start))
	c := challenge(1, 1, 16)
	must(t, p.Input(start, ppp.ProtocolCHAP, c))
	first := next[Frame](t, p)
	must(t, p.Input(start, ppp.ProtocolCHAP, c))
	if again := next[Frame](t, p); !bytes.Equal(first.Packet, again.Packet) {
		t.Error("the answer changed")
	}
	// Another value under the same identifier is another challenge, and so is
	// the same value under another identifier.
	must(t, p.Input(start, ppp.ProtocolCHAP, challenge(2, 1, 16)))
	if got := packet(t, p); got.ID != 2 {
		t.Errorf("response to challenge 2 has identifier %d", got.ID)
	}
	c = challenge(2, 2, 16)
	must(t, p.Input(start, ppp.ProtocolCHAP, c))
	second := packet(t, p)
	res := serverSide(t, MSCHAPv2, c, second).Verify("p")
	if !res.OK {
		t.Fatal("the new challenge was not answered")
	}
	must(t, p.Input(start, ppp.ProtocolCHAP, raw(chapSuccess, 2, []byte(res.Message))))
	d := next[Done](t, p)
	if d.Err != nil {
		t.Fatal(d.Err)
	}
	sameKeys(t, res.Keys, d.Keys)
}

// TestPeerRechallenge: a server may challenge again on an open link (RFC 1994,
// section 2).
func TestPeerRechallenge(t *testing.T) {
	for _, m := range allMethods[1:] {
		p := newPeer(t, m, "u", "p")
		must(t, p.Start(start))
		for i := range byte(5) {
			c := challenge(i, i+1, m.challengeSize())
			must(t, p.Input(start, ppp.ProtocolCHAP, c))
			res := serverSide(t, m, c, packet(t, p)).Verify("p")
			if !res.OK {
				t.Fatalf("%v: wrong response", m)
			}
			must(t, p.Input(start, ppp.ProtocolCHAP, raw(chapSuccess, i, []byte(res.Message))))
			if i == 0 {
				if d := next[Done](t, p); d.Err != nil {
					t.Fatal(d.Err)
				}
			}
			none(t, p) // one Done, one set of keys
			if _, ok := p.Deadline(); ok {
				t.Errorf("%v: a deadline on an open link", m)
			}
		}
		// Left without verdict, it repeats itself and then falls silent; the
		// link is the server's to close.
		must(t, p.Input(start, ppp.ProtocolCHAP, challenge(77, 77, m.challengeSize())))
		frames := 0
		for {
			for o, ok := p.Next(); ok; o, ok = p.Next() {
				if _, ok := o.(Frame); !ok {
					t.Errorf("%v: output %v", m, o)
				}
				frames++
			}
			d, ok := p.Deadline()
			if !ok {
				break
			}
			p.Tick(d)
		}
		if frames != maxTransmits {
			t.Errorf("%v: %d frames", m, frames)
		}
		must(t, p.Input(start, ppp.ProtocolCHAP, raw(chapFailure, 77, nil)))
		var rejected *RejectedError
		if d := next[Done](t, p); !errors.As(d.Err, &rejected) {
			t.Errorf("%v: %v", m, d.Err)
		}
	}
}

func TestPeerRejected(t *testing.T) {
	for _, c := range []struct {
		method Method
		data   string
		want   RejectedError
	}{
		{CHAP, "E=691 no", RejectedError{CHAP, 0, "E=691 no"}},
		{MSCHAPv1, "E=647 R=0", RejectedError{MSCHAPv1, 647, ""}},
		{MSCHAPv2, "E=691 R=1 C=00000000000000000000000000000000 V=3 M=no", RejectedError{MSCHAPv2, 691, "no"}},
		{MSCHAPv2, "M=" + strings.Repeat("x", 5000), RejectedError{MSCHAPv2, 0, strings.Repeat("x", maxQuoted)}},
		{MSCHAPv2, "", RejectedError{MSCHAPv2, 0, ""}},
	} {
		p := newPeer(t, c.method, "u", "p")
		must(t, p.Start(start))
		must(t, p.Input(start, ppp.ProtocolCHAP, challenge(1, 1, c.method.challengeSize())))
		packet(t, p)
		must(t, p.Input(start, ppp.ProtocolCHAP, raw(chapFailure, 1, []byte(c.data))))
		d := next[Done](t, p)
		var got *RejectedError
		if !errors.As(d.Err, &got) || *got != c.want || d.Keys != nil || d.Message != c.want.Message {
			t.Errorf("%v %.20q: %v", c.method, c.data, d.Err)
		}
	}
}

func TestPeerTimeout(t *testing.T) {
	for _, c := range []struct {
		method    Method
		challenge bool
		after     time.Duration
		frames    int
	}{
		{PAP, false, 30 * time.Second, 10},
		{CHAP, false, 60 * time.Second, 0},
		{CHAP, true, 60 * time.Second, 10},
		{MSCHAPv2, true, 60 * time.Second, 10},
	} {
		p := newPeer(t, c.method, "u", "p")
		must(t, p.Start(start))
		if err := p.Start(start); !errors.Is(err, ErrStarted) {
			t.Errorf("second Start: %v", err)
		}
		if c.challenge {
			must(t, p.Input(start, ppp.ProtocolCHAP, challenge(1, 1, c.method.challengeSize())))
		}
		now, frames := start, 0
		var ids []uint8
		for {
			for o, ok := p.Next(); ok; o, ok = p.Next() {
				switch o := o.(type) {
				case Frame:
					frames++
					ids = append(ids, o.Packet[1])
				case Done:
					if !errors.Is(o.Err, ErrTimeout) {
						t.Errorf("%v: %v", c.method, o.Err)
					}
				}
			}
			d, ok := p.Deadline()
			if !ok {
				break
			}
			p.Tick(d.Add(-1))
			none(t, p)
			now = d
			p.Tick(now)
		}
		if now.Sub(start) != c.after || frames != c.frames {
			t.Errorf("%v: %d frames, gives up after %v", c.method, frames, now.Sub(start))
		}
		for i := 1; i < len(ids); i++ {
			if changed := ids[i] != ids[i-1]; changed != (c.method == PAP) {
				t.Errorf("%v: identifiers %v", c.method, ids)
			}
		}
	}
}

func TestPeerPAP(t *testing.T) {
	for _, c := range []struct {
		name string
		code uint8
		id   uint8
		data string
		err  error
		done bool
		ok   bool
	}{
		{"ack of the first", papAuthenticateAck, 1, "\x02hi", nil, true, true},
		{"ack of the last", papAuthenticateAck, 3, "", nil, true, true},
		{"ack with a lying length", papAuthenticateAck, 2, "\xffhi", nil, true, true},
		{"nak", papAuthenticateNak, 2, "\x02no", nil, true, false},
		{"not sent yet", papAuthenticateAck, 4, "", ErrUnexpected, false, false},
		{"never sent", papAuthenticateAck, 0, "", ErrUnexpected, false, false},
		{"request", papAuthenticateRequest, 1, "\x00\x00", ErrUnexpected, false, false},
		{"unknown", 4, 1, "", ErrUnexpected, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPeer(t, PAP, "u", "p")
			must(t, p.Start(start))
			p.Tick(start.Add(3 * time.Second))
			p.Tick(start.Add(6 * time.Second))
			for range 3 {
				f := packet(t, p)
				if string(f.Data) != "\x01u\x01p" {
					t.Errorf("request %q", f.Data)
				}
			}
			if err := p.Input(start, ppp.ProtocolPAP, raw(c.code, c.id, []byte(c.data))); !errors.Is(err, c.err) {
				t.Errorf("error %v, want %v", err, c.err)
			}
			if !c.done {
				none(t, p)
				return
			}
			d := next[Done](t, p)
			if (d.Err == nil) != c.ok || d.Keys != nil {
				t.Errorf("%v", d.Err)
			}
			if _, ok := p.Deadline(); ok {
				t.Error("a deadline after the end")
			}
			// A second verdict is none.
			if err := p.Input(start, ppp.ProtocolPAP, raw(papAuthenticateNak, 1, nil)); !errors.Is(err, ErrUnexpected) {
				t.Errorf("second verdict: %v", err)
			}
			none(t, p)
		})
	}
}

func TestPeerConfig(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, m := range allMethods {
		if _, err := NewPeer(PeerConfig{Method: m, User: long}); err == nil {
			t.Errorf("%v takes a long user name", m)
		}
		_, err := NewPeer(PeerConfig{Method: m, Password: Secret(long)})
		if (err != nil) != (m == PAP) {
			t.Errorf("%v with a long password: %v", m, err)
		}
		if err != nil && strings.Contains(err.Error(), "xxx") {
			t.Error("the password is in the error")
		}
	}
}

// TestPeerSendsNoLM: the LAN Manager response would give the password away.
func TestPeerSendsNoLM(t *testing.T) {
	p := newPeer(t, MSCHAPv1, "u", "p")
	must(t, p.Start(start))
	c := challenge(1, 1, 8)
	must(t, p.Input(start, ppp.ProtocolCHAP, c))
	r := serverSide(t, MSCHAPv1, c, packet(t, p))
	if r.LMResponse() != (mschap.Response{}) || !r.UseNT() {
		t.Errorf("LM response % x, use NT %v", r.LMResponse(), r.UseNT())
	}
}
