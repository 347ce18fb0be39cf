package mppe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
)

// frame is an IP packet in a PPP frame, with a number to tell it by.
func frame(size int, n uint32) []byte {
	b := make([]byte, max(size, 26))
	copy(b, "\x00\x21\x45")
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-2))
	binary.BigEndian.PutUint32(b[22:], n)
	return b
}

// A pair is both ends of one direction.
type pair struct {
	t    testing.TB
	s    *Sender
	r    *Receiver
	sent uint32
}

func newPair(t testing.TB, cfg Config) *pair {
	return &pair{t: t, s: NewSender(cfg, sample(t)), r: NewReceiver(cfg, sample(t))}
}

// seal returns the next packet.
func (p *pair) seal() []byte {
	f := frame(60, p.sent)
	p.sent++
	buf := append(make([]byte, Overhead), f...)
	return buf[p.s.Seal(buf, Overhead):]
}

func (p *pair) lose(n int) {
	for range n {
		p.seal()
	}
}

// errWrong is for what passed by chance: nothing in MPPE can tell.
var errWrong = errors.New("opened with the wrong key")

// open opens a copy of b and returns the number in it.
func (p *pair) open(b []byte) (uint32, error) {
	p.t.Helper()
	work := bytes.Clone(b)
	inner, err := p.r.Open(work)
	if err != nil {
		if !bytes.Equal(work, b) || inner != nil {
			p.t.Errorf("a packet refused with %q was changed", err)
		}
		return 0, err
	}
	if len(inner) != len(b)-Overhead {
		p.t.Fatalf("%d octets out of %d", len(inner), len(b))
	}
	if n := binary.BigEndian.Uint32(inner[22:]); bytes.Equal(inner, frame(60, n)) {
		return n, nil
	}
	return 0, errWrong
}

// good sends n packets that must arrive.
func (p *pair) good(n int) {
	p.t.Helper()
	for range n {
		b := p.seal()
		if got, err := p.open(b); err != nil || got != p.sent-1 {
			p.t.Fatalf("packet %d (header %x): %d, %v", p.sent-1, b[:2], got, err)
		}
	}
}

// bad opens b, which must be refused with want.
func (p *pair) bad(b []byte, want error) {
	p.t.Helper()
	if _, err := p.open(b); err != want {
		p.t.Errorf("header %x: %v, want %v", b[:2], err, want)
	}
}

// recover sends packets until one arrives and returns how many did not.
func (p *pair) recover() int {
	p.t.Helper()
	for i := range 20_000 {
		if n, err := p.open(p.seal()); err == nil {
			if n != p.sent-1 {
				p.t.Fatalf("%d arrived, want %d", n, p.sent-1)
			}
			return i
		}
	}
	p.t.Fatal("nothing arrives any more")
	return 0
}

var (
	stateless = Config{Strength: Bits128, Stateless: true}
	stateful  = Config{Strength: Bits128}
)

// garbage is a packet of random content with a given header.
func garbage(r *rand.Rand, header uint16) []byte {
	b := binary.BigEndian.AppendUint16(nil, header)
	for range 40 {
		b = append(b, byte(r.Uint32()))
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	for _, strength := range []Strength{Bits40, Bits56, Bits128} {
		for _, stateless := range []bool{false, true} {
			cfg := Config{Strength: strength, Stateless: stateless}
			t.Run(cfg.String(), func(t *testing.T) { newPair(t, cfg).good(3 * 4096) })
		}
	}
}

// The packets of both modes against the RFCs' letter.
func TestWire(t *testing.T) {
	for _, cfg := range []Config{stateless, stateful, {Strength: Bits40, Stateless: true}, {Strength: Bits56}} {
		p := newPair(t, cfg)
		plain := newPlainChain(cfg.Strength, sample(t))
		cipher := plain.cipher()
		for i := range uint32(5000) {
			header := uint16(i%4096) | 0x1000
			if cfg.Stateless || i%256 == 255 {
				header |= 0x8000
				plain.next()
				cipher = plain.cipher()
			}
			want := frame(60, i)
			cipher.XORKeyStream(want, want)
			want = append(binary.BigEndian.AppendUint16(nil, header), want...)
			if got := p.seal(); !bytes.Equal(got, want) {
				t.Fatalf("%v, packet %d: %x, want %x", cfg, i, got, want)
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, cfg := range []Config{stateless, stateful} {
		p := newPair(t, cfg)
		p.bad([]byte("\x90"), ErrShort)
		p.bad([]byte("\x90\x00"), ErrShort)
		p.bad([]byte("\x80\x00abc"), ErrNotEncrypted)
		b := p.seal()
		for i := range Overhead + 1 {
			if _, err := p.r.Open(b[:i]); err != ErrShort {
				t.Errorf("%d octets: %v", i, err)
			}
		}
		if cfg.Stateless {
			c := bytes.Clone(b)
			c[0] &^= 0x80
			p.bad(c, ErrNotFlushed)
		}
		if n, err := p.open(b); n != 0 || err != nil {
			t.Errorf("%v: %d, %v", cfg, n, err)
		}
		p.good(10)
	}
}

func TestStatelessLossAndOrder(t *testing.T) {
	p := newPair(t, stateless)
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		lost := r.IntN(5)
		if r.IntN(50) == 0 {
			lost = r.IntN(200)
		}
		p.lose(lost)
		early, late := p.seal(), p.seal()
		p.bad(early[:2], ErrShort)
		if _, err := p.open(late); err != nil {
			t.Fatalf("after %d lost: %v", lost, err)
		}
		p.bad(early, ErrLate)
		p.bad(late, ErrLate)
		p.good(r.IntN(20) + 1)
	}
}

// Linux once changed the key 4,095 times for a packet late by one.
func TestStatelessCountBackwards(t *testing.T) {
	p := newPair(t, stateless)
	p.good(10)
	old := p.seal()
	p.open(old)
	for back := uint16(1); back <= 2048; back++ {
		b := bytes.Clone(old)
		binary.BigEndian.PutUint16(b, 0x9000|(11-back)&countMask)
		p.bad(b, ErrLate)
	}
	p.good(10)
}

func TestStatelessJump(t *testing.T) {
	for _, jump := range []int{1, 16, 17, 255, 256, 2047} {
		p := newPair(t, stateless)
		p.good(5)
		p.lose(jump)
		p.good(5000)
	}
}

// A forged count moves nothing but the credit, whatever its distance, but for
// the few that pass by chance; and key changes stay bounded.
func TestStatelessForged(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	p := newPair(t, stateless)
	p.good(100)
	var passed, jumps, lost int
	for range 300 {
		before := passed
		for range 20 {
			ahead := uint16(r.IntN(maxAhead))
			switch _, err := p.r.Open(garbage(r, 0x9000|(p.r.next+ahead)&countMask)); err {
			case nil:
				passed++
			case ErrJump:
				jumps++
			}
		}
		if passed == before {
			p.good(10)
		} else {
			lost += p.recover()
		}
	}
	t.Logf("of 6000 forged packets %d passed and cost %d true ones, %d were refused for their price", passed, lost, jumps)
	if passed > 10 || lost > passed*maxAhead {
		t.Error("that is too much")
	}
	if jumps < 4000 {
		t.Error("that is too cheap")
	}
}

// After an outage longer than the count can say, the stream is found again.
func TestStatelessOutage(t *testing.T) {
	for _, lost := range []int{2048, 3000, 4095, 4096, 4097, 6143, 6144, 9000, 20_000, 60_000} {
		p := newPair(t, stateless)
		p.good(100)
		p.lose(lost)
		missed := p.recover()
		t.Logf("%d lost: found after %d more", lost, missed)
		if limit := patience + 200 + lost/16; missed > limit {
			t.Errorf("%d lost: found after %d more, want at most %d", lost, missed, limit)
		}
		if p.r.NeedsReset() {
			t.Errorf("%d lost: NeedsReset", lost)
		}
		p.good(5000)
	}
}

// Beyond the hunt's reach only CCP helps, and Open says so.
func TestStatelessLostForGood(t *testing.T) {
	p := newPair(t, stateless)
	p.good(1)
	p.r.chain.start[0] ^= 1
	for range 4000 {
		p.open(p.seal())
		if p.r.NeedsReset() {
			return
		}
	}
	t.Error("a wrong key for 4000 packets and no NeedsReset")
}

func TestStatelessResetIsNothing(t *testing.T) {
	p := newPair(t, stateless)
	p.good(3)
	p.s.Reset()
	p.good(300)
}

func FuzzOpen(f *testing.F) {
	for _, cfg := range []Config{stateless, stateful} {
		p := newPair(f, cfg)
		for range 3 {
			f.Add(cfg.Stateless, p.seal(), p.seal())
		}
	}
	f.Fuzz(func(t *testing.T, mode bool, a, b []byte) {
		p := newPair(t, Config{Strength: Bits128, Stateless: mode})
		p.good(3)
		for _, in := range [][]byte{a, b, a} {
			work := bytes.Clone(in)
			if inner, err := p.r.Open(work); err != nil {
				if !bytes.Equal(work, in) {
					t.Errorf("a packet refused with %q was changed", err)
				}
			} else if len(inner) != len(in)-Overhead {
				t.Errorf("%d octets out of %d", len(inner), len(in))
			}
		}
	})
}

func TestAllocs(t *testing.T) {
	for _, cfg := range []Config{stateless, stateful} {
		p := newPair(t, cfg)
		clear := frame(1400, 1)
		buf := make([]byte, Overhead+len(clear))
		if n := testing.AllocsPerRun(1000, func() {
			copy(buf[Overhead:], clear)
			p.s.Seal(buf, Overhead)
			if _, err := p.r.Open(buf); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%v: %v allocations", cfg, n)
		}
		// Refused packets, those of the hunt and of a reset included.
		header := uint16(0x9000)
		if n := testing.AllocsPerRun(1000, func() {
			binary.BigEndian.PutUint16(buf, header|0x9000)
			header += 777
			p.r.Open(buf)
		}); n != 0 {
			t.Errorf("%v: %v allocations for a refused packet", cfg, n)
		}
	}
}
