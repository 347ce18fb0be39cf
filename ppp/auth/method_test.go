package auth

import (
	"bytes"
	"strings"
	"testing"

	"gopptp/ppp"
)

var allMethods = []Method{PAP, CHAP, MSCHAPv1, MSCHAPv2}

func TestMethod(t *testing.T) {
	for _, c := range []struct {
		method Method
		name   string
		option string
		proto  ppp.Protocol
	}{
		{PAP, "pap", "\xc0\x23", ppp.ProtocolPAP},
		{CHAP, "chap", "\xc2\x23\x05", ppp.ProtocolCHAP},
		{MSCHAPv1, "mschap1", "\xc2\x23\x80", ppp.ProtocolCHAP},
		{MSCHAPv2, "mschap2", "\xc2\x23\x81", ppp.ProtocolCHAP},
	} {
		if got := c.method.String(); got != c.name {
			t.Errorf("%v.String() = %q", c.method, got)
		}
		if got := c.method.Option(); string(got) != c.option {
			t.Errorf("%v.Option() = % x", c.method, got)
		}
		if got := c.method.Protocol(); got != c.proto {
			t.Errorf("%v.Protocol() = %v", c.method, got)
		}
		if got, ok := ParseOption([]byte(c.option)); !ok || got != c.method {
			t.Errorf("ParseOption(% x) = %v, %v", c.option, got, ok)
		}
		for n := range c.option {
			if got, ok := ParseOption([]byte(c.option[:n])); ok {
				t.Errorf("ParseOption(% x) = %v", c.option[:n], got)
			}
		}
		if got, err := ParseMethod(c.name); err != nil || got != c.method {
			t.Errorf("ParseMethod(%q) = %v, %v", c.name, got, err)
		}
		c.method.Option()[0] = 0
		if got := c.method.Option(); string(got) != c.option {
			t.Errorf("the slice of %v.Option() is shared", c.method)
		}
	}
}

func TestMethodRefused(t *testing.T) {
	for _, option := range []string{
		"", "\xc0\x23\x00", "\xc2\x23", "\xc2\x23\x05\x00", "\xc2\x23\x06", "\xc2\x27", "\xc0\x21", "\x00\x00",
	} {
		if m, ok := ParseOption([]byte(option)); ok {
			t.Errorf("ParseOption(% x) = %v", option, m)
		}
	}
	for _, name := range []string{"", "eap", "PAP", "mschap", "mschap2 ", strings.Repeat("\n", 1000)} {
		m, err := ParseMethod(name)
		if err == nil {
			t.Errorf("ParseMethod(%q) = %v", name, m)
		} else if s := err.Error(); len(s) > 4*maxQuoted || strings.Contains(s, "\n") {
			t.Errorf("error with hostile text: %s", s)
		}
	}
	for _, m := range []Method{0, 5, 255} {
		if m.Protocol() != 0 || m.Option() != nil || !strings.HasPrefix(m.String(), "method(") {
			t.Errorf("%v passes for a method", m)
		}
		if _, err := NewAuthenticator(AuthenticatorConfig{Method: m}); err == nil {
			t.Errorf("NewAuthenticator takes %v", m)
		}
		if _, err := NewPeer(PeerConfig{Method: m}); err == nil {
			t.Errorf("NewPeer takes %v", m)
		}
	}
}

func FuzzParseOption(f *testing.F) {
	for _, m := range allMethods {
		f.Add(m.Option())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, ok := ParseOption(b); ok && !bytes.Equal(m.Option(), b) {
			t.Errorf("% x parses as %v", b, m)
		}
	})
}
