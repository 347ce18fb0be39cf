package plane

import (
	"fmt"
	"testing"
	"time"

	"gopptp/internal/rawgre"
	"gopptp/mppe"
)

// A road is a call between two planes without a network: what the near end sends
// is kept, and the far end's door is input.
type road struct {
	near, far *Call
	sent      *keepConn
	bufs      [][]byte
	sizes     []int
	pkts      []rawgre.Packet
	arrivals  *arrivals
}

// keepConn keeps a copy of the packets sent since it was emptied.
type keepConn struct {
	sinkConn
	room []byte
	ends []int
}

func (c *keepConn) WriteBatch(p []rawgre.Packet) (int, error) {
	for i := range p {
		c.room = append(c.room, p[i].Bytes()...)
		c.ends = append(c.ends, len(c.room))
	}
	return len(p), nil
}

func newRoad(tb testing.TB, cfg mppe.Config) *road {
	tb.Helper()
	r := &road{sent: &keepConn{}, sizes: []int{0}}
	var err error
	if r.near, err = New(r.sent).NewCall(addrA, addrB); err != nil {
		tb.Fatal(err)
	}
	if r.far, err = New(sinkConn{}).NewCall(addrB, addrA); err != nil {
		tb.Fatal(err)
	}
	r.near.SetPeerID(r.far.ID())
	r.far.SetPeerID(r.near.ID())
	r.near.SetSender(cfg, keyAB)
	r.far.SetReceiver(cfg, keyAB)
	clear := cfg.Strength == mppe.None
	r.near.tx.open, r.near.tx.clear = true, clear
	r.far.rx.device, r.far.rx.clear = sinkDevice{}, clear
	r.bufs = [][]byte{make([]byte, Headroom+1<<16)}
	r.arrivals = new(arrivals)
	return r
}

// send takes a packet from the interface at the near end.
func (r *road) send(ip []byte) {
	copy(r.bufs[0][Headroom:], ip)
	r.sizes[0] = len(ip)
	r.sent.room, r.sent.ends = r.sent.room[:0], r.sent.ends[:0]
	r.near.sendPackets(ipPacket, r.bufs, r.sizes)
}

// receive gives to the far end what the near end has sent.
func (r *road) receive(now time.Time) {
	begin := 0
	r.pkts = r.pkts[:0]
	for _, end := range r.sent.ends {
		r.pkts = append(r.pkts, rawgre.Packet{Buf: r.sent.room, Off: begin, N: end - begin, Peer: addrA})
		begin = end
	}
	r.far.plane.input(now, r.pkts, r.arrivals)
}

func benchmarkRoad(b *testing.B, size int, prepare func(r *road), run func(r *road, ip []byte)) {
	for _, cfg := range []mppe.Config{{}, stateless} {
		b.Run(fmt.Sprintf("%v", cfg), func(b *testing.B) {
			r := newRoad(b, cfg)
			prepare(r)
			ip := packet(size, 1)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				run(r, ip)
			}
			if s := r.far.Stats(); s.RxDrops != 0 {
				b.Errorf("%+v", s)
			}
		})
	}
}

func BenchmarkSend(b *testing.B) {
	benchmarkRoad(b, 1400, func(*road) {}, func(r *road, ip []byte) { r.send(ip) })
}

func BenchmarkSendReceive(b *testing.B) {
	now := time.Now()
	benchmarkRoad(b, 1400, func(*road) {}, func(r *road, ip []byte) { r.send(ip); r.receive(now) })
}
