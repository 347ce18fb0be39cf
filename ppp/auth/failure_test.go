package auth

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseFailure(t *testing.T) {
	c16 := []byte("\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef")
	for in, want := range map[string]Failure{
		"": {},
		"E=691 R=1 C=0123456789ABCDEF0123456789abcdef V=3 M=go away": {691, true, c16, 3, "go away"},
		"E=691 R=0 V=3":                    {Code: 691, Version: 3}, // accel-ppp
		"E=648 R=0 C=0123456789ABCDEF V=2": {Code: 648, Challenge: c16[:8], Version: 2},
		"M=first E=691":                    {Message: "first E=691"},
		"V=3 E=647":                        {Code: 647, Version: 3},
		"e=691 r=1 v=3 m=x":                {Code: 691, Retry: true, Version: 3, Message: "x"},
		"  E=691   R=0  ":                  {Code: 691},
		"E=":                               {},
		"E=-1":                             {},
		"E=99999999999999999999":           {},
		"E=69x1 V=3":                       {Version: 3},
		"R=2":                              {},
		"C=xyz E=691":                      {Code: 691},
		"noise E=691 X=1 = noise":          {Code: 691},
		"Authentication failed":            {Message: "Authentication failed"},
		"=":                                {Message: "="},
		"M=":                               {},
		"\xff\x00":                         {Message: "\xff\x00"},
	} {
		if got := ParseFailure(in); !reflect.DeepEqual(got, want) {
			t.Errorf("ParseFailure(%q) = %+v, want %+v", in, got, want)
		}
	}
}

func TestFailureString(t *testing.T) {
	f := Failure{Code: 691, Challenge: []byte{0, 0xab}, Version: 2}
	if got, want := f.String(), "E=691 R=0 C=00AB V=2"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	f.Retry, f.Version, f.Message = true, 3, "no way"
	if got, want := f.String(), "E=691 R=1 C=00AB V=3 M=no way"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRejectedError(t *testing.T) {
	e := &RejectedError{MSCHAPv2, 647, "a\nb"}
	if got, want := e.Error(), `auth: mschap2 rejected: error 647 (account disabled): "a\nb"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	e = &RejectedError{PAP, 0, strings.Repeat("\x00", 5000)}
	if got := e.Error(); len(got) > 5*maxQuoted {
		t.Errorf("%d octets of error", len(got))
	}
}

func FuzzParseFailure(f *testing.F) {
	f.Add(Failure{Code: 691, Retry: true, Challenge: make([]byte, 16), Version: 3, Message: "no"}.String())
	f.Add("E=691 R=0 V=3")
	f.Fuzz(func(t *testing.T, s string) {
		got := ParseFailure(s)
		if len(got.Message) > len(s) || len(got.Challenge) > len(s) {
			t.Errorf("%q gives more than it has: %+v", s, got)
		}
		if again := ParseFailure(got.String()); again.Code != got.Code || again.Message != got.Message || again.Retry != got.Retry {
			t.Errorf("%q parses as %+v and then as %+v", s, got, again)
		}
	})
}
