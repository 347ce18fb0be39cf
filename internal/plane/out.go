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
//  1. readTUN waits for the interface and takes a batch from it, leaving Headroom. An
//     Ethernet frame gets the header of BCP in step 3, before all else.
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
	// readBatch is how many packets are taken from an interface at once, at most: as
	// many as are worth sealing together, and more than a full segment of TCP is cut
	// into.
	readBatch = mppe.MaxBatch
	// readRoom bounds the memory for them where they are larger than usual: they are
	// taken in smaller batches.
	readRoom = 192 << 10
	// usualPacket is the room for a packet at least. A PPP frame in PPTP has at most
	// 1532 octets (RFC 2637, section 4.1), or a little more where people say so.
	usualPacket = 2048
	// skew keeps packets that stand one after the other in memory from falling on the
	// same lines of the processor's cache.
	skew = 64
)

// newReadBatch makes what packets of at most mtu octets are read into.
func newReadBatch(mtu int) *tun.Batch {
	room := max(mtu, usualPacket)
	return tun.NewBatch(min(max(readRoom/room, 1), readBatch), room+skew, Headroom)
}

// lendBatch gives what packets of at most mtu octets are read into, until giveBack:
// nobody holds one while there is nothing to read, so that idle calls cost none.
func (p *Plane) lendBatch(mtu int) *tun.Batch {
	if mtu > usualPacket {
		return newReadBatch(mtu)
	}
	return p.batches.Get().(*tun.Batch)
}

func (p *Plane) giveBack(b *tun.Batch, mtu int) {
	if mtu <= usualPacket {
		p.batches.Put(b)
	}
}

// readTUN ends when the device is closed, or is of no more use.
func (c *Call) readTUN(kind payload, d tun.Device, mtu int) {
	for {
		err := d.Wait()
		if err == nil {
			err = c.readWaiting(kind, d, mtu)
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, net.ErrClosed) && !errors.Is(err, tun.ErrInterrupted) {
			c.rx.mu.Lock()
			c.signalLocked(DeviceLost)
			c.rx.mu.Unlock()
		}
		return
	}
}

// readWaiting sends what waits at the device, until nothing does.
func (c *Call) readWaiting(kind payload, d tun.Device, mtu int) error {
	b := c.plane.lendBatch(mtu)
	defer c.plane.giveBack(b, mtu)
	for {
		n, err := d.Read(b)
		if err != nil || n == 0 {
			return err
		}
		c.sendPackets(kind, b.Bufs[:n], b.Sizes)
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
	f := c.plane.flights.Get().(*flight)
	c.tx.flight = f
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
		if f.add(buf, off, size); f.n == len(f.bufs) {
			c.sealLocked(protocol)
		}
	}
	c.sealLocked(protocol)
	if taken {
		c.used.Store(int64(time.Since(c.plane.start)))
	}
	c.flushLocked()
	c.tx.flight = nil
	c.plane.flights.Put(f)
}

// A flight is packets that are sealed and sent together, and what that needs. It is
// too large for each call to have one of its own: a call has one while its tx lock is
// held.
type flight struct {
	batch mppe.Batch // at the front, as it likes to be

	// Packets that are to be sealed.
	n     int
	bufs  [readBatch][]byte
	offs  [readBatch]int
	sizes [readBatch]int // of the user packets in them

	// Packets that are ready for the socket.
	ready int
	pkts  [readBatch]rawgre.Packet
	ends  [readBatch]int // the size of the user packet that ends in the packet, 0 for none
}

func newFlight() any { return new(flight) }

func (f *flight) add(buf []byte, off, size int) {
	f.bufs[f.n], f.offs[f.n], f.sizes[f.n] = buf, off, size
	f.n++
}

// sealLocked seals the packets of the flight that are to be, if the call's are sealed,
// and makes them ready.
func (c *Call) sealLocked(protocol ppp.Protocol) {
	f := c.tx.flight
	bufs, offs := f.bufs[:f.n], f.offs[:f.n]
	if c.tx.sender != nil {
		c.tx.sender.SealBatch(&f.batch, bufs, offs)
		protocol = ppp.ProtocolCompressed
	}
	outer := ppp.Header{Protocol: protocol, ACFC: c.tx.acfc, PFC: c.tx.pfc}
	for i, buf := range bufs {
		if c.tx.mrru > 0 {
			c.sendFragmentsLocked(buf, offs[i], protocol, f.sizes[i])
		} else {
			c.addLocked(buf, outer.Push(buf, offs[i]), f.sizes[i])
		}
	}
	clear(bufs) // they belong to others
	f.n = 0
}

// addLocked makes the PPP frame buf[off:] ready; what is ready leaves when there is no
// more room. size is that of the user packet which is complete with this frame, if any.
func (c *Call) addLocked(buf []byte, off, size int) {
	f := c.tx.flight
	off = c.pushGRELocked(buf, off)
	f.pkts[f.ready] = rawgre.Packet{Buf: buf, Off: off, N: len(buf) - off, Peer: c.peer, Local: c.local}
	f.ends[f.ready] = size
	f.ready++
	if f.ready == len(f.pkts) || f.ready == len(c.tx.slots) {
		c.flushLocked()
	}
}

// flushLocked sends what is ready and counts the user packets in it.
func (c *Call) flushLocked() {
	f := c.tx.flight
	n := f.ready
	f.ready = 0
	sent := c.writeLocked(f.pkts[:n])
	var packets, octets, drops uint64
	for i, size := range f.ends[:n] { // exact unless the socket refused one in their midst
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
	c.tx.alone[0] = rawgre.Packet{Buf: buf, Off: off, N: len(buf) - off, Peer: c.peer, Local: c.local}
	c.writeLocked(c.tx.alone[:])
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
	buf := h.Append(c.tx.ack[:0])
	c.tx.alone[0] = rawgre.Packet{Buf: buf, N: len(buf), Peer: c.peer, Local: c.local}
	c.writeLocked(c.tx.alone[:]) // a lost acknowledgement is followed by another
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

// writeLocked sends packets and says how many the socket took. It forgets them: their
// buffers belong to others again.
func (c *Call) writeLocked(pkts []rawgre.Packet) int {
	if len(pkts) == 0 {
		return 0
	}
	sent, _ := c.conn.WriteBatch(pkts) // its error is that it is closed, which the reader reports
	c.plane.drops[DropSend].Add(uint64(len(pkts) - sent))
	clear(pkts)
	return sent
}
