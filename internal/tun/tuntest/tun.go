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

	"gopptp/internal/tun"
)

// queueLen bounds what waits on either side: the queue length of a TUN
// interface of Linux.
const queueLen = 500

// A TUN is a tun.Device whose other side is a test.
type TUN struct {
	name   string
	frames bool        // it carries Ethernet frames
	down   chan []byte // from the test to Read
	up     chan []byte // from Write to the test
	closed chan struct{}
	once   sync.Once
	remove func()

	mu          sync.Mutex
	interrupted chan struct{} // guarded by mu; closed from Interrupt to Resume
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
		down:   make(chan []byte, queueLen),
		up:     make(chan []byte, queueLen),
		closed: make(chan struct{}),
		remove: remove,

		interrupted: make(chan struct{}),
	}
}

// Send routes a packet into the interface: a Read will return it. It waits for
// room in the queue, does not keep pkt, and fails with net.ErrClosed after Close.
func (t *TUN) Send(ctx context.Context, pkt []byte) error {
	select {
	case <-t.closed:
		return net.ErrClosed
	default:
	}
	select {
	case t.down <- slices.Clone(pkt):
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

// Read implements tun.Device.
func (t *TUN) Read(bufs [][]byte, sizes []int, off int) (int, error) {
	if len(bufs) == 0 {
		return 0, nil
	}
	sizes = sizes[:len(bufs)]
	t.mu.Lock()
	interrupted := t.interrupted
	t.mu.Unlock()
	select {
	case <-t.closed:
		return 0, net.ErrClosed
	case <-interrupted:
		return 0, tun.ErrInterrupted
	default:
	}
	select {
	case pkt := <-t.down:
		sizes[0] = copy(bufs[0][off:], pkt)
	case <-t.closed:
		return 0, net.ErrClosed
	case <-interrupted:
		return 0, tun.ErrInterrupted
	}
	for n := 1; n < len(bufs); n++ {
		select {
		case pkt := <-t.down:
			sizes[n] = copy(bufs[n][off:], pkt)
		default:
			return n, nil
		}
	}
	return len(bufs), nil
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
