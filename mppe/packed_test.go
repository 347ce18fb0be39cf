package mppe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gopptp/mppc"
)

// packedConfigs are all that has compression.
var packedConfigs = []Config{
	{Compress: true},
	{Compress: true, Stateless: true},
	{Compress: true, Strength: Bits128, Stateless: true},
	{Compress: true, Strength: Bits128},
	{Compress: true, Strength: Bits40},
}

// textFrame is an IP packet of text, and noiseFrame one of random octets, with a
// number in both.
func textFrame(size int, n uint32) []byte {
	b := frame(size, n)
	rng := rand.New(rand.NewPCG(uint64(n), 5))
	words := strings.Fields("for whom the bell tolls never send to know it for thee GET HTTP/1.1 200 OK Content-Type: text/html")
	for i := 26; i < len(b); {
		i += copy(b[i:], words[rng.IntN(len(words))]+" ")
	}
	return b
}

func noiseFrame(size int, n uint32) []byte {
	b := frame(size, n)
	rng := rand.New(rand.NewPCG(uint64(n), 6))
	for i := 26; i < len(b); i++ {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// sealFrame returns the packet for a frame.
func sealFrame(s *Sender, f []byte) []byte {
	buf := append(make([]byte, 30), f...)
	return buf[s.Seal(buf, 30):]
}

func TestPackedRoundTrip(t *testing.T) {
	for _, cfg := range packedConfigs {
		t.Run(fmt.Sprint(cfg), func(t *testing.T) {
			s, r := NewSender(cfg, sample(t)), NewReceiver(cfg, sample(t))
			rng := rand.New(rand.NewPCG(3, 4))
			in, out, clear, flushed := 0, 0, 0, 0
			for i := range uint32(3000) {
				f := textFrame(26+rng.IntN(1400), i)
				if rng.IntN(5) == 0 {
					f = noiseFrame(len(f), i)
				}
				b := sealFrame(s, f)
				in, out = in+len(f), out+len(b)
				header := binary.BigEndian.Uint16(b)
				if mppc.Flags(header)&mppc.Compressed == 0 {
					clear++
				}
				if header&bitFlushed != 0 {
					flushed++
				}
				if header&countMask != uint16(i)&countMask || (header&bitEncrypted != 0) != (cfg.Strength != None) {
					t.Fatalf("packet %d: header %x", i, header)
				}
				if len(b) > len(f)+Overhead {
					t.Fatalf("packet %d grew from %d to %d", i, len(f), len(b))
				}
				got, err := r.Open(b)
				if err != nil || !bytes.Equal(got, f) {
					t.Fatalf("packet %d, header %x: %v", i, header, err)
				}
			}
			if clear < 300 || clear > 1000 || out > in*3/4 {
				t.Errorf("%d of 3000 not compressed, %d octets from %d", clear, out, in)
			}
			switch {
			case cfg.Stateless && flushed != 3000:
				t.Errorf("%d packets flushed, want all", flushed)
			case !cfg.Stateless && cfg.Strength != None && flushed != 3000/keyPackets:
				t.Errorf("%d packets flushed: a key stream was used twice", flushed)
			}
		})
	}
}

// TestPackedHeader has the bits of the first packets.
func TestPackedHeader(t *testing.T) {
	const (
		a, b, c, d = 0x8000, 0x4000, 0x2000, 0x1000
	)
	text, noise := textFrame(400, 1), noiseFrame(400, 2)
	for _, r := range []struct {
		cfg  Config
		want []uint16 // for text, text, noise, text, text
	}{
		{Config{Compress: true}, []uint16{b | c, c | 1, 2, a | b | c | 3, c | 4}},
		{Config{Compress: true, Stateless: true}, []uint16{a | b | c, a | b | c | 1, a | 2, a | b | c | 3, a | b | c | 4}},
		{Config{Compress: true, Strength: Bits128}, []uint16{b | c | d, c | d | 1, d | 2, b | c | d | 3, c | d | 4}},
		{Config{Compress: true, Strength: Bits128, Stateless: true},
			[]uint16{a | b | c | d, a | b | c | d | 1, a | d | 2, a | b | c | d | 3, a | b | c | d | 4}},
	} {
		s := NewSender(r.cfg, sample(t))
		for i, f := range [][]byte{text, text, noise, text, text} {
			if got := binary.BigEndian.Uint16(sealFrame(s, f)); got != r.want[i] {
				t.Errorf("%v, packet %d: header %04x, want %04x", r.cfg, i, got, r.want[i])
			}
		}
		s.Reset()
		got := binary.BigEndian.Uint16(sealFrame(s, noise))
		if (got&a != 0) != true {
			t.Errorf("%v: header %04x after a Reset-Request", r.cfg, got)
		}
	}
}

// TestPackedLoss loses packets. In stateless mode nothing more than those is
// lost; in stateful mode nothing wrong comes out, and a reset repairs it.
func TestPackedLoss(t *testing.T) {
	for _, cfg := range packedConfigs {
		t.Run(fmt.Sprint(cfg), func(t *testing.T) {
			s, r := NewSender(cfg, sample(t)), NewReceiver(cfg, sample(t))
			rng := rand.New(rand.NewPCG(7, 8))
			arrived, carried, asked := 0, 0, 0
			for i := range uint32(6000) {
				f := textFrame(60+rng.IntN(300), i)
				if rng.IntN(4) == 0 {
					f = noiseFrame(len(f), i)
				}
				b := sealFrame(s, f)
				if rng.IntN(50) == 0 {
					continue // lost
				}
				carried++
				got, err := r.Open(b)
				switch {
				case err == nil && !bytes.Equal(got, f):
					t.Fatalf("packet %d came out wrong", i)
				case err == nil:
					arrived++
				case cfg.Stateless:
					t.Fatalf("packet %d: %v", i, err)
				}
				if r.NeedsReset() != (err != nil) {
					t.Fatalf("packet %d: %v, needs a reset: %v", i, err, r.NeedsReset())
				}
				if r.NeedsReset() && rng.IntN(3) == 0 { // the request may be on its way for a while, or lost
					s.Reset()
					asked++
				}
			}
			if arrived < carried*9/10 || cfg.Stateless && arrived != carried || !cfg.Stateless && asked < 60 {
				t.Errorf("%d of %d arrived, %d resets", arrived, carried, asked)
			}
		})
	}
}

func TestPackedRefusals(t *testing.T) {
	alone, both := Config{Compress: true}, Config{Compress: true, Strength: Bits128}
	f := textFrame(200, 1)
	for _, row := range []struct {
		name     string
		from, to Config
		want     error
	}{
		{"encrypted, no key", both, alone, ErrEncrypted},
		{"clear, but a key", alone, both, ErrNotEncrypted},
		{"stateful in stateless mode", alone, Config{Compress: true, Stateless: true}, ErrNotFlushed},
	} {
		b := sealFrame(NewSender(row.from, sample(t)), f)
		if _, err := NewReceiver(row.to, sample(t)).Open(b); err != row.want {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	r := NewReceiver(alone, StartKey{})
	for _, b := range []string{"", "\x60", "\x60\x00"} {
		if _, err := r.Open([]byte(b)); err != ErrShort {
			t.Errorf("%q: %v", b, err)
		}
	}
	// What is no PPP frame shows that the history is not the peer's.
	if _, err := r.Open([]byte("\x60\x00not a frame")); err != ErrPacked || !r.NeedsReset() {
		t.Errorf("%v, %v", err, r.NeedsReset())
	}
	if _, err := r.Open([]byte("\x20\x01\x00\x21")); err != ErrReset {
		t.Errorf("after that: %v", err)
	}
	s := NewSender(alone, StartKey{})
	s.Reset()
	if got, err := r.Open(sealFrame(s, f)); err != nil || !bytes.Equal(got, f) || r.NeedsReset() {
		t.Errorf("flushed: %v", err)
	}
}

// TestPackedForgery: forged packets are refused, and the true ones go on.
func TestPackedForgery(t *testing.T) {
	for _, cfg := range packedConfigs[2:] {
		s, r := NewSender(cfg, sample(t)), NewReceiver(cfg, sample(t))
		rng := rand.New(rand.NewPCG(1, 9))
		passed, resets := 0, 0
		for i := range uint32(2000) {
			if _, err := r.Open(garbage(rng, uint16(rng.Uint32())|bitEncrypted|uint16(mppc.Compressed))); err == nil {
				passed++
			}
			f := textFrame(200, i)
			got, err := r.Open(sealFrame(s, f))
			if err == nil && !bytes.Equal(got, f) {
				t.Fatalf("%v: packet %d came out wrong", cfg, i)
			}
			if r.NeedsReset() {
				s.Reset()
				resets++
			}
		}
		if passed > 20 {
			t.Errorf("%v: %d of 2000 forged packets passed", cfg, passed)
		}
		f := textFrame(200, 9999)
		for range 50 { // the way back is open
			if got, err := r.Open(sealFrame(s, f)); err == nil && bytes.Equal(got, f) {
				f = nil
				break
			}
			s.Reset()
		}
		if f != nil {
			t.Errorf("%v: nothing arrives any more", cfg)
		}
	}
}

// TestPackedForgeryInOrder: a forged packet with the count that is due is refused,
// left as it was, and the cipher too.
func TestPackedForgeryInOrder(t *testing.T) {
	for _, cfg := range packedConfigs[2:] {
		s, r := NewSender(cfg, sample(t)), NewReceiver(cfg, sample(t))
		rng := rand.New(rand.NewPCG(4, 4))
		for i := range uint32(100) {
			b := sealFrame(s, textFrame(200, i))
			forged := garbage(rng, binary.BigEndian.Uint16(b)|uint16(mppc.Compressed))
			work := bytes.Clone(forged)
			if _, err := r.Open(work); err != ErrGarbled || !bytes.Equal(work, forged) {
				t.Fatalf("%v, packet %d: %v", cfg, i, err)
			}
			if got, err := r.Open(b); err != nil || !bytes.Equal(got, textFrame(200, i)) {
				t.Fatalf("%v, packet %d after a forged one: %v", cfg, i, err)
			}
		}
	}
}

func TestPackedNoAllocation(t *testing.T) {
	for _, cfg := range packedConfigs {
		s, r := NewSender(cfg, sample(t)), NewReceiver(cfg, sample(t))
		f := textFrame(1400, 1)
		buf := make([]byte, 30+len(f))
		if n := testing.AllocsPerRun(1000, func() {
			copy(buf[30:], f)
			if _, err := r.Open(buf[s.Seal(buf, 30):]); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%v: %v allocations", cfg, n)
		}
	}
}

func TestConfigString(t *testing.T) {
	for want, c := range map[string]Config{
		"":                       {},
		"MPPE128 stateless":      {Strength: Bits128, Stateless: true},
		"MPPE40 stateful":        {Strength: Bits40},
		"MPPC":                   {Compress: true},
		"MPPC+MPPE128 stateless": {Compress: true, Strength: Bits128, Stateless: true},
	} {
		if got := c.String(); got != want || c.Active() != (want != "") {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// FuzzPacked says anything to a receiver in the middle of a true stream.
func FuzzPacked(f *testing.F) {
	for i, cfg := range packedConfigs {
		f.Add(uint8(i), sealFrame(NewSender(cfg, sample(f)), textFrame(100, 1)))
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		cfg := packedConfigs[int(which)%len(packedConfigs)]
		s, r := NewSender(cfg, sample(t)), NewReceiver(cfg, sample(t))
		for i := range uint32(8) {
			if got, err := r.Open(bytes.Clone(b)); err == nil && len(got) > maxUnpacked {
				t.Fatalf("%d octets", len(got))
			}
			_, _ = r.Open(sealFrame(s, textFrame(100, i)))
		}
		if cfg.Strength != None {
			return // who has the key, as the fuzzer has, can lead a receiver away
		}
		for range 20 {
			fr := textFrame(100, 77)
			if got, err := r.Open(sealFrame(s, fr)); err == nil && bytes.Equal(got, fr) {
				return
			}
			s.Reset()
		}
		t.Fatal("nothing arrives any more")
	})
}

func BenchmarkPacked(b *testing.B) {
	for _, cfg := range packedConfigs[:4] {
		b.Run(fmt.Sprint(cfg), func(b *testing.B) {
			s, r := NewSender(cfg, sample(b)), NewReceiver(cfg, sample(b))
			f := textFrame(1400, 1)
			buf := make([]byte, 30+len(f))
			b.SetBytes(int64(len(f)))
			b.ReportAllocs()
			for b.Loop() {
				copy(buf[30:], f)
				if _, err := r.Open(buf[s.Seal(buf, 30):]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
