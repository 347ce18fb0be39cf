// Package xdp is the fast door of the data path to the network. Where an interface is
// given to it, packets of calls go between the interface and the program past the
// kernel's IP stack, in memory that both have (AF_XDP): a third of what their way through
// the kernel costs otherwise.
//
// A small program in the kernel takes only packets that belong to a call, by Call ID and
// both addresses; everything else, and everything unusual, goes the usual way, and so
// does what is to be sent where the kernel's route and neighbor do not lead to such an
// interface, or while the kernel has IPsec policies. What the machine's firewall, NAT,
// traffic control and packet captures do with the usual way does not happen on the fast one.
package xdp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"gopptp/internal/rawgre"
)

// maxQueues bounds the memory, 8 MiB for each queue of an interface.
const maxQueues = 16

// Ports are the interfaces that are given to us. Run keeps what is known of their
// neighbors; all other methods are safe for concurrent use with it.
type Ports struct {
	calls *ebpf.Map
	ports []*port
	ways  ways
	close sync.Once
}

// A port is one interface.
type port struct {
	queues  []*queue
	senders atomic.Int32 // how many of the queues can send: the first ones
	sockets *ebpf.Map
	program *ebpf.Program
	link    link.Link
	burst   *burst // nil where there are none
}

// driverSuffix after the name of an interface has its driver run the program, also where
// that is of use only if the far end does the same.
const driverSuffix = ":driver"

// Open takes the interfaces with these names, in the network namespace of the calling
// thread. A name may have driverSuffix, and no other: names of interfaces have no colon.
// It needs CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF.
func Open(names []string) (_ *Ports, err error) {
	p := &Ports{ways: ways{ports: map[int]*port{}, known: map[ends]*way{}, ask: make(chan struct{}, 1)}}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if p.ways.kernel, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return nil, fmt.Errorf("fast path: %w", err)
	}
	if p.ways.ipsec, err = netlink.NewHandle(unix.NETLINK_XFRM); err != nil && !errors.Is(err, unix.EPROTONOSUPPORT) {
		return nil, fmt.Errorf("fast path: %w", err)
	}
	if p.calls, err = newCalls(); err != nil {
		return nil, fmt.Errorf("fast path: make a table in the kernel: %w", advised(err))
	}
	for _, name := range names {
		name, inDriver := strings.CutSuffix(name, driverSuffix)
		if name, suffix, ok := strings.Cut(name, ":"); ok {
			return nil, fmt.Errorf("fast path: interface %q: after its name only %q can stand, not \":%s\"", name, driverSuffix, suffix)
		}
		l, err := p.ways.kernel.LinkByName(name)
		if err != nil {
			return nil, fmt.Errorf("fast path: interface %q: %w", name, err)
		}
		if p.ways.ports[l.Attrs().Index] != nil {
			return nil, fmt.Errorf("fast path: interface %q is named twice", name)
		}
		one, err := openPort(l, p.calls, inDriver)
		if err != nil {
			return nil, fmt.Errorf("fast path: interface %q: %w", name, advised(err))
		}
		if one.burst != nil && p.ways.farEnds == nil {
			if p.ways.farEnds, err = openFarEnds(); err != nil {
				one.dropBursts() // nobody says when there can be any
			}
		}
		p.ports = append(p.ports, one)
		p.ways.ports[l.Attrs().Index] = one
	}
	return p, nil
}

// advised says what helps against an error, where that is known.
func advised(err error) error {
	switch {
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w: run as root, or grant CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF and let memory be locked (systemd: AmbientCapabilities=, CapabilityBoundingSet=, LimitMEMLOCK=infinity)", err)
	case errors.Is(err, unix.ENOBUFS):
		return fmt.Errorf("%w: too little memory may be locked: let more be (ulimit -l unlimited; systemd: LimitMEMLOCK=infinity)", err)
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EEXIST):
		return fmt.Errorf("%w: another program, perhaps another gopptp, has it for XDP: end that, or leave this interface out of --fast-path", err)
	case errors.Is(err, unix.EAFNOSUPPORT), errors.Is(err, unix.ENOSYS), errors.Is(err, ebpf.ErrNotSupported):
		return fmt.Errorf("%w: this kernel cannot do it (CONFIG_XDP_SOCKETS, CONFIG_BPF_SYSCALL; Linux 5.9), or this process may not (systemd: RestrictAddressFamilies=AF_XDP): run without --fast-path", err)
	}
	return err
}

func openPort(l netlink.Link, calls *ebpf.Map, inDriver bool) (_ *port, err error) {
	a := l.Attrs()
	if len(a.HardwareAddr) != macLen || a.Flags&net.FlagLoopback != 0 {
		return nil, errors.New("it is not an Ethernet interface")
	}
	if a.MTU > maxMTU {
		return nil, fmt.Errorf("its MTU is %d and may be at most %d", a.MTU, maxMTU)
	}
	o := &port{}
	defer func() {
		if err != nil {
			o.close()
		}
	}()
	for len(o.queues) <= maxQueues {
		q, err := openQueue(a.Index, len(o.queues))
		if errors.Is(err, errNoQueue) {
			break
		}
		if err != nil {
			return nil, err
		}
		o.queues = append(o.queues, q)
	}
	if len(o.queues) > maxQueues {
		return nil, fmt.Errorf("it has more than %d queues: give it fewer (ethtool -L %s combined %d)", maxQueues, a.Name, maxQueues)
	}
	o.senders.Store(int32(len(o.queues)))
	if o.sockets, err = newSockets(len(o.queues)); err != nil {
		return nil, fmt.Errorf("make a table in the kernel: %w", err)
	}
	for i, q := range o.queues {
		if err := o.sockets.Put(uint32(i), uint32(q.fd)); err != nil {
			return nil, err
		}
	}
	// Only where packets cannot overtake each other: cards have a queue for the bursts of
	// each processor.
	if inDriver && l.Type() == "veth" && len(o.queues) == 1 {
		if o.burst, err = newBurst(a.Index); err != nil {
			return nil, err
		}
		if o.program, err = newProgram(calls, o.sockets, o.burst.instructions()); err == nil {
			o.burst.use(o.program)
			o.queues[0].burst = o.burst
		} else { // a kernel before 5.18
			o.dropBursts()
		}
	}
	if o.program == nil {
		if o.program, err = newProgram(calls, o.sockets, nil); err != nil {
			return nil, fmt.Errorf("load a program into the kernel: %w", err)
		}
	}
	o.link, err = attach(o.program, l, inDriver)
	return o, err
}

// dropBursts is for a port that nobody else has yet.
func (o *port) dropBursts() {
	o.queues[0].burst = nil
	o.burst.close()
	o.burst = nil
}

func (o *port) close() {
	if o.link != nil {
		o.link.Close()
	}
	for _, q := range o.queues {
		q.close()
	}
	if o.program != nil {
		o.program.Close()
	}
	if o.sockets != nil {
		o.sockets.Close()
	}
	if o.burst != nil {
		o.burst.close()
	}
}

// queueOf divides the calls among the queues, so that the packets of each stay in order.
func (o *port) queueOf(p *rawgre.Packet) *queue {
	if p.N < atCallID-atGRE+2 {
		return o.queues[0]
	}
	return o.queues[int(binary.BigEndian.Uint16(p.Bytes()[atCallID-atGRE:]))%int(o.senders.Load())]
}

// send sends packets over a way, and says how many of them the kernel has. With an error
// it has none of them.
func (o *port) send(w *way, pkts []rawgre.Packet) (int, error) {
	q := o.queueOf(&pkts[0])
	n, err := q.send(w, pkts)
	if err == errNoSend && q.number > 0 { // there is always one
		o.senders.Store(min(o.senders.Load(), int32(q.number)))
	}
	return n, err
}

// Run keeps the ways to the peers true until the context ends. Before it runs, and for a
// moment with each new peer, all that is sent goes the usual way.
func (p *Ports) Run(ctx context.Context) { p.ways.run(ctx) }

// Close gives the interfaces back. It is idempotent. Run has ended before.
func (p *Ports) Close() { p.close.Do(p.release) }

func (p *Ports) release() {
	for _, o := range p.ports {
		o.close()
	}
	if p.calls != nil {
		p.calls.Close()
	}
	if p.ways.ipsec != nil {
		p.ways.ipsec.Close()
	}
	if p.ways.kernel != nil {
		p.ways.kernel.Close()
	}
	if p.ways.farEnds != nil {
		p.ways.farEnds.close()
	}
}

// Stats counts the packets of the fast path.
type Stats struct {
	Received, Sent uint64
	Malformed      uint64 // received, but not sound
	Overflow       uint64 // not received: the reader is too slow
	NoBuffer       uint64 // not sent: the interface is too slow
}

// Stats adds up what all interfaces have carried.
func (p *Ports) Stats() (s Stats) {
	for _, o := range p.ports {
		for _, q := range o.queues {
			s.Received += q.received.Load()
			s.Sent += q.sent.Load()
			s.Malformed += q.bad.Load()
			s.NoBuffer += q.full.Load()
			s.Overflow += q.dropped()
		}
	}
	return s
}

// Readers are what packets come from, each for a reader of its own. What they read is in
// memory of theirs, good until the next ReadBatch.
func (p *Ports) Readers() []rawgre.Conn {
	var all []rawgre.Conn
	for _, o := range p.ports {
		for _, q := range o.queues {
			all = append(all, reader{q})
		}
	}
	return all
}

// A reader is a queue that only receives.
type reader struct{ *queue }

func (r reader) WriteBatch([]rawgre.Packet) (int, error) { return 0, errors.ErrUnsupported }
func (r reader) Close() error                            { r.close(); return nil }

// Steer makes packets for a Call ID from peer to local come by the readers.
func (p *Ports) Steer(id uint16, local, peer netip.Addr) error {
	if !local.Is4() || !peer.Is4() {
		return nil
	}
	return p.calls.Put(uint32(id), addresses{Peer: peer.As4(), Local: local.As4()})
}

// Release leaves the packets for a Call ID to the kernel.
func (p *Ports) Release(id uint16) error { return p.calls.Put(uint32(id), addresses{}) }

// Over gives a Conn that sends by the interfaces where it can, and else through c, from
// which it also receives.
func (p *Ports) Over(c rawgre.Conn) rawgre.Conn { return &conn{Conn: c, ways: &p.ways} }

type conn struct {
	rawgre.Conn
	ways *ways
}

// WriteBatch implements rawgre.Conn.
func (c *conn) WriteBatch(pkts []rawgre.Packet) (sent int, err error) {
	for len(pkts) > 0 && err == nil {
		first := &pkts[0]
		w := c.ways.to(first.Local, first.Peer)
		fast := w.takes(first)
		n := 1
		for n < len(pkts) && pkts[n].Local == first.Local && pkts[n].Peer == first.Peer && w.takes(&pkts[n]) == fast {
			n++
		}
		var some int
		if fast {
			some, err = w.port.send(w, pkts[:n])
		}
		if !fast || err != nil {
			some, err = c.Conn.WriteBatch(pkts[:n])
		}
		sent += some
		pkts = pkts[n:]
	}
	return sent, err
}
