package mppe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestStatefulLoss(t *testing.T) {
	for _, lost := range []int{1, 5, 255, 256, 257, 600, 2047, 2048, 4095, 4096, 4097, 5000, 9000} {
		for _, before := range []int{0, 254, 255, 4090} {
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
