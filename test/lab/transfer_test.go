package lab

import (
	"net"
	"strings"
	"testing"
)

// A flip is a connection that changes one octet of what is written.
type flip struct {
	net.Conn
	at int // counted from the first octet written
}

func (f *flip) Write(b []byte) (int, error) {
	if f.at >= 0 && f.at < len(b) {
		b[f.at] ^= 1
	}
	f.at -= len(b)
	return f.Conn.Write(b)
}

func TestTransfer(t *testing.T) {
	for _, test := range []struct {
		name           string
		offers, answer func(net.Conn) net.Conn
		want           string // in the error of either
	}{
		{"whole", nil, nil, ""},
		{"octet changed on the way there", func(c net.Conn) net.Conn { return &flip{c, TransferSize - 1} }, nil, "differ"},
		{"octet changed on the way back", nil, func(c net.Conn) net.Conn { return &flip{c, 0} }, "differ"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b := net.Pipe()
			wrap := func(c net.Conn, by func(net.Conn) net.Conn) net.Conn {
				if by != nil {
					return by(c)
				}
				return c
			}
			answered := make(chan error, 1)
			go func() {
				answered <- Answer(wrap(b, test.answer))
				b.Close()
			}()
			offered := Offer(wrap(a, test.offers))
			a.Close()
			var said string
			for _, err := range []error{offered, <-answered} {
				if err != nil {
					said += err.Error() + "\n"
				}
			}
			if (said == "") != (test.want == "") || !strings.Contains(said, test.want) {
				t.Errorf("errors: %q, want %q", said, test.want)
			}
		})
	}
}
