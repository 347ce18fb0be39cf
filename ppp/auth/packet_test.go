package auth

import (
	"bytes"
	"strings"
	"testing"
)

func TestPAPRequest(t *testing.T) {
	long := strings.Repeat("x", maxField)
	for _, want := range []papRequest{{}, {"user", "secret"}, {"", "secret"}, {"user", ""}, {long, long}} {
		b := want.Append(nil)
		var got papRequest
		if rest, err := got.Parse(append(b[:len(b):len(b)], "more"...)); err != nil || got != want || string(rest) != "more" {
			t.Errorf("%.10q parses as %.10q, rest %q, %v", want, got, rest, err)
		}
		for n := range b {
			kept := papRequest{"kept", "kept"}
			if _, err := kept.Parse(b[:n]); err == nil {
				t.Errorf("a prefix of %d octets parses", n)
			}
			if kept.name != "kept" {
				t.Error("an error changed the receiver")
			}
		}
	}
}

func TestPAPMessage(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "\x00": "", "\x02hi": "hi", "\x01hi": "h", "\xffhi": "hi", "\x05": "",
	} {
		if got := papMessage([]byte(in)); got != want {
			t.Errorf("papMessage(%q) = %q, want %q", in, got, want)
		}
	}
	b := appendPAPMessage(nil, strings.Repeat("x", 1000))
	if len(b) != 1+maxField || len(papMessage(b)) != maxField {
		t.Errorf("a long message gives %d octets", len(b))
	}
}

func TestCHAPValue(t *testing.T) {
	want := chapValue{bytes.Repeat([]byte{7}, 255), []byte("name")}
	b := want.Append(nil)
	var got chapValue
	if err := got.Parse(b); err != nil || !bytes.Equal(got.value, want.value) || !bytes.Equal(got.name, want.name) {
		t.Errorf("parses as %v, %v", got, err)
	}
	for n := range 256 { // shorter prefixes cut the value, longer ones only the name
		if err := got.Parse(b[:n]); err == nil {
			t.Errorf("a prefix of %d octets parses", n)
		}
	}
	if err := got.Parse([]byte("\x00name")); err == nil {
		t.Error("an empty value parses")
	}
}

func FuzzPAPRequest(f *testing.F) {
	f.Add((&papRequest{"user", "secret"}).Append(nil))
	f.Add((&papRequest{}).Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		papMessage(b)
		var r papRequest
		if rest, err := r.Parse(b); err == nil && !bytes.Equal(r.Append(nil), b[:len(b)-len(rest)]) {
			t.Errorf("% x parses as %q", b, r)
		}
	})
}

func FuzzCHAPValue(f *testing.F) {
	f.Add((&chapValue{make([]byte, 16), []byte("server")}).Append(nil))
	f.Add((&chapValue{v1Response{useNT: true}.append(nil), []byte(`D\u`)}).Append(nil))
	f.Add((&chapValue{v2Response{}.append(nil), nil}).Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var v chapValue
		if err := v.Parse(b); err != nil {
			return
		}
		if !bytes.Equal(v.Append(nil), b) {
			t.Errorf("% x parses as %v", b, v)
		}
		if len(v.value) == msResponseSize {
			r := Request{Method: MSCHAPv2, Response: v.value}
			if p := r.PeerChallenge(); !bytes.Equal(p[:], v.value[:16]) {
				t.Error("peer challenge is elsewhere")
			}
		}
	})
}
