package gre_test

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gopptp/gre"
)

// A stream drives a Reorder and notes what comes out.
type stream struct {
	t   testing.TB
	q   gre.Reorder
	now time.Time
	out []uint32
}

func newStream(t testing.TB) *stream { return &stream{t: t, now: time.Unix(1000, 0)} }

// push sends number seq, whose payload is seq, and pops.
func (s *stream) push(seq uint32) gre.Verdict {
	payload := binary.BigEndian.AppendUint32(nil, seq)
	v := s.q.Push(s.now, seq, payload)
	clear(payload) // it must not have been retained
	if v == gre.Deliver {
		s.out = append(s.out, seq)
	}
	s.pop()
	return v
}

func (s *stream) pop() {
	for {
		b, ok := s.q.Pop(s.now)
		if !ok {
			return
		}
		s.out = append(s.out, binary.BigEndian.Uint32(b))
	}
}

// wait passes time, popping at each deadline on the way.
func (s *stream) wait(d time.Duration) {
	end := s.now.Add(d)
	for range 10 {
		at, ok := s.q.Deadline()
		if !ok || at.After(end) {
			break
		}
		s.now = at
		s.pop()
	}
	s.now = end
	s.pop()
}

func (s *stream) want(out ...uint32) {
	s.t.Helper()
	if !slices.Equal(s.out, out) {
		s.t.Errorf("delivered %d, want %d", s.out, out)
	}
}

func TestReorderOrders(t *testing.T) {
	for _, tt := range []struct {
		name     string
		in, want []uint32
	}{
		{"in order from 0", []uint32{0, 1, 2}, []uint32{0, 1, 2}},
		{"in order from 1", []uint32{1, 2, 3}, []uint32{1, 2, 3}},
		{"in order from anywhere", []uint32{77777, 77778}, []uint32{77777, 77778}},
		{"1 before 0", []uint32{1, 0, 2}, []uint32{1, 0, 2}},
		{"2 before 0 and 1", []uint32{2, 3, 0, 1, 4}, []uint32{2, 3, 0, 1, 4}},
		{"start once", []uint32{1, 0, 0, 1, 2}, []uint32{1, 0, 2}},
		{"swapped", []uint32{0, 2, 1, 3}, []uint32{0, 1, 2, 3}},
		{"reversed", []uint32{0, 5, 4, 3, 2, 1, 6}, []uint32{0, 1, 2, 3, 4, 5, 6}},
		{"two gaps", []uint32{0, 2, 4, 3, 1, 5}, []uint32{0, 1, 2, 3, 4, 5}},
		{"wrap", []uint32{0xfffffffe, 0, 0xffffffff, 1}, []uint32{0xfffffffe, 0xffffffff, 0, 1}},
		{"start at the wrap", []uint32{0, 0xffffffff, 1}, []uint32{0, 0xffffffff, 1}},
		{"duplicates", []uint32{0, 0, 2, 2, 1, 1, 2, 3}, []uint32{0, 1, 2, 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStream(t)
			for _, seq := range tt.in {
				s.push(seq)
			}
			s.want(tt.want...)
			if s.q.Counters.Lost != 0 || s.q.Counters.Resync != 0 {
				t.Errorf("%+v", s.q.Counters)
			}
		})
	}
}

func TestReorderVerdicts(t *testing.T) {
	s := newStream(t)
	if _, ok := s.q.Received(); ok {
		t.Error("Received before the first packet")
	}
	if _, ok := s.q.Deadline(); ok {
		t.Error("Deadline before the first packet")
	}
	for _, step := range []struct {
		seq      uint32
		wait     time.Duration
		verdict  gre.Verdict
		received uint32
	}{
		{10, 0, gre.Deliver, 10},
		{12, 0, gre.Held, 12},
		{12, 0, gre.Duplicate, 12},
		{10, 0, gre.Duplicate, 12},
		{11, 0, gre.Deliver, 12},
		{11, 0, gre.Duplicate, 12},
		{14, 12 * time.Millisecond, gre.Held, 14},
		{13, 0, gre.Late, 14},
		{13, 0, gre.Duplicate, 14},
		{15, 0, gre.Deliver, 15},
	} {
		if v := s.push(step.seq); v != step.verdict {
			t.Errorf("Push(%d) = %d, want %d", step.seq, v, step.verdict)
		}
		if got, ok := s.q.Received(); got != step.received || !ok {
			t.Errorf("after %d: Received = %d, %v", step.seq, got, ok)
		}
		s.wait(step.wait)
	}
	s.want(10, 11, 12, 14, 15)
	if want := (gre.Counters{Held: 2, Reordered: 1, Late: 1, Duplicate: 4, Lost: 1}); s.q.Counters != want {
		t.Errorf("%+v, want %+v", s.q.Counters, want)
	}
}

// On a path that reorders deeply the window's room is the limit.
func TestReorderGivesUpBySpan(t *testing.T) {
	s := newStream(t)
	run := func(from, to uint32) {
		for seq := from; seq <= to; seq++ {
			s.push(seq)
		}
	}
	s.push(0)
	run(2, 120)
	s.wait(15 * time.Millisecond)
	s.push(1) // late by 119 numbers
	run(121, 200)
	s.out = nil
	run(202, 201+192-1)
	if len(s.out) != 0 {
		t.Fatalf("%d delivered before the limit", len(s.out))
	}
	s.push(201 + 192)
	if len(s.out) != 192 || s.q.Counters.Lost != 2 {
		t.Errorf("%d delivered, %+v", len(s.out), s.q.Counters)
	}
}

func TestReorderStrayDoesNotMoveTheStream(t *testing.T) {
	for _, stray := range []uint32{1_000_000, 0xf0000000, 1, 0x80000000 + 1000} {
		s := newStream(t)
		var want []uint32
		for seq := range uint32(300) {
			s.push(1000 + seq)
			want = append(want, 1000+seq)
			if seq%3 == 0 {
				s.push(stray)
			}
		}
		s.want(want...)
		if s.q.Counters.Resync != 0 || s.q.Counters.Lost != 0 {
			t.Errorf("stray %d: %+v", stray, s.q.Counters)
		}
	}
}

func TestReorderOutage(t *testing.T) {
	for _, lost := range []uint32{255, 256, 9000, 1 << 30} {
		s := newStream(t)
		s.push(0)
		s.push(1)
		s.push(3) // held when the outage comes
		s.push(3 + lost)
		s.push(4 + lost)
		s.push(5 + lost)
		s.want(0, 1, 3, 3+lost, 4+lost, 5+lost)
	}
}

func TestReorderRestart(t *testing.T) {
	for _, first := range []uint32{0, 1, 500} {
		s := newStream(t)
		for seq := range uint32(3) {
			s.push(1000 + seq)
		}
		for seq := range uint32(5) {
			s.push(first + seq)
		}
		s.want(1000, 1001, 1002, first, first+1, first+2, first+3, first+4)
	}
}

// One packet that numbers afresh is believed when nothing contradicts it.
func TestReorderRestartWithOnePacket(t *testing.T) {
	s := newStream(t)
	s.push(1000)
	s.push(0)
	s.want(1000)
	s.wait(49 * time.Millisecond)
	s.want(1000)
	s.wait(time.Millisecond)
	s.want(1000, 0)
	s.push(1)
	s.want(1000, 0, 1)
}

// A forger who confirms himself moves the window; the true stream loses nothing.
func TestReorderForgedRun(t *testing.T) {
	for _, forged := range []uint32{5_000_000, 10} {
		s := newStream(t)
		var want []uint32
		seq := uint32(1_000_000)
		for range 20 {
			for range 10 {
				s.push(seq)
				want = append(want, seq)
				seq++
			}
			for i := range uint32(4) {
				s.push(forged + i)
			}
			forged += 1000
		}
		s.wait(time.Second)
		got := slices.DeleteFunc(s.out, func(n uint32) bool { return n < 1_000_000 || n > seq })
		if !slices.Equal(got, want) {
			t.Errorf("the true stream lost %d of %d packets", len(want)-len(got), len(want))
		}
		if s.q.Counters.Resync < 20 {
			t.Errorf("the forger was never believed: %+v", s.q.Counters)
		}
	}
}

func TestReorderFreesItsStore(t *testing.T) {
	s := newStream(t)
	s.push(0)
	s.push(2)
	s.push(1)
	s.push(3)
	if at, ok := s.q.Deadline(); !ok || at.Sub(s.now) != 5*time.Second {
		t.Errorf("deadline after %v, %v", at.Sub(s.now), ok)
	}
	s.wait(5 * time.Second)
	if _, ok := s.q.Deadline(); ok {
		t.Error("the store is still there")
	}
	s.push(5)
	s.push(4)
	s.want(0, 1, 2, 3, 4, 5)
}

// Random order within the window, with losses, duplicates and time: whatever
// comes out is in order and once, and nothing on time is dropped.
func TestReorderRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 50 {
		s := newStream(t)
		start := r.Uint32()
		var in []uint32
		for i := range uint32(2000) {
			if r.IntN(50) != 0 || i == 0 {
				in = append(in, start+i)
			}
		}
		for i := 1; i < len(in)-9; i++ {
			if r.IntN(20) == 0 {
				in[i], in[i+r.IntN(9)] = in[i+r.IntN(9)], in[i]
			}
		}
		for _, seq := range in {
			s.push(seq)
			if r.IntN(30) == 0 {
				s.push(seq)
			}
			s.wait(time.Duration(r.IntN(100)) * time.Microsecond)
		}
		s.wait(time.Second)
		for i := 1; i < len(s.out); i++ {
			if !gre.Before(s.out[i-1], s.out[i]) {
				t.Fatalf("round %d: %d before %d", round, s.out[i-1], s.out[i])
			}
		}
		slices.Sort(in)
		unique := len(slices.Compact(in))
		if len(s.out)+int(s.q.Counters.Late) < unique {
			t.Fatalf("round %d: %d out of %d, %+v", round, len(s.out), unique, s.q.Counters)
		}
	}
}
