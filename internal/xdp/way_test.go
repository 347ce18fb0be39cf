package xdp

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/ipv4"

	"gopptp/internal/rawgre"
)

var (
	addrA = netip.MustParseAddr("192.0.2.1")
	addrB = netip.MustParseAddr("192.0.2.2")

	macA = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	macB = net.HardwareAddr{2, 0, 0, 0, 0, 2}
)

// checksum is the Internet checksum (RFC 1071) of a header that has none, as slowly and
// plainly as it is told there.
func checksum(header []byte) uint16 {
	sum := 0
	for i := 0; i < len(header); i += 2 {
		if i != 10 {
			sum += int(header[i])<<8 | int(header[i+1])
		}
		for sum > 0xffff {
			sum -= 0xffff
		}
	}
	return ^uint16(sum)
}

func newWay(local, peer netip.Addr) *way {
	w := &way{ends: ends{local, peer}}
	w.lead(&port{}, macA, macB, 1500)
	return w
}

// TestWrite looks at the frames of many lengths and identifications.
func TestWrite(t *testing.T) {
	frame := make([]byte, frameSize)
	for _, addresses := range [][2]string{{"192.0.2.1", "192.0.2.2"}, {"0.0.0.0", "0.0.0.0"}, {"255.255.255.255", "255.255.255.255"}, {"255.255.0.1", "1.0.255.255"}} {
		local, peer := netip.MustParseAddr(addresses[0]), netip.MustParseAddr(addresses[1])
		w := newWay(local, peer)
		for id := uint32(0); id < 1<<17; id += 97 {
			gre := bytes.Repeat([]byte{byte(id)}, 1+int(id)%1480)
			w.id.Store(id)
			got := frame[:w.write(frame, gre)]
			want := append(append(append([]byte{}, macB...), macA...), 8, 0)
			if !bytes.Equal(got[:ethernetLen], want) {
				t.Fatalf("Ethernet header % x, want % x", got[:ethernetLen], want)
			}
			ip := got[ethernetLen:]
			h, err := ipv4.ParseHeader(ip)
			if err != nil {
				t.Fatal(err)
			}
			if h.Len != 20 || h.TOS != 0 || h.TotalLen != len(ip) || h.ID != int(uint16(id+1)) || h.Flags != 0 || h.FragOff != 0 ||
				h.TTL != 64 || h.Protocol != 47 || h.Src.String() != local.String() || h.Dst.String() != peer.String() {
				t.Fatalf("header %v of id %d", h, id)
			}
			if h.Checksum != int(checksum(ip[:20])) {
				t.Fatalf("id %d, %d octets: checksum %#04x, want %#04x", h.ID, len(ip), h.Checksum, checksum(ip[:20]))
			}
			if !bytes.Equal(ip[20:], gre) {
				t.Fatalf("id %d: the packet has changed", id)
			}
			var p rawgre.Packet
			if !p.Adopt(ip) || p.Peer != local || p.Local != peer || !bytes.Equal(p.Bytes(), gre) {
				t.Fatalf("id %d: the other end does not take the packet", id)
			}
		}
	}
}

// TestWriteChecksum: each sum that a header can have.
func TestWriteChecksum(t *testing.T) {
	frame, w := make([]byte, frameSize), newWay(addrA, addrB)
	for range 1 << 16 {
		w.write(frame, frame[:8])
		ip := frame[ethernetLen : ethernetLen+20]
		if got := binary.BigEndian.Uint16(ip[10:]); got != checksum(ip) {
			t.Fatalf("% x: checksum %#04x, want %#04x", ip, got, checksum(ip))
		}
	}
}

func TestTakes(t *testing.T) {
	w := newWay(addrA, addrB)
	for n, want := range map[int]bool{0: false, 1: true, 1480: true, 1481: false} {
		if got := w.takes(&rawgre.Packet{N: n}); got != want {
			t.Errorf("a packet of %d octets: %v, want %v", n, got, want)
		}
	}
	if (&way{}).takes(&rawgre.Packet{N: 100}) {
		t.Error("a way without an interface takes packets")
	}
}

func TestQueueOf(t *testing.T) {
	o := &port{queues: []*queue{{number: 0}, {number: 1}, {number: 2}}}
	o.senders.Store(3)
	packet := func(id uint16) *rawgre.Packet {
		b := binary.BigEndian.AppendUint16([]byte{0x20, 1, 0x88, 0xb, 0, 0}, id)
		return &rawgre.Packet{Buf: b, N: len(b)}
	}
	for id := range uint16(100) {
		if got := o.queueOf(packet(id)).number; got != int(id%3) {
			t.Errorf("call %d: queue %d", id, got)
		}
	}
	if got := o.queueOf(&rawgre.Packet{Buf: make([]byte, 7), N: 7}).number; got != 0 {
		t.Errorf("without a Call ID: queue %d", got)
	}
	o.senders.Store(1)
	if got := o.queueOf(packet(2)).number; got != 0 {
		t.Errorf("queue %d, and only the first one can send", got)
	}
}

// TestWaysInUse: who is asked for, and who is forgotten.
func TestWaysInUse(t *testing.T) {
	ws := &ways{known: map[ends]*way{}, ask: make(chan struct{}, 1)}
	now := time.Now()
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
	const many = refreshBatch + 500
	for i := range many {
		ws.to(addrA, addr(i))
		ws.to(addrA, addr(i))
	}
	if len(ws.ask) != 1 {
		t.Error("nobody is told that ways are new")
	}
	if n := len(ws.news()); n != many || len(ws.news()) != 0 {
		t.Errorf("%d are new, want %d, and none twice", n, many)
	}
	if n := len(ws.inUse(now)); n != refreshBatch {
		t.Errorf("%d in one go, want %d", n, refreshBatch)
	}
	if n := len(ws.inUse(now)); n != many-refreshBatch {
		t.Errorf("%d in the next, want %d", n, many-refreshBatch)
	}
	ws.to(addrA, addr(7))
	later := now.Add(forget + time.Second)
	if used := ws.inUse(later); len(used) != 1 || used[0].peer != addr(7) || len(ws.known) != 1 {
		t.Errorf("%d are used, %d known, want 1", len(used), len(ws.known))
	}
}
