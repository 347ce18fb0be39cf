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
//  1. readGRE takes a batch from a raw socket; all packets of a call come to the same.
//  2. input parses the GRE header, finds the call and compares the peer.
//  3. The sequence window delivers it, holds it for an earlier one, or drops it.
//  4. deliver reads the PPP protocol; fragments are put together.
//  5. dispatch opens encrypted and compressed packets, those that come one after the
//     other together.
//  6. deliverIP and deliverBridged write user packets to their interface, again
//     together; deliverFrame copies all else to the owner's queue.

// buffers makes what the reader number i reads into. The fast door has memory of its own.
func (p *Plane) buffers(i int) []rawgre.Packet {
	if i >= len(p.conns) {
		return make([]rawgre.Packet, fastBatch)
	}
	pkts := make([]rawgre.Packet, batch)
	const slot = maxPacket + skew
	room := make([]byte, batch*slot)
	for i := range pkts {
		pkts[i].Buf = room[i*slot : (i+1)*slot : (i+1)*slot]
	}
	return pkts
}

// readGRE owns the buffers.
func (p *Plane) readGRE(conn rawgre.Conn, pkts []rawgre.Packet, turns *round) error {
	a := new(arrivals)
	for {
		n, err := conn.ReadBatch(pkts)
		if err != nil {
			return err
		}
		turns.Add(1)
		p.input(time.Now(), pkts[:n], a)
		turns.Add(1)
	}
}

// input retains neither pkts nor a, which it works in. Packets of one call that
// follow each other are one piece of work under its lock.
func (p *Plane) input(now time.Time, pkts []rawgre.Packet, a *arrivals) {
	var c *Call // whose lock is held
	for i := range pkts {
		to, seq, payload := p.callOf(now, &pkts[i])
		if to == nil {
			continue
		}
		if to != c {
			c.leaveLocked(now)
			c = to
			c.enter(a)
		}
		c.arriveLocked(now, seq, payload)
	}
	c.leaveLocked(now)
}

// An arrivals is what came for a call while its reader has the call's lock: encrypted
// or compressed packets that wait to be opened together, user packets that wait to be
// written together, and what that needs.
type arrivals struct {
	batch mppe.Batch // at the front, as it likes to be

	n       int
	packets [mppe.MaxBatch][]byte
	errs    [mppe.MaxBatch]error

	opened int
	out    [fastBatch][]byte
	to     tun.Device // of all in out
}

// enter takes the call's lock and lends it a.
func (c *Call) enter(a *arrivals) {
	c.rx.mu.Lock()
	c.rx.arrivals = a
	if c.acks.overdue() {
		c.sendAck()
	}
}

// leaveLocked delivers what waits at a call, if there is one, notes what is to be
// acknowledged, and ends what enter began.
func (c *Call) leaveLocked(now time.Time) {
	if c == nil {
		return
	}
	c.deliverAllLocked()
	c.rx.arrivals = nil
	if highest, ok := c.rx.order.Received(); ok && c.rx.came > 0 {
		c.acks.received(c, now, c.rx.came, highest)
		c.rx.came = 0
	}
	c.rx.mu.Unlock()
}

// deliverAllLocked delivers what waits. It is due before memory in which that stands is
// used again.
func (c *Call) deliverAllLocked() {
	c.openSealedLocked()
	c.writeOpenedLocked()
}

// callOf finds the call of a packet. It is nil if the packet is nobody's, or has
// no payload.
func (p *Plane) callOf(now time.Time, pkt *rawgre.Packet) (c *Call, seq uint32, payload []byte) {
	var h gre.Header
	payload, err := h.Parse(pkt.Bytes())
	if err != nil {
		p.drops[DropHeader].Add(1)
		return nil, 0, nil
	}
	c = p.calls[h.CallID].Load()
	switch {
	case c == nil:
		p.drops[DropNoCall].Add(1)
		return nil, 0, nil
	case c.peer != pkt.Peer:
		p.drops[DropWrongPeer].Add(1)
		return nil, 0, nil
	}
	c.heard.Store(int64(now.Sub(p.start)))
	if !h.HasSeq { // an acknowledgement alone: nobody's window makes us wait
		return nil, 0, nil
	}
	return c, h.Seq, payload
}

// arriveLocked takes the payload with the number seq.
func (c *Call) arriveLocked(now time.Time, seq uint32, payload []byte) {
	switch c.rx.order.Push(now, seq, payload) {
	case gre.Deliver:
		c.deliverLocked(payload)
		c.drainLocked(now)
	case gre.Held:
		c.drainLocked(now)
	case gre.Duplicate:
		c.plane.drops[DropDuplicate].Add(1)
		return
	case gre.Late:
		c.plane.drops[DropLate].Add(1)
		c.stats.rxDrops.Add(1)
		return
	}
	c.rx.came++
}

// drainLocked delivers what is in order by now, and notes when a gap must be
// given up.
func (c *Call) drainLocked(now time.Time) {
	held := false
	for {
		payload, ok := c.rx.order.Pop(now)
		if !ok {
			break
		}
		held = true
		c.deliverLocked(payload)
	}
	if held {
		c.deliverAllLocked() // they are good until the next Push
	}
	if at, ok := c.rx.order.Deadline(); ok {
		c.plane.timers.hold(c, int64(at.Sub(c.plane.start)))
	} else {
		c.holdAt.Store(0)
	}
}

// deliverLocked takes one PPP frame, in order. It may decrypt it in place, and
// retains it only in arrivals.
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
	if protocol == ppp.ProtocolCompressed {
		c.deliverEncryptedLocked(rest)
		return
	}
	c.openSealedLocked() // they came before
	switch protocol {
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
	a := c.rx.arrivals
	a.packets[a.n] = b
	if a.n++; a.n == len(a.packets) {
		c.openSealedLocked()
	}
}

// openSealedLocked opens the packets that wait for that.
func (c *Call) openSealedLocked() {
	a := c.rx.arrivals
	packets := a.packets[:a.n]
	a.n = 0
	for len(packets) > 0 {
		n := c.rx.receiver.OpenBatch(&a.batch, packets, a.errs[:])
		for i, inner := range packets[:n] {
			c.deliverOpenedLocked(inner, a.errs[i])
		}
		clear(packets[:n]) // they belong to others
		packets = packets[n:]
		if c.rx.packed {
			c.writeOpenedLocked()
		}
	}
}

// deliverOpenedLocked takes what came out of an encrypted or compressed packet.
func (c *Call) deliverOpenedLocked(inner []byte, err error) {
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

// writeLockedTo gives a packet to an interface, now or together with those that follow.
func (c *Call) writeLockedTo(d tun.Device, packet []byte) {
	a := c.rx.arrivals
	if a == nil {
		c.rx.alone[0] = packet
		c.writeAllLocked(d, c.rx.alone[:])
		return
	}
	if a.to != d || a.opened == len(a.out) {
		c.writeOpenedLocked()
	}
	a.to, a.out[a.opened] = d, packet
	a.opened++
}

// writeOpenedLocked writes the packets that wait for that.
func (c *Call) writeOpenedLocked() {
	a := c.rx.arrivals
	if a.opened > 0 {
		c.writeAllLocked(a.to, a.out[:a.opened])
		a.to, a.opened = nil, 0
	}
}

// writeAllLocked writes packets and counts them. It forgets them: their memory belongs
// to others again.
func (c *Call) writeAllLocked(d tun.Device, packets [][]byte) {
	taken, _ := d.Write(packets, 0) // an error that lasts ends its reader, who reports it
	var octets uint64
	for _, p := range packets[:taken] { // exact unless the interface refused one in their midst
		octets += uint64(len(p))
	}
	c.stats.rxPackets.Add(uint64(taken))
	c.stats.rxBytes.Add(octets)
	if refused := uint64(len(packets) - taken); refused > 0 {
		c.plane.drops[DropInterface].Add(refused)
		c.stats.rxDrops.Add(refused)
	}
	clear(packets)
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
