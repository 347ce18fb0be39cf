package plane

import "bytes"

// maxEarly bounds the packets that are kept for a call that is not open yet: what
// a client that dials on demand has ready to send when its own end is up, and the
// first window of TCP.
const maxEarly = 64

// maxEarlyOctets bounds their size: the peer has not necessarily shown who it is.
const maxEarlyOctets = 32 << 10

// An early packet came before the call was open. The peer opens its end when our
// last answer reaches it, and sends at once; our own owner may still be at work on
// the peer's last answer then, which came before the packet.
type earlyPacket struct {
	data  []byte
	clear bool
}

// keepLocked keeps a packet that came too early, unless the call was open before:
// then its traffic was stopped on purpose.
func (c *Call) keepLocked(packet []byte, clear bool) {
	octets := len(packet)
	for _, p := range c.rx.early {
		octets += len(p.data)
	}
	if c.rx.opened || len(c.rx.early) >= maxEarly || octets > maxEarlyOctets {
		c.dropLocked(DropBlocked)
		return
	}
	c.rx.early = append(c.rx.early, earlyPacket{bytes.Clone(packet), clear})
}

// openedLocked delivers what came early, but for clear packets where there must be
// none.
func (c *Call) openedLocked() {
	early := c.rx.early
	c.rx.opened, c.rx.early = true, nil
	for _, p := range early {
		if p.clear && !c.rx.clear {
			c.dropLocked(DropClear)
			continue
		}
		c.deliverIPLocked(p.data, p.clear)
	}
}
