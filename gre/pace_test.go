package gre_test

import (
	"slices"
	"testing"
	"time"

	"gopptp/gre"
)

// gap leaves one number out and sends the next, and says how long that is held.
func (s *stream) gap(seq *uint32) time.Duration {
	*seq += 2
	s.push(*seq)
	at, _ := s.q.Deadline()
	return at.Sub(s.now)
}

// swap sends two numbers in the wrong order, the second one late.
func (s *stream) swap(seq *uint32, late time.Duration) {
	s.gap(seq)
	s.wait(late)
	s.push(*seq - 1)
	s.wait(60 * time.Millisecond)
}

// What is first missing may come yet; when it has not, the next gap waits less, since
// this may be a path that loses.
func TestReorderDoubtsTheFirstLoss(t *testing.T) {
	s := newStream(t)
	s.push(0)
	s.push(2)
	at, ok := s.q.Deadline()
	if !ok || at.Sub(s.now) != 12*time.Millisecond {
		t.Errorf("deadline after %v, %v", at.Sub(s.now), ok)
	}
	s.now = at.Add(-1)
	s.pop()
	s.want(0)
	s.now = at
	s.pop()
	s.want(0, 2)
	s.push(4)
	if at, ok := s.q.Deadline(); !ok || at.Sub(s.now) != time.Millisecond {
		t.Errorf("deadline after %v, %v after a loss", at.Sub(s.now), ok)
	}
}

// What comes after its gap was given up teaches the hold; losses unteach it.
func TestReorderLearns(t *testing.T) {
	s := newStream(t)
	s.push(0)
	s.push(2)
	s.wait(14 * time.Millisecond)
	if v := s.push(1); v != gre.Late {
		t.Fatalf("Push(1) = %d", v)
	}
	seq := uint32(2)
	if d := s.gap(&seq); d != 21*time.Millisecond {
		t.Errorf("hold %v after a packet 14 ms late", d)
	}
	s.wait(18 * time.Millisecond)
	s.push(3)
	if want := []uint32{0, 2, 3, 4}; !slices.Equal(s.out, want) {
		t.Errorf("delivered %d, want %d", s.out, want)
	}
	if d := s.gap(&seq); d != 27*time.Millisecond {
		t.Errorf("hold %v after a packet 18 ms late", d)
	}
	for range 60 {
		s.wait(60 * time.Millisecond)
		s.gap(&seq)
	}
	s.wait(60 * time.Millisecond)
	if d := s.gap(&seq); d != time.Millisecond {
		t.Errorf("hold %v after 60 losses", d)
	}
}

// The rarer losses are among the gaps, the longer all of them wait for a packet that is
// later than others were, and for as many packets as there is room for.
func TestReorderWaitsWhereLossesAreRare(t *testing.T) {
	for _, tt := range []struct {
		late, lost int
		hold       time.Duration
	}{
		{0, 0, 12 * time.Millisecond},
		{0, 2, time.Millisecond},
		{1, 1, 1200 * time.Microsecond},
		{8, 1, 3300 * time.Microsecond},
		{30, 1, 8 * time.Millisecond},
		{64, 0, 12 * time.Millisecond},
		{62, 2, 8 * time.Millisecond},
		{61, 3, 6600 * time.Microsecond},
		{32, 32, time.Millisecond},
	} {
		s := newStream(t)
		s.push(0)
		seq := uint32(0)
		for range tt.late {
			s.swap(&seq, 100*time.Microsecond)
		}
		for range tt.lost {
			s.gap(&seq)
			s.wait(60 * time.Millisecond)
		}
		if d := s.gap(&seq); d != tt.hold {
			t.Errorf("hold %v with %d late and %d lost, want %v", d, tt.late, tt.lost, tt.hold)
		}
		for n := range uint32(100) {
			s.push(seq + 1 + n)
		}
		if late := uint64(tt.late) + 1; s.push(seq-1) != gre.Deliver || s.q.Counters.Reordered != late {
			t.Errorf("a packet that 101 overtook was given up: %+v", s.q.Counters)
		}
	}
}

// A packet that was given up too soon makes us wait for the next ones, whatever was
// lost before.
func TestReorderRegretsGivingUp(t *testing.T) {
	s := newStream(t)
	s.push(0)
	seq := uint32(0)
	for range 100 {
		s.gap(&seq)
		s.wait(60 * time.Millisecond)
	}
	if d := s.gap(&seq); d != time.Millisecond {
		t.Errorf("hold %v after 100 losses", d)
	}
	s.wait(2 * time.Millisecond)
	if v := s.push(seq - 1); v != gre.Late {
		t.Fatalf("Push = %d", v)
	}
	if d := s.gap(&seq); d != 12*time.Millisecond {
		t.Errorf("hold %v after a packet that came too late", d)
	}
	s.wait(60 * time.Millisecond)
	s.gap(&seq)
	s.wait(60 * time.Millisecond)
	if d := s.gap(&seq); d > 3*time.Millisecond {
		t.Errorf("hold %v after two losses more", d)
	}
}

// After a pause the losses before it count no more; without one, or while packets came
// in order, they do.
func TestReorderForgivesLosses(t *testing.T) {
	for _, tt := range []struct {
		name    string
		pause   time.Duration
		packets uint32 // that came in it
		hold    time.Duration
	}{
		{"no pause", 900 * time.Millisecond, 0, time.Millisecond},
		{"a pause", 1100 * time.Millisecond, 0, 12 * time.Millisecond},
		{"nearly a pause", 2 * time.Second, 150, 12 * time.Millisecond},
		{"packets in order", 2 * time.Second, 250, time.Millisecond},
	} {
		s := newStream(t)
		s.push(0)
		seq := uint32(0)
		for range 100 {
			s.gap(&seq)
			s.wait(60 * time.Millisecond)
		}
		for range tt.packets {
			seq++
			s.push(seq)
		}
		s.wait(tt.pause)
		if d := s.gap(&seq); d != tt.hold {
			t.Errorf("%s: hold %v, want %v", tt.name, d, tt.hold)
		}
	}
}

// A queue that overflows loses many packets at once, which says as little of the path
// as one of them. What comes late after all was no loss.
func TestReorderCountsABurstOnce(t *testing.T) {
	s := newStream(t)
	s.push(0)
	seq := uint32(0)
	for range 10 {
		s.swap(&seq, 100*time.Microsecond)
	}
	for range 10 {
		s.gap(&seq)
		s.wait(time.Millisecond / 2)
	}
	s.wait(15 * time.Millisecond)
	if s.q.Counters.Lost != 10 {
		t.Fatalf("%+v", s.q.Counters)
	}
	if d := s.gap(&seq); d != 13*300*time.Microsecond {
		t.Errorf("hold %v after a burst", d)
	}
	s.push(seq - 1)
	if s.push(seq-3) != gre.Late {
		t.Fatalf("%+v", s.q.Counters)
	}
	if d := s.gap(&seq); d < 12*time.Millisecond {
		t.Errorf("hold %v after a loss that was none", d)
	}
}

// Packets later than anybody should wait, and single strays, teach nothing.
func TestReorderIgnoresOutliers(t *testing.T) {
	s := newStream(t)
	s.push(0)
	seq := uint32(0)
	s.swap(&seq, 51*time.Millisecond)
	if d := s.gap(&seq); d != time.Millisecond {
		t.Errorf("hold %v after a packet 51 ms late", d)
	}
	s.push(seq - 1)
	for range 10 {
		s.swap(&seq, 10*time.Millisecond)
	}
	s.swap(&seq, 49*time.Millisecond)
	if d := s.gap(&seq); d != 15*time.Millisecond {
		t.Errorf("hold %v after one packet 49 ms late among many 10 ms late", d)
	}
	s.push(seq - 1)
	s.swap(&seq, 49*time.Millisecond)
	if d := s.gap(&seq); d != 50*time.Millisecond {
		t.Errorf("hold %v after two packets 49 ms late, want the limit", d)
	}
}
