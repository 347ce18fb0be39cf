package migrate

import (
	"net/netip"
	"testing"
)

func TestOctetRange(t *testing.T) {
	for text, want := range map[string]string{
		"192.168.0.234-238":   "192.168.0.234-192.168.0.238",
		"192.168.0.245":       "192.168.0.245",
		"192.168.2-4.7":       "192.168.2.7,192.168.3.7,192.168.4.7",
		"10.0-1.0.0":          "10.0.0.0,10.1.0.0",
		"1-2.0.0.1":           "1.0.0.1,2.0.0.1",
		"0.0.0.0-255":         "0.0.0.0-0.0.0.255",
		"1.2.3.4-4":           "1.2.3.4",
		"1.2.3.5-4":           "",
		"1.2.3":               "",
		"1.2.3.4.5":           "",
		"1.2.3.256":           "",
		"1.2.3.4-256":         "",
		"1.2-3.4-5.6":         "",
		"1.2.3.-4":            "",
		"1.2.3.4-":            "",
		"1.2.3.4-5-6":         "",
		"":                    "",
		"host.example.org.xx": "",
		"1.2.3.4-1.2.3.9":     "",
	} {
		spans, err := octetRange(text)
		if got := write(spans); got != want || (err != nil) != (want == "") {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestAccelRange(t *testing.T) {
	for text, want := range map[string]string{
		"192.168.0.2-255":    "192.168.0.2-192.168.0.255",
		"192.168.4.0/24":     "192.168.4.0-192.168.4.255",
		"192.168.4.9/24":     "192.168.4.9-192.168.4.255",
		"192.168.4.9/32":     "192.168.4.9",
		"128.0.0.0/1":        "128.0.0.0-255.255.255.255",
		"192.168.4.0/0":      "",
		"192.168.4.0/33":     "",
		"192.168.0.9-2":      "",
		"192.168.0.9-256":    "",
		"192.168.0.9":        "",
		"::1/64":             "",
		"192.168.0.1-10.0.0": "",
	} {
		s, err := accelRange(text)
		got := ""
		if err == nil {
			got = s.String()
		}
		if got != want {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestSpans(t *testing.T) {
	ip := func(s string) uint32 { return numberOf(netip.MustParseAddr(s)) }
	spans := tidy([]span{{ip("10.0.0.9"), ip("10.0.0.12")}, {ip("10.0.0.1"), ip("10.0.0.4")}, {ip("10.0.0.5"), ip("10.0.0.5")}, {ip("10.0.0.10"), ip("10.0.0.11")}})
	if got := write(spans); got != "10.0.0.1-10.0.0.5,10.0.0.9-10.0.0.12" {
		t.Errorf("tidy: %s", got)
	}
	for address, want := range map[string]string{
		"10.0.0.1":  "10.0.0.2-10.0.0.5,10.0.0.9-10.0.0.12",
		"10.0.0.3":  "10.0.0.1-10.0.0.2,10.0.0.4-10.0.0.5,10.0.0.9-10.0.0.12",
		"10.0.0.12": "10.0.0.1-10.0.0.5,10.0.0.9-10.0.0.11",
		"10.0.0.7":  "10.0.0.1-10.0.0.5,10.0.0.9-10.0.0.12",
	} {
		if got := write(without(spans, netip.MustParseAddr(address))); got != want {
			t.Errorf("without %s: %s, want %s", address, got, want)
		}
	}
	if cut, left := first(spans, 7); write(cut) != "10.0.0.1-10.0.0.5,10.0.0.9-10.0.0.10" || left != 2 {
		t.Errorf("the first 7: %s, and %d are left", write(cut), left)
	}
	all := []span{{0, 1<<32 - 1}}
	if n := count(all); n != 1<<32 || write(tidy(all)) != "0.0.0.0-255.255.255.255" {
		t.Errorf("all addresses: %d, %s", n, write(tidy(all)))
	}
}
