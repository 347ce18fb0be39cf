package plane

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/gre"
	"gopptp/internal/rawgre"
	"gopptp/internal/rawgre/rawgretest"
	"gopptp/internal/shape"
	"gopptp/mppe"
	"gopptp/ppp"
	"gopptp/ppp/mp"
)

// secrecies are all ways in which the packets of a bundle may be sealed.
var secrecies = []mppe.Config{
	{},
	stateless,
	{Strength: mppe.Bits128},
	{Compress: true},
	{Compress: true, Strength: mppe.Bits128},
	{Compress: true, Strength: mppe.Bits128, Stateless: true},
}

// cut makes two ends cut what is above mtu for each other.
func cut(a, b *end, mrru, mtu int, short bool) {
	for _, e := range []*end{a, b} {
		e.call.SetMultilink(Multilink{ReceiveMRRU: mrru, SendMRRU: mrru, SendMTU: mtu, SendShort: short})
		if short { // no session asks for them: the far end must be told by hand
			e.call.rx.mu.Lock()
			e.call.rx.fragments = mp.NewReassembler(mrru, true)
			e.call.rx.mu.Unlock()
		}
	}
}

// bundle makes two ends that cut what is above mtu, and opens them.
func bundle(a, b *end, cfg mppe.Config, mrru, mtu int, short bool) {
	cut(a, b, mrru, mtu, short)
	compress(a, b, cfg)
}

// noise is a packet of n octets that no compression makes smaller.
func noise(n int, number byte) []byte {
	p := packet(n, number)
	rng := rand.New(rand.NewPCG(uint64(n), uint64(number)))
	for i := 20; i < n-1; i++ {
		p[i] = byte(rng.Uint32())
	}
	return p
}

// TestFullPacketsCross: packets of any size up to what the MRRU leaves cross in
// both directions, and no frame on the network is above the MTU.
func TestFullPacketsCross(t *testing.T) {
	const mrru, mtu = 1614, 1450
	for _, cfg := range secrecies {
		for _, short := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v short=%v", cfg, short), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					net, a, b := tunnel(t)
					largest := 0
					net.Carry(func(d rawgretest.Datagram) []rawgretest.Datagram {
						var h gre.Header
						frame, err := h.Parse(d.Data)
						if err == nil && h.HasSeq {
							var p ppp.Header
							rest, err := p.Parse(frame)
							if err != nil || p.Protocol != ppp.ProtocolMP {
								t.Errorf("%v %v on the network", p.Protocol, err)
							}
							largest = max(largest, len(rest))
						}
						return rawgretest.All(d)
					})
					bundle(a, b, cfg, mrru, mtu, short)
					room := mrru
					if cfg.Active() {
						room -= mppeRoom
					}
					sent := 0
					for size := 20; size <= room; size += 1 + size%97 {
						for _, p := range [][]byte{noise(size, byte(size)), story(size, byte(size))} {
							crosses(t, a, b, p)
							crosses(t, b, a, p)
							sent++
						}
					}
					for _, size := range []int{mtu - 7, mtu - 6, mtu - 5, mtu - 4, mtu - 3, mtu, mtu + 1, 1500, room} {
						crosses(t, a, b, noise(size, 1))
						crosses(t, b, a, noise(size, 1))
						sent++
					}
					if largest != mtu {
						t.Errorf("the largest frame has %d octets, want %d", largest, mtu)
					}
					synctest.Wait()
					for _, e := range []*end{a, b} {
						s := e.call.Stats()
						if int(s.TxPackets) != sent || int(s.RxPackets) != sent || s.TxBytes != s.RxBytes || s.TxDrops+s.RxDrops != 0 {
							t.Errorf("%d packets: %+v", sent, s)
						}
					}
					if err := a.dev.Send(t.Context(), noise(room+1, 1)); err != nil { // the peer would not take it
						t.Fatal(err)
					}
					synctest.Wait()
					if s := a.call.Stats(); s.TxDrops != 1 || int(s.TxPackets) != sent {
						t.Errorf("one octet too many: %+v", s)
					}
				})
			})
		}
	}
}

// TestJumboPackets: the MRRU may be as large as an IP packet can be.
func TestJumboPackets(t *testing.T) {
	const mrru = 65535
	for _, cfg := range secrecies {
		synctest.Test(t, func(t *testing.T) {
			_, a, b := tunnel(t)
			m := Multilink{ReceiveMRRU: mrru, SendMRRU: mrru, SendMTU: 1450}
			clear := cfg.Strength == mppe.None
			for _, e := range []struct {
				*end
				send, receive mppe.StartKey
			}{{a, keyAB, keyBA}, {b, keyBA, keyAB}} {
				e.call.SetMultilink(m)
				e.call.SetSender(cfg, e.send)
				e.call.SetReceiver(cfg, e.receive)
				e.call.Open(Opening{Device: e.dev, SendClear: clear, ReceiveClear: clear, MTU: mrru})
			}
			for _, size := range []int{9000, 65535 - mppeRoom, 20} {
				crosses(t, a, b, noise(size, 1))
				crosses(t, b, a, noise(size, 2))
			}
		})
	}
}

// TestFragmentsUnderALimit: packets that wait for their turn are cut when it comes.
func TestFragmentsUnderALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		bundle(a, b, stateless, 1600, 1450, false)
		limit := shape.Limit{Rx: shape.Rate{Max: 1e6}, Tx: shape.Rate{Max: 1e6}}
		a.call.SetLimit(limit)
		b.call.SetLimit(limit)
		for i := range byte(50) {
			crosses(t, a, b, noise(1500, i))
			crosses(t, b, a, noise(1596, i))
		}
		synctest.Wait()
		if s := a.call.Stats(); s.TxPackets != 50 || s.TxBytes != 50*1500 || s.RxPackets != 50 || s.RxBytes != 50*1596 {
			t.Errorf("%+v", s)
		}
	})
}

// TestReadBatch: the room for large packets is not many times that for ordinary ones.
func TestReadBatch(t *testing.T) {
	for _, r := range []struct{ mtu, count, size int }{
		{0, 64, 2048}, {1450, 64, 2048}, {1614, 64, 2048}, {2048, 64, 2048}, {4000, 49, 4000}, {9000, 21, 9000}, {65535, 3, 65535},
	} {
		bufs := newReadBatch(r.mtu).Bufs
		if len(bufs) != r.count || len(bufs[0]) < Headroom+r.size {
			t.Errorf("MTU %d: %d buffers of %d octets", r.mtu, len(bufs), len(bufs[0]))
		}
	}
}

// TestFragmentsOnABadNetwork: what a network swaps or doubles is not seen inside
// the tunnel, and what it loses costs the packets that it was part of, no others;
// in stateful mode those too that come until the reset.
func TestFragmentsOnABadNetwork(t *testing.T) {
	const mrru, mtu, count = 1600, 1450, 80
	type network struct {
		name    string
		carrier func() rawgretest.Carrier
		lost    int // packets of count that do not arrive, at most
	}
	networks := []network{
		{"swaps", func() rawgretest.Carrier { return rawgretest.Swap(5) }, 0},
		{"doubles", func() rawgretest.Carrier { return rawgretest.Double(7) }, 0},
		{"loses", func() rawgretest.Carrier { return rawgretest.Lose(21) }, count * 2 / 21},
	}
	for _, cfg := range secrecies {
		for _, n := range networks {
			t.Run(fmt.Sprintf("%s %v", n.name, cfg), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					net, a, b := tunnel(t)
					bundle(a, b, cfg, mrru, mtu, false)
					crosses(t, a, b, noise(1500, 0))
					bad := n.carrier()
					net.Carry(func(d rawgretest.Datagram) []rawgretest.Datagram {
						if d.Src != addrA {
							return rawgretest.All(d)
						}
						return bad(d)
					})
					got := make(map[byte]bool)
					last := -1
					for i := range byte(count) {
						if err := a.dev.Send(t.Context(), noise(1500, i)); err != nil {
							t.Fatal(err)
						}
						time.Sleep(400 * time.Millisecond) // a gap is given up meanwhile
						synctest.Wait()
						for repairs(a, b) { // as the sessions do
						}
						for {
							ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
							p, err := b.dev.Receive(ctx)
							cancel()
							if err != nil {
								break
							}
							number := p[len(p)-1]
							if !bytes.Equal(p, noise(1500, number)) || int(number) <= last {
								t.Fatalf("packet %d came after %d, or not whole", number, last)
							}
							got[number], last = true, int(number)
						}
					}
					lost := count - len(got)
					most := n.lost
					if most > 0 && !cfg.Stateless && cfg.Active() {
						most *= 3
					}
					if n.name == "swaps" {
						most = 1 // the last one is still held
					}
					if lost > most || n.lost > 0 && lost == 0 {
						t.Errorf("%d of %d packets lost, want at most %d", lost, count, most)
					}
					if n.lost > 0 && b.plane.Drops(DropFragment) == 0 {
						t.Error("no fragment was dropped: the carrier did nothing")
					}
				})
			})
		}
	}
}

// repairs has the ends do what their sessions would after a loss.
func repairs(a, b *end) bool {
	select {
	case f := <-b.call.Frames():
		if f.Signal == NeedReset {
			_ = a.call.Flush([]byte{0xff, 0x03, 0x80, 0xfd, 15, 1, 0, 4})
			b.call.Rearm(NeedReset)
		}
		return true
	default:
		return false
	}
}

// frames sends frames from the owner of a call, as a peer or a forger would, and
// waits.
func sendFrames(t *testing.T, e *end, frames ...string) {
	t.Helper()
	for _, f := range frames {
		if err := e.call.SendFrame([]byte(f)); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Wait()
}

// TestWhatComesInFragments: control packets go to the owner, clear packets meet
// the same gate as without fragments, and fragments within fragments are no frame.
func TestWhatComesInFragments(t *testing.T) {
	clear := string(packet(60, 1))
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		const whole = "\xff\x03\x00\x3d\xc0\x00\x00"
		// Without multilink all of it is the owner's.
		sendFrames(t, a, whole+"\x00\x80\x21control")
		if f := <-b.call.Frames(); string(f.Data) != whole+"\x00\x80\x21control" {
			t.Errorf("frame %q", f.Data)
		}
		b.call.SetMultilink(Multilink{ReceiveMRRU: 1600})
		// Linux sends IPCP in fragments: before the network is up.
		sendFrames(t, a, whole+"\x00\x80\x21control", "\x3d\x80\x00\x00\x01\x80\x21con", "\x3d\x40\x00\x00\x02trol")
		for range 2 {
			if f := <-b.call.Frames(); string(f.Data) != "\x80\x21control" {
				t.Errorf("frame %q", f.Data)
			}
		}
		sendFrames(t, a, whole+"\x03\x21"+clear)
		encrypt(a, b) // with which the packet that came early is one that must not be clear
		sendFrames(t, a, whole+"\x04\x21"+clear, whole+"\x05\xff\x03\x00\x21"+clear)
		sendFrames(t, a, "\x3d\x80\x00\x00\x06\x00\x21"+clear[:30], "\x3d\x40\x00\x00\x07"+clear[30:])
		if n := b.plane.Drops(DropClear); n != 4 {
			t.Errorf("%d clear packets dropped, want 4", n)
		}
		sendFrames(t, a, whole+"\x08\x00\x3d\xc0\x00\x00\x09\x21"+clear, whole+"\x09\x00") // within itself; no frame
		if n := b.plane.Drops(DropFrame); n != 2 {
			t.Errorf("%d frames dropped, want 2", n)
		}
		sendFrames(t, a, whole, "\x3d\xc0", whole+"\x01\x21"+clear, "\x3d\x40\x00\x00\x20"+clear) // empty, cut off, late, without beginning
		if n := b.plane.Drops(DropFragment); n != 4 {
			t.Errorf("%d fragments dropped, want 4", n)
		}
		if s := b.call.Stats(); s.RxPackets != 0 || s.RxDrops != 10 {
			t.Errorf("%+v", s)
		}
	})
}

// TestMultilinkAnew: when LCP is negotiated again, the numbers go on in the other
// width, and what had come of a packet is forgotten.
func TestMultilinkAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, a, b := tunnel(t)
		bundle(a, b, mppe.Config{}, 1600, 1450, false)
		crosses(t, a, b, packet(1500, 1))
		var numbers []uint32
		net.Carry(func(d rawgretest.Datagram) []rawgretest.Datagram {
			var h gre.Header
			frame, _ := h.Parse(d.Data)
			var p ppp.Header
			rest, err := p.Parse(frame)
			if err == nil && p.Protocol == ppp.ProtocolMP {
				var m mp.Header
				_, _ = m.Parse(rest, true)
				numbers = append(numbers, m.Sequence)
			}
			return rawgretest.All(d)
		})
		cut(a, b, 1600, 1400, true)
		crosses(t, a, b, packet(1500, 2))
		if len(numbers) != 2 || numbers[0] != 2 || numbers[1] != 3 {
			t.Errorf("numbers %d", numbers)
		}
		a.call.SetMultilink(Multilink{ReceiveMRRU: 1600}) // the peer has no MRRU any more
		net.Carry(rawgretest.All)
		crosses(t, a, b, packet(1400, 3))
		synctest.Wait()
		if s := a.call.Stats(); s.TxPackets != 3 || s.TxBytes != 4400 {
			t.Errorf("%+v", s)
		}
	})
}

// TestMultilinkHotPathDoesNotAllocate: with fragments as well.
func TestMultilinkHotPathDoesNotAllocate(t *testing.T) {
	for _, cfg := range secrecies {
		t.Run(cfg.String(), func(t *testing.T) {
			now := time.Now()
			for _, ip := range [][]byte{noise(1500, 1), packet(40, 2), story(1500, 3)} {
				out, in := newRoad(t, cfg), newRoad(t, cfg)
				out.multilink()
				in.multilink()
				if n := testing.AllocsPerRun(100, func() { out.send(ip) }); n != 0 {
					t.Errorf("out: %v allocations for a packet of %d octets", n, len(ip))
				}
				if n := testing.AllocsPerRun(100, func() { in.send(ip); in.receive(now) }); n != 0 {
					t.Errorf("in: %v allocations for a packet of %d octets", n, len(ip))
				}
				if s := in.far.Stats(); s.RxPackets != 101 || s.RxDrops != 0 {
					t.Errorf("the packets did not come through: %+v", s)
				}
			}
		})
	}
}

// firstConn takes one packet of a batch.
type firstConn struct{ sinkConn }

func (firstConn) WriteBatch([]rawgre.Packet) (int, error) { return 1, nil }

// TestRefusedFragments: a packet counts as sent when its last fragment is, and
// batches that are larger than what one system call takes are counted whole.
func TestRefusedFragments(t *testing.T) {
	r := newRoad(t, mppe.Config{})
	r.multilink()
	r.near.conn = firstConn{}
	r.send(packet(1500, 1))
	if s := r.near.Stats(); s.TxPackets != 0 || s.TxBytes != 0 || s.TxDrops != 1 {
		t.Errorf("%+v", s)
	}
	r = newRoad(t, mppe.Config{})
	r.multilink()
	var bufs [][]byte
	var sizes []int
	for range readBatch {
		bufs, sizes = append(bufs, append(make([]byte, Headroom), packet(1600, 1)...)), append(sizes, 1600)
	}
	r.near.sendPackets(ipPacket, bufs, sizes)
	if s := r.near.Stats(); s.TxPackets != readBatch || s.TxBytes != readBatch*1600 || len(r.sent.ends) != 2*readBatch {
		t.Errorf("%+v, %d fragments", s, len(r.sent.ends))
	}
	r.receive(time.Now())
	if s := r.far.Stats(); s.RxPackets != readBatch || s.RxDrops != 0 {
		t.Errorf("%+v", s)
	}
}

// TestMultilinkHotPath packets and the far end put them together.
func (r *road) multilink() {
	r.near.SetMultilink(Multilink{SendMRRU: 1614, SendMTU: 1450})
	r.far.SetMultilink(Multilink{ReceiveMRRU: 1614})
}

func BenchmarkMultilinkSend(b *testing.B) {
	benchmarkRoad(b, 1500, (*road).multilink, func(r *road, ip []byte) { r.send(ip) })
}

func BenchmarkMultilinkSendReceive(b *testing.B) {
	now := time.Now()
	benchmarkRoad(b, 1500, (*road).multilink, func(r *road, ip []byte) { r.send(ip); r.receive(now) })
}
