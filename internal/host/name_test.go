package host

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"gopptp/internal/tun"
)

func free(string) bool { return false }

func TestInterfaceName(t *testing.T) {
	long := "<pptp-" + strings.Repeat("u", 300) + ">"
	for _, test := range []struct {
		full, kernel, alt string
	}{
		// Names that Linux accepts are kept.
		{"pptp-out1", "pptp-out1", ""},
		{"<pptp-MT-User>", "<pptp-MT-User>", ""},
		{"<pptp-MT-Users>", "<pptp-MT-Users>", ""}, // 15 octets
		{`<pptp-D\user>`, `<pptp-D\user>`, ""},
		{"...", "...", ""},
		// Too long: cut, and the full one is the alternative name.
		{"<pptp-MT-User-2>", "<pptp-MT-~w59oc", "<pptp-MT-User-2>"},
		{"<pptp-MT-User-3>", "<pptp-MT-~lbgae", "<pptp-MT-User-3>"},
		{"<pptp-DOMAIN:user>", "<pptp-DOM~x", "<pptp-DOMAIN:user>"},
		{"<pptp-жук@example.org>", "<pptp-___~x", "<pptp-жук@example.org>"},
		{long, "<pptp-uuu~x", ""}, // more than an alternative name holds
		// Forbidden characters.
		{"a/b", "a_b~x", ""},
		{"a b", "a_b~x", ""},
		{"a:b", "a_b~x", "a:b"},
		{"tun%d", "tun_d~x", "tun%d"},
		{"a\nb", "a_b~x", ""},
		{"à", "__~x", "à"}, // its second octet is white space to the kernel
		{"a\xff", "a_~x", ""},
		{"", "_~x", ""},
		{".", "_~x", ""},
		{"..", "_~x", ""},
	} {
		kernel, alt := InterfaceName(test.full, free)
		if want, ok := strings.CutSuffix(test.kernel, "~x"); ok {
			if stem, _, _ := strings.Cut(kernel, "~"); stem != want {
				t.Errorf("%.40q: kernel name %q, want %q and a tag", test.full, kernel, want)
			}
		} else if kernel != test.kernel {
			t.Errorf("%.40q: kernel name %q, want %q", test.full, kernel, test.kernel)
		}
		if alt != test.alt {
			t.Errorf("%.40q: alternative name %q, want %q", test.full, alt, test.alt)
		}
	}
}

func TestInterfaceNameTaken(t *testing.T) {
	names := map[string]bool{"eth0": true}
	taken := func(name string) bool { return names[name] }
	for i := range 10_000 {
		full := fmt.Sprintf("<pptp-subscriber-%d>", i)
		kernel, alt := InterfaceName(full, taken)
		if names[kernel] || names[alt] {
			t.Fatalf("%q: %q or %q is taken", full, kernel, alt)
		}
		if alt != full {
			t.Fatalf("%q: alternative name %q", full, alt)
		}
		names[kernel], names[alt] = true, true
	}
	// A good name that is taken gets a tag; the alternative name is taken too.
	if kernel, alt := InterfaceName("eth0", taken); kernel == "eth0" || !strings.HasPrefix(kernel, "eth0~") || alt != "" {
		t.Errorf("eth0: got %q, %q", kernel, alt)
	}
}

func TestInterfaceNameEnds(t *testing.T) {
	tries := 0
	kernel, _ := InterfaceName("pptp-out1", func(string) bool { tries++; return true })
	if kernel == "" || tries > maxTries+2 {
		t.Errorf("got %q after %d tries", kernel, tries)
	}
}

// validToKernel is dev_valid_name of Linux, and the demand that there is no '%'.
func validToKernel(name string) bool {
	if name == "" || len(name) > tun.MaxName || name == "." || name == ".." {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c == '/', c == ':', c == '%', c == ' ', c == 0xa0, c >= '\t' && c <= '\r', c == 0:
			return false
		}
	}
	return true
}

func FuzzInterfaceName(f *testing.F) {
	for _, s := range []string{"pptp-out1", "<pptp-MT-User>", "<pptp-a-long-user-name>", "..", "à", "a/b:c%d", "\x00"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, full string, isTaken bool) {
		taken := func(name string) bool { return isTaken && name == full }
		kernel, alt := InterfaceName(full, taken)
		if !validToKernel(kernel) {
			t.Fatalf("%q: kernel name %q", full, kernel)
		}
		if taken(kernel) {
			t.Fatalf("%q is taken", kernel)
		}
		if alt != "" && (alt != full || alt == kernel || len(alt) > maxAltName || !utf8.ValidString(alt)) {
			t.Fatalf("%q: kernel name %q, alternative name %q", full, kernel, alt)
		}
		if again, _ := InterfaceName(full, taken); again != kernel {
			t.Fatalf("%q: %q once and %q then", full, kernel, again)
		}
	})
}
