package mppe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
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
			cfg := Config{strength, stateless}
			t.Run(cfg.String(), func(t *testing.T) { newPair(t, cfg).good(3 * 4096) })
		}
	}
}

// The packets of both modes against the RFCs' letter.
func TestWire(t *testing.T) {
	for _, cfg := range []Config{stateless, stateful, {Bits40, true}, {Bits56, false}} {
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

func TestStatefulLoss(t *testing.T) {
	for _, lost := range []int{1, 5, 255, 256, 257, 600, 2047, 2048, 4095, 4096, 4097, 5000, 9000} {
		for _, before := range []int{0, 1, 250, 254, 255, 256, 4090} {
			p := newPair(t, stateful)
			p.good(before)
			p.lose(lost)
			for range 20 {
				if p.open(p.seal()); p.r.NeedsReset() {
					p.s.Reset()
				}
			}
			if p.r.NeedsReset() {
				t.Fatalf("%d lost after %d: no recovery", lost, before)
			}
			p.good(600)
		}
	}
}

func TestStatefulErrors(t *testing.T) {
	p := newPair(t, stateful)
	first := p.seal()
	p.open(first)
	p.bad(first, ErrLate)
	if p.r.NeedsReset() {
		t.Error("a duplicate asks for a reset")
	}
	lost := p.seal()
	p.bad(p.seal(), ErrReset)
	p.bad(p.seal(), ErrReset)
	if !p.r.NeedsReset() {
		t.Error("a loss does not ask for a reset")
	}
	// Late by a little rather than lost: no reset was needed after all.
	if _, err := p.open(lost); err != nil || p.r.NeedsReset() {
		t.Errorf("the missing packet: %v, NeedsReset %v", err, p.r.NeedsReset())
	}
	p.lose(300)
	p.s.Reset()
	b := p.seal()
	if header := binary.BigEndian.Uint16(b); header&0x80ff != 0x80ff {
		t.Errorf("header %x after a reset", header)
	}
	if _, err := p.open(b); err != nil {
		t.Error(err)
	}
	p.good(1000)
}

func TestStatefulLossOfTheReset(t *testing.T) {
	p := newPair(t, stateful)
	p.good(10)
	p.lose(1)
	p.bad(p.seal(), ErrReset)
	for range 5 {
		p.s.Reset()
		p.lose(1)
		p.bad(p.seal(), ErrReset)
	}
	p.s.Reset()
	p.good(1000)
}

// A reset that nobody asked for looks like a loss, and no more.
func TestStatefulSpoofedReset(t *testing.T) {
	p := newPair(t, stateful)
	for range 50 {
		p.good(37)
		p.s.Reset()
		p.s.Reset()
		p.good(500)
	}
}

func TestStatefulForged(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	p := newPair(t, stateful)
	missed := 0
	for range 3000 {
		header := 0x1000 | uint16(r.Uint32())&0x8fff
		if r.IntN(3) == 0 {
			header = 0x1000 | (p.r.next+uint16(r.IntN(20)))&countMask
		}
		p.r.Open(garbage(r, header))
		for range 5 {
			if _, err := p.open(p.seal()); err != nil {
				missed++
				if p.r.NeedsReset() {
					p.s.Reset()
				}
			}
		}
	}
	if missed > 15000/10 {
		t.Error("too many")
	}
	t.Logf("3000 forged packets cost %d of 15000 true ones", missed)
}

// A plainPeer is the other end of stateful mode in the two ways that are
// found: a FLUSHED packet has its tables made from the current key (RFC 3078,
// section 8.2), or from the one after it (Linux).
type plainPeer struct {
	*plainChain
	cipher interface{ XORKeyStream(dst, src []byte) }
	linux  bool
	count  uint16 // to send, or expected
	wait   bool   // for a FLUSHED packet
}

func newPlainPeer(t testing.TB, linux bool) *plainPeer {
	c := newPlainChain(Bits128, sample(t))
	return &plainPeer{plainChain: c, cipher: c.cipher(), linux: linux}
}

func (p *plainPeer) renew(flag bool) {
	if flag || p.linux {
		p.next()
	}
	p.cipher = p.plainChain.cipher()
}

func (p *plainPeer) seal(f []byte, flush bool) []byte {
	header := p.count | 0x1000
	flag := p.count&0xff == 0xff
	if flag || flush {
		header |= 0x8000
		p.renew(flag)
	}
	p.count = (p.count + 1) & 0xfff
	out := append(binary.BigEndian.AppendUint16(nil, header), f...)
	p.cipher.XORKeyStream(out[2:], out[2:])
	return out
}

func (p *plainPeer) open(b []byte) ([]byte, bool) {
	header := binary.BigEndian.Uint16(b)
	count, flushed := header&0xfff, header&0x8000 != 0
	if !p.wait && count != p.count {
		p.wait = true
		if p.linux {
			// Linux does not look at FLUSHED before it waits for it, and has
			// then counted the packet.
			p.count = (p.count + 1) & 0xfff
			return nil, false
		}
	}
	if p.wait && !flushed {
		return nil, false
	}
	for c := p.count; c != count; c = (c + 1) & 0xfff {
		if c&0xff == 0xff {
			p.next()
		}
	}
	if flushed {
		p.renew(count&0xff == 0xff)
	}
	p.wait, p.count = false, (count+1)&0xfff
	out := bytes.Clone(b[2:])
	p.cipher.XORKeyStream(out, out)
	return out, true
}

func TestStatefulPeers(t *testing.T) {
	for _, linux := range []bool{false, true} {
		t.Run(fmt.Sprintf("linux %v", linux), func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 5))
			peer, receiver := newPlainPeer(t, linux), NewReceiver(stateful, sample(t))
			for i := range uint32(5000) {
				b := peer.seal(frame(60, i), receiver.NeedsReset())
				if r.IntN(100) == 0 {
					continue
				}
				inner, err := receiver.Open(b)
				if err == nil && !bytes.Equal(inner, frame(60, i)) {
					t.Fatalf("packet %d opened as %x", i, inner)
				}
				if err != nil && !errors.Is(err, ErrReset) {
					t.Fatalf("packet %d: %v", i, err)
				}
			}
			peer, sender := newPlainPeer(t, linux), NewSender(stateful, sample(t))
			opened := 0
			for i := range uint32(5000) {
				if peer.wait {
					sender.Reset()
				}
				buf := append(make([]byte, Overhead), frame(60, i)...)
				sender.Seal(buf, Overhead)
				if r.IntN(100) == 0 {
					continue
				}
				inner, ok := peer.open(buf)
				if !ok {
					continue
				}
				opened++
				if !bytes.Equal(inner, frame(60, i)) {
					t.Fatalf("packet %d opened as %x", i, inner)
				}
			}
			if opened < 4800 {
				t.Errorf("the peer opened %d of 5000 packets", opened)
			}
		})
	}
}

func FuzzOpen(f *testing.F) {
	for _, cfg := range []Config{stateless, stateful} {
		p := newPair(f, cfg)
		for range 3 {
			f.Add(cfg.Stateless, p.seal(), p.seal())
		}
	}
	f.Fuzz(func(t *testing.T, mode bool, a, b []byte) {
		p := newPair(t, Config{Bits128, mode})
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

func BenchmarkSeal(b *testing.B) {
	for _, cfg := range []Config{stateless, stateful} {
		b.Run(cfg.String(), func(b *testing.B) {
			s := NewSender(cfg, sample(b))
			buf := append(make([]byte, Overhead), frame(1400, 1)...)
			b.SetBytes(1400)
			b.ReportAllocs()
			for b.Loop() {
				s.Seal(buf, Overhead)
			}
		})
	}
	b.Run("crypto stateless", func(b *testing.B) {
		c := newPlainChain(Bits128, sample(b))
		buf := append(make([]byte, Overhead), frame(1400, 1)...)
		b.SetBytes(1400)
		b.ReportAllocs()
		for b.Loop() {
			c.next()
			c.cipher().XORKeyStream(buf[Overhead:], buf[Overhead:])
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	for _, cfg := range []Config{stateless, stateful} {
		b.Run(cfg.String(), func(b *testing.B) {
			// One turn of the count, sealed once. In the next turn the keys
			// have moved on, so each turn starts with a new Receiver.
			p := newPair(b, cfg)
			var sealed [4096][]byte
			for i := range sealed {
				buf := append(make([]byte, Overhead), frame(1400, uint32(i))...)
				p.s.Seal(buf, Overhead)
				sealed[i] = buf
			}
			buf := make([]byte, Overhead+1400)
			b.SetBytes(1400)
			n := 0
			for b.Loop() {
				if n == len(sealed) {
					p.r, n = NewReceiver(cfg, sample(b)), 0
				}
				copy(buf, sealed[n])
				n++
				if _, err := p.r.Open(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
