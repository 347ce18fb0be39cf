package plane

import (
	"gopptp/internal/tun"
	"gopptp/ppp"
	"gopptp/ppp/bcp"
)

// A payload is the kind of user traffic that a packet is.
type payload uint8

const (
	ipPacket payload = iota
	ethernetFrame
)

// A Bridge says how Ethernet frames flow beside IP packets. The rest, whether they
// may flow at all and what of them is encrypted, is as the Opening has it.
type Bridge struct {
	Device tun.Device
	// MaxFrame is the largest frame that the peer takes; larger ones are dropped.
	MaxFrame int
	// Tagged and Inline say that the peer takes frames of VLANs and those that
	// bridges keep to themselves.
	Tagged, Inline bool
}

// OpenBridge starts Ethernet frames. It starts a goroutine that reads the device
// and ends when the device is closed; WaitBridge waits for it.
func (c *Call) OpenBridge(b Bridge) {
	c.rx.mu.Lock()
	c.rx.bridge = b.Device
	c.rx.mu.Unlock()
	c.tx.mu.Lock()
	c.tx.maxFrame, c.tx.tagged, c.tx.inline = b.MaxFrame, b.Tagged, b.Inline
	c.tx.mu.Unlock()
	// With one octet more than the largest, those beyond it are counted here.
	c.bridgeReader.Go(func() { c.readTUN(ethernetFrame, b.Device, b.MaxFrame+1) })
}

// ShutBridge stops Ethernet frames in both directions.
func (c *Call) ShutBridge() {
	c.rx.mu.Lock()
	c.rx.bridge = nil
	c.rx.mu.Unlock()
	c.tx.mu.Lock()
	c.tx.maxFrame = 0
	c.tx.mu.Unlock()
}

// WaitBridge returns when no goroutine reads a Bridge's device any more. The caller
// has closed the device.
func (c *Call) WaitBridge() { c.bridgeReader.Wait() }

// deliverBridgedLocked takes a frame's packet that came clear or not; whole is the
// PPP frame that it came in. While there is no bridge, that is for the owner to
// refuse.
func (c *Call) deliverBridgedLocked(packet, whole []byte, clear bool) {
	switch {
	case c.rx.bridge == nil:
		c.deliverFrameLocked(whole)
		return
	case !c.rx.flows:
		c.dropLocked(DropBlocked)
		return
	case clear && !c.rx.clear:
		c.dropLocked(DropClear)
		return
	}
	frame, err := bcp.Parse(packet)
	if err != nil {
		c.dropLocked(DropFrame)
		return
	}
	c.used.Store(c.heard.Load())
	if c.rx.queue == nil {
		c.writeLockedTo(c.rx.bridge, frame)
	} else if !c.rx.queue.put(ethernetFrame, frame) {
		c.dropLocked(DropRate)
	}
}

// takesFrameLocked says whether a frame from the bridge is one that the peer takes.
func (c *Call) takesFrameLocked(frame []byte) bool {
	return len(frame) >= bcp.EthernetHeader && len(frame) <= c.tx.maxFrame &&
		(c.tx.tagged || !bcp.Tagged(frame)) && (c.tx.inline || !bcp.Management(frame)) &&
		(c.tx.mrru == 0 || c.fitsLocked(bcp.HeaderLen+len(frame)))
}

// protocolOf is what a packet is sent as.
func protocolOf(kind payload) ppp.Protocol {
	if kind == ethernetFrame {
		return ppp.ProtocolBridge
	}
	return ppp.ProtocolIP
}
