package plane

import (
	"bytes"
	"net/netip"
	"testing"
	"testing/synctest"

	"gopptp/gre"
	"gopptp/internal/rawgre"
	"gopptp/internal/rawgre/rawgretest"
)

// A lender reads into memory of its own.
type lender struct{ rawgre.Conn }

func (l lender) ReadBatch(pkts []rawgre.Packet) (int, error) {
	for i := range pkts {
		pkts[i].Buf = make([]byte, maxPacket)
	}
	return l.Conn.ReadBatch(pkts)
}

// A fastDoor carries by a network of its own, and knows what it was told.
type fastDoor struct {
	conn    rawgre.Conn
	steered map[uint16][2]netip.Addr
}

func (f *fastDoor) Readers() []rawgre.Conn       { return []rawgre.Conn{lender{f.conn}} }
func (f *fastDoor) Over(rawgre.Conn) rawgre.Conn { return f.conn }
func (f *fastDoor) Release(id uint16) error      { delete(f.steered, id); return nil }
func (f *fastDoor) Steer(id uint16, local, peer netip.Addr) error {
	f.steered[id] = [2]netip.Addr{local, peer}
	return nil
}

// TestFastDoor: packets leave by the fast door and come by it and by the socket; calls
// are steered while they live; all its readers end with the plane.
func TestFastDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		usual, fast := rawgretest.New(), rawgretest.New()
		door := &fastDoor{fast.Listen(addrA), map[uint16][2]netip.Addr{}}
		p := NewFast(door, usual.Listen(addrA))
		ended := make(chan error)
		go func() { ended <- p.Run(t.Context()) }()
		c, err := p.NewCall(addrA, addrB)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := door.steered[c.ID()], [2]netip.Addr{addrA, addrB}; got != want {
			t.Fatalf("steered for %v, want %v", got, want)
		}
		c.SetPeerID(7)
		for i, net := range []*rawgretest.Network{usual, fast} {
			frame := []byte{0xff, 0x03, 0xc0, 0x21, 9, byte(i), 0, 4}
			h := gre.Header{CallID: c.ID(), HasSeq: true, Seq: uint32(i), PayloadLen: uint16(len(frame))}
			packet := append(h.Append(nil), frame...)
			if !net.Deliver(rawgretest.Datagram{Src: addrB, Dst: addrA, Data: packet}) {
				t.Fatal("nobody listens")
			}
			synctest.Wait()
			select {
			case f := <-c.Frames():
				if !bytes.Equal(f.Data, frame) {
					t.Errorf("frame %x, want %x", f.Data, frame)
				}
			default:
				t.Errorf("frame %d did not come", i)
			}
		}
		var left [2]int
		for i, net := range []*rawgretest.Network{usual, fast} {
			net.Carry(func(rawgretest.Datagram) []rawgretest.Datagram { left[i]++; return nil })
		}
		if err := c.SendFrame([]byte{0xff, 0x03, 0xc0, 0x21, 9, 2, 0, 4}); err != nil {
			t.Fatal(err)
		}
		if left != [2]int{0, 1} {
			t.Errorf("%d packets left by the socket and %d by the fast door", left[0], left[1])
		}
		c.Close()
		if len(door.steered) != 0 {
			t.Errorf("still steered: %v", door.steered)
		}
		if n := len(p.Turns()); n != 2 {
			t.Errorf("%d readers, want 2", n)
		}
		p.Close()
		<-ended
	})
}
