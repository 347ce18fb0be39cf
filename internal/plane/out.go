package plane

import (
	"errors"
	"net"
	"time"

	"gopptp/gre"
	"gopptp/internal/rawgre"
	"gopptp/internal/tun"
	"gopptp/mppe"
	"gopptp/ppp"
	"gopptp/ppp/bcp"
)

// What happens to a packet to the network:
//
//  1. readTUN takes a batch from the interface, leaving Headroom. An Ethernet
//     frame gets the header of BCP in step 3, before all else.
//  2. sendPackets takes the call's tx lock.
//  3. MPPE seals the packets of the batch in place, compressed or not; the PPP protocol
//     goes before each. With multilink it is then cut, and what follows holds for each
//     fragment.
//  4. The GRE header goes before that, with the next sequence number and a due
//     acknowledgement.
//  5. The batch goes to the raw socket; the lock is released.
//
// Frames of the owner (SendFrame) enter at step 2.

const (
	// readBatch is how many packets are taken from an interface at once, at most.
	readBatch = 16
	// readRoom bounds the memory for them: larger packets are taken in smaller
	// batches.
	readRoom = 64 << 10
	// minOutgoing is the room for a packet at least. A PPP frame in PPTP has at most
	// 1532 octets (RFC 2637, section 4.1), or a little more where people say so.
	minOutgoing = 2048
)

// readBuffers makes what packets of at most mtu octets are read into.
func readBuffers(mtu int) [][]byte {
	slot := Headroom + max(mtu, minOutgoing)
	bufs := make([][]byte, min(max(readRoom/slot, 1), readBatch))
	room := make([]byte, len(bufs)*slot)
	for i := range bufs {
		bufs[i] = room[i*slot : (i+1)*slot]
	}
	return bufs
}

// readTUN ends when the device is closed, or is of no more use.
func (c *Call) readTUN(kind payload, d tun.Device, mtu int) {
	bufs := readBuffers(mtu)
	sizes := make([]int, len(bufs))
	for {
		n, err := d.Read(bufs, sizes, Headroom)
		switch {
		case err == nil:
			c.sendPackets(kind, bufs[:n], sizes)
			continue
		case !errors.Is(err, net.ErrClosed) && !errors.Is(err, tun.ErrInterrupted):
			c.rx.mu.Lock()
			c.signalLocked(DeviceLost)
			c.rx.mu.Unlock()
		}
		return
	}
}

// sendPackets sends packets that stand at Headroom in bufs. It writes over bufs.
func (c *Call) sendPackets(kind payload, bufs [][]byte, sizes []int) {
	c.tx.mu.Lock()
	defer c.tx.mu.Unlock()
	if c.tx.queue == nil {
		c.sendPacketsLocked(kind, bufs, sizes)
		return
	}
	for i, buf := range bufs {
		if !c.tx.queue.put(kind, buf[Headroom:Headroom+sizes[i]]) {
			c.plane.drops[DropRate].Add(1)
			c.stats.txDrops.Add(1)
		}
	}
}

func (c *Call) sendPacketsLocked(kind payload, bufs [][]byte, sizes []int) {
	if !c.tx.open || c.tx.sender == nil && !c.tx.clear {
		c.stats.txDrops.Add(uint64(len(bufs)))
		return
	}
	staged := c.plane.staging.Get().(*staging)
	defer c.plane.staging.Put(staged)
	protocol, taken := protocolOf(kind), false
	for i, buf := range bufs {
		size := sizes[i]
		buf = buf[:Headroom+size]
		var takes bool
		if kind == ethernetFrame {
			takes = c.takesFrameLocked(buf[Headroom:])
		} else { // IPv6 neighbour discovery and the like: this tunnel is IPv4 only
			takes = size >= 20 && buf[Headroom]>>4 == 4 && (c.tx.mrru == 0 || c.fitsLocked(size))
		}
		if !takes {
			c.stats.txDrops.Add(1)
			continue
		}
		taken = true
		off := Headroom
		if kind == ethernetFrame {
			off = bcp.Push(buf, off)
		}
		if c.tx.sender != nil {
			inner := ppp.Header{Protocol: protocol, ACFC: true, PFC: c.tx.pfc}
			off = inner.Push(buf, off)
		}
		if staged.add(buf, off, size); staged.n == len(staged.bufs) {
			c.sendStagedLocked(staged, protocol)
		}
	}
	c.sendStagedLocked(staged, protocol)
	if taken {
		c.used.Store(int64(time.Since(c.plane.start)))
	}
	c.flushLocked()
}

// A staging is packets that are sealed together, and what that needs. It is too
// large for each call to have one of its own.
type staging struct {
	batch mppe.Batch // at the front, as it likes to be
	n     int
	bufs  [readBatch][]byte
	offs  [readBatch]int
	sizes [readBatch]int // of the user packets in them
}

func newStaging() any { return new(staging) }

func (s *staging) add(buf []byte, off, size int) {
	s.bufs[s.n], s.offs[s.n], s.sizes[s.n] = buf, off, size
	s.n++
}

// sendStagedLocked seals the packets of s if the call's are sealed, adds them to the
// batch and empties s.
func (c *Call) sendStagedLocked(s *staging, protocol ppp.Protocol) {
	bufs, offs := s.bufs[:s.n], s.offs[:s.n]
	if c.tx.sender != nil {
		c.tx.sender.SealBatch(&s.batch, bufs, offs)
		protocol = ppp.ProtocolCompressed
	}
	outer := ppp.Header{Protocol: protocol, ACFC: c.tx.acfc, PFC: c.tx.pfc}
	for i, buf := range bufs {
		if c.tx.mrru > 0 {
			c.sendFragmentsLocked(buf, offs[i], protocol, s.sizes[i])
		} else {
			c.addLocked(buf, outer.Push(buf, offs[i]), s.sizes[i])
		}
	}
	clear(bufs) // they belong to others
	s.n = 0
}

// addLocked adds the PPP frame buf[off:] to the batch, which leaves when it is
// full. size is that of the IP packet which is complete with this frame, if any.
func (c *Call) addLocked(buf []byte, off, size int) {
	off = c.pushGRELocked(buf, off)
	c.tx.pkts[c.tx.n] = rawgre.Packet{Buf: buf, Off: off, N: len(buf) - off, Peer: c.peer, Local: c.local}
	c.tx.sizes[c.tx.n] = size
	if c.tx.n++; c.tx.n == len(c.tx.pkts) {
		c.flushLocked()
	}
}

// flushLocked sends the batch and counts the IP packets in it.
func (c *Call) flushLocked() {
	n := c.tx.n
	c.tx.n = 0
	sent := c.writeLocked(n)
	var packets, octets, drops uint64
	for i, size := range c.tx.sizes[:n] { // exact unless the socket refused one in their midst
		switch {
		case size == 0: // its packet goes on
		case i < sent:
			packets++
			octets += uint64(size)
		default:
			drops++
		}
	}
	c.stats.txPackets.Add(packets)
	c.stats.txBytes.Add(octets)
	if drops > 0 {
		c.stats.txDrops.Add(drops)
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
