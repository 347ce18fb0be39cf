package mschap

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	//lint:ignore SA1019 the protocol is made of MD4
	"golang.org/x/crypto/md4"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func check(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if w := unhex(t, want); !bytes.Equal(got, w) {
		t.Errorf("%s = % x, want % x", what, got, w)
	}
}

// The values that the examples of RFC 2759 and RFC 3079 share.
var (
	authenticator = AuthenticatorChallenge([]byte("\x5B\x5D\x7C\x7D\x7B\x3F\x2F\x3E\x3C\x2C\x60\x21\x32\x26\x26\x28"))
	peer          = PeerChallenge([]byte("\x21\x40\x23\x24\x25\x5E\x26\x2A\x28\x29\x5F\x2B\x3A\x33\x7C\x7E"))
	v1Challenge   = Challenge([]byte("\x10\x2d\xb5\xdf\x08\x5d\x30\x41"))
)

const (
	user     = "User"
	password = "clientPass"
	proof    = "S=407A5589115FD0D6209F510FE9C04566932CDA56"
)

func TestRFC2433AppendixB2(t *testing.T) {
	h := NtPasswordHash("MyPw")
	check(t, "NtPasswordHash", h[:], "FC 15 6A F7 ED CD 6C 0E DD E3 33 7D 42 7F 4E AC")
	r := NtChallengeResponse(v1Challenge, h)
	check(t, "NtChallengeResponse", r[:], "4E 9D 3C 8F 9C FD 38 5D 5B F4 D3 24 67 91 95 6C A4 C3 51 AB 40 9A 3D 61")
}

func TestRFC2759Section9_2(t *testing.T) {
	c := ChallengeHash(peer, authenticator, user)
	check(t, "ChallengeHash", c[:], "D0 2E 43 86 BC E9 12 26")
	h := NtPasswordHash(password)
	check(t, "NtPasswordHash", h[:], "44 EB BA 8D 53 12 B8 D6 11 47 44 11 F5 69 89 AE")
	r := GenerateNTResponse(authenticator, peer, user, h)
	check(t, "GenerateNTResponse", r[:], "82 30 9E CD 8D 70 8B 5E A0 8F AA 39 81 CD 83 54 42 33 11 4A 3D 85 D6 DF")
	hh := NtPasswordHashHash(h)
	check(t, "NtPasswordHashHash", hh[:], "41 C0 0C 58 4B D2 D9 1C 40 17 A2 A1 2F A5 9F 3F")
	a := GenerateAuthenticatorResponse(hh, r, peer, authenticator, user)
	if a.String() != proof {
		t.Errorf("GenerateAuthenticatorResponse = %s, want %s", a, proof)
	}
	if !a.Check(proof) {
		t.Error("Check refuses the right proof")
	}
}

func TestRFC2759Section9_3(t *testing.T) {
	for _, c := range []struct{ raw, want string }{
		{"FC 15 6A F7 ED CD 6C", "FD 0B 5B 5E 7F 6E 34 D9"},
		{"0E DD E3 33 7D 42 7F", "0E 6E 79 67 37 EA 08 FE"},
		{"4E AC 00 00 00 00 00", "4F 57 01 01 01 01 01 01"},
	} {
		k := expandKey([7]byte(unhex(t, c.raw)))
		check(t, "expandKey "+c.raw, k[:], c.want)
	}
}

// newKey is GetNewKeyFromSHA of RFC 3079, with the start key as both inputs, as
// for the first session key. The chain itself is package mppe's.
func newKey(start []byte) []byte {
	d := sha1.New()
	d.Write(start)
	d.Write(shsPad1[:])
	d.Write(start)
	d.Write(shsPad2[:])
	return d.Sum(nil)[:len(start)]
}

func TestRFC3079Section2_5_1(t *testing.T) {
	h := LmPasswordHash(password)
	check(t, "LmPasswordHash", h[:], "76 a1 52 93 60 96 d7 83 0e 23 90 22 74 04 af d2")
	k := LmStartKey(h)
	check(t, "start key", k[:], "76 a1 52 93 60 96 d7 83")
	check(t, "session key", newKey(k[:]), "d8 08 01 53 8c ec 4a 08")
}

func TestRFC3079Section2_5_3(t *testing.T) {
	hh := NtPasswordHashHash(NtPasswordHash(password))
	k := GetStartKey(v1Challenge, hh)
	// The RFC prints the eighth octet as ca in one step and as c1 in the next;
	// its session key follows from c1.
	check(t, "start key", k[:], "a8 94 78 50 cf c0 ac c1 d1 78 9f b6 2d dc dd b0")
	check(t, "session key", newKey(k[:]), "59 d1 59 bc 09 f7 6f 1d a2 a8 6a 28 ff ec 0b 1e")
}

func TestRFC3079Section3_5(t *testing.T) {
	h := NtPasswordHash(password)
	m := GetMasterKey(NtPasswordHashHash(h), GenerateNTResponse(authenticator, peer, user, h))
	check(t, "GetMasterKey", m[:], "FD EC E3 71 7A 8C 83 8C B3 88 E5 27 AE 3C DD 31")
	k := GetAsymmetricStartKey(m, ToClient)
	t.Run("3.5.1", func(t *testing.T) { // the session key before its head is replaced by D1 26 9E
		check(t, "start key", k[:8], "8B 7C DC 14 9B 99 3A 1B")
		check(t, "tail of the session key", newKey(k[:8])[3:], "C4 9F A6 2E 3E")
	})
	t.Run("3.5.2", func(t *testing.T) { // D1 replaces one octet only
		check(t, "tail of the session key", newKey(k[:8])[1:], "5C 00 C4 9F A6 2E 3E")
	})
	t.Run("3.5.3", func(t *testing.T) {
		check(t, "start key", k[:], "8B 7C DC 14 9B 99 3A 1B A1 18 CB 15 3F 56 DC CB")
		check(t, "session key", newKey(k[:]), "40 5C B2 24 7A 79 56 E6 E2 11 00 7A E2 7B 22 D4")
	})
	if GetAsymmetricStartKey(m, ToServer) == k {
		t.Error("both directions have the same key")
	}
}

func TestLmPasswordHash(t *testing.T) {
	for _, c := range []struct{ password, want string }{
		{"", "aad3b435b51404eeaad3b435b51404ee"},
		{"password", "e52cac67419a9a224a3b108f3fa6cb6d"},
		{"PASSWORD", "e52cac67419a9a224a3b108f3fa6cb6d"},
	} {
		h := LmPasswordHash(c.password)
		check(t, c.password, h[:], c.want)
	}
	if LmPasswordHash("0123456789abcdX") != LmPasswordHash("0123456789ABCDY") {
		t.Error("more than 14 octets count")
	}
	if LmPasswordHash("\xe0\xff") == LmPasswordHash("\xc0\xdf") {
		t.Error("octets beyond ASCII were changed")
	}
}

func TestLmChallengeResponse(t *testing.T) {
	want, err := base64.StdEncoding.DecodeString("lrdNlCKhor03G7XsxVsNlZeh7vMaKe53")
	if err != nil {
		t.Fatal(err)
	}
	r := LmChallengeResponse(Challenge(unhex(t, "bd332a369b6d33e7")), LmPasswordHash("MyPw"))
	if !bytes.Equal(r[:], want) {
		t.Errorf("LmChallengeResponse = % x, want % x", r, want)
	}
}

// TestWeakDESKeys: an implementation with a table of weak keys has read beyond
// its end for these (accel-ppp 2827c38d). They must work like any others.
func TestWeakDESKeys(t *testing.T) {
	for _, c := range []struct{ raw, key, want string }{
		{"00000000000000", "0101010101010101", "8ca64de9c1b123a7"},
		{"ffffffffffffff", "fefefefefefefefe", "caaaaf4deaf1dbae"},
	} {
		k := expandKey([7]byte(unhex(t, c.raw)))
		check(t, "expandKey", k[:], c.key)
		var got, zero [8]byte
		desEncrypt(got[:], [7]byte(unhex(t, c.raw)), zero[:])
		check(t, "desEncrypt", got[:], c.want)
		var back [8]byte // a weak key is its own inverse
		desEncrypt(back[:], [7]byte(unhex(t, c.raw)), got[:])
		if back != zero {
			t.Errorf("key %s is not its own inverse", c.key)
		}
	}
}

func TestExpandKeyParity(t *testing.T) {
	for i := range 256 {
		for at := range 7 {
			var raw [7]byte
			raw[at] = byte(i)
			for _, b := range expandKey(raw) {
				n := 0
				for ; b != 0; b &= b - 1 {
					n++
				}
				if n%2 == 0 {
					t.Fatalf("even parity for octet %d = %#x", at, i)
				}
			}
		}
	}
}

func TestNtPasswordHashEncoding(t *testing.T) {
	for _, p := range []string{
		"", "a", "pässwörd", "пароль", "密码", "\U0001f511", "\xff", "a\xc3", "\xed\xa0\x80",
		strings.Repeat("x", 30) + "\U0001f511", strings.Repeat("x", 31) + "\U0001f511", strings.Repeat("x", 32),
		strings.Repeat("ж", 257), strings.Repeat("\U0001f511\xff", 10_000),
	} {
		d := md4.New()
		for _, u := range utf16.Encode([]rune(p)) {
			d.Write([]byte{byte(u), byte(u >> 8)})
		}
		h := NtPasswordHash(p)
		if !bytes.Equal(h[:], d.Sum(nil)) {
			t.Errorf("%.20q: wrong hash", p)
		}
	}
}

func TestNtPasswordHashMemory(t *testing.T) {
	short := testing.AllocsPerRun(10, func() { NtPasswordHash("x") })
	p := strings.Repeat("x", 1<<16)
	if long := testing.AllocsPerRun(10, func() { NtPasswordHash(p) }); long > short {
		t.Errorf("%v allocations for a long password, %v for a short one", long, short)
	}
}

func TestStripDomain(t *testing.T) {
	for in, want := range map[string]string{
		"user": "user", `DOMAIN\user`: "user", `A\B\user`: "user", `\user`: "user", `DOMAIN\`: "", "": "", "user@realm": "user@realm",
	} {
		if got := StripDomain(in); got != want {
			t.Errorf("StripDomain(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestAuthenticatorResponseCheck(t *testing.T) {
	a, ok := ParseAuthenticatorResponse(proof)
	if !ok || a.String() != proof {
		t.Fatalf("parse of %q gives %v, %v", proof, a, ok)
	}
	for message, want := range map[string]bool{
		proof:                             true,
		proof + " M=Welcome":              true,
		proof + " ":                       true,
		"S=" + strings.ToLower(proof[2:]): true,
		proof + "0":                       false,
		proof + "M=Welcome":               false,
		"M=" + proof:                      false,
		proof[2:]:                         false,
		"s" + proof[1:]:                   false,
		" " + proof:                       false,
		"":                                false,
		"S=":                              false,
		proof[:len(proof)-1] + "7":        false,
		proof[:len(proof)-1] + "G":        false,
		"S=" + strings.Repeat("0", 40):    false,
	} {
		if got := a.Check(message); got != want {
			t.Errorf("Check(%q) = %v, want %v", message, got, want)
		}
	}
	for n := range proof {
		if a.Check(proof[:n]) {
			t.Errorf("a prefix of %d octets passes", n)
		}
	}
	// What does not parse must not equal the proof that is all zeros.
	if (AuthenticatorResponse{}).Check("S=nonsense") {
		t.Error("nonsense passes as zeros")
	}
}

func TestSecretsAreHidden(t *testing.T) {
	h := NtPasswordHash(password)
	hh, lm := NtPasswordHashHash(h), LmPasswordHash(password)
	m := GetMasterKey(hh, Response{})
	for _, v := range []any{h, hh, lm, m, &h, struct{ H NtHash }{h}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%d", "%q"} {
			if got := fmt.Sprintf(verb, v); !strings.Contains(got, "(secret)") {
				t.Errorf("%s of %T shows %s", verb, v, got)
			}
		}
	}
}

func FuzzAll(f *testing.F) {
	f.Add(user, password, []byte(proof))
	f.Add(`D\u`, "\xff\xfe", []byte("S="))
	f.Fuzz(func(t *testing.T, user, password string, message []byte) {
		h, lm := NtPasswordHash(password), LmPasswordHash(password)
		hh := NtPasswordHashHash(h)
		LmChallengeResponse(v1Challenge, lm)
		r := GenerateNTResponse(authenticator, peer, StripDomain(user), h)
		a := GenerateAuthenticatorResponse(hh, r, peer, authenticator, user)
		if !a.Check(a.String()) {
			t.Error("own proof refused")
		}
		if got, ok := ParseAuthenticatorResponse(string(message)); ok && !strings.EqualFold(got.String(), string(message[:len(proof)])) {
			t.Errorf("%q parses as %v", message, got)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for b.Loop() {
		h := NtPasswordHash(password)
		r := GenerateNTResponse(authenticator, peer, user, h)
		GenerateAuthenticatorResponse(NtPasswordHashHash(h), r, peer, authenticator, user)
	}
}
