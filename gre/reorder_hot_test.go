package gre_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"gopptp/gre"
)

func TestReorderAllocs(t *testing.T) {
	var q gre.Reorder
	now := time.Unix(1000, 0)
	payload := make([]byte, 1400)
	var seq uint32
	if n := testing.AllocsPerRun(1000, func() {
		q.Push(now, seq, payload)
		q.Pop(now)
		seq++
	}); n != 0 {
		t.Errorf("in order: %v allocations", n)
	}
	// Swaps, with a loss in each round.
	round := func() {
		now = now.Add(10 * time.Millisecond)
		for _, d := range []uint32{0, 3, 1, 2, 7, 6, 5, 8} {
			q.Push(now, seq+d, payload)
			for ok := true; ok; {
				_, ok = q.Pop(now)
			}
		}
		now = now.Add(100 * time.Millisecond)
		for ok := true; ok; {
			_, ok = q.Pop(now)
		}
		seq += 9
	}
	round()
	if n := testing.AllocsPerRun(1000, round); n != 0 {
		t.Errorf("out of order: %v allocations", n)
	}
	if q.Counters.Lost < 1000 || q.Counters.Reordered < 3000 {
		t.Errorf("%+v", q.Counters)
	}
}

// FuzzReorder checks that nothing panics, nothing comes out twice while the
// stream stays where it is, and that time empties the store.
func FuzzReorder(f *testing.F) {
	f.Add([]byte{0, 1, 0, 1, 2, 0, 0, 1, 0})
	f.Add([]byte{0, 1, 0, 1, 255, 0, 2, 9, 9, 0, 1, 0, 255, 255, 1, 0, 1, 0})
	f.Fuzz(func(t *testing.T, ops []byte) {
		s := newStream(t)
		var seq uint32
		resync := uint64(0)
		for ; len(ops) >= 3; ops = ops[3:] {
			step := uint32(int32(int8(ops[1])))
			switch ops[0] % 4 {
			case 1:
				step *= 131
			case 2:
				step <<= 24
			case 3:
				s.wait(time.Duration(ops[2]) * time.Millisecond / 8)
			}
			seq += step
			s.push(seq)
			if s.q.Counters.Resync != resync {
				resync, s.out = s.q.Counters.Resync, nil
			}
		}
		out := slices.Clone(s.out)
		slices.Sort(out)
		if len(slices.Compact(out)) != len(s.out) {
			t.Errorf("something came out twice: %d", s.out)
		}
		s.wait(time.Minute)
		if _, ok := s.q.Deadline(); ok {
			t.Error("a minute of silence left something to do")
		}
	})
}

func BenchmarkReorder(b *testing.B) {
	payload := make([]byte, 1400)
	for _, every := range []uint32{0, 100, 10} {
		name := "in order"
		if every != 0 {
			name = fmt.Sprintf("one of %d swapped", every)
		}
		b.Run(name, func(b *testing.B) {
			var q gre.Reorder
			now := time.Unix(1000, 0)
			var n uint32
			b.ReportAllocs()
			for b.Loop() {
				seq := n
				if every != 0 {
					switch n % every {
					case 3:
						seq++
					case 4:
						seq--
					}
				}
				n++
				q.Push(now, seq, payload)
				for ok := true; ok; {
					_, ok = q.Pop(now)
				}
			}
		})
	}
}
