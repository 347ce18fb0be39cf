package login

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

func newThrottle() *throttle { return &throttle{records: map[netip.Prefix]*record{}} }

// TestDelays checks that each failure of an address doubles its wait, and that
// another address is not slower for it.
func TestDelays(t *testing.T) {
	s, now, a := newThrottle(), time.Unix(1000, 0), netip.MustParseAddr("192.0.2.1")
	for i, want := range []time.Duration{0, 500, 1000, 2000, 4000, 8000, 16000, 16000, 16000} {
		d, ok := s.wait(now, a)
		if !ok || d != want*time.Millisecond {
			t.Fatalf("attempt %d waits %v, want %v", i+1, d, want*time.Millisecond)
		}
		now = now.Add(d)
		s.failed(now, a)
	}
	if d, _ := s.wait(now, netip.MustParseAddr("192.0.2.2")); d != 0 {
		t.Errorf("another address waits %v", d)
	}
	if d, _ := s.wait(now, netip.MustParseAddr("::ffff:192.0.2.1")); d == 0 {
		t.Error("the same address in another form does not wait")
	}
	s.succeeded(a)
	if d, _ := s.wait(now, a); d != 0 {
		t.Errorf("after a success an attempt waits %v", d)
	}
	s.failed(now, a)
	if d, _ := s.wait(now.Add(forget+1), a); d != 0 {
		t.Errorf("much later an attempt waits %v", d)
	}
}

// TestQueue checks that attempts that come at once wait for one another, and
// that only so many do.
func TestQueue(t *testing.T) {
	s, now, a := newThrottle(), time.Unix(1000, 0), netip.MustParseAddr("2001:db8::1")
	s.failed(now, a)
	n, last := 0, time.Duration(-1)
	for {
		// Another address of the same network is the same person.
		d, ok := s.wait(now, netip.MustParseAddr("2001:db8::ffff:2"))
		if !ok {
			break
		}
		if d <= last || d > maxQueue {
			t.Fatalf("attempt %d waits %v after %v", n, d, last)
		}
		n, last = n+1, d
	}
	if want := int(maxQueue / firstDelay); n != want {
		t.Errorf("%d attempts wait, want %d", n, want)
	}
}

// TestAnswersInAll checks that many addresses together get no more answers than
// a second allows, and that nobody waits for ever for one.
func TestAnswersInAll(t *testing.T) {
	s, now := newThrottle(), time.Unix(1000, 0)
	var last time.Duration
	for i := range 3 * maxRecords {
		d := s.failed(now, numbered(i))
		if d < last || d > maxAnswer {
			t.Fatalf("failure %d is answered after %v, the one before after %v", i, d, last)
		}
		last = d
		if len(s.records) > maxRecords {
			t.Fatalf("%d addresses are remembered", len(s.records))
		}
	}
	if last != maxAnswer {
		t.Errorf("the last failure is answered after %v", last)
	}
}

// TestEvict checks that the address that failed longest ago makes room.
func TestEvict(t *testing.T) {
	s, now := newThrottle(), time.Unix(1000, 0)
	for i := range maxRecords + 1 {
		s.failed(now.Add(time.Duration(i)), numbered(i))
	}
	if s.records[origin(numbered(0))] != nil || s.records[origin(numbered(1))] == nil || s.records[origin(numbered(maxRecords))] == nil {
		t.Error("the wrong address was forgotten")
	}
}

func numbered(i int) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 0x0a000000+uint32(i))))
}
