package plane

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"gopptp/mppe"
)

// keepDevice keeps a copy of what is written to it.
type keepDevice struct {
	sinkDevice
	got [][]byte
}

func (d *keepDevice) Write(bufs [][]byte, off int) (int, error) {
	for _, b := range bufs {
		d.got = append(d.got, bytes.Clone(b[off:]))
	}
	return len(bufs), nil
}

// TestSendBatch: packets of mixed length that are sealed together arrive in
// order, those among them that are not to be sent are dropped, and the buffers
// stay what they were made as.
func TestSendBatch(t *testing.T) {
	compressed := stateless
	compressed.Compress = true
	for _, cfg := range []mppe.Config{{}, stateless, {Strength: mppe.Bits128}, compressed} {
		r := newRoad(t, cfg)
		keep := &keepDevice{}
		r.far.rx.device = keep
		var want [][]byte
		var dropped uint64
		for _, n := range []int{1, 2, 5, readBatch, readBatch + 1, 3 * readBatch} {
			var bufs [][]byte
			var sizes []int
			for i := range n {
				ip := packet(20+(i*379)%1400, byte(len(want)))
				if i%5 == 3 {
					ip[0] = 6 << 4
					dropped++
				} else {
					want = append(want, slices.Clone(ip))
				}
				buf := append(make([]byte, Headroom), ip...)
				bufs, sizes = append(bufs, append(buf, make([]byte, 100)...)), append(sizes, len(ip))
			}
			r.sent.room, r.sent.ends = r.sent.room[:0], r.sent.ends[:0]
			r.near.sendPackets(ipPacket, bufs, sizes)
			for i, buf := range bufs {
				if len(buf) != Headroom+sizes[i]+100 {
					t.Errorf("%v: buffer %d of %d has %d octets now", cfg, i, n, len(buf))
				}
			}
			r.receive(time.Now())
		}
		if !slices.EqualFunc(keep.got, want, bytes.Equal) {
			t.Errorf("%v: %d packets arrived, want %d as they were sent", cfg, len(keep.got), len(want))
		}
		s := r.near.Stats()
		if n := uint64(len(want)); s.TxPackets != n || s.TxDrops != dropped || r.far.Stats().RxDrops != 0 {
			t.Errorf("%v: %+v, %+v", cfg, s, r.far.Stats())
		}
	}
}

func TestSendBatchDoesNotAllocate(t *testing.T) {
	r := newRoad(t, stateless)
	r.near.plane.conn = sinkConn{}
	room := readBuffers(1400)
	ip, sizes := packet(1400, 1), slices.Repeat([]int{1400}, len(room))
	if n := testing.AllocsPerRun(200, func() {
		for _, buf := range room {
			copy(buf[Headroom:], ip)
		}
		r.near.sendPackets(ipPacket, room, sizes)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
