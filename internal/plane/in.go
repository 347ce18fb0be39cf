package plane

import (
	"time"

	"gopptp/gre"
	"gopptp/internal/rawgre"
	"gopptp/internal/tun"
	"gopptp/mppe"
	"gopptp/ppp"
)

// What happens to a packet from the network, in this order and in one goroutine:
//
//  1. readGRE takes a batch from the raw socket.
//  2. input parses the GRE header, finds the call and compares the peer.
//  3. The sequence window delivers it, holds it for an earlier one, or drops it.
//  4. deliver reads the PPP protocol; fragments are put together.
//  5. dispatch opens encrypted and compressed packets.
//  6. deliverIP and deliverBridged write user packets to their interface;
//     deliverFrame copies all else to the owner's queue.

// readGRE owns the receive buffers.
func (p *Plane) readGRE() error {
	pkts := make([]rawgre.Packet, batch)
	room := make([]byte, batch*maxPacket)
	for i := range pkts {
		pkts[i].Buf = room[i*maxPacket : (i+1)*maxPacket : (i+1)*maxPacket]
	}
	for {
		n, err := p.conn.ReadBatch(pkts)
		if err != nil {
			return err
		}
		now := time.Now()
		for i := range n {
			p.input(now, &pkts[i])
		}
	}
}

// input does not retain pkt.
func (p *Plane) input(now time.Time, pkt *rawgre.Packet) {
	var h gre.Header
	payload, err := h.Parse(pkt.Bytes())
	if err != nil {
		p.drops[DropHeader].Add(1)
		return
	}
	c := p.calls[h.CallID].Load()
	switch {
	case c == nil:
		p.drops[DropNoCall].Add(1)
		return
	case c.peer != pkt.Peer:
		p.drops[DropWrongPeer].Add(1)
		return
	}
	c.heard.Store(int64(now.Sub(p.start)))
	if !h.HasSeq { // an acknowledgement alone: nobody's window makes us wait
		return
	}
	c.rx.mu.Lock()
	defer c.rx.mu.Unlock()
	switch c.rx.order.Push(now, h.Seq, payload) {
	case gre.Deliver:
		c.deliverLocked(payload)
		c.drainLocked(now)
	case gre.Held:
		c.drainLocked(now)
	case gre.Duplicate:
		p.drops[DropDuplicate].Add(1)
		return
	case gre.Late:
		p.drops[DropLate].Add(1)
		c.stats.rxDrops.Add(1)
		return
	}
	if highest, ok := c.rx.order.Received(); ok {
		c.acks.received(c, now, highest)
	}
}

// drainLocked delivers what is in order by now, and notes when a gap must be
// given up.
func (c *Call) drainLocked(now time.Time) {
	for {
		payload, ok := c.rx.order.Pop(now)
		if !ok {
			break
		}
		c.deliverLocked(payload)
	}
	if at, ok := c.rx.order.Deadline(); ok {
		c.plane.timers.hold(c, int64(at.Sub(c.plane.start)))
	} else {
		c.holdAt.Store(0)
	}
}

// deliverLocked takes one PPP frame, in order. It does not retain frame, but
// may decrypt it in place.
func (c *Call) deliverLocked(frame []byte) {
	if c.rx.closed {
		return
	}
	var h ppp.Header
	rest, err := h.Parse(frame)
	if err != nil {
		c.dropLocked(DropFrame)
		return
	}
	if h.Protocol == ppp.ProtocolMP && c.rx.fragments != nil {
		c.joinLocked(rest)
		return
	}
	c.dispatchLocked(h.Protocol, rest, frame)
}

// dispatchLocked takes a frame that is whole, and what follows its protocol field.
func (c *Call) dispatchLocked(protocol ppp.Protocol, rest, frame []byte) {
	switch protocol {
	case ppp.ProtocolCompressed:
		c.deliverEncryptedLocked(rest)
	case ppp.ProtocolIP:
		if c.rx.device != nil && !c.rx.clear {
			c.dropLocked(DropClear)
			return
		}
		c.deliverIPLocked(rest, true)
	case ppp.ProtocolBridge:
		c.deliverBridgedLocked(rest, frame, true)
	default:
		c.deliverFrameLocked(frame)
	}
}

func (c *Call) deliverEncryptedLocked(b []byte) {
	if c.rx.receiver == nil {
		c.dropLocked(DropNoKey)
		c.signalLocked(Undecryptable)
		return
	}
	inner, err := c.rx.receiver.Open(b)
	if err != nil {
		c.dropLocked(DropEncryption)
		if c.rx.receiver.NeedsReset() {
			c.rx.lost = true
			c.signalLocked(NeedReset)
		}
		if err == mppe.ErrEncrypted {
			c.signalLocked(Undecryptable)
		}
		return
	}
	if c.rx.lost {
		c.rx.lost = false
		c.signalLocked(Resynced)
		c.rx.signaled[Resynced] = false
	}
	var h ppp.Header
	rest, err := h.Parse(inner)
	switch {
	case err != nil:
		c.dropLocked(DropFrame)
	case h.Protocol == ppp.ProtocolIP:
		c.deliverIPLocked(rest, false)
	case h.Protocol == ppp.ProtocolBridge:
		c.deliverBridgedLocked(rest, inner, false)
	default:
		c.deliverFrameLocked(inner)
	}
}

// deliverIPLocked takes an IP packet that came clear or not.
func (c *Call) deliverIPLocked(packet []byte, clear bool) {
	if c.rx.device == nil {
		c.keepLocked(packet, clear)
		return
	}
	if len(packet) < 20 || packet[0]>>4 != 4 {
		c.dropLocked(DropNotIPv4)
		return
	}
	c.used.Store(c.heard.Load())
	if c.rx.queue == nil {
		c.writeLockedTo(c.rx.device, packet)
	} else if !c.rx.queue.put(ipPacket, packet) {
		c.dropLocked(DropRate)
	}
}

// writeLockedTo gives a packet to an interface.
func (c *Call) writeLockedTo(d tun.Device, packet []byte) {
	c.rx.out[0] = packet
	_, err := d.Write(c.rx.out[:], 0)
	c.rx.out[0] = nil
	if err != nil {
		c.dropLocked(DropInterface)
		return
	}
	c.stats.rxPackets.Add(1)
	c.stats.rxBytes.Add(uint64(len(packet)))
}

func (c *Call) deliverFrameLocked(frame []byte) {
	select {
	case c.frames <- Frame{Data: append([]byte(nil), frame...)}:
	default:
		c.dropLocked(DropControlQueue)
	}
}

// signalLocked tells the owner once; it hears again after Rearm or SetReceiver.
func (c *Call) signalLocked(s Signal) {
	if c.rx.signaled[s] {
		return
	}
	select {
	case c.frames <- Frame{Signal: s}:
		c.rx.signaled[s] = true
	default:
	}
}

func (c *Call) dropLocked(d Drop) {
	c.plane.drops[d].Add(1)
	c.stats.rxDrops.Add(1)
}
