package auth

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"gopptp/mppe"
	"gopptp/mschap"
)

// The values of RFC 2759, section 9.2.
const (
	rfcAuthenticator = "\x5B\x5D\x7C\x7D\x7B\x3F\x2F\x3E\x3C\x2C\x60\x21\x32\x26\x26\x28"
	rfcPeer          = "\x21\x40\x23\x24\x25\x5E\x26\x2A\x28\x29\x5F\x2B\x3A\x33\x7C\x7E"
	rfcNTResponse    = "\x82\x30\x9E\xCD\x8D\x70\x8B\x5E\xA0\x8F\xAA\x39\x81\xCD\x83\x54\x42\x33\x11\x4A\x3D\x85\xD6\xDF"
)

func rfcRequest(name string) *Request {
	user, domain := splitName(name)
	return &Request{
		Method: MSCHAPv2, Name: name, User: user, Domain: domain,
		Challenge: []byte(rfcAuthenticator),
		Response:  []byte(rfcPeer + "\x00\x00\x00\x00\x00\x00\x00\x00" + rfcNTResponse + "\x00"),
	}
}

func TestRFC2759Section9_2(t *testing.T) {
	for _, name := range []string{"User", `DOMAIN\User`} { // Windows hashes no domain
		got := rfcRequest(name).Verify("clientPass")
		if want := "S=407A5589115FD0D6209F510FE9C04566932CDA56 M=Access granted"; !got.OK || got.Message != want {
			t.Errorf("%s: %v, message %q, want %q", name, got.OK, got.Message, want)
		}
		// RFC 3079, section 3.5.3
		if want := [16]byte([]byte("\x8B\x7C\xDC\x14\x9B\x99\x3A\x1B\xA1\x18\xCB\x15\x3F\x56\xDC\xCB")); got.Keys.Send.Long != want {
			t.Errorf("%s: send key % x, want % x", name, got.Keys.Send.Long[:], want)
		}
		if got := rfcRequest(name).Verify("clientpass"); got.OK || got.Keys != nil || got.Message == "" {
			t.Errorf("%s: a wrong password gives %+v", name, got)
		}
	}
	for _, name := range []string{"user", "DOMAIN/User", "User\\", "UserX", ""} {
		if rfcRequest(name).Verify("clientPass").OK {
			t.Errorf("%q passes for User", name)
		}
	}
}

// TestNameHashedWithDomain: some clients hash the name just as they send it. The
// proof must be over the same name, or they refuse it.
func TestNameHashedWithDomain(t *testing.T) {
	const name = `DOMAIN\User`
	a := mschap.AuthenticatorChallenge([]byte(rfcAuthenticator))
	p := mschap.PeerChallenge([]byte(rfcPeer))
	h := mschap.NtPasswordHash("clientPass")
	r := rfcRequest(name)
	nt := mschap.GenerateNTResponse(a, p, name, h)
	copy(r.Response[24:], nt[:])
	got := r.Verify("clientPass")
	if !got.OK {
		t.Fatal("refused")
	}
	proof := mschap.GenerateAuthenticatorResponse(mschap.NtPasswordHashHash(h), nt, p, a, name)
	if !proof.Check(got.Message) {
		t.Error("the proof is over another name")
	}
}

func TestSplitName(t *testing.T) {
	for name, want := range map[string][2]string{
		"user": {"user", ""}, `D\user`: {"user", "D"}, `D\E\user`: {"user", `D\E`}, `\user`: {"user", ""},
		`D\`: {"", "D"}, "": {"", ""}, "user@realm": {"user@realm", ""},
	} {
		if user, domain := splitName(name); user != want[0] || domain != want[1] {
			t.Errorf("splitName(%q) = %q, %q", name, user, domain)
		}
	}
}

// TestVerifyRefusesLM: with the LAN Manager response alone, CLIENTPASS would do
// for clientPass.
func TestVerifyRefusesLM(t *testing.T) {
	c := mschap.Challenge{1, 2, 3}
	lm := mschap.LmChallengeResponse(c, mschap.LmPasswordHash("CLIENTPASS"))
	nt := mschap.NtChallengeResponse(c, mschap.NtPasswordHash("clientPass"))
	for _, v := range []struct {
		response v1Response
		ok       bool
	}{
		{v1Response{lm: lm}, false},
		{v1Response{lm: lm, nt: nt}, false},
		{v1Response{lm: lm, useNT: true}, false},
		{v1Response{lm: lm, nt: nt, useNT: true}, true},
	} {
		r := Request{Method: MSCHAPv1, Challenge: c[:], Response: v.response.append(nil)}
		if got := r.Verify("clientPass"); got.OK != v.ok {
			t.Errorf("%+v: %v", v.response, got.OK)
		}
		if r.LMResponse() != lm || r.NTResponse() != v.response.nt || r.UseNT() != v.response.useNT {
			t.Errorf("%+v: the fields are elsewhere", v.response)
		}
	}
}

// TestVerifyTotal: a Request that somebody made by hand must not panic.
func TestVerifyTotal(t *testing.T) {
	for m := range Method(6) {
		for _, n := range []int{0, 1, 7, 8, 15, 16, 17, 48, 49, 50, 255} {
			for _, k := range []int{0, 8, 16, 49} {
				r := Request{Method: m, Password: "x", Challenge: make([]byte, k), Response: make([]byte, n)}
				if r.Verify("p").OK {
					t.Errorf("%v with %d and %d octets passes", m, k, n)
				}
				r.LMResponse()
				r.NTResponse()
				r.PeerChallenge()
				r.UseNT()
			}
		}
	}
}

func TestKeysV1ForRADIUS(t *testing.T) {
	c := mschap.Challenge([]byte("\x10\x2d\xb5\xdf\x08\x5d\x30\x41"))
	hh := mschap.NtPasswordHashHash(mschap.NtPasswordHash("clientPass"))
	lm := mschap.LmPasswordHash("clientPass")
	if *KeysV1(c, [8]byte(lm[:8]), hh) != *passwordKeysV1(c, "clientPass") {
		t.Error("the keys from hashes differ from those from the password")
	}
}

// TestSecretsHidden: nothing exported shows a password, a key or a response,
// whatever verb it is printed with.
func TestSecretsHidden(t *testing.T) {
	const password = "SEKRIT"
	a, p, pap := newAuthenticator(t, PAP), newPeer(t, MSCHAPv2, "u", password), newPeer(t, PAP, "u", password)
	must(t, a.Start(start))
	must(t, pap.Start(start))
	f := pap.out[0].(Frame)
	must(t, a.Input(start, f.Protocol, f.Packet))
	r := a.out[0].(*Request)
	var keys mppe.Keys
	copy(keys.Send.Long[:], password)
	copy(keys.Receive.Short[:], password)
	res := Result{OK: true, Keys: &keys}
	chap := &Request{Method: CHAP, Name: "u", Response: []byte(password), Challenge: []byte("1")}

	values := []any{
		Secret(password), a, *a, p, *p, pap, *pap, f, &f, r, *r, chap, *chap, res, &res,
		Done{Keys: &keys}, &Done{Keys: &keys}, PeerConfig{Method: PAP, Password: password},
		&PeerConfig{Password: password}, AuthenticatorConfig{}, []Output{f, r, Done{Keys: &keys}},
		struct{ R *Request }{r}, struct{ P Peer }{*p},
	}
	leaks := []string{password, fmt.Sprintf("%x", password), fmt.Sprintf("%X", password), fmt.Sprintf("%#v", []byte(password))[7:20], fmt.Sprint([]byte(password))[1:10],
		"83,69,75,82", base64.StdEncoding.EncodeToString([]byte(password))}
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			got := fmt.Sprintf(verb, v)
			for _, leak := range leaks {
				if strings.Contains(got, leak) {
					t.Errorf("%s of %T shows %s", verb, v, got)
				}
			}
		}
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		for _, leak := range leaks {
			if strings.Contains(log.String(), leak) {
				t.Errorf("slog shows %T as %s", v, log.String())
			}
		}
	}
	hostile := Request{Method: CHAP, Name: strings.Repeat("\n", 255)}
	if s := fmt.Sprint(hostile); strings.Contains(s, "\n") || len(s) > 5*maxQuoted {
		t.Errorf("a hostile name prints as %s", s)
	}
}
