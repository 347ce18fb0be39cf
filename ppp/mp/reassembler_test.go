package mp

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// script says fragments to a Reassembler, written as "B0" (first, number 0),
// "1" (middle), "E2" (last), "BE3" (whole); the data is the token itself. It
// gives what came out, as "=data" or "!" and the error's kind.
func script(r *Reassembler, tokens string) string {
	var out []string
	for token := range strings.FieldsSeq(tokens) {
		var h Header
		rest, begin := strings.CutPrefix(token, "B")
		rest, end := strings.CutPrefix(rest, "E")
		h.Begin, h.End = begin, end
		if _, err := fmt.Sscan(rest, &h.Sequence); err != nil {
			panic(err)
		}
		h.Short = r.short
		frame, err := r.Input(append(h.Append(nil), token...))
		switch {
		case errors.Is(err, ErrLate):
			out = append(out, "!late")
		case errors.Is(err, ErrNoBegin):
			out = append(out, "!nobegin")
		case errors.Is(err, ErrTooLong):
			out = append(out, "!toolong")
		case err != nil:
			out = append(out, "!"+err.Error())
		case frame != nil:
			out = append(out, "="+string(frame))
		}
	}
	return strings.Join(out, " ")
}

func TestReassemble(t *testing.T) {
	rows := []struct {
		name, in, want string
		short          bool
		counters       Counters
	}{
		{"whole", "BE0 BE1", "=BE0 =BE1", false, Counters{Packets: 2}},
		{"two, three", "B0 E1 B2 3 E4", "=B0E1 =B23E4", false, Counters{Packets: 2}},
		{"any number is the first", "B70000 E70001", "=B70000E70001", false, Counters{Packets: 1}},
		{"begins in the midst", "5 E6 BE7", "!nobegin !nobegin =BE7", false, Counters{Packets: 1, NoBegin: 2}},
		{"first lost", "BE0 E2 BE3", "=BE0 !nobegin =BE3", false, Counters{Packets: 2, Lost: 1, NoBegin: 1}},
		{"middle lost", "B0 E2 BE3", "!nobegin =BE3", false, Counters{Packets: 1, Lost: 1, Cut: 1, NoBegin: 1}},
		{"last lost", "B0 1 BE3", "=BE3", false, Counters{Packets: 1, Lost: 1, Cut: 1}},
		{"last and first lost", "B0 1 4 E5 BE6", "!nobegin !nobegin =BE6", false, Counters{Packets: 1, Lost: 2, Cut: 1, NoBegin: 2}},
		{"whole one lost in a packet", "B0 B2 E3", "=B2E3", false, Counters{Packets: 1, Lost: 1, Cut: 1}},
		{"no end sent", "B0 1 B2 E3", "=B2E3", false, Counters{Packets: 1, Cut: 1}},
		{"no begin sent", "BE0 1 E2 BE3", "=BE0 !nobegin !nobegin =BE3", false, Counters{Packets: 2, NoBegin: 2}},
		{"duplicates", "BE0 BE0 B1 B1 E2 E2 B1 BE3", "=BE0 !late !late =B1E2 !late !late =BE3", false, Counters{Packets: 3, Late: 4}},
		{"swapped", "B0 E2 1 BE3", "!nobegin !late =BE3", false, Counters{Packets: 1, Lost: 1, Cut: 1, NoBegin: 1, Late: 1}},
		{"long numbers go round", "B16777214 16777215 E0 BE1", "=B1677721416777215E0 =BE1", false, Counters{Packets: 2}},
		{"short numbers go round", "B4094 4095 E0 BE1", "=B40944095E0 =BE1", true, Counters{Packets: 2}},
		{"lost over the turn", "BE4095 BE1", "=BE4095 =BE1", true, Counters{Packets: 2, Lost: 1}},
		{"late over the turn", "BE0 BE4095 BE1", "=BE0 !late =BE1", true, Counters{Packets: 2, Late: 1}},
		{"half the space ahead", "BE0 BE2048", "=BE0 =BE2048", true, Counters{Packets: 2, Lost: 2047}},
		{"more than half", "BE0 BE2049", "=BE0 !late", true, Counters{Packets: 1, Late: 1}},
		{"begins anew", "BE9 BE0 BE1 BE2 B3 E4", "=BE9 !late !late !late =B3E4", false, Counters{Packets: 2, Late: 3, Resync: 1}},
		{"begins anew within a packet", "B9 B0 E1 B2 E3 BE4", "!late !late !late !nobegin =BE4", false, Counters{Packets: 1, Late: 3, Resync: 1, Cut: 1, NoBegin: 1}},
		{"strays are no run", "B9 BE0 BE1 BE2 BE4 BE5 E10", "!late !late !late !late !late =B9E10", false, Counters{Packets: 1, Late: 5}},
		{"a run is broken off", "B9 BE0 BE1 BE2 10 BE3 E11", "!late !late !late !late =B910E11", false, Counters{Packets: 1, Late: 4}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := NewReassembler(100, row.short)
			if got := script(r, row.in); got != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
			if r.Counters != row.counters {
				t.Errorf("got  %+v\nwant %+v", r.Counters, row.counters)
			}
		})
	}
}

// TestForgedNumber: after a forged number far ahead the true stream comes back.
func TestForgedNumber(t *testing.T) {
	r := NewReassembler(100, false)
	got := script(r, "BE0 BE8000000 BE1 BE2 BE3 BE4 BE5 B6 E7")
	if want := "=BE0 =BE8000000 !late !late !late =BE4 =BE5 =B6E7"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestMalformed(t *testing.T) {
	for _, in := range []string{"", "\xc0", "\xc0\x00\x00", "\xc0\x00\x00\x00"} {
		r := NewReassembler(100, false)
		if frame, err := r.Input([]byte(in)); frame != nil || !errors.Is(err, ErrShort) || r.Malformed != 1 {
			t.Errorf("%x: %q %v %+v", in, frame, err, r.Counters)
		}
	}
	r := NewReassembler(100, false)
	for i, in := range []string{"\x80\x00\x00\x00", "\x00\x00\x00\x01!x", "\x40\x00\x00\x02"} { // empty ones in a packet
		frame, err := r.Input([]byte(in))
		if err != nil || i < 2 && frame != nil || i == 2 && string(frame) != "!x" {
			t.Errorf("fragment %d: %q %v", i, frame, err)
		}
	}
}

// TestMRRU: a packet has at most MRRU octets and the protocol field, and the
// buffer never more.
func TestMRRU(t *testing.T) {
	for _, mrru := range []int{0, 1, 512, 1614, 65535} {
		for _, pieces := range []int{1, 2, 7} {
			for _, over := range []int{0, 1} {
				frame := bytes.Repeat([]byte{0x21}, mrru+protocolLen+over)
				f := Fragmenter{}
				r := NewReassembler(mrru, false)
				var got []byte
				var last error
				n := 0
				for _, fragment := range cut(&f, frame, longLen+(len(frame)+pieces-1)/pieces) {
					out, err := r.Input(fragment)
					if out != nil {
						got = slices.Clone(out)
					}
					if err != nil && !errors.Is(err, ErrNoBegin) {
						last, n = err, n+1
					}
				}
				if over == 0 && (!bytes.Equal(got, frame) || n != 0 || r.Packets != 1) {
					t.Errorf("MRRU %d in %d: got %d octets, %v", mrru, pieces, len(got), last)
				}
				if over == 1 && (got != nil || n != 1 || !errors.Is(last, ErrTooLong) || r.TooLong != 1) {
					t.Errorf("MRRU %d in %d, one too many: got %d octets, %v", mrru, pieces, len(got), last)
				}
				if cap(r.buf) > mrru+protocolLen {
					t.Errorf("MRRU %d: buffer of %d", mrru, cap(r.buf))
				}
				if out, err := r.Input(append(Header{Begin: true, End: true, Sequence: f.next}.Append(nil), '!')); err != nil || string(out) != "!" {
					t.Errorf("afterwards: %q %v", out, err)
				}
			}
		}
	}
}

// TestBufferGrowsWithInput: a large MRRU costs nothing until large packets come.
func TestBufferGrowsWithInput(t *testing.T) {
	r := NewReassembler(65535, false)
	script(r, "BE0 BE1")
	if cap(r.buf) != 0 {
		t.Errorf("whole packets took %d octets", cap(r.buf))
	}
	script(r, "B2 E3")
	if cap(r.buf) > firstRoom {
		t.Errorf("a small packet took %d octets", cap(r.buf))
	}
}

func TestReassemblerAllocs(t *testing.T) {
	for _, size := range []int{100, 1500, 65535} {
		frame := make([]byte, size+protocolLen)
		fragments := cut(new(Fragmenter), frame, 1450)
		r := NewReassembler(65535, false)
		sequence := uint32(0)
		if n := testing.AllocsPerRun(100, func() {
			for _, fragment := range fragments {
				h := Header{Sequence: sequence, Begin: fragment[0]&bitBegin != 0, End: fragment[0]&bitEnd != 0}
				h.Push(fragment, longLen)
				sequence++
				if _, err := r.Input(fragment); err != nil {
					t.Fatal(err)
				}
			}
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

func BenchmarkInput(b *testing.B) {
	for _, size := range []int{1400, 1500} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			frame := make([]byte, size+protocolLen)
			fragments := cut(new(Fragmenter), frame, 1450)
			r := NewReassembler(1600, false)
			sequence := uint32(0)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				for i, fragment := range fragments {
					h := Header{Sequence: sequence, Begin: i == 0, End: i == len(fragments)-1}
					h.Push(fragment, longLen)
					sequence++
					if _, err := r.Input(fragment); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
