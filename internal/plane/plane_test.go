package plane

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/gre"
	"gopptp/internal/rawgre"
	"gopptp/internal/rawgre/rawgretest"
	"gopptp/internal/tun"
	"gopptp/internal/tun/tuntest"
	"gopptp/mppe"
)

var (
	addrA = netip.MustParseAddr("192.0.2.1")
	addrB = netip.MustParseAddr("192.0.2.2")
	addrX = netip.MustParseAddr("192.0.2.66")

	stateless = mppe.Config{Strength: mppe.Bits128, Stateless: true}
	keyAB     = mppe.StartKey{Long: [16]byte{1, 2, 3}}
	keyBA     = mppe.StartKey{Long: [16]byte{4, 5, 6}}
)

// end is one side of a tunnel.
type end struct {
	plane *Plane
	call  *Call
	dev   *tuntest.TUN
}

// tunnel makes two ends over a network whose carrier the test sets. Both have
// each other's Call ID; nothing is open.
func tunnel(t *testing.T) (net *rawgretest.Network, a, b *end) {
	t.Helper()
	net = rawgretest.New()
	mk := func(local, peer netip.Addr) *end {
		conn := net.Listen(local)
		e := &end{plane: New(conn), dev: tuntest.New("tun")}
		call, err := e.plane.NewCall(local, peer)
		if err != nil {
			t.Fatal(err)
		}
		e.call = call
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = e.plane.Run(ctx)
		}()
		t.Cleanup(func() {
			call.Close()
			e.dev.Close()
			call.WaitReader()
			conn.Close()
			cancel()
			<-done
		})
		return e
	}
	a, b = mk(addrA, addrB), mk(addrB, addrA)
	a.call.SetPeerID(b.call.ID())
	b.call.SetPeerID(a.call.ID())
	return net, a, b
}

func (e *end) openClear() {
	e.call.Open(Opening{Device: e.dev, SendClear: true, ReceiveClear: true})
}

// encrypt installs keys on both ends and opens them.
func encrypt(a, b *end) {
	a.call.SetReceiver(stateless, keyBA)
	b.call.SetReceiver(stateless, keyAB)
	a.call.SetSender(stateless, keyAB)
	b.call.SetSender(stateless, keyBA)
	a.call.Open(Opening{Device: a.dev})
	b.call.Open(Opening{Device: b.dev})
}

// packet is an IPv4 packet of n octets with a number in it.
func packet(n int, number byte) []byte {
	p := make([]byte, n)
	p[0], p[2], p[3], p[8], p[9] = 0x45, byte(n>>8), byte(n), 64, 17
	p[n-1] = number
	return p
}

// crosses sends a packet from one end and waits for it at the other.
func crosses(t *testing.T, from, to *end, p []byte) {
	t.Helper()
	if err := from.dev.Send(t.Context(), bytes.Clone(p)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	got, err := to.dev.Receive(ctx)
	if err != nil || !bytes.Equal(got, p) {
		t.Fatalf("packet %d: got %d octets, %v", p[len(p)-1], len(got), err)
	}
}

func TestClearTrafficCrosses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		a.openClear()
		b.openClear()
		crosses(t, a, b, packet(1450, 1))
		crosses(t, b, a, packet(20, 2))
		synctest.Wait()
		if s := a.call.Stats(); s.TxPackets != 1 || s.TxBytes != 1450 || s.RxPackets != 1 || s.RxBytes != 20 || s.TxDrops+s.RxDrops != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestEncryptedTrafficCrossesAndHidesContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, a, b := tunnel(t)
		p := packet(1400, 1)
		copy(p[40:], "a text that must not be seen on the wire")
		var seen int
		net.Carry(func(d rawgretest.Datagram) []rawgretest.Datagram {
			seen++
			if bytes.Contains(d.Data, p[40:60]) {
				t.Error("clear text on the wire")
			}
			return rawgretest.All(d)
		})
		encrypt(a, b)
		for range 300 { // past the flag packets and the first turn of the ack window
			crosses(t, a, b, p)
			crosses(t, b, a, p)
		}
		if seen < 600 {
			t.Errorf("only %d packets seen", seen)
		}
	})
}

// Where encryption is in force no clear packet passes, in either direction.
func TestClearTrafficIsRefusedWhereEncryptionIsRequired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, a, b := tunnel(t)
		encrypt(a, b)
		clear := packet(60, 1)
		frame := append([]byte{0xff, 0x03, 0x00, 0x21}, clear...)
		if err := a.call.SendFrame(frame); err != nil { // as a forger would
			t.Fatal(err)
		}
		synctest.Wait()
		if n := b.plane.Drops(DropClear); n != 1 {
			t.Errorf("%d clear packets dropped", n)
		}
		// Without a sender nothing leaves, whatever the interface gives.
		var sent int
		net.Carry(func(d rawgretest.Datagram) []rawgretest.Datagram { sent++; return rawgretest.All(d) })
		a.call.Block()
		a.call.Resume(a.dev)
		if err := a.dev.Send(t.Context(), clear); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if sent != 0 || a.call.Stats().TxDrops != 1 {
			t.Errorf("sent %d, %+v", sent, a.call.Stats())
		}
	})
}

func TestBlockedTrafficIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		a.openClear()
		b.openClear()
		b.call.Shut()
		if err := a.dev.Send(t.Context(), packet(60, 1)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := b.plane.Drops(DropBlocked); n != 1 {
			t.Errorf("%d blocked packets dropped", n)
		}
	})
}

// TestEarlyPackets: what comes before a call is open for the first time waits for
// that, within bounds, and a clear packet is delivered only where it may be.
func TestEarlyPackets(t *testing.T) {
	for _, test := range []struct {
		name    string
		open    func(a, b *end) // a sends; b opens later
		opening Opening
		want    int
	}{
		{"clear", func(a, _ *end) { a.openClear() }, Opening{SendClear: true, ReceiveClear: true}, maxEarly},
		{"clear where it must be encrypted", func(a, _ *end) { a.openClear() }, Opening{}, 0},
		{"encrypted", func(a, b *end) {
			b.call.SetReceiver(stateless, keyAB)
			a.call.SetSender(stateless, keyAB)
			a.call.Open(Opening{Device: a.dev})
		}, Opening{}, maxEarly},
		{"blocked before it opens", func(a, b *end) {
			a.openClear()
			_ = a.dev.Send(context.Background(), packet(60, 99))
			synctest.Wait()
			b.call.Block()
		}, Opening{SendClear: true, ReceiveClear: true}, maxEarly},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, a, b := tunnel(t)
				test.open(a, b)
				for n := range byte(maxEarly + 3) {
					if err := a.dev.Send(t.Context(), packet(60, n)); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				if n := b.plane.Drops(DropBlocked); n != 3 {
					t.Errorf("%d packets beyond the bound dropped", n)
				}
				test.opening.Device = b.dev
				b.call.Open(test.opening)
				for n := range byte(test.want) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					p, err := b.dev.Receive(ctx)
					cancel()
					if err != nil || p[len(p)-1] != n {
						t.Fatalf("packet %d: %v", n, err)
					}
				}
				if n := b.plane.Drops(DropClear); n != uint64(maxEarly-test.want) {
					t.Errorf("%d clear packets dropped", n)
				}
			})
		})
	}
}

func TestFramesGoToTheOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		lcp := []byte{0xff, 0x03, 0xc0, 0x21, 1, 1, 0, 4}
		if err := a.call.SendFrame(lcp); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if f := <-b.call.Frames(); !bytes.Equal(f.Data, lcp) {
			t.Errorf("frame %x", f.Data)
		}
		for range controlQueue + 10 { // an owner that does not read loses frames, nothing else
			_ = a.call.SendFrame(lcp)
		}
		synctest.Wait()
		if n := b.plane.Drops(DropControlQueue); n != 10 {
			t.Errorf("%d frames dropped", n)
		}
	})
}

func TestNothingIsSentBeforeThePeerIsKnown(t *testing.T) {
	net := rawgretest.New()
	p := New(net.Listen(addrA))
	c, err := p.NewCall(addrA, addrB)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SendFrame([]byte{0xc0, 0x21}); err != ErrNoPeer {
		t.Errorf("SendFrame: %v", err)
	}
}

// An encrypted packet without a key is reported once, until the owner has acted.
func TestEncryptedWithoutKeyIsSignalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := tunnel(t)
		a.call.SetSender(stateless, keyAB)
		a.call.Open(Opening{Device: a.dev})
		for i := range byte(3) {
			if err := a.dev.Send(t.Context(), packet(60, i)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if f := <-b.call.Frames(); f.Signal != Undecryptable {
			t.Errorf("signal %d", f.Signal)
		}
		if len(b.call.Frames()) != 0 || b.plane.Drops(DropNoKey) != 3 {
			t.Errorf("%d more frames, %d drops", len(b.call.Frames()), b.plane.Drops(DropNoKey))
		}
	})
}

func TestStatefulLossIsSignalledAndRepaired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, a, b := tunnel(t)
		cfg := mppe.Config{Strength: mppe.Bits128}
		a.call.SetSender(cfg, keyAB)
		b.call.SetReceiver(cfg, keyAB)
		a.call.Open(Opening{Device: a.dev})
		b.call.Open(Opening{Device: b.dev})
		crosses(t, a, b, packet(60, 1))
		net.Carry(rawgretest.None)
		_ = a.dev.Send(t.Context(), packet(60, 2))
		synctest.Wait()
		net.Carry(rawgretest.All)
		_ = a.dev.Send(t.Context(), packet(60, 3))
		time.Sleep(time.Second) // the gap is given up
		synctest.Wait()
		if f := <-b.call.Frames(); f.Signal != NeedReset {
			t.Fatalf("signal %d", f.Signal)
		}
		ack := []byte{0xff, 0x03, 0x80, 0xfd, 15, 1, 0, 4}
		if err := a.call.Flush(ack); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if f := <-b.call.Frames(); !bytes.Equal(f.Data, ack) {
			t.Fatalf("frame %x", f.Data)
		}
		crosses(t, a, b, packet(60, 4))
		synctest.Wait()
		if f := <-b.call.Frames(); f.Signal != Resynced {
			t.Errorf("signal %d", f.Signal)
		}
	})
}

func TestPacketsOfOthersAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, a, b := tunnel(t)
		a.openClear()
		b.openClear()
		good := gre.Header{CallID: b.call.ID(), HasSeq: true}
		payload := append([]byte{0xff, 0x03, 0x00, 0x21}, packet(60, 1)...)
		good.PayloadLen = uint16(len(payload))
		raw := append(good.Append(nil), payload...)
		send := func(src netip.Addr, data []byte) {
			net.Deliver(rawgretest.Datagram{Src: src, Dst: addrB, Data: bytes.Clone(data)})
			synctest.Wait()
		}
		send(addrX, raw)
		other := good
		other.CallID++
		send(addrA, append(other.Append(nil), payload...))
		send(addrA, []byte{0x30, 0x81, 0x88})
		for d, want := range map[Drop]uint64{DropWrongPeer: 1, DropNoCall: 1, DropHeader: 1} {
			if got := b.plane.Drops(d); got != want {
				t.Errorf("%v: %d", d, got)
			}
		}
		if s := b.call.Stats(); s.RxPackets != 0 {
			t.Errorf("%d packets came through", s.RxPackets)
		}
		send(addrA, raw)
		if s := b.call.Stats(); s.RxPackets != 1 {
			t.Errorf("the good packet did not come through")
		}
	})
}

// One-way traffic is acknowledged: when more comes after ackEvery packets, else after
// ackDelay, and never by more than that.
func TestOneWayTrafficIsAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, a, b := tunnel(t)
		a.openClear()
		b.openClear()
		var mu sync.Mutex
		var all []gre.Header // guarded by mu
		net.Carry(func(d rawgretest.Datagram) []rawgretest.Datagram {
			if d.Src == addrB {
				var h gre.Header
				if _, err := h.Parse(d.Data); err != nil {
					t.Error(err)
				}
				mu.Lock()
				all = append(all, h)
				mu.Unlock()
			}
			return rawgretest.All(d)
		})
		seen := func() []gre.Header {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(all)
		}
		for i := range byte(ackEvery) {
			crosses(t, a, b, packet(60, i))
		}
		acks := seen()
		if len(acks) != 0 {
			t.Fatalf("after %d packets: %+v", ackEvery, acks)
		}
		crosses(t, a, b, packet(60, 1))
		acks = seen()
		if len(acks) != 1 || acks[0].HasSeq || !acks[0].HasAck || acks[0].Ack != ackEvery-1 {
			t.Fatalf("after %d packets: %+v", ackEvery+1, acks)
		}
		time.Sleep(2 * ackDelay)
		acks = seen()
		if len(acks) != 2 || acks[1].Ack != ackEvery {
			t.Fatalf("after the delay: %+v", acks)
		}
		// An acknowledgement rides on what is sent anyway.
		crosses(t, a, b, packet(60, 2))
		crosses(t, b, a, packet(60, 3))
		time.Sleep(2 * ackDelay)
		acks = seen()
		if len(acks) != 3 || !acks[2].HasSeq || !acks[2].HasAck || acks[2].Ack != ackEvery+1 {
			t.Errorf("with traffic: %+v", acks)
		}
	})
}

// A network that swaps and doubles packets is not seen inside the tunnel.
func TestReorderedAndDoubledPacketsComeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, a, b := tunnel(t)
		encrypt(a, b)
		crosses(t, a, b, packet(60, 255))
		swap, double := rawgretest.Swap(5), rawgretest.Double(7)
		net.Carry(func(d rawgretest.Datagram) []rawgretest.Datagram {
			if d.Src != addrA {
				return rawgretest.All(d)
			}
			var out []rawgretest.Datagram
			for _, d := range swap(d) {
				out = append(out, double(d)...)
			}
			return out
		})
		go func() {
			for i := range byte(200) {
				_ = a.dev.Send(t.Context(), packet(60, i))
			}
		}()
		for i := range byte(200) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			p, err := b.dev.Receive(ctx)
			cancel()
			if err != nil || p[59] != i {
				t.Fatalf("packet %d: %v, %v", i, p, err)
			}
			if i == 198 {
				net.Carry(rawgretest.All) // what Swap still holds never comes
				break
			}
		}
		if b.plane.Drops(DropDuplicate) == 0 {
			t.Error("no duplicate was seen: the carrier did nothing")
		}
	})
}

func TestCallIDsAreNotReusedSoon(t *testing.T) {
	p := New(rawgretest.New().Listen(addrA))
	first, err := p.NewCall(addrA, addrB)
	if err != nil {
		t.Fatal(err)
	}
	first.Close()
	for range 100 {
		c, err := p.NewCall(addrA, addrB)
		if err != nil || c.ID() == 0 || c.ID() == first.ID() {
			t.Fatalf("call %d, %v", c.ID(), err)
		}
		c.Close()
	}
}

// TestShards: each call receives from and sends through the socket that its Call ID
// belongs to, and when one socket fails all end.
func TestShards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		road := rawgretest.New()
		conns := make([]rawgre.Conn, 4)
		for i := range conns {
			conns[i] = road.Listen(netip.AddrFrom4([4]byte{192, 0, 2, byte(10 + i)}))
		}
		p := New(conns...)
		ended := make(chan error)
		go func() { ended <- p.Run(t.Context()) }()
		peer := road.Listen(addrB)
		for range 8 {
			call, err := p.NewCall(netip.Addr{}, addrB)
			if err != nil {
				t.Fatal(err)
			}
			call.SetPeerID(7)
			if err := call.SendFrame([]byte{0xff, 3, 0xc0, 0x21}); err != nil {
				t.Fatal(err)
			}
			from := make([]rawgre.Packet, 1)
			from[0].Buf = make([]byte, 2048)
			if _, err := peer.ReadBatch(from); err != nil {
				t.Fatal(err)
			}
			want := conns[call.ID()%4]
			if call.conn != want {
				t.Errorf("Call ID %d sends through another socket", call.ID())
			}
			h := gre.Header{CallID: call.ID(), HasSeq: true, PayloadLen: 4}
			answer := append(h.Append(nil), 0xff, 3, 0xc0, 0x21)
			to := netip.AddrFrom4([4]byte{192, 0, 2, byte(10 + call.ID()%4)})
			if _, err := peer.WriteBatch([]rawgre.Packet{{Buf: answer, N: len(answer), Peer: to}}); err != nil {
				t.Fatal(err)
			}
			if f := <-call.Frames(); len(f.Data) != 4 {
				t.Errorf("%+v", f)
			}
		}
		conns[2].Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("ended with %v", err)
		}
		for i, c := range conns {
			if _, err := c.WriteBatch([]rawgre.Packet{{Buf: []byte{1}, N: 1, Peer: addrB}}); !errors.Is(err, net.ErrClosed) {
				t.Errorf("socket %d is open: %v", i, err)
			}
		}
		peer.Close()
	})
}

func TestAllCallIDsCanBeInUse(t *testing.T) {
	p := New(rawgretest.New().Listen(addrA))
	taken := new(Call)
	for id := 1; id < len(p.calls); id++ {
		p.calls[id].Store(taken)
	}
	if _, err := p.NewCall(addrA, addrB); err != ErrNoCallID {
		t.Errorf("NewCall on a full table: %v", err)
	}
	p.calls[4711].Store(nil)
	if c, err := p.NewCall(addrA, addrB); err != nil || c.ID() != 4711 {
		t.Errorf("NewCall with one free: %v", err)
	}
}

// sinkConn takes packets and forgets them.
type sinkConn struct{}

func (sinkConn) ReadBatch([]rawgre.Packet) (int, error)    { select {} }
func (sinkConn) WriteBatch(p []rawgre.Packet) (int, error) { return len(p), nil }
func (sinkConn) Close() error                              { return nil }

// sinkDevice takes packets and forgets them.
type sinkDevice struct{}

func (sinkDevice) Name() string                                    { return "sink" }
func (sinkDevice) Wait() error                                     { select {} }
func (sinkDevice) Read(*tun.Batch) (int, error)                    { return 0, nil }
func (sinkDevice) Write(bufs [][]byte, off int) (n int, err error) { return len(bufs), nil }
func (sinkDevice) Interrupt()                                      {}
func (sinkDevice) Resume()                                         {}
func (sinkDevice) Close() error                                    { return nil }

func TestHotPathDoesNotAllocate(t *testing.T) {
	for name, cfg := range map[string]mppe.Config{
		"clear": {}, "stateless": stateless, "stateful": {Strength: mppe.Bits128},
	} {
		t.Run(name, func(t *testing.T) {
			p := New(sinkConn{})
			c, err := p.NewCall(addrA, addrB)
			if err != nil {
				t.Fatal(err)
			}
			c.SetPeerID(7)
			c.rx.device, c.tx.open = sinkDevice{}, true
			c.rx.clear, c.tx.clear = cfg.Strength == mppe.None, cfg.Strength == mppe.None
			far := New(sinkConn{}) // makes the packets that come in
			fc, _ := far.NewCall(addrB, addrA)
			fc.SetPeerID(c.ID())
			fc.tx.open, fc.tx.clear = true, c.rx.clear
			if cfg.Strength != mppe.None {
				c.SetSender(cfg, keyAB)
				c.SetReceiver(cfg, keyBA)
				fc.SetSender(cfg, keyBA)
			}
			ip := packet(1400, 1)
			buf := make([]byte, Headroom+usualPacket)
			bufs, sizes := [][]byte{buf}, []int{0}
			out := testing.AllocsPerRun(1000, func() {
				copy(buf[Headroom:], ip)
				sizes[0] = len(ip)
				c.sendPackets(ipPacket, bufs, sizes)
			})
			if out != 0 {
				t.Errorf("out: %v allocations a packet", out)
			}
			capture := &captureConn{}
			fc.conn = capture
			now := time.Now()
			pkts, work := []rawgre.Packet{{Buf: make([]byte, 2048), Peer: addrB}}, new(arrivals)
			in := testing.AllocsPerRun(1000, func() {
				copy(buf[Headroom:], ip)
				sizes[0] = len(ip)
				fc.sendPackets(ipPacket, bufs, sizes)
				pkts[0].Off, pkts[0].N = 0, copy(pkts[0].Buf, capture.last)
				p.input(now, pkts, work)
			})
			if in != 0 {
				t.Errorf("in: %v allocations a packet", in)
			}
			if s := c.Stats(); s.RxPackets < 1000 || s.RxDrops != 0 {
				t.Errorf("the packets did not come through: %+v", s)
			}
		})
	}
}

// captureConn keeps the last packet, for as long as its buffer lives.
type captureConn struct {
	sinkConn
	last []byte
}

func (c *captureConn) WriteBatch(p []rawgre.Packet) (int, error) {
	c.last = p[0].Bytes()
	return len(p), nil
}
