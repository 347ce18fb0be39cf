package plane

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/rawgre/rawgretest"
	"gopptp/internal/shape"
	"gopptp/internal/tun/tuntest"
	"gopptp/mppe"
	"gopptp/ppp"
	"gopptp/ppp/bcp"
)

// ethernet is a frame of n octets with a number in it.
func ethernet(n int, number byte) []byte {
	f := append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x06}, noise(max(n, 60), number)[20:]...)
	f = append(f, make([]byte, n)...)[:n]
	f[n-1] = number
	return f
}

// join opens the bridge of an end and gives its port.
func (e *end) join(t *testing.T, maxFrame int) *tuntest.TUN {
	port := tuntest.NewTAP("tap")
	t.Cleanup(func() {
		e.call.ShutBridge()
		port.Close()
		e.call.WaitBridge()
	})
	e.call.OpenBridge(Bridge{Device: port, MaxFrame: maxFrame, Tagged: true, Inline: true})
	return port
}

// bridges sends a frame from one port and waits for it at the other.
func bridges(t *testing.T, from, to *tuntest.TUN, f []byte) {
	t.Helper()
	if err := from.Send(t.Context(), bytes.Clone(f)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	got, err := to.Receive(ctx)
	if err != nil || !bytes.Equal(got, f) {
		t.Fatalf("frame of %d octets: got %d, %v", len(f), len(got), err)
	}
}

// TestFramesCross: in both directions, beside IP, in every secrecy, cut or whole.
func TestFramesCross(t *testing.T) {
	for _, cfg := range secrecies {
		for _, mrru := range []int{0, 1600} {
			t.Run(fmt.Sprintf("%v mrru=%d", cfg, mrru), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					net, a, b := tunnel(t)
					secret := []byte("a text that must not be seen on the wire")
					net.Carry(func(d rawgretest.Datagram) []rawgretest.Datagram {
						if cfg.Strength != mppe.None && bytes.Contains(d.Data, secret[:20]) {
							t.Error("clear text on the wire")
						}
						return rawgretest.All(d)
					})
					limit := 1448
					if mrru > 0 {
						limit = mrru - bcp.HeaderLen
						if cfg.Active() {
							limit -= mppeRoom
						}
						bundle(a, b, cfg, mrru, 1450, false)
					} else {
						compress(a, b, cfg)
					}
					portA, portB := a.join(t, limit), b.join(t, limit)
					n := 0
					for size := 14; size <= limit; size += 1 + size%53 {
						f := ethernet(size, byte(size))
						if size > 100 {
							copy(f[20:], secret)
						}
						bridges(t, portA, portB, f)
						bridges(t, portB, portA, f)
						crosses(t, a, b, noise(max(size, 20)%1400+20, byte(size)))
						n += 2
					}
					bridges(t, portA, portB, ethernet(limit, 1))
					n++
					synctest.Wait()
					sent := a.call.Stats()
					if int(sent.TxPackets) != n || sent.TxDrops != 0 {
						t.Errorf("%d packets: %+v", n, sent)
					}
					// A frame beyond the port's own limit is refused by the port.
					for _, f := range [][]byte{ethernet(limit+1, 1), ethernet(3000, 1), ethernet(13, 1)} {
						if err := portA.Send(t.Context(), f); err != nil {
							t.Fatal(err)
						}
					}
					synctest.Wait()
					if s := a.call.Stats(); s.TxDrops != 2 || s.TxPackets != sent.TxPackets {
						t.Errorf("frames that do not fit: %+v", s)
					}
				})
			})
		}
	}
}

// TestFramesWithoutIP: a call that only bridges.
func TestFramesWithoutIP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		for _, e := range []*end{a, b} {
			e.call.Open(Opening{SendClear: true, ReceiveClear: true})
		}
		portA, portB := a.join(t, 1448), b.join(t, 1448)
		bridges(t, portA, portB, ethernet(60, 1))
		a.call.sendPackets(ipPacket, [][]byte{append(make([]byte, Headroom), packet(100, 1)...)}, []int{100})
		synctest.Wait()
		if s := b.call.Stats(); s.RxDrops != 1 || s.RxPackets != 1 {
			t.Errorf("an IP packet: %+v", s)
		}
		a.call.Block()
		b.call.Block()
		devA, devB := a.dev, b.dev
		a.dev, b.dev = nil, nil
		encryptAgain(a, b)
		a.dev, b.dev = devA, devB
		bridges(t, portA, portB, ethernet(60, 1))
	})
}

// TestNoClearFrame: where traffic is encrypted, a frame in clear passes in neither
// direction, and none at all while keys are negotiated.
func TestNoClearFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		encrypt(a, b)
		portA, portB := a.join(t, 1448), b.join(t, 1448)
		bridges(t, portA, portB, ethernet(60, 1))
		clear := append(ppp.Header{Protocol: ppp.ProtocolBridge}.Append(nil), 0, 1)
		clear = append(clear, ethernet(60, 2)...)
		if err := a.call.SendFrame(clear); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := b.plane.Drops(DropClear); n != 1 {
			t.Errorf("%d dropped for being clear", n)
		}
		a.call.Block()
		if err := portA.Send(t.Context(), ethernet(60, 3)); err != nil {
			t.Fatal(err)
		}
		b.call.Block()
		if err := a.call.SendFrame(clear); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := b.plane.Drops(DropBlocked); n != 1 {
			t.Errorf("%d dropped while blocked", n)
		}
		if s := a.call.Stats(); s.TxDrops != 1 {
			t.Errorf("%+v", s)
		}
		encryptAgain(a, b)
		bridges(t, portA, portB, ethernet(60, 4))
	})
}

func encryptAgain(a, b *end) {
	a.call.SetReceiver(stateless, keyBA)
	b.call.SetReceiver(stateless, keyAB)
	a.call.SetSender(stateless, keyAB)
	b.call.SetSender(stateless, keyBA)
	for _, e := range []*end{a, b} {
		if e.dev == nil {
			e.call.Resume(nil)
		} else {
			e.call.Resume(e.dev)
		}
	}
}

// TestFramesForTheOwner: without a bridge the owner gets them, to refuse them.
func TestFramesForTheOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		encrypt(a, b)
		portA := a.join(t, 1448)
		if err := portA.Send(t.Context(), ethernet(60, 1)); err != nil {
			t.Fatal(err)
		}
		f := <-b.call.Frames()
		var h ppp.Header
		if rest, err := h.Parse(f.Data); err != nil || h.Protocol != ppp.ProtocolBridge || !bytes.Equal(rest[2:], ethernet(60, 1)) {
			t.Errorf("%x, %v", f.Data, err)
		}
		portB := b.join(t, 1448)
		bridges(t, portA, portB, ethernet(60, 2))
		b.call.ShutBridge()
		if err := portA.Send(t.Context(), ethernet(60, 1)); err != nil {
			t.Fatal(err)
		}
		<-b.call.Frames()
	})
}

// TestFramesThatThePeerRefuses stay here.
func TestFramesThatThePeerRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		encrypt(a, b)
		portA, portB := a.join(t, 1448), b.join(t, 1448)
		vlan := ethernet(64, 1)
		vlan[12], vlan[13] = 0x81, 0
		tree := ethernet(60, 2)
		copy(tree, "\x01\x80\xc2\x00\x00\x00")
		bridges(t, portA, portB, vlan)
		bridges(t, portA, portB, tree)
		a.call.tx.mu.Lock()
		a.call.tx.tagged, a.call.tx.inline = false, false
		a.call.tx.mu.Unlock()
		for _, f := range [][]byte{vlan, tree} {
			if err := portA.Send(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		bridges(t, portA, portB, ethernet(60, 3))
		if s := a.call.Stats(); s.TxDrops != 2 {
			t.Errorf("%+v", s)
		}
	})
}

// TestBadFrames are dropped and counted.
func TestBadFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		a.openClear()
		b.openClear()
		b.join(t, 1448)
		for _, bad := range []string{"", "\x00", "\x00\x01short", "\x00\x03" + string(ethernet(60, 1)), "\x80\x01" + string(ethernet(60, 1))} {
			if err := a.call.SendFrame(append(ppp.Header{Protocol: ppp.ProtocolBridge}.Append(nil), bad...)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := b.plane.Drops(DropFrame); n != 5 {
			t.Errorf("%d dropped", n)
		}
	})
}

// TestFramesUnderALimit share the rate with IP, in both directions, and keep their
// kind while they wait.
func TestFramesUnderALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		encrypt(a, b)
		portA, portB := a.join(t, 1448), b.join(t, 1448)
		rate := shape.Rate{Max: 100_000}
		a.call.SetLimit(shape.Limit{Rx: rate, Tx: rate})
		b.call.SetLimit(shape.Limit{Rx: rate, Tx: rate})
		begin := time.Now()
		for n := range byte(20) {
			if err := portA.Send(t.Context(), ethernet(1000, n)); err != nil {
				t.Fatal(err)
			}
			if err := a.dev.Send(t.Context(), packet(1000, n)); err != nil {
				t.Fatal(err)
			}
		}
		for n := range byte(20) {
			if f, err := portB.Receive(t.Context()); err != nil || !bytes.Equal(f, ethernet(1000, n)) {
				t.Fatalf("frame %d: %d octets, %v", n, len(f), err)
			}
			if p, err := b.dev.Receive(t.Context()); err != nil || !bytes.Equal(p, packet(1000, n)) {
				t.Fatalf("packet %d: %d octets, %v", n, len(p), err)
			}
		}
		if d := time.Since(begin); d < 2*time.Second { // 40,000 octets, less what may go at once
			t.Errorf("took %v", d)
		}
	})
}

func TestBridgingDoesNotAllocate(t *testing.T) {
	r := newRoad(t, stateless)
	r.near.tx.maxFrame, r.far.rx.bridge, r.far.rx.flows = 1448, sinkDevice{}, true
	f := ethernet(1400, 1)
	r.sizes[0] = len(f)
	now := time.Now()
	if n := testing.AllocsPerRun(100, func() {
		copy(r.bufs[0][Headroom:], f)
		r.sent.room, r.sent.ends = r.sent.room[:0], r.sent.ends[:0]
		r.near.sendPackets(ethernetFrame, r.bufs, r.sizes)
		r.receive(now)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if s := r.far.Stats(); s.RxPackets < 100 || s.RxDrops != 0 {
		t.Errorf("the frames did not come through: %+v", s)
	}
}
