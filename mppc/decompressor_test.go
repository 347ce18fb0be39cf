package mppc

import (
	"bytes"
	"errors"
	"testing"
)

func TestHostile(t *testing.T) {
	const front = Compressed | AtFront
	for _, r := range []struct {
		name   string
		digits string
		want   error
	}{
		{"offset 0", "01000001 1111 000000 0", ErrCorrupt},
		{"offset 8192", "01000001 110 1111011000000 0", ErrCorrupt},
		{"offset 8511", "01000001 110 1111111111111 0", ErrCorrupt},
		{"twelve ones", "01000001 1111 000001 111111111111 0 0000000000000", ErrCorrupt},
		{"ones for ever", "11111111 11111111 11111111 11111111 11111111 11111111", ErrCorrupt},
		{"the length is cut off", "01000001 1111 000001 11111110 0", ErrCorrupt},
		{"the offset is cut off", "01000001 11000000", ErrCorrupt},
		{"the literal is cut off", "01000001 10000000", ErrCorrupt},
		{"a match longer than the limit", "01000001 1111 000001 11111111110 00000000000", ErrTooLong},
		{"a match longer than the history", "01000001 1111 000001 111111111110 111111111111", ErrTooLong},
	} {
		t.Run(r.name, func(t *testing.T) {
			d := NewDecompressor(1500)
			if got, err := d.Decompress(nil, octets(r.digits), front); !errors.Is(err, r.want) || got != nil {
				t.Fatalf("%x, %v", got, err)
			}
			if !d.Lost() {
				t.Error("the history is still believed in")
			}
			if _, err := d.Decompress(nil, []byte(bellPacked), front); err != ErrHistory {
				t.Errorf("after that: %v", err)
			}
			if got, err := d.Decompress(nil, []byte("x"), 0); err != nil || string(got) != "x" {
				t.Errorf("not compressed: %q, %v", got, err)
			}
			if got, err := d.Decompress(nil, []byte(bellPacked), front|Flushed); err != nil || string(got) != bell {
				t.Errorf("flushed: %q, %v", got, err)
			}
		})
	}
}

// TestUnusedHistory: who refers to what was never written gets zeros, and never
// what stood there before a flush.
func TestUnusedHistory(t *testing.T) {
	d := NewDecompressor(1500)
	if _, err := d.Decompress(nil, bytes.Repeat([]byte("secret"), 200), Compressed|AtFront); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, digits, want string }{
		{"before the front", "01000001 1111 000100 10 10", "A\x00\x00\x00A\x00\x00"},
		{"in the middle", "01000001 110 1111010000000 0", "A\x00\x00\x00"},
	} {
		got, err := d.Decompress(nil, octets(c.digits), Compressed|AtFront|Flushed)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}

// TestEndOfHistory: no packet goes on past the end.
func TestEndOfHistory(t *testing.T) {
	d := NewDecompressor(historyLen)
	if _, err := d.Decompress(nil, literals(8190, 1), Compressed|AtFront); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Decompress(nil, []byte("ab"), Compressed); err != nil || string(got) != "ab" {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err := d.Decompress(nil, []byte("c"), Compressed); err != ErrTooLong {
		t.Errorf("%v", err)
	}
}

// TestHead looks at the head of packets and changes nothing.
func TestHead(t *testing.T) {
	var c Compressor
	d, twin := NewDecompressor(1500), NewDecompressor(1500)
	for i := range 200 {
		p := frame(60+i*7%1400, uint32(i), text(1500, uint64(i)))
		if i%50 == 49 {
			c.Flush()
		}
		b, flags := c.Compress(nil, p)
		if flags&Compressed == 0 {
			t.Fatal(i)
		}
		var head [8]byte
		n := d.Head(head[:], b[:min(16, len(b))], flags)
		if !bytes.Equal(head[:n], p[:8]) {
			t.Fatalf("packet %d: head %x of %x", i, head[:n], p[:8])
		}
		d.Head(head[:], []byte{0x41, 0xf0, 0x7f, byte(i)}, Flushed|AtFront)
		d.Head(head[:], random(16, uint64(i)), Compressed)
		if *d != *twin {
			t.Fatalf("packet %d: Head changed something", i)
		}
		got, err := d.Decompress(nil, b, flags)
		if err != nil || !bytes.Equal(got, p) {
			t.Fatalf("packet %d: %v", i, err)
		}
		if _, err := twin.Decompress(nil, b, flags); err != nil {
			t.Fatal(err)
		}
	}
}

// FuzzDecompress: whatever comes, nothing is written beyond the limit.
func FuzzDecompress(f *testing.F) {
	var c Compressor
	for i := range 4 {
		b, flags := c.Compress(nil, frame(400, uint32(i), text(400, uint64(i))))
		f.Add(uint16(flags), b, uint16(1500))
	}
	f.Add(uint16(0xe000), octets("01000001 1111 000001 111111111110 111111111111"), uint16(9000))
	f.Add(uint16(0x2000), octets("01000001 110 1111010111111 0"), uint16(100))
	f.Fuzz(func(t *testing.T, flags uint16, b []byte, limit uint16) {
		d := NewDecompressor(int(limit))
		seed, _ := new(Compressor).Compress(nil, text(3000, 7))
		_, _ = d.Decompress(nil, seed, Compressed|AtFront)
		for range 4 {
			got, err := d.Decompress(nil, b, Flags(flags))
			if Flags(flags)&Compressed == 0 {
				if !bytes.Equal(got, b) {
					t.Fatal("not compressed, and changed")
				}
				continue
			}
			if len(got) > int(limit) || err != nil && got != nil {
				t.Fatalf("%d octets, %v", len(got), err)
			}
			var head [8]byte
			before := *d
			d.Head(head[:], b, Flags(flags))
			if before != *d {
				t.Fatal("Head changed something")
			}
		}
	})
}
