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

	"gopptp/internal/offload"
)

// clonePath is the device from which interfaces are made.
const clonePath = "/dev/net/tun"

// A TUN is an interface of the Linux kernel. It costs one descriptor and no
// memory for packets. The kernel removes it when the process ends, however that
// comes.
type TUN struct {
	name    string
	frames  bool // it is a TAP
	file    *os.File
	raw     syscall.RawConn
	closing atomic.Bool
	close   func() error

	refused, malformed, tooLong, cuts, merges atomic.Uint64

	// Arguments and results of look and take, which the poller calls. They are owned by
	// the goroutine in Wait or Read.
	rx struct {
		batch *Batch
		n     int
		err   error
	}
	lookFunc, takeFunc func(fd uintptr) bool // method values made in Wait and Read would be allocated each time
}

// Counters are what a TUN counts from its beginning.
type Counters struct {
	Refused   uint64 // packets of Write that the kernel did not take
	Malformed uint64 // packets of the kernel that offload could not make good; with us it is IPv4 only
	TooLong   uint64 // packets of the kernel that had no room in a batch
	Cut       uint64 // super packets of the kernel
	Merged    uint64 // super packets to the kernel
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
	if kind == unix.IFF_TUN {
		if err := offloads(fd); err != nil {
			unix.Close(fd)
			return nil, explain(name, err)
		}
	}
	// Only now may the poller see the descriptor: before it has an interface it
	// reports nothing but errors.
	t := &TUN{name: name, frames: kind == unix.IFF_TAP, file: os.NewFile(uintptr(fd), clonePath)}
	t.lookFunc, t.takeFunc = t.look, t.take
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
	if kind == unix.IFF_TUN {
		features, err := unix.IoctlGetUint32(fd, unix.TUNGETFEATURES)
		if err != nil {
			return os.NewSyscallError("ioctl TUNGETFEATURES", err)
		}
		if features&unix.IFF_VNET_HDR == 0 {
			return errNoOffload
		}
		kind |= unix.IFF_VNET_HDR
	}
	req.SetUint16(kind | unix.IFF_NO_PI | unix.IFF_TUN_EXCL)
	err = unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
	if err == unix.EBUSY {
		err = os.ErrExist
	}
	return os.NewSyscallError("ioctl TUNSETIFF", err)
}

// offloads tells the kernel what it need not do to packets before it gives them to
// us. It takes what we make without being told.
func offloads(fd int) error {
	if err := unix.IoctlSetPointerInt(fd, unix.TUNSETVNETHDRSZ, offload.HeaderLen); err != nil {
		return os.NewSyscallError("ioctl TUNSETVNETHDRSZ", err)
	}
	const tcp = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO_ECN
	// Since Linux 6.2. UDP of IPv4 is not to be had without that of IPv6.
	const udp = unix.TUN_F_USO4 | unix.TUN_F_USO6
	err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, tcp|udp)
	if err == unix.EINVAL {
		err = unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, tcp)
	}
	return os.NewSyscallError("ioctl TUNSETOFFLOAD", err)
}

// errNoOffload says that packets cannot have a header that tells of offloads.
var errNoOffload = errors.New("the kernel's interfaces have no segmentation offload (IFF_VNET_HDR)")

// explain wraps an error of Create and says what is to be done about it.
func explain(name string, err error) error {
	var advice string
	switch {
	case errors.Is(err, os.ErrPermission):
		advice = ": run as root, or grant CAP_NET_ADMIN (systemd: AmbientCapabilities=CAP_NET_ADMIN)"
	case errors.Is(err, os.ErrNotExist), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		advice = ": load the kernel module (modprobe tun), or give the container the device " + clonePath
	case errors.Is(err, errNoOffload):
		advice = ": Linux has it since 2.6.27; a sandbox that stands in for the kernel may lack it, so run outside of it"
	}
	return fmt.Errorf("tun: create %q: %w%s", name, err, advice)
}

// Name implements Device.
func (t *TUN) Name() string { return t.name }

// Counters returns what was counted so far.
func (t *TUN) Counters() Counters {
	return Counters{
		Refused:   t.refused.Load(),
		Malformed: t.malformed.Load(),
		TooLong:   t.tooLong.Load(),
		Cut:       t.cuts.Load(),
		Merged:    t.merges.Load(),
	}
}

// gone says that the descriptor has no interface any more. Once the poller knows,
// it lets nobody read from a descriptor, with an error of its own.
func (t *TUN) gone() (gone bool) {
	err := t.raw.Control(func(fd uintptr) {
		events, err := pollIn(fd)
		gone = err == nil && events&unix.POLLERR != 0
	})
	return err == nil && gone
}

// broken makes an error that ends the use of the device one of ours.
func (t *TUN) broken(op string, err error) error {
	switch {
	case t.closing.Load():
		return net.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ErrInterrupted
	case errors.Is(err, unix.EBADFD), t.gone():
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
