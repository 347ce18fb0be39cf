package lab

import (
	"strings"
	"testing"
)

func TestPPPProtocol(t *testing.T) {
	ip := func(protocol byte) string {
		return "\x45\x00\x00\x40\x00\x00\x40\x00\x40" + string(protocol) + "\x00\x00\xc0\xa8\x33\x01\xc0\xa8\x33\x02"
	}
	for _, test := range []struct {
		name, packet string
		want         uint16
		ok           bool
	}{
		{"IP in clear", ip(47) + "\x30\x01\x88\x0b\x00\x05\x00\x07\x00\x00\x00\x01\xff\x03\x00\x21\x45", 0x0021, true},
		{"with an acknowledgement", ip(47) + "\x30\x81\x88\x0b\x00\x05\x00\x07\x00\x00\x00\x01\x00\x00\x00\x01\x00\x21\x45", 0x0021, true},
		{"encrypted, compressed field", ip(47) + "\x30\x01\x88\x0b\x00\x05\x00\x07\x00\x00\x00\x01\xfd\x90\x00", 0x00fd, true},
		{"LCP", ip(47) + "\x30\x01\x88\x0b\x00\x05\x00\x07\x00\x00\x00\x01\xff\x03\xc0\x21\x01", 0xc021, true},
		{"acknowledgement alone", ip(47) + "\x20\x81\x88\x0b\x00\x00\x00\x07\x00\x00\x00\x01", 0, false},
		{"TCP", ip(6) + strings.Repeat("\x21", 20), 0, false},
		{"other GRE", ip(47) + "\x00\x00\x08\x00\x45\x00\x00\x00\x00\x00", 0, false},
		{"empty", "", 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := pppProtocol([]byte(test.packet))
			if got != test.want || ok != test.ok {
				t.Errorf("got %#04x, %v, want %#04x, %v", got, ok, test.want, test.ok)
			}
		})
	}
}
