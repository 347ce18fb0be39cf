package tun

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// clonePath is the device from which interfaces are made.
const clonePath = "/dev/net/tun"

// A TUN is an interface of the Linux kernel. It costs one descriptor and no
// memory for packets. The kernel removes it when the process ends, however that
// comes.
type TUN struct {
	name    string
	file    *os.File
	raw     syscall.RawConn
	closing atomic.Bool
	close   func() error
	refused atomic.Uint64

	// Arguments and results of take, which the poller calls. They are owned by
	// the goroutine in Read.
	rx struct {
		bufs  [][]byte
		sizes []int
		off   int
		n     int
		err   error
	}
	takeFunc func(fd uintptr) bool // take; a method value made in Read would be allocated each time
}

var _ Device = (*TUN)(nil)

// Create makes an interface with the given name of at most MaxName octets, in
// the network namespace of the calling thread. It needs CAP_NET_ADMIN. If there
// is an interface with that name, the error is os.ErrExist.
func Create(name string) (*TUN, error) { return create(name, unix.IFF_TUN) }

// CreateTAP makes an interface that carries Ethernet frames, as the port of a
// bridge does. All else is as with Create.
func CreateTAP(name string) (*TUN, error) { return create(name, unix.IFF_TAP) }

func create(name string, kind uint16) (*TUN, error) {
	// The kernel reads "%d" as a demand for a number, and no name as "tun%d".
	if name == "" || len(name) > MaxName || strings.ContainsAny(name, "%\x00") {
		return nil, fmt.Errorf("tun: invalid interface name %.32q", name)
	}
	fd, err := unix.Open(clonePath, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, explain(name, &os.PathError{Op: "open", Path: clonePath, Err: err})
	}
	if err := attach(fd, name, kind); err != nil {
		unix.Close(fd)
		return nil, explain(name, err)
	}
	// Only now may the poller see the descriptor: before it has an interface it
	// reports nothing but errors.
	t := &TUN{name: name, file: os.NewFile(uintptr(fd), clonePath)}
	t.takeFunc = t.take
	t.close = sync.OnceValue(func() error {
		t.closing.Store(true)
		return t.file.Close()
	})
	if t.raw, err = t.file.SyscallConn(); err != nil {
		t.file.Close()
		return nil, explain(name, err)
	}
	return t, nil
}

// attach makes the interface of a descriptor. IFF_TUN_EXCL keeps it from taking
// over an interface that another process left behind or still uses.
func attach(fd int, name string, kind uint16) error {
	req, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	req.SetUint16(kind | unix.IFF_NO_PI | unix.IFF_TUN_EXCL)
	err = unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
	if err == unix.EBUSY {
		err = os.ErrExist
	}
	return os.NewSyscallError("ioctl TUNSETIFF", err)
}

// explain wraps an error of Create and says what is to be done about it.
func explain(name string, err error) error {
	var advice string
	switch {
	case errors.Is(err, os.ErrPermission):
		advice = ": run as root, or grant CAP_NET_ADMIN (systemd: AmbientCapabilities=CAP_NET_ADMIN)"
	case errors.Is(err, os.ErrNotExist), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		advice = ": load the kernel module (modprobe tun), or give the container the device " + clonePath
	}
	return fmt.Errorf("tun: create %q: %w%s", name, err, advice)
}

// Name implements Device.
func (t *TUN) Name() string { return t.name }

// Read implements Device.
func (t *TUN) Read(bufs [][]byte, sizes []int, off int) (int, error) {
	if len(bufs) == 0 {
		return 0, nil
	}
	rx := &t.rx
	rx.bufs, rx.sizes, rx.off, rx.n, rx.err = bufs, sizes[:len(bufs)], off, 0, nil
	err := t.raw.Read(t.takeFunc)
	rx.bufs, rx.sizes = nil, nil // the caller's again
	if err == nil {
		err = rx.err
	}
	if err != nil {
		return 0, t.broken("read", err)
	}
	return rx.n, nil
}

// take reads packets until there is none and reports whether the poller need
// not wait for the first.
func (t *TUN) take(fd uintptr) bool {
	rx := &t.rx
	for rx.n < len(rx.bufs) {
		n, err := unix.Read(int(fd), rx.bufs[rx.n][rx.off:])
		switch {
		case err == nil:
			rx.sizes[rx.n] = n
			rx.n++
		case err == unix.EINTR:
		case rx.n > 0:
			return true // what stands against the next one is for the next Read
		case err == unix.EAGAIN:
			return false
		default:
			rx.err = err
			return true
		}
	}
	return true
}

// Write implements Device.
func (t *TUN) Write(bufs [][]byte, off int) (int, error) {
	sent := 0
	for _, b := range bufs {
		_, err := t.file.Write(b[off:])
		switch {
		case err == nil:
			sent++
		case errors.Is(err, os.ErrClosed), errors.Is(err, unix.EBADFD):
			return sent, t.broken("write", err)
		default:
			t.refused.Add(1)
		}
	}
	return sent, nil
}

// Refused is how many packets of Write the kernel did not take.
func (t *TUN) Refused() uint64 { return t.refused.Load() }

// broken makes an error that ends the use of the device one of ours.
func (t *TUN) broken(op string, err error) error {
	switch {
	case t.closing.Load():
		return net.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ErrInterrupted
	case errors.Is(err, unix.EBADFD): // the descriptor has no interface any more
		return ErrRemoved
	}
	return fmt.Errorf("tun: %s %q: %w", op, t.name, err)
}

// Interrupt implements Device. Setting a deadline fails only after Close, when a
// Read fails anyway.
func (t *TUN) Interrupt() { _ = t.file.SetReadDeadline(time.Unix(1, 0)) }

// Resume implements Device.
func (t *TUN) Resume() { _ = t.file.SetReadDeadline(time.Time{}) }

// Close implements Device.
func (t *TUN) Close() error { return t.close() }
