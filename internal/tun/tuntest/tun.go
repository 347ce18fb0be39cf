// Package tuntest has network interfaces in memory: tun.Device without a kernel,
// where the test is the IP stack.
//
// A TUN keeps packets in bounded queues and looks into none of them. A Host is a
// set of TUNs with different names. The package starts no goroutine, and all
// waiting is on channels, so it works in a bubble of testing/synctest.
package tuntest

import (
	"context"
	"net"
	"slices"
	"sync"

	"gopptp/internal/offload"
	"gopptp/internal/tun"
)

// queueLen bounds what waits on either side: the queue length of a TUN
// interface of Linux.
const queueLen = 500

// A TUN is a tun.Device whose other side is a test.
type TUN struct {
	name   string
	frames bool        // it carries Ethernet frames
	down   chan packet // from the test to Read
	up     chan []byte // from Write to the test
	closed chan struct{}
	once   sync.Once
	remove func()

	seen packet // what Wait took from down; owned by the goroutine in Wait or Read

	mu          sync.Mutex
	interrupted chan struct{} // guarded by mu; closed from Interrupt to Resume
}

// A packet is one with what the kernel would say of it. Without octets it is none.
type packet struct {
	header offload.Header
	octets []byte
}

var _ tun.Device = (*TUN)(nil)

// New makes an interface that belongs to no Host.
func New(name string) *TUN {
	return newTUN(name, func() {})
}

// NewTAP makes one for Ethernet frames.
func NewTAP(name string) *TUN {
	t := New(name)
	t.frames = true
	return t
}

func newTUN(name string, remove func()) *TUN {
	return &TUN{
		name:   name,
		down:   make(chan packet, queueLen),
		up:     make(chan []byte, queueLen),
		closed: make(chan struct{}),
		remove: remove,

		interrupted: make(chan struct{}),
	}
}

// Send routes a packet into the interface: a Read will return it. It waits for
// room in the queue, does not keep pkt, and fails with net.ErrClosed after Close.
func (t *TUN) Send(ctx context.Context, pkt []byte) error {
	return t.SendSuper(ctx, offload.Header{}, pkt)
}

// SendSuper is Send for a packet that a Read will cut into segments as its header
// says.
func (t *TUN) SendSuper(ctx context.Context, h offload.Header, pkt []byte) error {
	select {
	case <-t.closed:
		return net.ErrClosed
	default:
	}
	select {
	case t.down <- packet{h, slices.Clone(pkt)}:
		return nil
	case <-t.closed:
		return net.ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Receive waits for the next packet that was given to Write. It fails with
// net.ErrClosed when the interface is closed and no packet is left.
func (t *TUN) Receive(ctx context.Context) ([]byte, error) {
	select {
	case pkt := <-t.up:
		return pkt, nil
	default:
	}
	select {
	case pkt := <-t.up:
		return pkt, nil
	case <-t.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Name implements tun.Device.
func (t *TUN) Name() string { return t.name }

// Wait implements tun.Device.
func (t *TUN) Wait() error {
	interrupted, err := t.usable()
	if err != nil || t.seen.octets != nil {
		return err
	}
	select {
	case t.seen = <-t.down:
		return nil
	case <-t.closed:
		return net.ErrClosed
	case <-interrupted:
		return tun.ErrInterrupted
	}
}

// usable says why Wait and Read cannot be used, and gives what tells of an Interrupt
// to come.
func (t *TUN) usable() (interrupted chan struct{}, err error) {
	t.mu.Lock()
	interrupted = t.interrupted
	t.mu.Unlock()
	select {
	case <-t.closed:
		return nil, net.ErrClosed
	case <-interrupted:
		return nil, tun.ErrInterrupted
	default:
		return interrupted, nil
	}
}

// Read implements tun.Device. As the kernel's, it drops what has no room or cannot
// be cut.
func (t *TUN) Read(b *tun.Batch) (int, error) {
	n, _ := b.Fill(0)
	if n == len(b.Bufs) {
		return n, nil
	}
	if _, err := t.usable(); err != nil {
		if n > 0 {
			err = nil
		}
		return n, err
	}
	for n < len(b.Bufs) {
		pkt := t.take()
		switch slot := b.Bufs[n][b.Off:]; {
		case pkt.octets == nil:
			return n, nil
		case pkt.header.Kind != offload.None:
			if b.Split(pkt.header, pkt.octets) == nil {
				n, _ = b.Fill(n)
			}
		case len(pkt.octets) <= len(slot):
			b.Sizes[n] = copy(slot, pkt.octets)
			n++
		}
	}
	return n, nil
}

// take takes the next packet, if there is one.
func (t *TUN) take() (pkt packet) {
	pkt, t.seen = t.seen, packet{}
	if pkt.octets == nil {
		select {
		case pkt = <-t.down:
		default:
		}
	}
	return pkt
}

// Write implements tun.Device. As the kernel does, it refuses what is neither
// IPv4 nor IPv6 by its first four bits, or as a frame has no addresses and type,
// and drops what the test is too slow to receive.
func (t *TUN) Write(bufs [][]byte, off int) (int, error) {
	n := 0
	for _, b := range bufs {
		select {
		case <-t.closed:
			return n, net.ErrClosed
		default:
		}
		pkt := b[off:]
		if t.refuses(pkt) {
			continue
		}
		select {
		case t.up <- slices.Clone(pkt):
			n++
		default:
		}
	}
	return n, nil
}

func (t *TUN) refuses(pkt []byte) bool {
	if t.frames {
		return len(pkt) < 14
	}
	return len(pkt) == 0 || pkt[0]>>4 != 4 && pkt[0]>>4 != 6
}

// Interrupt implements tun.Device.
func (t *TUN) Interrupt() {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.interrupted:
	default:
		close(t.interrupted)
	}
}

// Resume implements tun.Device.
func (t *TUN) Resume() {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.interrupted:
		t.interrupted = make(chan struct{})
	default:
	}
}

// Close implements tun.Device.
func (t *TUN) Close() error {
	t.once.Do(func() {
		t.remove()
		close(t.closed)
	})
	return nil
}
