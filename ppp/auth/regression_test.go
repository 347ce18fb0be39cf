package auth

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"gopptp/ppp"
)

// Each test here is named after a hole in another implementation.

// started gives an Authenticator whose challenge is out, and its identifier.
func started(t *testing.T, m Method) (*Authenticator, uint8) {
	t.Helper()
	a := newAuthenticator(t, m)
	must(t, a.Start(start))
	return a, packet(t, a).ID
}

// refused checks that a gave a Failure and the result, and asked nobody.
func refused(t *testing.T, a *Authenticator) {
	t.Helper()
	if p := packet(t, a); p.Code != chapFailure {
		t.Errorf("code %d, want a Failure", p.Code)
	}
	if d := next[Done](t, a); !errors.Is(d.Err, ErrRefused) || d.Keys != nil {
		t.Errorf("result %v", d.Err)
	}
	none(t, a)
}

// TestCVE2020_8597: pppd copied an EAP name of any length into 256 octets. CHAP
// has the same field.
func TestCVE2020_8597(t *testing.T) {
	for _, m := range allMethods[1:] {
		for _, n := range []int{0, 1, 254, 255, 256, 257, 1024, 60_000} {
			a, id := started(t, m)
			v := chapValue{make([]byte, m.responseSize()), bytes.Repeat([]byte{'A'}, n)}
			must(t, a.Input(start, ppp.ProtocolCHAP, raw(chapResponse, id, v.Append(nil))))
			if n > maxField {
				refused(t, a)
				continue
			}
			if r := next[*Request](t, a); len(r.Name) != n || r.Verify("p").OK {
				t.Errorf("%v: name of %d octets, want %d", m, len(r.Name), n)
			}
		}
	}
	// And to a client, in a challenge.
	p := newPeer(t, CHAP, "u", "p")
	must(t, p.Start(start))
	v := chapValue{make([]byte, 16), bytes.Repeat([]byte{'A'}, 60_000)}
	must(t, p.Input(start, ppp.ProtocolCHAP, raw(chapChallenge, 1, v.Append(nil))))
	if got := packet(t, p); got.Len() > 4+1+16+1 {
		t.Errorf("a response of %d octets", got.Len())
	}
}

// TestPPP36733a8: pppd's MS-CHAPv2 overran its stack with a response of another
// size.
func TestPPP36733a8(t *testing.T) {
	for _, m := range allMethods[1:] {
		for n := 1; n <= 255; n++ {
			a, id := started(t, m)
			v := chapValue{make([]byte, n), []byte("u")}
			must(t, a.Input(start, ppp.ProtocolCHAP, raw(chapResponse, id, v.Append(nil))))
			if n == m.responseSize() {
				next[*Request](t, a)
			} else {
				refused(t, a)
			}
		}
	}
}

// TestPPP05b737b: pppd took a response whose value has no octets.
func TestPPP05b737b(t *testing.T) {
	for _, m := range allMethods[1:] {
		a, id := started(t, m)
		for _, data := range []string{"", "\x00", "\x00user"} {
			if err := a.Input(start, ppp.ProtocolCHAP, raw(chapResponse, id, []byte(data))); !errors.Is(err, ErrMalformed) {
				t.Errorf("%v, %q: %v", m, data, err)
			}
		}
		p := newPeer(t, m, "u", "p")
		must(t, p.Start(start))
		for _, data := range []string{"", "\x00", "\x00srv"} {
			if err := p.Input(start, ppp.ProtocolCHAP, raw(chapChallenge, id, []byte(data))); !errors.Is(err, ErrMalformed) {
				t.Errorf("%v, %q: %v", m, data, err)
			}
		}
		none(t, a)
		none(t, p)
	}
}

// TestValueSizeLies: value sizes beyond the packet.
func TestValueSizeLies(t *testing.T) {
	for _, m := range allMethods[1:] {
		a, id := started(t, m)
		n := m.responseSize()
		for _, size := range []int{n + 1, 255} {
			data := append([]byte{byte(size)}, make([]byte, n)...)
			if err := a.Input(start, ppp.ProtocolCHAP, raw(chapResponse, id, data)); !errors.Is(err, ErrMalformed) {
				t.Errorf("%v, value size %d: %v", m, size, err)
			}
		}
		none(t, a)
	}
	a := newAuthenticator(t, PAP)
	must(t, a.Start(start))
	for _, data := range []string{"", "\x00", "\xff", "\x01", "\x01u", "\x01u\x02p", "\xffu\x01p", "\x04user\xff", "\x00\x01"} {
		if err := a.Input(start, ppp.ProtocolPAP, raw(papAuthenticateRequest, 1, []byte(data))); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v", data, err)
		}
	}
	none(t, a)
	// The length of the packet itself.
	for _, pkt := range []string{"", "\x01\x01", "\x01\x01\x00\x00", "\x01\x01\x00\x03", "\x01\x01\xff\xff\x01u\x01p"} {
		if err := a.Input(start, ppp.ProtocolPAP, []byte(pkt)); err == nil {
			t.Errorf("%q passes", pkt)
		}
	}
	none(t, a)
}

// TestCVE2015_3310: pppd's RADIUS plugin made a session identifier of what the
// peer sent and overran its buffer. A request bounds what it hands on.
func TestCVE2015_3310(t *testing.T) {
	a := newAuthenticator(t, PAP)
	must(t, a.Start(start))
	long := strings.Repeat("%n", 127) + "x"
	r := papRequest{long, long}
	must(t, a.Input(start, ppp.ProtocolPAP, raw(papAuthenticateRequest, 255, append(r.Append(nil), make([]byte, 60_000)...))))
	got := next[*Request](t, a)
	if got.Name != long || string(got.Password) != long || got.ID != 255 {
		t.Error("the request differs from what was sent")
	}
}

// TestCVE2018_11574: pppd let a peer in whose EAP-TLS state was never set up. A
// peer that speaks another protocol than agreed gets nowhere.
func TestCVE2018_11574(t *testing.T) {
	const eap = ppp.Protocol(0xc227)
	for _, m := range allMethods {
		a, p := newAuthenticator(t, m), newPeer(t, m, "u", "p")
		must(t, a.Start(start))
		must(t, p.Start(start))
		for code := range uint8(8) {
			if err := a.Input(start, eap, raw(code, a.id, []byte{1})); !errors.Is(err, ErrProtocol) {
				t.Errorf("%v: %v", m, err)
			}
			if err := p.Input(start, eap, raw(code, 1, []byte{1})); !errors.Is(err, ErrProtocol) {
				t.Errorf("%v: %v", m, err)
			}
		}
		if a.state != authWaiting || p.accepted {
			t.Errorf("%v: EAP moved a machine", m)
		}
	}
}

// TestAccelPPP22b24dc6: accel-ppp used a session after its authentication had
// failed. What comes after the end is harmless.
func TestAccelPPP22b24dc6(t *testing.T) {
	for _, m := range allMethods {
		a := newAuthenticator(t, m)
		must(t, a.Start(start))
		pkt, p := respond(t, a, "u", "wrong")
		must(t, a.Input(start, m.Protocol(), pkt))
		r := next[*Request](t, a)
		a.Answer(r.Verify("p"))
		must(t, p.Input(start, m.Protocol(), next[Frame](t, a).Packet))
		next[Done](t, a)
		next[Done](t, p)
		a.Tick(start.Add(patience))
		p.Tick(start.Add(patience))
		a.Answer(r.Verify("wrong"))
		none(t, a)
		none(t, p)
		// Guessing on after the Failure is no use.
		if m == PAP {
			pkt = raw(papAuthenticateRequest, 9, (&papRequest{"u", "p"}).Append(nil))
		}
		must(t, a.Input(start, m.Protocol(), pkt))
		if got := packet(t, a); got.Code != papAuthenticateNak && m == PAP || got.Code != chapFailure && m != PAP {
			t.Errorf("%v: code %d after the Failure", m, got.Code)
		}
		none(t, a)
	}
}
