package mppe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"gopptp/mppe/rc4"
)

// batchConfigs are all that a batch may meet.
var batchConfigs = []Config{
	stateless, stateful,
	{Strength: Bits40, Stateless: true}, {Strength: Bits56, Stateless: true},
	{Strength: Bits128, Stateless: true, Compress: true}, {Compress: true},
}

// batchPaths are the paths to test: all that there are, and the choice among them,
// which is all where packets are done one by one.
func batchPaths(cfg Config) []rc4.Path {
	if !cfg.Stateless || cfg.Compress {
		return []rc4.Path{rc4.Auto}
	}
	return append(rc4.Paths(), rc4.Auto)
}

// batchSize is a length as traffic has them.
func batchSize(rng *rand.Rand) int {
	switch rng.IntN(3) {
	case 0:
		return 1402
	case 1:
		return 54
	}
	return 26 + rng.IntN(1575)
}

// TestSealBatch: the same octets as from Seal.
func TestSealBatch(t *testing.T) {
	for _, cfg := range batchConfigs {
		for _, path := range batchPaths(cfg) {
			rng := rand.New(rand.NewPCG(1, 2))
			one, many := NewSender(cfg, sample(t)), NewSender(cfg, sample(t))
			one.count, many.count = 4000, 4000 // the count goes round soon
			b := new(Batch)
			b.Force(path)
			for n := 0; n < 80; n += 4 {
				var bufs, want [][]byte
				var offs []int
				for i := range n {
					off := Overhead + rng.IntN(40)
					buf := append(make([]byte, off), frame(batchSize(rng), uint32(i))...)
					bufs, offs = append(bufs, buf), append(offs, off)
					buf = bytes.Clone(buf)
					want = append(want, buf[one.Seal(buf, off):])
				}
				many.SealBatch(b, bufs, offs)
				for i := range n {
					if !bytes.Equal(bufs[i][offs[i]:], want[i]) {
						t.Fatalf("%v, %v: packet %d of %d differs", cfg, path, i, n)
					}
				}
				if n%16 == 12 {
					one.Reset()
					many.Reset()
				}
			}
			if one.count != many.count || one.chain != many.chain {
				t.Errorf("%v, %v: the senders differ after all", cfg, path)
			}
		}
	}
}

// openBoth opens packets with Open one by one, and with OpenBatch in pieces, and
// compares all that can be seen of both.
func openBoth(t testing.TB, one, many *Receiver, b *Batch, packets [][]byte) {
	t.Helper()
	work, before := make([][]byte, len(packets)), make([][]byte, len(packets))
	for i, p := range packets {
		work[i] = bytes.Clone(p)
		before[i] = work[i]
	}
	errs := make([]error, len(packets))
	for at := 0; at < len(packets); {
		n := many.OpenBatch(b, work[at:], errs[at:])
		if n < 1 {
			t.Fatalf("no progress at %d of %d", at, len(packets))
		}
		for i := at; i < at+n; i++ {
			alone := bytes.Clone(packets[i])
			want, err := one.Open(alone)
			switch {
			case err != errs[i]:
				t.Fatalf("packet %d: %v, want %v", i, errs[i], err)
			case err == nil && !bytes.Equal(work[i], want):
				t.Fatalf("packet %d came out wrong", i)
			case err != nil && (!bytes.Equal(work[i], alone) || len(before[i]) > 0 && &work[i][0] != &before[i][0]):
				t.Fatalf("packet %d: refused with %q and changed", i, err)
			}
		}
		at += n
		if one.NeedsReset() != many.NeedsReset() {
			t.Fatalf("before packet %d: needs a reset: %v, want %v", at, many.NeedsReset(), one.NeedsReset())
		}
	}
	if one.position != many.position || one.credit != many.credit || one.refused != many.refused || one.jumped != many.jumped {
		t.Fatal("the receivers differ after all")
	}
}

// TestOpenBatch has packets that are lost, doubled, late, damaged and forged.
func TestOpenBatch(t *testing.T) {
	for _, cfg := range batchConfigs {
		for _, path := range batchPaths(cfg) {
			t.Run(fmt.Sprint(cfg, path), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(3, 4))
				s, one, many := NewSender(cfg, sample(t)), NewReceiver(cfg, sample(t)), NewReceiver(cfg, sample(t))
				s.count, one.next, many.next = 4000, 4000, 4000 // the count goes round soon
				b := new(Batch)
				b.Force(path)
				for round := range 24 {
					trouble := []int{1 << 30, 60, 10}[round%3] // one packet in so many
					var packets [][]byte
					for i := range rng.IntN(100) {
						p := sealFrame(s, frame(batchSize(rng), uint32(i)))
						if rng.IntN(trouble) > 0 {
							packets = append(packets, p)
							continue
						}
						switch rng.IntN(6) {
						case 0: // lost
						case 1:
							packets = append(packets, p, bytes.Clone(p))
						case 2: // late
							packets = append(packets, p)
							swap := packets[max(0, len(packets)-3):]
							slices.Reverse(swap)
						case 3:
							packets = append(packets, garbage(rng, binary.BigEndian.Uint16(p)), p)
						case 4:
							packets = append(packets, garbage(rng, uint16(rng.Uint32())), p)
						case 5:
							packets = append(packets, p[:rng.IntN(len(p))])
						}
					}
					openBoth(t, one, many, b, packets)
				}
			})
		}
	}
}

// TestOpenBatchForged: what forged packets cost is bounded, wherever they are.
func TestOpenBatchForged(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, first := range []int{0, 1, 30, MaxBatch - 1} {
		s, r := NewSender(stateless, sample(t)), NewReceiver(stateless, sample(t))
		var packets [][]byte
		for i := range MaxBatch {
			p := sealFrame(s, frame(100, uint32(i)))
			if i >= first {
				p = garbage(rng, binary.BigEndian.Uint16(p))
			}
			packets = append(packets, p)
		}
		errs := make([]error, len(packets))
		if n := r.OpenBatch(new(Batch), packets, errs); n != len(packets) {
			t.Errorf("forged from %d on: %d were handled at once", first, n)
		}
		for i, err := range errs {
			if (err == nil) != (i < first) {
				t.Errorf("forged from %d on: packet %d: %v", first, i, err)
			}
		}
	}
}

func TestOpenBatchOfNone(t *testing.T) {
	if n := NewReceiver(stateless, sample(t)).OpenBatch(new(Batch), nil, nil); n != 0 {
		t.Error(n)
	}
}

// A batcher seals and opens the same packets again and again.
type batcher struct {
	batch  *Batch
	s      *Sender
	r      *Receiver
	bufs   [][]byte
	offs   []int
	opened [][]byte
	errs   []error
}

func newBatcher(t testing.TB, cfg Config, path rc4.Path, n int) *batcher {
	b := &batcher{batch: new(Batch), s: NewSender(cfg, sample(t)), r: NewReceiver(cfg, sample(t))}
	b.batch.Force(path)
	for range n {
		b.bufs = append(b.bufs, append(make([]byte, Overhead), frame(1400, 1)...))
	}
	b.offs, b.opened, b.errs = make([]int, n), make([][]byte, n), make([]error, n)
	return b
}

func (b *batcher) seal() {
	for i := range b.offs {
		b.offs[i] = Overhead
	}
	b.s.SealBatch(b.batch, b.bufs, b.offs)
}

// open leaves what seal sealed as it was before.
func (b *batcher) open(t testing.TB) {
	for i, buf := range b.bufs {
		b.opened[i] = buf[b.offs[i]:]
	}
	for at := 0; at < len(b.opened); {
		n := b.r.OpenBatch(b.batch, b.opened[at:], b.errs[at:])
		for i, err := range b.errs[at : at+n] {
			if err != nil {
				t.Fatalf("packet %d of %d: %v", at+i, len(b.opened), err)
			}
		}
		at += n
	}
}

func TestBatchAllocs(t *testing.T) {
	for _, cfg := range batchConfigs {
		for _, path := range batchPaths(cfg) {
			b := newBatcher(t, cfg, path, 70)
			if n := testing.AllocsPerRun(20, func() { b.seal(); b.open(t) }); n != 0 {
				t.Errorf("%v, %v: %v allocations", cfg, path, n)
			}
		}
	}
}

// FuzzOpenBatch says anything in the midst of a true stream, and in its order.
func FuzzOpenBatch(f *testing.F) {
	f.Add(uint8(3), uint8(5), []byte("\x90\x03 no frame under this key"))
	f.Add(uint8(20), uint8(19), sealFrame(NewSender(stateless, sample(f)), frame(60, 1)))
	f.Fuzz(func(t *testing.T, before, after uint8, b []byte) {
		s, one, many := NewSender(stateless, sample(t)), NewReceiver(stateless, sample(t)), NewReceiver(stateless, sample(t))
		var packets [][]byte
		for i := range int(before%100) + int(after%100) {
			if i == int(before%100) {
				packets = append(packets, b)
			}
			packets = append(packets, sealFrame(s, frame(40+i, uint32(i))))
		}
		openBoth(t, one, many, new(Batch), packets)
	})
}

func BenchmarkBatch(b *testing.B) {
	for _, n := range []int{1, 4, 16, 64} {
		for _, path := range batchPaths(stateless) {
			b.Run(fmt.Sprintf("%d/%v", n, path), func(b *testing.B) {
				t := newBatcher(b, stateless, path, n)
				for b.Loop() {
					t.seal()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/packet")
				b.ReportAllocs()
			})
		}
	}
}
