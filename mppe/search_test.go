package mppe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

// searching makes p's receiver search: it has refused so many packets.
func (p *pair) searching(r *rand.Rand) {
	p.t.Helper()
	for range 10 * patience {
		if p.r.searching() {
			return
		}
		p.open(garbage(r, 0x9000|(p.r.next-100)&countMask))
	}
	p.t.Fatal("no search")
}

// TestWrongKeys tries keys of which none is the right one, with what is plausible and in a
// search. There is no packet that is due.
func TestWrongKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	p := newPair(t, stateless)
	p.good(10)
	p.searching(r)
	const keys = 1 << 17
	plausible, wrong := 0, 0
	var b, was [Overhead + 40]byte
	for range keys {
		for i := Overhead; i < len(b); i += 8 {
			binary.BigEndian.PutUint64(b[i:], r.Uint64())
		}
		if !p.r.searching() {
			wrong++
			p.searching(r)
		}
		guessed := p.r.guessed
		count := (p.r.next + 1) & countMask
		if guessed {
			count = p.r.guess.next
		}
		binary.BigEndian.PutUint16(b[:], 0x9000|count)
		was = b
		p.r.credit = maxCredit
		if _, err := p.r.Open(b[:]); err != nil && b != was {
			t.Fatal("a packet that was refused was changed")
		}
		if !guessed && p.r.guessed {
			plausible++
		}
	}
	t.Logf("of %d wrong keys %d were plausible, and %d believed", keys, plausible, wrong)
	if plausible < keys/1000 {
		t.Error("so few are plausible: the test does not try what it says")
	}
	if wrong > keys/50_000 {
		t.Error("that is too many")
	}
}

// TestSearchForNothing: a search without a right key ends at its reach, hardly ever before.
func TestSearchForNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	const searches = 30
	wrong, packets := 0, 0
	for range searches {
		p := newPair(t, stateless)
		p.good(1)
		count := p.r.next + uint16(r.IntN(4096))
		for ; !p.r.NeedsReset(); packets++ {
			if _, err := p.r.Open(garbage(r, 0x9000|count&countMask)); err == nil {
				wrong++
			}
			count++
		}
	}
	t.Logf("%d wrong keys were believed in %d searches of %d packets", wrong, searches, packets)
	if wrong > 2 {
		t.Error("that is too many")
	}
}

// kinds are frames that tunnels carry, each with a number.
var kinds = []struct {
	name string
	cfg  Config
	make func(n uint32) []byte
}{
	{"IPv4", stateless, func(n uint32) []byte { return frame(60, n) }},
	{"IPv4, all sizes", stateless, func(n uint32) []byte { return frame(26+int(n)%1475, n) }},
	{"IPv4, compressed field", stateless, func(n uint32) []byte { return frame(60, n)[1:] }},
	{"IPv4 without data", stateless, func(n uint32) []byte {
		return numbered("\x00\x21E\x00\x00\x14\x00\x00\x00\x00\x40\x01\x00\x00", n, 22)
	}},
	{"IPv4 with options", stateless, func(n uint32) []byte { return numbered("\x21O\x00\x00\x50", n, 81) }},
	{"IPv4 with padding", stateless, func(n uint32) []byte { return numbered("\x21E\x00\x00\x20", n, 61) }},
	{"IPv6", stateless, func(n uint32) []byte { return numbered("\x00\x57\x60\x00\x00\x00\x00\x20", n, 74) }},
	{"Ethernet", stateless, func(n uint32) []byte { return numbered("\x00\x31\x00\x01", n, 64) }},
	{"Ethernet, compressed field", stateless, func(n uint32) []byte { return numbered("\x31\x00\x01", n, 63) }},
	{"control packets of bridges", stateless, func(n uint32) []byte { return numbered("\x00\x31\x10\x00", n, 64) }},
	{"fragments", stateless, func(n uint32) []byte { return numbered("\x00\x3d\xc0\x00\x00", n, 100) }},
	{"fragments, short numbers", stateless, func(n uint32) []byte { return numbered("\x3d\x80", n, 100) }},
	{"fragments from the middle", stateless, func(n uint32) []byte { return numbered("\x3d\x00\x00\x00", n, 1400) }},
	{"fragments of all kinds", stateless, func(n uint32) []byte {
		return numbered("\x3d"+string([]byte{"\x80\x00\x00\x40"[n%4]}), n, 1400)
	}},
	{"something unknown", stateless, func(n uint32) []byte { return numbered("\x00\x49", n, 30) }},
	{"compressed", Config{Strength: Bits128, Stateless: true, Compress: true}, func(n uint32) []byte { return textFrame(300, n) }},
	{"not to be compressed", Config{Strength: Bits128, Stateless: true, Compress: true}, func(n uint32) []byte { return noiseFrame(300, n) }},
	{"40 bits", Config{Strength: Bits40, Stateless: true}, func(n uint32) []byte { return frame(60, n) }},
}

// numbered is a frame of a size that begins with head and ends with a number.
func numbered(head string, n uint32, size int) []byte {
	b := make([]byte, size)
	copy(b, head)
	binary.BigEndian.PutUint32(b[size-4:], n)
	return b
}

// TestSearchFinds: whatever a stream is made of, it is found after an outage.
func TestSearchFinds(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			for _, lost := range []int{2048, 5000, 12_000} {
				s, r := NewSender(kind.cfg, sample(t)), NewReceiver(kind.cfg, sample(t))
				n := uint32(0)
				// next seals the next frame, and opens it unless it is lost.
				next := func(arrives bool) error {
					want := kind.make(n)
					n++
					b := sealFrame(s, want)
					if !arrives {
						return nil
					}
					got, err := r.Open(b)
					if err == nil && !bytes.Equal(got, want) {
						t.Fatalf("frame %d came out wrong", n-1)
					}
					return err
				}
				for range 10 {
					if err := next(true); err != nil {
						t.Fatal(err)
					}
				}
				for range lost {
					next(false)
				}
				missed := 0
				for ; next(true) != nil; missed++ {
					if missed > patience+200+lost/16 {
						t.Fatalf("%d lost: not found after %d more", lost, missed)
					}
				}
				for range 100 {
					if err := next(true); err != nil {
						t.Fatalf("%d lost: after it was found: %v", lost, err)
					}
				}
			}
		})
	}
}

// TestSearchInTrouble: packets of the stream may be lost and others come in the midst of a
// search. Where half of all are others it may be in vain, and says so.
func TestSearchInTrouble(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 32))
	for _, trouble := range []struct {
		name    string
		between func(p *pair)
		vain    bool
	}{
		{"lost", func(p *pair) { p.lose(rng.IntN(3)) }, false},
		{"doubled", func(p *pair) { b := p.seal(); p.open(b); p.open(b) }, false},
		{"late", func(p *pair) { p.open(garbage(rng, 0x9000|(uint16(p.s.count)-50)&countMask)) }, true},
		{"forged", func(p *pair) { p.open(garbage(rng, 0x9000|uint16(rng.Uint32())&countMask)) }, true},
	} {
		t.Run(trouble.name, func(t *testing.T) {
			for range 10 {
				found := false
				p := newPair(t, stateless)
				p.good(100)
				p.lose(3000 + rng.IntN(20_000))
				for sent := 0; sent < 4000 && !found && !p.r.NeedsReset(); sent++ {
					trouble.between(p)
					n, err := p.open(p.seal())
					found = err == nil && n == p.sent-1
				}
				if !found && !(trouble.vain && p.r.NeedsReset()) {
					t.Fatal("not found")
				}
			}
		})
	}
}

// TestGuess goes through what becomes of a guess.
func TestGuess(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 42))
	for _, test := range []struct {
		name  string
		next  func(p *pair) // what comes after the packet that was guessed from
		found bool
	}{
		{"the next packet", func(*pair) {}, true},
		{"one after some are lost", func(p *pair) { p.lose(guessReach - 1) }, true},
		{"one that is too far ahead", func(p *pair) { p.lose(guessReach) }, false},
		{"one after another stream's", func(p *pair) { p.open(garbage(rng, 0x9000|(uint16(p.s.count)+guessReach)&countMask)) }, true},
		{"one after a forged one", func(p *pair) { p.open(garbage(rng, 0x9000|uint16(p.s.count)&countMask)) }, false},
	} {
		p := newPair(t, stateless)
		p.good(10)
		p.searching(rng)
		p.lose(5)
		p.bad(p.seal(), ErrGarbled)
		if !p.r.guessed || p.r.guess.next != p.s.count {
			t.Fatalf("%s: no guess", test.name)
		}
		test.next(p)
		p.r.credit = 0 // a position tells nothing
		if n, err := p.open(p.seal()); (err == nil) != test.found || err == nil && n != p.sent-1 {
			t.Errorf("%s: packet %d, %v", test.name, n, err)
		}
		if test.found {
			p.good(100)
		}
	}
}

// TestSearchAllocs: a search allocates nothing from the beginning to the end.
func TestSearchAllocs(t *testing.T) {
	p := newPair(t, stateless)
	p.good(10)
	start := *p.r
	p.lose(6000)
	var packets [][]byte
	for range 1000 {
		packets = append(packets, p.seal())
	}
	work := make([]byte, len(packets[0]))
	found := 0
	if n := testing.AllocsPerRun(10, func() {
		*p.r = start
		for _, b := range packets {
			copy(work, b)
			if _, err := p.r.Open(work); err == nil {
				found++
			}
		}
	}); n != 0 || found == 0 {
		t.Errorf("%v allocations; %d packets arrived", n, found)
	}
}

// TestSearchBatch: in a batch a search is as it is packet by packet.
func TestSearchBatch(t *testing.T) {
	for _, lost := range []int{0, 3, 3000} {
		t.Run(fmt.Sprint(lost), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(51, uint64(lost)))
			s, one, many := NewSender(stateless, sample(t)), NewReceiver(stateless, sample(t)), NewReceiver(stateless, sample(t))
			var packets [][]byte
			for range 2 * patience {
				packets = append(packets, garbage(rng, 0x9fff))
			}
			for i := range lost + 500 {
				if b := sealFrame(s, frame(60, uint32(i))); i >= lost {
					packets = append(packets, b)
				}
			}
			openBoth(t, one, many, new(Batch), packets)
			if one.searching() {
				t.Error("nothing was found")
			}
		})
	}
}
