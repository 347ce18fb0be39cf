package plane

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"gopptp/gre"
	"gopptp/internal/rawgre"
)

// A oneConn gives one packet, and then waits until it is closed.
type oneConn struct {
	rawgre.Conn
	packets chan []byte
	from    netip.Addr
}

func (c *oneConn) ReadBatch(pkts []rawgre.Packet) (int, error) {
	b, ok := <-c.packets
	if !ok {
		return 0, net.ErrClosed
	}
	pkts[0].Off, pkts[0].N, pkts[0].Peer = 0, copy(pkts[0].Buf, b), c.from
	return 1, nil
}

func (c *oneConn) Close() error { return nil }

// TestTurns: a reader's count is even while it waits, and odd while it is held up
// over a packet, here because somebody else has the lock of its call.
func TestTurns(t *testing.T) {
	peer := netip.MustParseAddr("192.0.2.2")
	conn := &oneConn{packets: make(chan []byte), from: peer}
	p := New(conn)
	c, err := p.NewCall(netip.MustParseAddr("192.0.2.1"), peer)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = p.Run(ctx)
	}()
	until := func(want uint64) {
		t.Helper()
		for range 1000 {
			if p.Turns()[0] == want {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Fatalf("the turns are %d, want %d", p.Turns(), want)
	}
	until(0)
	conn.packets <- []byte("no GRE")
	until(2)
	h := gre.Header{CallID: c.ID(), HasSeq: true}
	c.rx.mu.Lock()
	conn.packets <- h.Append(nil)
	until(3)
	c.rx.mu.Unlock()
	until(4)
	cancel()
	close(conn.packets)
	<-done
}
