package rawgre

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// receiveBuffer is asked of the kernel, which takes twice as much to pay
	// for its own structures: room for some 7,000 full packets, 80 ms of one
	// gigabit per second, for the case that the reader is kept off its
	// processor. One socket serves all calls, so it is large once.
	receiveBuffer = 8 << 20

	// sendBuffer bounds what all calls together have in the queues of the
	// network devices. The kernel lets a raw socket use four times as much, so
	// this is again room for some 7,000 full packets. It is a bound on memory:
	// queueing disciplines drop much earlier where a link is slow.
	sendBuffer = 4 << 20
)

// A Socket is the Conn of the kernel. Stats tells what became of the packets
// that it did not carry.
type Socket struct {
	conn  *net.IPConn
	raw   syscall.RawConn
	close func() error

	receiver receiver  // owned by the goroutine in ReadBatch
	senders  sync.Pool // of *sender; one is in use for each goroutine in WriteBatch
	counters counters
}

var _ Conn = (*Socket)(nil)

// Listen opens the socket, for all of the machine's IPv4 addresses, in the
// network namespace of the calling thread. It needs CAP_NET_RAW.
func Listen() (*Socket, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if ctlErr := c.Control(func(fd uintptr) { err = setOptions(int(fd)) }); ctlErr != nil {
			return ctlErr
		}
		return err
	}}
	conn, err := config.ListenPacket(context.Background(), fmt.Sprintf("ip4:%d", Protocol), "0.0.0.0")
	if errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("rawgre: open raw socket: %w: run as root, or grant CAP_NET_RAW (systemd: AmbientCapabilities=CAP_NET_RAW)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("rawgre: open raw socket: %w", err)
	}
	s := &Socket{conn: conn.(*net.IPConn), close: sync.OnceValue(conn.Close)}
	if s.raw, err = s.conn.SyscallConn(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("rawgre: open raw socket: %w", err)
	}
	s.receiver.init()
	s.senders.New = func() any { return newSender() }
	return s, nil
}

// setOptions prepares the socket before it is bound.
func setOptions(fd int) error {
	// A raw socket receives from its creation on, so a few packets can pass
	// before the filter is there. That is harmless: the parser of the GRE
	// header checks the same bits and more.
	if err := attachFilter(fd); err != nil {
		return os.NewSyscallError("setsockopt SO_ATTACH_FILTER", err)
	}
	if err := setBuffer(fd, unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, receiveBuffer); err != nil {
		return os.NewSyscallError("setsockopt SO_RCVBUF", err)
	}
	if err := setBuffer(fd, unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, sendBuffer); err != nil {
		return os.NewSyscallError("setsockopt SO_SNDBUF", err)
	}
	// Outer packets leave without "don't fragment". A full inner packet of 1450
	// octets fits the usual 1500 with all headers, so nothing is fragmented on
	// an ordinary path. On a narrower one fragments are slow, but with the bit
	// set each full packet would be lost: neither PPP nor the sender inside the
	// tunnel can be told of the outer path, and the ICMP message is often
	// filtered on the way or can be forged.
	err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT)
	return os.NewSyscallError("setsockopt IP_MTU_DISCOVER", err)
}

// setBuffer asks for a buffer with CAP_NET_ADMIN, which may pass the limit of
// the machine (net.core.rmem_max), and without it for what the limit gives.
func setBuffer(fd, force, plain, size int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, size); err == nil {
		return nil
	}
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, plain, size)
}

// Close closes the socket. It is idempotent.
func (s *Socket) Close() error { return s.close() }

// closed makes an error of the runtime's poller ours.
func closed(op string, err error) error {
	if errors.Is(err, net.ErrClosed) {
		return net.ErrClosed
	}
	return fmt.Errorf("rawgre: %s: %w", op, err)
}
