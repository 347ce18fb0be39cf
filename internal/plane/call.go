package plane

import (
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"gopptp/gre"
	"gopptp/internal/rawgre"
	"gopptp/internal/tun"
	"gopptp/mppe"
	"gopptp/ppp/mp"
)

// controlQueue bounds the frames that wait for a call's owner, for whom each call has
// room. A handshake sends a handful; a peer that floods loses its own frames only.
const controlQueue = 16

// ErrNoPeer is returned by SendFrame before the peer's Call ID is known.
var ErrNoPeer = errors.New("plane: the peer's Call ID is not known yet")

// A Signal is something that the data path saw and its owner must act on.
type Signal uint8

// What a Call reports through Frames besides frames.
const (
	NoSignal      Signal = iota
	NeedReset            // MPPE lost synchronisation: a CCP Reset-Request is due
	Resynced             // and has it again
	Undecryptable        // encrypted packets come, but there is no key
	DeviceLost           // an interface is of no more use, as when somebody removed it
	numSignals
)

// A Frame is a PPP frame that is not user traffic, or a signal without one.
type Frame struct {
	Data   []byte // the receiver owns it
	Signal Signal
}

// A Call is one tunnel's entry in the plane. Its methods are safe for
// concurrent use.
type Call struct {
	plane       *Plane
	id          uint16
	conn        rawgre.Conn // what it sends through
	local, peer netip.Addr
	frames      chan Frame
	heard       atomic.Int64 // when the last packet came, since plane.start
	used        atomic.Int64 // when the last user packet came or left, since plane.start
	stats       stats
	acks        acks

	rx struct {
		mu        sync.Mutex
		order     gre.Reorder
		fragments *mp.Reassembler // nil without multilink
		receiver  *mppe.Receiver
		arrivals  *arrivals  // while their reader has the lock
		came      uint32     // packets since it has it
		device    tun.Device // nil while the network layer is down
		lost      bool       // receiver waits for a reset
		bridge    tun.Device // nil without one
		flows     bool       // the network layer is up
		clear     bool       // user traffic comes unencrypted
		plain     bool       // receiver decompresses only, so it may
		packed    bool       // receiver decompresses: what it gives is good for one packet only
		alone     [1][]byte
		signaled  [numSignals]bool
		queue     *queue // nil without a rate limit
		early     []earlyPacket
		opened    bool // Open was called
		closed    bool
	}
	holdAt atomic.Int64 // when rx.order releases a gap, since plane.start; 0 for never
	listed bool         // guarded by timers.mu; stands in timers.holds

	tx struct {
		mu     sync.Mutex // held from MPPE seal to socket write: sequence, coherency count and wire order are one thing
		peerID uint16
		known  bool // peerID is set
		seq    uint32
		sender *mppe.Sender
		open   bool   // user traffic may leave
		clear  bool   // and leaves unencrypted
		plain  bool   // sender compresses only, or is none by agreement, so it may
		pfc    bool   // the peer takes one-octet protocol fields
		acfc   bool   // the peer takes frames without FF 03
		queue  *queue // nil without a rate limit
		closed bool

		maxFrame       int  // the largest Ethernet frame; 0 for none
		tagged, inline bool // which of them the peer takes

		mrru       int // packets are cut, and none is larger; 0 sends them whole
		linkMTU    int // the largest information field, if they are cut
		fragmenter mp.Fragmenter

		slots  [][]byte // room for copied fragments, if packets are cut
		flight *flight  // what is being sent while mu is held
		alone  [1]rawgre.Packet
		ack    [gre.MaxLen]byte // an acknowledgement alone
	}

	reader sync.WaitGroup // readTUN of IP packets

	bridgeReader sync.WaitGroup // readTUN of Ethernet frames
	pacers       sync.WaitGroup // the goroutines of the queues
}

type stats struct {
	rxPackets, rxBytes, txPackets, txBytes, rxDrops, txDrops atomic.Uint64
}

// Stats counts a call's user packets: octets are those of IP packets and of Ethernet
// frames.
type Stats struct {
	RxPackets, RxBytes, TxPackets, TxBytes, RxDrops, TxDrops uint64
}

func (s *Stats) add(o Stats) {
	s.RxPackets += o.RxPackets
	s.RxBytes += o.RxBytes
	s.TxPackets += o.TxPackets
	s.TxBytes += o.TxBytes
	s.RxDrops += o.RxDrops
	s.TxDrops += o.TxDrops
}

// minus is what was counted since o.
func (s Stats) minus(o Stats) Stats {
	return Stats{
		RxPackets: s.RxPackets - o.RxPackets, RxBytes: s.RxBytes - o.RxBytes, RxDrops: s.RxDrops - o.RxDrops,
		TxPackets: s.TxPackets - o.TxPackets, TxBytes: s.TxBytes - o.TxBytes, TxDrops: s.TxDrops - o.TxDrops,
	}
}

func newCall(p *Plane, local, peer netip.Addr) *Call {
	c := &Call{plane: p, local: local, peer: peer, frames: make(chan Frame, controlQueue)}
	now := int64(time.Since(p.start))
	c.heard.Store(now)
	c.used.Store(now)
	return c
}

// ID is our Call ID: what the peer writes into its packets.
func (c *Call) ID() uint16 { return c.id }

// SetPeerID sets the peer's Call ID; nothing can be sent before.
func (c *Call) SetPeerID(id uint16) {
	c.tx.mu.Lock()
	defer c.tx.mu.Unlock()
	c.tx.peerID, c.tx.known = id, true
}

// Frames gives the frames and signals for the call's owner, in order of
// arrival. It is never closed.
func (c *Call) Frames() <-chan Frame { return c.frames }

// Heard is when the last packet of the call came.
func (c *Call) Heard() time.Time { return c.plane.start.Add(time.Duration(c.heard.Load())) }

// Used is when the last user packet came or left; at first, when the call began.
func (c *Call) Used() time.Time { return c.plane.start.Add(time.Duration(c.used.Load())) }

// Stats gives the call's counters.
func (c *Call) Stats() Stats {
	s := &c.stats
	return Stats{
		RxPackets: s.rxPackets.Load(), RxBytes: s.rxBytes.Load(), RxDrops: s.rxDrops.Load(),
		TxPackets: s.txPackets.Load(), TxBytes: s.txBytes.Load(), TxDrops: s.txDrops.Load(),
	}
}

// SetReceiver makes encrypted or compressed packets from the peer readable. It
// must be called before the frame leaves that allows the peer to send them.
func (c *Call) SetReceiver(cfg mppe.Config, key mppe.StartKey) {
	var r *mppe.Receiver
	if cfg.Active() {
		r = mppe.NewReceiver(cfg, key)
	}
	c.rx.mu.Lock()
	defer c.rx.mu.Unlock()
	c.rx.receiver, c.rx.plain, c.rx.packed = r, cfg.Strength == mppe.None, cfg.Compress
	c.rx.signaled = [numSignals]bool{}
}

// SetSender makes user traffic to the peer encrypted or compressed, as cfg says.
func (c *Call) SetSender(cfg mppe.Config, key mppe.StartKey) {
	var s *mppe.Sender
	if cfg.Active() {
		s = mppe.NewSender(cfg, key)
	}
	c.tx.mu.Lock()
	defer c.tx.mu.Unlock()
	c.tx.sender, c.tx.plain = s, cfg.Strength == mppe.None
}

// Rearm lets the data path raise its signals again, after the owner has acted.
func (c *Call) Rearm(s Signal) {
	c.rx.mu.Lock()
	defer c.rx.mu.Unlock()
	c.rx.signaled[s] = false
}

// An Opening says how user traffic flows once the network layer is up.
type Opening struct {
	Device tun.Device // nil where there is no IP
	// SendClear and ReceiveClear allow unencrypted user packets; without them a
	// clear packet is never sent and is dropped on receipt. Where a sender
	// compresses only, packets leave through it all the same.
	SendClear, ReceiveClear bool
	PFC, ACFC               bool // what the peer agreed to receive
	// MTU is the device's: no larger packet is read from it than this, or than
	// usualPacket if that is more.
	MTU int
}

// Open starts user traffic. It starts a goroutine that reads the device and
// ends when the device is closed; Close waits for it.
func (c *Call) Open(o Opening) {
	c.rx.mu.Lock()
	c.rx.device, c.rx.flows, c.rx.clear = o.Device, true, o.ReceiveClear
	c.openedLocked()
	c.rx.mu.Unlock()
	c.tx.mu.Lock()
	c.tx.open, c.tx.clear, c.tx.pfc, c.tx.acfc = true, o.SendClear, o.PFC, o.ACFC
	c.tx.mu.Unlock()
	if o.Device != nil {
		c.reader.Go(func() { c.readTUN(ipPacket, o.Device, o.MTU) })
	}
}

// Shut stops user traffic in both directions; the keys stay.
func (c *Call) Shut() {
	c.rx.mu.Lock()
	c.rx.device, c.rx.flows = nil, false
	c.rx.mu.Unlock()
	c.tx.mu.Lock()
	c.tx.open = false
	c.tx.mu.Unlock()
}

// Block stops user traffic and takes the keys away, as while CCP negotiates
// anew.
func (c *Call) Block() {
	c.Shut()
	c.rx.mu.Lock()
	c.rx.receiver, c.rx.early = nil, nil
	c.rx.mu.Unlock()
	c.tx.mu.Lock()
	c.tx.sender = nil
	c.tx.mu.Unlock()
}

// Resume lets user traffic flow again for the device that Open was given, once
// CCP is agreed on anew or for the first time. Where SetReceiver or SetSender was
// last given a strength, or was never called, no clear packet passes any more.
func (c *Call) Resume(d tun.Device) {
	c.rx.mu.Lock()
	c.rx.device, c.rx.flows, c.rx.clear = d, true, c.rx.plain
	c.rx.mu.Unlock()
	c.tx.mu.Lock()
	c.tx.open, c.tx.clear = true, c.tx.plain
	c.tx.mu.Unlock()
}

// WaitReader returns when no goroutine reads a device of the call any more. The
// caller has closed the device.
func (c *Call) WaitReader() { c.reader.Wait() }

// Close takes the call out of the table: its packets are dropped from here on.
func (c *Call) Close() {
	p := c.plane
	p.ended.mu.Lock()
	first, counted := p.calls[c.id].CompareAndSwap(c, nil), c.Stats()
	if first {
		p.ended.stats.add(counted)
		if p.fast != nil {
			_ = p.fast.Release(c.id) // else its packets come and are dropped
		}
	}
	p.ended.mu.Unlock()
	c.Block()
	c.rx.mu.Lock()
	c.rx.closed = true
	waiting := []*queue{c.rx.queue}
	c.rx.queue = nil
	c.rx.mu.Unlock()
	c.tx.mu.Lock()
	c.tx.closed = true
	waiting = append(waiting, c.tx.queue)
	c.tx.queue = nil
	c.tx.mu.Unlock()
	for _, q := range waiting {
		if q != nil {
			close(q.done)
		}
	}
	c.pacers.Wait()
	if first { // what was on its way
		p.ended.mu.Lock()
		p.ended.stats.add(c.Stats().minus(counted))
		p.ended.mu.Unlock()
	}
}
