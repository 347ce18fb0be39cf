package mppe

import "testing"

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
			b.ReportAllocs()
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
