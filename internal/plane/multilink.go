package plane

import (
	"gopptp/mppe"
	"gopptp/ppp"
	"gopptp/ppp/mp"
)

// mppeRoom is what encryption or compression adds to a packet at most: its header
// and the protocol field within.
const mppeRoom = mppe.Overhead + 2

// fragmentBatch is how many fragments leave together at most: each call that cuts
// packets has room of its own for that many, all the time.
const fragmentBatch = 16

// A Multilink says how user packets are cut to send them, and put together when
// they come (RFC 1990). The zero value does neither.
type Multilink struct {
	// ReceiveMRRU is the largest packet to put together; 0 leaves fragments to the
	// call's owner, like all that is not known here.
	ReceiveMRRU int
	// SendMRRU is the largest packet that the peer puts together; 0 sends packets
	// whole. What is larger, encryption included, is dropped.
	SendMRRU int
	// SendShort is short sequence numbers.
	SendShort bool
	// SendMTU is the largest information field of a frame, a fragment's header
	// included.
	SendMTU int
}

// SetMultilink makes m hold from the next packet on, in both directions. What has
// come of a packet that is not complete is forgotten; the numbers of the
// fragments that are sent go on.
func (c *Call) SetMultilink(m Multilink) {
	var fragments *mp.Reassembler
	if m.ReceiveMRRU > 0 {
		fragments = mp.NewReassembler(m.ReceiveMRRU, false)
	}
	c.rx.mu.Lock()
	c.rx.fragments = fragments
	c.rx.mu.Unlock()
	var slots [][]byte
	if m.SendMRRU > 0 {
		slots = make([][]byte, fragmentBatch)
		slot := Headroom + m.SendMTU
		room := make([]byte, len(slots)*slot)
		for i := range slots {
			slots[i] = room[i*slot : (i+1)*slot : (i+1)*slot]
		}
	}
	c.tx.mu.Lock()
	c.tx.mrru, c.tx.linkMTU, c.tx.slots = m.SendMRRU, m.SendMTU, slots
	c.tx.fragmenter.Short = m.SendShort
	c.tx.mu.Unlock()
}

// fitsLocked says whether the peer takes an information field of that size, which all of
// its fragments would have to cross to find out.
func (c *Call) fitsLocked(size int) bool {
	if c.tx.sender != nil {
		size += mppeRoom
	}
	return size <= c.tx.mrru
}

// sendFragmentsLocked cuts the packet of protocol at buf[off:] and sends the
// fragments. size is that of the IP packet.
//
// The first fragment stays where it is. Each other one is copied behind free
// Headroom, into the slot that belongs to its place in the batch.
func (c *Call) sendFragmentsLocked(buf []byte, off int, protocol ppp.Protocol, size int) {
	whole := ppp.Header{Protocol: protocol, ACFC: true, PFC: c.tx.pfc}
	off = whole.Push(buf, off)
	packet := c.tx.fragmenter.Cut(buf[off:], c.tx.linkMTU)
	outer := ppp.Header{Protocol: ppp.ProtocolMP, ACFC: c.tx.acfc, PFC: c.tx.pfc}
	for h, data, ok := packet.Next(); ok; h, data, ok = packet.Next() {
		to := buf[:off+len(data)]
		at, counted := off, 0
		if !h.Begin {
			at = Headroom
			to = append(c.tx.slots[c.tx.flight.ready][:at], data...)
		}
		if h.End {
			counted = size
		}
		c.addLocked(to, outer.Push(to, h.Push(to, at)), counted)
	}
}

// joinLocked takes a fragment, what follows the protocol field of MP. When it
// completes a packet, that is delivered; a packet within is never another
// fragment.
func (c *Call) joinLocked(fragment []byte) {
	frame, err := c.rx.fragments.Input(fragment)
	switch {
	case err != nil:
		c.dropLocked(DropFragment)
		return
	case frame == nil:
		return
	}
	var h ppp.Header
	rest, err := h.Parse(frame)
	if err != nil || h.Protocol == ppp.ProtocolMP {
		c.dropLocked(DropFrame)
		return
	}
	c.dispatchLocked(h.Protocol, rest, frame)
	c.deliverAllLocked() // frame is good until the next fragment
}
