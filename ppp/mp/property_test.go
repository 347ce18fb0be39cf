package mp

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestDelivers sends random packets over links with random MTUs that lose and
// double fragments: every packet all of whose fragments arrived comes out, as it
// was and in order, and nothing else does.
func TestDelivers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1990, 61))
	for range 100 {
		short := rng.IntN(2) == 0
		mrru := 512 + rng.IntN(3000)
		if rng.IntN(10) == 0 {
			mrru = 65535
		}
		mtu := longLen + 1 + rng.IntN(1500)
		loss, double := rng.Float64()*0.3*float64(rng.IntN(2)), rng.Float64()*0.3
		f := Fragmenter{Short: short, next: rng.Uint32()}
		r := NewReassembler(mrru, short)
		want, got := 0, 0
		for i := range 100 {
			frame := make([]byte, 1+rng.IntN(min(mrru+protocolLen, 100*mtu)))
			for j := range frame {
				frame[j] = byte(rng.Uint32())
			}
			arrived, out := true, [][]byte(nil)
			for k, fragment := range cut(&f, frame, mtu) {
				if rng.Float64() < loss && i+k > 0 { // the very first one tells where the numbers start
					arrived = false
					continue
				}
				for n := 0; n == 0 || n < 2 && rng.Float64() < double; n++ {
					if packet, _ := r.Input(fragment); packet != nil {
						out = append(out, slices.Clone(packet))
					}
				}
			}
			if arrived {
				want++
			}
			got += len(out)
			if arrived != (len(out) == 1) || arrived && !bytes.Equal(out[0], frame) {
				t.Fatalf("packet %d of %d octets, MTU %d, short %v: arrived %v, %d came out", i, len(frame), mtu, short, arrived, len(out))
			}
		}
		if got != want || r.Packets != uint64(want) || r.Resync != 0 || r.TooLong != 0 || r.Malformed != 0 {
			t.Fatalf("%d of %d, %+v", got, want, r.Counters)
		}
		if loss == 0 && (r.Lost != 0 || r.Cut != 0 || r.NoBegin != 0 || want != 100) {
			t.Fatalf("nothing was lost: %+v", r.Counters)
		}
	}
}

// A model is the Reassembler's rule told in another way: it keeps every fragment
// of the packet under way and joins them at the end.
type model struct {
	limit  int
	size   uint32 // of the number space
	seen   bool
	last   uint32
	pieces [][]byte // nil: none under way
	behind []uint32 // numbers of the fragments refused in a row
}

func (m *model) input(h Header, data []byte) []byte {
	step := (h.Sequence + m.size - m.last) % m.size // 1: the next; 0 or above half: behind
	if !m.seen {
		step = 1
	}
	if step == 0 || step > m.size/2 {
		if n := len(m.behind); n > 0 && h.Sequence != (m.behind[n-1]+1)%m.size {
			m.behind = nil
		}
		if m.behind = append(m.behind, h.Sequence); len(m.behind) < backwardRun {
			return nil
		}
	}
	if step != 1 {
		m.pieces = nil
	}
	m.behind, m.last, m.seen = nil, h.Sequence, true
	if h.Begin {
		m.pieces = [][]byte{}
	}
	if m.pieces == nil {
		return nil
	}
	m.pieces = append(m.pieces, bytes.Clone(data))
	packet := bytes.Join(m.pieces, nil)
	if len(packet) > m.limit || h.End {
		m.pieces = nil
	}
	if len(packet) > m.limit || !h.End || len(packet) == 0 {
		return nil
	}
	return packet
}

// FuzzReassembler holds the Reassembler to the model, whatever comes.
func FuzzReassembler(f *testing.F) {
	seed := func(short bool, mrru uint16, fragments ...[]byte) {
		var b []byte
		for _, fragment := range fragments {
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(fragment))), fragment...)
		}
		f.Add(b, mrru, short)
	}
	frame := []byte("\x00\x21 a packet that is cut into some pieces")
	for _, short := range []bool{false, true} {
		fr := Fragmenter{Short: short, next: mask(short) - 2}
		all := append(cut(&fr, frame, 12), cut(&fr, frame, 1500)...)
		seed(short, 1500, all...)
		seed(short, 20, all...)
		seed(short, 1500, all[0], all[2], all[1], all[0], all[1], all[2], all[3])
		seed(short, 1500, append(all[3:], all...)...)
		seed(short, 0)
	}
	f.Fuzz(func(t *testing.T, b []byte, mrru uint16, short bool) {
		r := NewReassembler(int(mrru), short)
		m := model{limit: int(mrru) + 2, size: 1 << 24}
		if short {
			m.size = 1 << 12
		}
		for len(b) >= 2 {
			n := min(int(binary.BigEndian.Uint16(b)), len(b)-2)
			fragment := b[2 : 2+n : 2+n]
			b = b[2+n:]
			var want []byte
			var h Header
			if data, err := h.Parse(fragment, short); err == nil {
				want = m.input(h, data)
			}
			before := r.Counters
			got, err := r.Input(fragment)
			if !bytes.Equal(got, want) || err != nil && got != nil {
				t.Fatalf("got %x %v, want %x", got, err, want)
			}
			if (got != nil) != (r.Packets == before.Packets+1) {
				t.Fatalf("%+v after %+v", r.Counters, before)
			}
			dropped := func(c Counters) uint64 { return c.Malformed + c.Late + c.NoBegin + c.TooLong }
			if (err != nil) != (dropped(r.Counters) == dropped(before)+1) {
				t.Fatalf("%v: %+v after %+v", err, r.Counters, before)
			}
			if cap(r.buf) > int(mrru)+2 {
				t.Fatalf("buffer of %d for an MRRU of %d", cap(r.buf), mrru)
			}
		}
	})
}
