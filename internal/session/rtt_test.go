package session

import (
	"net"
	"testing"
	"time"
)

func TestRoundTripOfTCP(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("tcp4", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if rtt := roundTrip(c); rtt <= 0 || rtt > time.Second {
		t.Errorf("round trip on loopback: %v", rtt)
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if rtt := roundTrip(a); rtt != 0 {
		t.Errorf("round trip of a pipe: %v", rtt)
	}
}
