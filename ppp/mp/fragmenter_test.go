package mp

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// cut gives the fragments of a frame on the wire, from the header on.
func cut(f *Fragmenter, frame []byte, mtu int) [][]byte {
	var all [][]byte
	p := f.Cut(frame, mtu)
	for h, data, ok := p.Next(); ok; h, data, ok = p.Next() {
		all = append(all, append(h.Append(nil), data...))
	}
	return all
}

func TestCut(t *testing.T) {
	rows := []struct {
		name  string
		frame string
		mtu   int
		short bool
		want  string
	}{
		{"fits", "\x00\x21abcd", 10, false, `["\xc0\x00\x00\x00\x00!abcd"]`},
		{"one octet too many", "\x00\x21abcde", 10, false, `["\x80\x00\x00\x00\x00!abcd" "@\x00\x00\x01e"]`},
		{"three", "\x00\x21abcdefghijk", 9, false, `["\x80\x00\x00\x00\x00!abc" "\x00\x00\x00\x01defgh" "@\x00\x00\x02ijk"]`},
		{"an exact multiple", "\x21abcdefg", 8, false, `["\x80\x00\x00\x00!abc" "@\x00\x00\x01defg"]`},
		{"short numbers", "\x00\x21abcde", 8, true, `["\x80\x00\x00!abcd" "@\x01e"]`},
		{"one octet each", "\x21ab", 5, false, `["\x80\x00\x00\x00!" "\x00\x00\x00\x01a" "@\x00\x00\x02b"]`},
		{"no room for the header", "\x21ab", -7, true, `["\x80\x00!" "\x00\x01a" "@\x02b"]`},
		{"nothing", "", 100, false, `[]`},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			f := Fragmenter{Short: r.short}
			if got := fmt.Sprintf("%q", cut(&f, []byte(r.frame), r.mtu)); got != r.want {
				t.Errorf("got  %s\nwant %s", got, r.want)
			}
		})
	}
}

// TestLinux puts together what Linux has sent, and cuts it again into the very
// same fragments: a fragment fills the MTU with its header, the rest follows, and
// the numbers begin with zero.
func TestLinux(t *testing.T) {
	recorded, err := os.ReadFile("testdata/linux.txt")
	if err != nil {
		t.Fatal(err)
	}
	var f Fragmenter
	r := NewReassembler(3000, false)
	var sizes []int
	var fragments [][]byte
	for line := range strings.Lines(string(recorded)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fragment, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		fragments = append(fragments, fragment)
		packet, err := r.Input(fragment)
		if err != nil {
			t.Fatalf("%x: %v", fragment[:6], err)
		}
		if packet == nil {
			continue
		}
		sizes = append(sizes, len(packet))
		if packet[0] == 0x21 && int(binary.BigEndian.Uint16(packet[3:])) != len(packet)-1 { // Total Length of the IP header
			t.Errorf("an IP packet of %d octets, %x", len(packet)-1, packet[:5])
		}
		if again := cut(&f, packet, 1450); !slices.EqualFunc(again, fragments, bytes.Equal) {
			t.Errorf("%d fragments became %d", len(fragments), len(again))
		}
		fragments = nil
	}
	if want := []int{12, 12, 12, 85, 1501, 2929}; !slices.Equal(sizes, want) {
		t.Errorf("packets of %v, want %v", sizes, want)
	}
}

// TestNumbers: they go round at the width of the format, and on when it changes.
func TestNumbers(t *testing.T) {
	next := func(f *Fragmenter) uint32 {
		p := f.Cut([]byte{0x21, 0x45}, 1000)
		h, _, _ := p.Next()
		return h.Sequence
	}
	f := Fragmenter{next: longMask}
	if a, b := next(&f), next(&f); a != longMask || b != 0 {
		t.Errorf("long: %x, %x", a, b)
	}
	f = Fragmenter{next: shortMask, Short: true}
	if a, b := next(&f), next(&f); a != shortMask || b != 0 {
		t.Errorf("short: %x, %x", a, b)
	}
	if f.Short = false; next(&f) != shortMask+2 {
		t.Error("the numbers did not go on")
	}
}

// TestInPlace is how the data path sends: the first fragment stays where it is.
func TestInPlace(t *testing.T) {
	const headroom = 8
	frame := []byte("\x00\x21 a packet that is cut into three")
	buf := append(make([]byte, headroom), frame...)
	var f Fragmenter
	r := NewReassembler(1500, false)
	var sent [][]byte
	p := f.Cut(buf[headroom:], 16)
	at := headroom
	for h, data, ok := p.Next(); ok; h, data, ok = p.Next() {
		if len(data) != cap(data) {
			t.Error("appending to a fragment writes over the next one")
		}
		to, off := buf[:at+len(data)], at
		if !h.Begin {
			to = append(make([]byte, headroom), data...)
			off = headroom
		}
		sent = append(sent, to[h.Push(to, off):])
	}
	if len(sent) != 3 {
		t.Fatalf("%d fragments", len(sent))
	}
	for i, s := range sent {
		got, err := r.Input(s)
		if err != nil || i < 2 && got != nil || i == 2 && !bytes.Equal(got, frame) {
			t.Errorf("fragment %d: %q %v", i, got, err)
		}
	}
}

func TestFragmenterAllocs(t *testing.T) {
	var f Fragmenter
	buf := make([]byte, 64+4000)
	if n := testing.AllocsPerRun(1000, func() {
		p := f.Cut(buf[64:], 1450)
		for h, data, ok := p.Next(); ok; h, data, ok = p.Next() {
			h.Push(buf, 64)
			_ = data
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCut(b *testing.B) {
	var f Fragmenter
	buf := make([]byte, 64+1502)
	b.SetBytes(1500)
	b.ReportAllocs()
	for b.Loop() {
		p := f.Cut(buf[64:], 1450)
		for h, _, ok := p.Next(); ok; h, _, ok = p.Next() {
			h.Push(buf, 64)
		}
	}
}
