package plane

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gopptp/gre"
	"gopptp/internal/rawgre"
	"gopptp/mppe"
	"gopptp/ppp"
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

// TestReceiveBatch: batches with packets of two calls, lost, doubled, in the wrong
// order, damaged and clear ones come out in the order of their numbers, each to
// its call.
func TestReceiveBatch(t *testing.T) {
	for _, cfg := range []mppe.Config{stateless, {Strength: mppe.Bits128, Compress: true, Stateless: true}} {
		rng := rand.New(rand.NewPCG(1, 2))
		a, b := newRoad(t, cfg), newRoad(t, cfg)
		far := a.far.plane
		b.far, _ = far.NewCall(addrB, addrA)
		b.near.SetPeerID(b.far.ID())
		b.far.SetReceiver(cfg, keyAB)
		ends := []*road{a, b}
		var got [2]*keepDevice
		for i, r := range ends {
			got[i] = &keepDevice{}
			r.far.rx.device = got[i]
		}
		now := time.Now()
		var want [2][][]byte
		var sent uint32
		damaged := 0
		for range 60 {
			var pkts []rawgre.Packet
			for range 1 + rng.IntN(100) {
				which := rng.IntN(2)
				r := ends[which]
				if rng.IntN(3) > 0 { // runs
					which, r = 0, a
				}
				ip := packet(40+rng.IntN(1300), 0)
				binary.BigEndian.PutUint32(ip[24:], sent)
				sent++
				r.send(ip)
				p := rawgre.Packet{Buf: bytes.Clone(r.sent.room), N: len(r.sent.room), Peer: addrA}
				want[which] = append(want[which], ip)
				switch rng.IntN(40) {
				case 0: // lost
					want[which] = want[which][:len(want[which])-1]
					continue
				case 1:
					pkts = append(pkts, p)
				case 2:
					if n := len(pkts); n > 0 && pkts[n-1].Buf[7] == p.Buf[7] { // of the same call
						pkts = append(pkts[:n-1], p, pkts[n-1])
						continue
					}
				case 3: // one bit of MPPE's header, or of the frame's beginning
					var h gre.Header
					frame, _ := h.Parse(p.Buf)
					if cfg.Compress || rng.IntN(2) == 0 {
						frame[4] ^= 0x10
					} else {
						frame[6] ^= 0x80
					}
					want[which] = want[which][:len(want[which])-1]
					damaged++
				}
				pkts = append(pkts, p)
			}
			far.input(now, pkts, a.arrivals)
			now = now.Add(time.Second) // gaps are given up
			for _, r := range ends {
				r.far.enter(a.arrivals)
				r.far.drainLocked(now)
				r.far.leaveLocked(now)
			}
		}
		for i, r := range ends {
			if !slices.EqualFunc(got[i].got, want[i], bytes.Equal) {
				t.Errorf("%v: call %d: %d packets arrived, want %d as they were sent; %+v", cfg, i, len(got[i].got), len(want[i]), r.far.Stats())
			}
		}
		if n := far.Drops(DropEncryption); damaged < 10 || int(n) < damaged {
			t.Errorf("%v: %d of %d damaged packets refused", cfg, n, damaged)
		}
	}
}

// TestReceiveBatchKeepsOrder: a clear packet does not overtake the encrypted ones
// before it.
func TestReceiveBatchKeepsOrder(t *testing.T) {
	r := newRoad(t, stateless)
	keep := &keepDevice{}
	r.far.rx.device, r.far.rx.clear = keep, true
	var pkts []rawgre.Packet
	for i := range 30 {
		ip := packet(100, byte(i))
		if i%7 != 6 {
			r.send(ip)
		} else {
			r.sent.room = r.sent.room[:0]
			if err := r.near.SendFrame(append(ppp.Header{Protocol: ppp.ProtocolIP}.Append(nil), ip...)); err != nil {
				t.Fatal(err)
			}
		}
		pkts = append(pkts, rawgre.Packet{Buf: bytes.Clone(r.sent.room), N: len(r.sent.room), Peer: addrA})
	}
	r.far.plane.input(time.Now(), pkts, r.arrivals)
	for i, got := range keep.got {
		if got[99] != byte(i) {
			t.Errorf("packet %d arrived as number %d", got[99], i)
		}
	}
	if len(keep.got) != 30 {
		t.Errorf("%d packets arrived", len(keep.got))
	}
}

// countDevice counts the calls of Write.
type countDevice struct {
	keepDevice
	writes int
}

func (d *countDevice) Write(bufs [][]byte, off int) (int, error) {
	d.writes++
	return d.keepDevice.Write(bufs, off)
}

// TestPacketsAreWrittenTogether: what came at once is given to the interface at once, so
// that it can be merged, also what had to wait for an earlier packet; but what a
// decompressor gives is written before its buffer is used again.
func TestPacketsAreWrittenTogether(t *testing.T) {
	packed := stateless
	packed.Compress = true
	for _, test := range []struct {
		cfg    mppe.Config
		writes int
	}{{mppe.Config{}, 1}, {stateless, 1}, {mppe.Config{Strength: mppe.Bits128}, 1}, {packed, 30}} {
		for _, late := range []bool{false, true} {
			r := newRoad(t, test.cfg)
			device := &countDevice{}
			r.far.rx.device = device
			b := newReadBatch(1400)
			for i := range 30 {
				b.Sizes[i] = copy(b.Bufs[i][Headroom:], packet(1000, byte(i)))
			}
			r.near.sendPackets(ipPacket, b.Bufs[:30], b.Sizes)
			now := time.Now()
			writes := test.writes
			if late { // the second comes before the first, and waits in other memory
				writes = max(writes, 2)
				var pkts []rawgre.Packet
				begin := 0
				for _, end := range r.sent.ends {
					pkts = append(pkts, rawgre.Packet{Buf: r.sent.room, Off: begin, N: end - begin, Peer: addrA})
					begin = end
				}
				pkts[1], pkts[2] = pkts[2], pkts[1] // a stream begins with its first packet, whichever that is
				r.far.plane.input(now, pkts, r.arrivals)
			} else {
				r.receive(now)
			}
			if len(device.got) != 30 || device.writes != writes {
				t.Errorf("%v, late %v: %d packets in %d writes; %+v", test.cfg, late, len(device.got), device.writes, r.far.Stats())
			}
			for i, got := range device.got {
				if got[999] != byte(i) {
					t.Errorf("%v, late %v: packet %d arrived as number %d", test.cfg, late, got[999], i)
				}
			}
		}
	}
}

func TestSendBatchDoesNotAllocate(t *testing.T) {
	r := newRoad(t, stateless)
	r.near.conn = sinkConn{}
	room := newReadBatch(1400).Bufs
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

func TestReceiveBatchDoesNotAllocate(t *testing.T) {
	r := newRoad(t, stateless)
	b := newReadBatch(1400)
	ip, sizes := packet(1400, 1), slices.Repeat([]int{1400}, len(b.Bufs))
	now := time.Now()
	if n := testing.AllocsPerRun(200, func() {
		for _, buf := range b.Bufs {
			copy(buf[Headroom:], ip)
		}
		r.sent.room, r.sent.ends = r.sent.room[:0], r.sent.ends[:0]
		r.near.sendPackets(ipPacket, b.Bufs, sizes)
		r.receive(now)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if s := r.far.Stats(); s.RxPackets != 201*uint64(len(b.Bufs)) {
		t.Errorf("%+v", s)
	}
}

// BenchmarkSendReceiveBatch has a full batch of an interface in each operation.
func BenchmarkSendReceiveBatch(b *testing.B) {
	for _, cfg := range []mppe.Config{{}, stateless} {
		b.Run(cfg.String(), func(b *testing.B) {
			r := newRoad(b, cfg)
			bufs := newReadBatch(1400).Bufs
			ip, sizes := packet(1400, 1), slices.Repeat([]int{1400}, len(bufs))
			now := time.Now()
			b.SetBytes(int64(1400 * len(bufs)))
			b.ReportAllocs()
			for b.Loop() {
				for _, buf := range bufs {
					copy(buf[Headroom:], ip)
				}
				r.sent.room, r.sent.ends = r.sent.room[:0], r.sent.ends[:0]
				r.near.sendPackets(ipPacket, bufs, sizes)
				r.receive(now)
			}
			if s := r.far.Stats(); s.RxDrops != 0 {
				b.Errorf("%+v", s)
			}
		})
	}
}
