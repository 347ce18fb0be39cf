package load

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"gopptp/internal/tun"
)

// A device is the far end of a tunnel, where another client has an interface: it
// sends echoes to the peer and counts the answers.
type device struct {
	id     uint16 // of the echoes
	wake   chan struct{}
	closed chan struct{}
	once   sync.Once

	mu            sync.Mutex
	local, remote netip.Addr // guarded by mu, like all below
	echo          []byte     // what is sent
	seq           uint16     // of echo
	due           int        // how often it is yet to be sent
	again         bool       // and once more for each answer
	answered      int        // answers to echo
	answer        chan time.Time
}

var _ tun.Device = (*device)(nil)

func newDevice(id uint16) *device {
	return &device{id: id, wake: make(chan struct{}, 1), closed: make(chan struct{}), answer: make(chan time.Time, 1)}
}

// address sets the addresses of the tunnel's ends.
func (d *device) address(local, remote netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.local, d.remote = local, remote
}

// ask sends n echoes of size octets, and with again one more for each answer.
// Answers to earlier echoes count no more.
func (d *device) ask(size, n int, again bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seq++
	d.echo = appendEcho(d.echo[:0], d.local, d.remote, d.id, d.seq, size)
	d.due, d.again, d.answered = n, again, 0
	select {
	case <-d.answer: // to an earlier one
	default:
	}
	d.kick()
}

// quiet sends no more echoes.
func (d *device) quiet() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.due, d.again = 0, false
}

// answers says how many there were since ask.
func (d *device) answers() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.answered
}

// kick wakes the reader.
func (d *device) kick() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// take writes the next packet to b and gives its length, 0 if there is none.
func (d *device) take(b []byte) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.due == 0 {
		return 0
	}
	d.due--
	return copy(b, d.echo)
}

// put takes a packet from the peer.
func (d *device) put(packet []byte) {
	id, seq, ok := parseAnswer(packet)
	if !ok || id != d.id {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if seq != d.seq {
		return
	}
	d.answered++
	if d.again {
		d.due++
		d.kick()
		return
	}
	select {
	case d.answer <- time.Now():
	default:
	}
}

// Name implements tun.Device.
func (d *device) Name() string { return "load" }

// Wait implements tun.Device.
func (d *device) Wait() error {
	for {
		select {
		case <-d.closed:
			return net.ErrClosed
		default:
		}
		if d.busy() {
			return nil
		}
		select {
		case <-d.wake:
		case <-d.closed:
			return net.ErrClosed
		}
	}
}

// busy reports whether there is something to send.
func (d *device) busy() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.due > 0
}

// Read implements tun.Device.
func (d *device) Read(b *tun.Batch) (n int, err error) {
	for n < len(b.Bufs) {
		if b.Sizes[n] = d.take(b.Bufs[n][b.Off:]); b.Sizes[n] == 0 {
			break
		}
		n++
	}
	return n, nil
}

// Write implements tun.Device.
func (d *device) Write(bufs [][]byte, off int) (int, error) {
	for _, b := range bufs {
		d.put(b[off:])
	}
	return len(bufs), nil
}

// Interrupt implements tun.Device. Nobody lends this one to another session.
func (d *device) Interrupt() {}

// Resume implements tun.Device.
func (d *device) Resume() {}

// Close implements tun.Device.
func (d *device) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}
