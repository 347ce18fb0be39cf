// Package plane is the hot path: it takes GRE packets from the raw socket to
// network interfaces and back, for all calls of the process. It is the only
// package that touches user packets.
//
// It decides nothing: which keys are in force and whether a call carries
// traffic is told to it by the call's owner, and every frame that is not user
// traffic is handed to that owner through a bounded queue.
//
// A packet from the network is handled in one goroutine from the socket to the
// interface (in.go); a packet from an interface in one goroutine from the
// interface to the socket (out.go). Locks: Call.rx.mu before Call.tx.mu, never
// the other way.
package plane

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gopptp/gre"
	"gopptp/internal/rawgre"
	"gopptp/mppe"
	"gopptp/ppp"
	"gopptp/ppp/bcp"
	"gopptp/ppp/mp"
)

// batch is how many packets one system call takes from or gives to the raw
// socket.
const batch = rawgre.BatchSize

// fastBatch is how many packets are taken from the fast door at once. A full segment of
// TCP is cut into 46, so two thirds of a batch of 64 become one write to the interface
// and the rest another; of 128 there are three, and fewer acknowledgements in return. It
// is less than Window: who has filled that is told after the first batch, not the last.
const fastBatch = 2 * batch

const _ = uint(Window - fastBatch - 1)

// maxPacket is the room for one received IP packet. A PPP frame in a PPTP packet
// has at most 1532 octets (RFC 2637, section 4.1); peers with a larger MRU of
// their own idea are still understood.
const maxPacket = 4096

// Headroom is what out.go may write before an IP packet.
const Headroom = 40

// A GRE header and a PPP header must fit, in a fragment the header of MP and
// another one of PPP, and inside MPPE a third (those without FF 03, but counted
// in full), and before an Ethernet frame that of BCP: a negative constant does not compile.
const _ = uint(Headroom - gre.MaxLen - ppp.MaxHeaderLen - mp.MaxHeaderLen - ppp.MaxHeaderLen - mppe.Overhead - ppp.MaxHeaderLen - bcp.HeaderLen)

// ErrNoCallID is returned when all 65,535 Call IDs are in use.
var ErrNoCallID = errors.New("plane: no free Call ID")

// A Plane is safe for concurrent use. Make it with New.
type Plane struct {
	conns   []rawgre.Conn // those of a shard's calls are sent through its own
	readers []rawgre.Conn // what packets come from: conns, and those of the fast door
	turns   []round       // of the readers
	fast    FastDoor      // nil without one
	start   time.Time     // the zero of Call.heard
	calls   [1 << 16]atomic.Pointer[Call]
	drops   [numDrops]atomic.Uint64

	mu   sync.Mutex
	next uint16 // guarded by mu; last Call ID given

	ended struct {
		mu    sync.Mutex // held while a call leaves the table, so that each is counted once
		stats Stats      // of calls that have left it
	}

	timers  timers
	batches sync.Pool // of *tun.Batch, for packets of usual size
	flights sync.Pool // of *flight
}

// A FastDoor takes packets of calls past the sockets (internal/xdp).
type FastDoor interface {
	// Readers are what its packets come from, each for a reader of its own. They set Buf
	// of what they read to memory of theirs, good until the next ReadBatch.
	Readers() []rawgre.Conn
	// Over gives a Conn that sends fast where it can, and else through c.
	Over(c rawgre.Conn) rawgre.Conn
	// Steer makes packets for a Call ID between two addresses come by the fast door,
	// and Release undoes that.
	Steer(id uint16, local, peer netip.Addr) error
	Release(id uint16) error
}

// New makes a plane over sockets, each with a reader of its own.
func New(conns ...rawgre.Conn) *Plane { return newPlane(nil, conns, conns) }

// NewFast makes a plane over sockets with a fast door beside them.
func NewFast(fast FastDoor, conns ...rawgre.Conn) *Plane {
	over := make([]rawgre.Conn, len(conns))
	for i, c := range conns {
		over[i] = fast.Over(c)
	}
	return newPlane(fast, over, append(slices.Clone(conns), fast.Readers()...))
}

func newPlane(fast FastDoor, conns, readers []rawgre.Conn) *Plane {
	return &Plane{
		conns:   conns,
		readers: readers,
		fast:    fast,
		turns:   make([]round, len(readers)),
		start:   time.Now(),
		next:    uint16(rand.Uint32()),
		timers:  timers{wake: make(chan struct{}, 1)},

		batches: sync.Pool{New: func() any { return newReadBatch(usualPacket) }},
		flights: sync.Pool{New: newFlight},
	}
}

// Run receives packets until Close, or until a socket fails, and returns the cause.
func (p *Plane) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	wg.Go(func() { p.runTimers(ctx) })
	for i, conn := range p.readers {
		wg.Go(func() {
			cancel(p.readGRE(conn, p.buffers(i), &p.turns[i]))
			p.Close() // one fails, all end
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// A round counts what a reader does: even while it waits for packets, odd while it
// works on some. It has a cache line of its own.
type round struct {
	atomic.Uint64
	_ [56]byte
}

// Turns gives for each reader how often it has begun and ended to work. One that is
// odd, and later still the same, has come to a halt over its packets: each turn takes
// microseconds.
func (p *Plane) Turns() []uint64 {
	now := make([]uint64, len(p.turns))
	for i := range now {
		now[i] = p.turns[i].Load()
	}
	return now
}

// Close closes the sockets. It is idempotent.
func (p *Plane) Close() {
	for _, conn := range p.readers {
		conn.Close()
	}
}

// connOf gives the socket that receives the packets of a Call ID, as rawgre.Listen
// divides them.
func (p *Plane) connOf(id uint16) rawgre.Conn { return p.conns[int(id)%len(p.conns)] }

// NewCall gives a call a Call ID and a place in the table: from here on, packets
// of peer for that id reach it. local is the address that the call's packets
// leave from.
func (p *Plane) NewCall(local, peer netip.Addr) (*Call, error) {
	c := newCall(p, local.Unmap(), peer.Unmap())
	p.mu.Lock()
	defer p.mu.Unlock()
	for range 1 << 16 {
		p.next++ // a Call ID is not used again before all others have been
		if p.next != 0 && p.calls[p.next].Load() == nil {
			c.id, c.conn = p.next, p.connOf(p.next)
			p.calls[p.next].Store(c)
			if p.fast != nil {
				_ = p.fast.Steer(c.id, c.local, c.peer) // else the socket receives them
			}
			return c, nil
		}
	}
	return nil, ErrNoCallID
}

// Totals counts the user packets of all calls since the plane was made, those that
// have ended too. No count ever becomes less. It looks at every call, which the calls
// do not notice; what it costs is for who asks.
func (p *Plane) Totals() Stats {
	p.ended.mu.Lock()
	defer p.ended.mu.Unlock()
	sum := p.ended.stats
	for i := range p.calls {
		if c := p.calls[i].Load(); c != nil {
			sum.add(c.Stats())
		}
	}
	return sum
}

// A Drop is a reason to drop a received packet.
type Drop int

// The reasons, as metrics and tests name them.
const (
	DropHeader       Drop = iota // not an enhanced GRE packet
	DropNoCall                   // no such Call ID
	DropWrongPeer                // a Call ID of another peer
	DropDuplicate                // sequence number seen before
	DropLate                     // came after its place was given up
	DropFrame                    // not a PPP frame
	DropFragment                 // of a packet that cannot be put together
	DropClear                    // clear user traffic where it must be encrypted
	DropBlocked                  // user traffic while the network layer is down
	DropNoKey                    // encrypted without a key
	DropEncryption               // MPPE refused it
	DropNotIPv4                  // user traffic that is not IPv4
	DropControlQueue             // the owner's queue was full
	DropInterface                // the interface did not take it
	DropRate                     // beyond the rate limit
	DropSend                     // the socket did not take it
	numDrops
)

var dropNames = [numDrops]string{"header", "no-call", "wrong-peer", "duplicate", "late", "frame", "fragment", "clear", "blocked",
	"no-key", "encryption", "not-ipv4", "control-queue", "interface", "rate-limit", "send"}

// String gives the reason's name.
func (d Drop) String() string { return dropNames[d] }

// Drops gives how many packets were dropped for the reason d.
func (p *Plane) Drops(d Drop) uint64 { return p.drops[d].Load() }
