package mppc

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// carry compresses p and decompresses it again; without the flag p itself was
// sent.
func carry(t testing.TB, c *Compressor, d *Decompressor, p []byte) (size int, flags Flags) {
	t.Helper()
	b, flags := c.Compress(nil, p)
	if flags&Compressed == 0 {
		b = p
	} else if len(b) >= len(p) {
		t.Fatalf("%d octets became %d", len(p), len(b))
	}
	got, err := d.Decompress(nil, b, flags)
	if err != nil || !bytes.Equal(got, p) {
		t.Fatalf("%d octets, flags %x: %d octets, %v", len(p), flags, len(got), err)
	}
	return len(b), flags
}

func TestRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var c Compressor
	d := NewDecompressor(historyLen)
	fronts := 0
	for i := range 5000 {
		n := 40 + rng.IntN(1460)
		var payload []byte
		switch rng.IntN(5) {
		case 0:
			payload = random(n, uint64(i))
		case 1:
			payload = make([]byte, n)
		default:
			payload = text(n, uint64(i))
		}
		if rng.IntN(100) == 0 {
			c.Flush()
		}
		if _, flags := carry(t, &c, d, frame(max(n, 44), uint32(i), payload)); flags&AtFront != 0 {
			fronts++
		}
	}
	if fronts < 100 {
		t.Errorf("the front was taken only %d times", fronts)
	}
}

// TestGrowth: what would not become shorter is left as it is, and the packet
// after it refers to nothing before.
func TestGrowth(t *testing.T) {
	var c Compressor
	d := NewDecompressor(1500)
	p := frame(1400, 1, text(1400, 1))
	carry(t, &c, d, p)
	if _, flags := carry(t, &c, d, random(1400, 1)); flags != 0 {
		t.Fatalf("random octets: flags %x", flags)
	}
	b, flags := c.Compress(nil, p)
	if flags != Compressed|AtFront|Flushed {
		t.Errorf("after that: flags %x", flags)
	}
	if got, err := NewDecompressor(1500).Decompress(nil, b, flags); err != nil || !bytes.Equal(got, p) {
		t.Errorf("a fresh decompressor: %v", err)
	}
	if _, flags := c.Compress(nil, make([]byte, MaxPacket+1)); flags != 0 {
		t.Errorf("too long a packet: flags %x", flags)
	}
	for n := range 4 {
		if got, flags := c.Compress(nil, make([]byte, n)); flags != 0 || got != nil {
			t.Errorf("%d octets: %x %x", n, got, flags)
		}
	}
	if _, flags := carry(t, &c, NewDecompressor(historyLen), make([]byte, MaxPacket)); flags&Compressed == 0 {
		t.Error("the longest packet is not compressed")
	}
}

// TestFlush: packets after a flush are their own.
func TestFlush(t *testing.T) {
	var c Compressor
	for i := range uint64(50) {
		c.Flush()
		p := frame(1000, uint32(i), text(1000, i))
		b, flags := c.Compress(nil, p)
		got, err := NewDecompressor(1500).Decompress(nil, b, flags)
		if err != nil || !bytes.Equal(got, p) || flags != Compressed|AtFront|Flushed {
			t.Fatalf("packet %d: flags %x, %v", i, flags, err)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	var c Compressor
	d := NewDecompressor(1500)
	p := frame(1400, 1, text(1400, 1))
	room, back := make([]byte, 0, RoomFor(len(p))), make([]byte, 0, 1500)
	if n := testing.AllocsPerRun(1000, func() {
		b, flags := c.Compress(room, p)
		if _, err := d.Decompress(back, b, flags); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzRoundTrip sends a train of packets cut from one string, some of them lost,
// after which the compressor is flushed.
func FuzzRoundTrip(f *testing.F) {
	f.Add(uint64(1), text(9000, 1))
	f.Add(uint64(2), frame(300, 1, literals(300, 1)))
	f.Add(uint64(3), bytes.Repeat([]byte("ab\xff"), 3000))
	f.Add(uint64(4), []byte(bell+bell))
	f.Fuzz(func(t *testing.T, seed uint64, b []byte) {
		rng := rand.New(rand.NewPCG(seed, 3))
		var c Compressor
		d := NewDecompressor(historyLen)
		for range 40 {
			at := rng.IntN(len(b) + 1)
			p := b[at : at+rng.IntN(len(b)-at+1)]
			if rng.IntN(8) == 0 {
				c.Compress(nil, p) // lost
				c.Flush()
				continue
			}
			carry(t, &c, d, p)
		}
	})
}

// slow is made to keep the search busy: many places with one hash, none of which
// is a match of more than a few octets.
func slow(n int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, 0, n+8)
	for len(b) < n {
		b = append(b, 'a', 'a', 'a', byte(rng.Uint32()), 'a'+byte(rng.IntN(2)))
	}
	return b[:n]
}

func BenchmarkCompress(b *testing.B) {
	for _, in := range []struct {
		name    string
		payload func(i int) []byte
	}{
		{"text", func(i int) []byte { return text(1400, uint64(i)) }},
		{"zeros", func(int) []byte { return make([]byte, 1400) }},
		{"random", func(i int) []byte { return random(1400, uint64(i)) }},
		{"slow", func(i int) []byte { return slow(1400, uint64(i)) }},
	} {
		var packets [64][]byte
		for i := range packets {
			packets[i] = frame(1400, uint32(i), in.payload(i))
		}
		b.Run(in.name, func(b *testing.B) {
			var c Compressor
			room := make([]byte, 0, RoomFor(1400))
			b.SetBytes(1400)
			b.ReportAllocs()
			in, out, i := 0, 0, 0
			for b.Loop() {
				p := packets[i%len(packets)]
				got, flags := c.Compress(room, p)
				in += len(p)
				if out += len(got); flags&Compressed == 0 {
					out += len(p)
				}
				i++
			}
			b.ReportMetric(float64(out)/float64(in), "ratio")
		})
	}
}

func BenchmarkDecompress(b *testing.B) {
	for _, in := range []struct {
		name    string
		payload func(i int) []byte
	}{
		{"text", func(i int) []byte { return text(1400, uint64(i)) }},
		{"zeros", func(int) []byte { return make([]byte, 1400) }},
		{"literals", func(i int) []byte { return literals(1400, uint64(i)) }},
	} {
		b.Run(in.name, func(b *testing.B) {
			type packed struct {
				b     []byte
				flags Flags
			}
			var c Compressor
			var packets [64]packed
			c.Flush()
			for i := range packets {
				packets[i].b, packets[i].flags = c.Compress(nil, frame(1400, uint32(i), in.payload(i)))
			}
			d := NewDecompressor(1500)
			room := make([]byte, 0, 1500)
			b.SetBytes(1400)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				p := &packets[i%len(packets)]
				if _, err := d.Decompress(room, p.b, p.flags); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
