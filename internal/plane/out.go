package plane

import (
	"gopptp/gre"
	"gopptp/internal/rawgre"
	"gopptp/internal/tun"
	"gopptp/ppp"
)

// What happens to a packet to the network:
//
//  1. readTUN takes a batch from the interface, leaving Headroom.
//  2. sendPackets takes the call's tx lock.
//  3. MPPE seals the packet in place; the PPP protocol goes before it.
//  4. The GRE header goes before that, with the next sequence number and a due
//     acknowledgement.
//  5. The batch goes to the raw socket; the lock is released.
//
// Frames of the owner (SendFrame) enter at step 2.

// readBatch is how many packets are taken from an interface at once.
const readBatch = 16

// readTUN ends when the device is closed.
func (c *Call) readTUN(d tun.Device) {
	bufs := make([][]byte, readBatch)
	sizes := make([]int, readBatch)
	room := make([]byte, readBatch*(Headroom+maxOutgoing))
	for i := range bufs {
		bufs[i] = room[i*(Headroom+maxOutgoing) : (i+1)*(Headroom+maxOutgoing)]
	}
	for {
		n, err := d.Read(bufs, sizes, Headroom)
		if err != nil {
			return
		}
		c.sendPackets(bufs[:n], sizes)
	}
}

// sendPackets sends IP packets that stand at Headroom in bufs. It writes over
// bufs and sizes.
func (c *Call) sendPackets(bufs [][]byte, sizes []int) {
	c.tx.mu.Lock()
	defer c.tx.mu.Unlock()
	if !c.tx.open || c.tx.sender == nil && !c.tx.clear {
		c.stats.txDrops.Add(uint64(len(bufs)))
		return
	}
	n := 0
	for i, buf := range bufs {
		size := sizes[i]
		if size < 20 || buf[Headroom]>>4 != 4 { // IPv6 neighbour discovery and the like: this tunnel is IPv4 only
			c.stats.txDrops.Add(1)
			continue
		}
		buf = buf[:Headroom+size]
		off := Headroom
		outer := ppp.Header{Protocol: ppp.ProtocolIP, ACFC: c.tx.acfc, PFC: c.tx.pfc}
		if c.tx.sender != nil {
			inner := ppp.Header{Protocol: ppp.ProtocolIP, ACFC: true, PFC: c.tx.pfc}
			off = c.tx.sender.Seal(buf, inner.Push(buf, off))
			outer.Protocol = ppp.ProtocolCompressed
		}
		off = outer.Push(buf, off)
		off = c.pushGRELocked(buf, off)
		c.tx.pkts[n] = rawgre.Packet{Buf: buf, Off: off, N: len(buf) - off, Peer: c.peer, Local: c.local}
		sizes[n] = size // n <= i: what is counted below
		n++
	}
	sent := c.writeLocked(n)
	c.stats.txDrops.Add(uint64(n - sent))
	c.stats.txPackets.Add(uint64(sent))
	for _, size := range sizes[:sent] { // exact unless the socket refused one in their midst
		c.stats.txBytes.Add(uint64(size))
	}
}

// SendFrame sends a PPP frame of the call's owner, complete but for the GRE
// header. It does not retain frame.
func (c *Call) SendFrame(frame []byte) error {
	c.tx.mu.Lock()
	defer c.tx.mu.Unlock()
	return c.sendFrameLocked(frame)
}

// Flush sends the answer to a CCP Reset-Request and starts the sender's
// encryption anew with the next packet (RFC 3078, section 3.2): no user packet
// comes between.
func (c *Call) Flush(ack []byte) error {
	c.tx.mu.Lock()
	defer c.tx.mu.Unlock()
	if c.tx.sender != nil {
		c.tx.sender.Reset()
	}
	return c.sendFrameLocked(ack)
}

func (c *Call) sendFrameLocked(frame []byte) error {
	buf := make([]byte, Headroom+len(frame))
	copy(buf[Headroom:], frame)
	if !c.tx.known {
		return ErrNoPeer
	}
	if c.tx.closed {
		return nil
	}
	off := c.pushGRELocked(buf, Headroom)
	c.tx.pkts[0] = rawgre.Packet{Buf: buf, Off: off, N: len(buf) - off, Peer: c.peer, Local: c.local}
	c.writeLocked(1)
	return nil
}

// sendAck sends an acknowledgement alone, if one is still due.
func (c *Call) sendAck() {
	c.tx.mu.Lock()
	defer c.tx.mu.Unlock()
	if !c.tx.known || c.tx.closed {
		return
	}
	ack, due := c.acks.take()
	if !due {
		return
	}
	h := gre.Header{CallID: c.tx.peerID, HasAck: true, Ack: ack}
	buf := make([]byte, 0, gre.MaxLen)
	buf = h.Append(buf)
	c.tx.pkts[0] = rawgre.Packet{Buf: buf, N: len(buf), Peer: c.peer, Local: c.local}
	c.writeLocked(1) // a lost acknowledgement is followed by another
}

// pushGRELocked writes a GRE header before buf[off:] and returns its offset.
func (c *Call) pushGRELocked(buf []byte, off int) int {
	h := gre.Header{CallID: c.tx.peerID, PayloadLen: uint16(len(buf) - off), HasSeq: true, Seq: c.tx.seq}
	c.tx.seq++
	if ack, due := c.acks.take(); due {
		h.HasAck, h.Ack = true, ack
	}
	return h.Push(buf, off)
}

// writeLocked sends the first n of tx.pkts and says how many the socket took.
func (c *Call) writeLocked(n int) int {
	if n == 0 {
		return 0
	}
	sent, _ := c.plane.conn.WriteBatch(c.tx.pkts[:n]) // its error is that it is closed, which the reader reports
	c.plane.drops[DropSend].Add(uint64(n - sent))
	clear(c.tx.pkts[:n]) // the buffers belong to others again
	return sent
}
