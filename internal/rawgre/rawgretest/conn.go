package rawgretest

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"sync"

	"gopptp/internal/rawgre"
)

// queueLen bounds what waits for a reader, as a receive buffer does: more than
// a test sends in one go, and little enough to hold in memory.
const queueLen = 4096

// maxGRE is the longest GRE packet that an IPv4 packet holds.
const maxGRE = 1<<16 - 1 - rawgre.MinIPHeader

// A Conn is one end of a Network.
type Conn struct {
	network *Network
	addrs   []netip.Addr
	queue   chan Datagram
	closed  chan struct{}
	once    sync.Once
}

var _ rawgre.Conn = (*Conn)(nil)

// deliver queues a datagram and reports whether there was room.
func (c *Conn) deliver(d Datagram) bool {
	select {
	case c.queue <- d:
		return true
	default:
		return false
	}
}

// ReadBatch implements rawgre.Conn. As with the kernel, an IP header stands
// before the GRE packet and a packet that does not fit is dropped.
func (c *Conn) ReadBatch(pkts []rawgre.Packet) (int, error) {
	pkts = pkts[:min(len(pkts), rawgre.BatchSize)]
	n := 0
	for n == 0 && len(pkts) > 0 {
		select {
		case <-c.closed:
			return 0, net.ErrClosed
		default:
		}
		select {
		case d := <-c.queue:
			n += fill(&pkts[0], d)
		case <-c.closed:
			return 0, net.ErrClosed
		}
	}
	for n < len(pkts) {
		select {
		case d := <-c.queue:
			n += fill(&pkts[n], d)
		default:
			return n, nil
		}
	}
	return n, nil
}

// fill writes the datagram into p with an IPv4 header (RFC 791, section 3.1)
// whose checksum is not computed, and returns 1, or 0 if it does not fit.
func fill(p *rawgre.Packet, d Datagram) int {
	total := rawgre.MinIPHeader + len(d.Data)
	if total > len(p.Buf) {
		return 0
	}
	h := p.Buf[:rawgre.MinIPHeader]
	clear(h)
	h[0] = 4<<4 | rawgre.MinIPHeader/4
	binary.BigEndian.PutUint16(h[2:], uint16(total))
	h[8] = 64
	h[9] = rawgre.Protocol
	src, dst := d.Src.As4(), d.Dst.As4()
	copy(h[12:], src[:])
	copy(h[16:], dst[:])
	p.Off, p.N = len(h), copy(p.Buf[len(h):], d.Data)
	p.Peer, p.Local = d.Src, d.Dst
	return 1
}

// WriteBatch implements rawgre.Conn. It refuses what the kernel refuses: a
// packet without destination or content, one from an address that is not the
// end's own, and one that is too big.
func (c *Conn) WriteBatch(pkts []rawgre.Packet) (int, error) {
	sent := 0
	for i := range pkts {
		p := &pkts[i]
		select {
		case <-c.closed:
			return sent, net.ErrClosed
		default:
		}
		src := p.Local
		if !src.IsValid() {
			src = c.addrs[0]
		}
		if !p.Peer.Is4() || p.N == 0 || p.N > maxGRE || !slices.Contains(c.addrs, src) {
			continue
		}
		c.network.send(Datagram{Src: src, Dst: p.Peer, Data: slices.Clone(p.Bytes())})
		sent++
	}
	return sent, nil
}

// Close implements rawgre.Conn.
func (c *Conn) Close() error {
	c.once.Do(func() {
		c.network.remove(c)
		close(c.closed)
	})
	return nil
}
