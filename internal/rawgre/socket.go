package rawgre

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

const (
	// receiveBuffer is asked of the kernel, which takes twice as much to pay
	// for its own structures: room for some 7,000 full packets, 80 ms of one
	// gigabit per second, for the case that the reader is kept off its
	// processor. A socket serves many calls, so it is large once.
	receiveBuffer = 8 << 20

	// sendBuffer bounds what all calls together have in the queues of the
	// network devices. The kernel lets a raw socket use four times as much, so
	// this is again room for some 7,000 full packets. It is a bound on memory:
	// queueing disciplines drop much earlier where a link is slow.
	sendBuffer = 4 << 20
)

// A Socket is the Conn of the kernel. Stats tells what became of the packets
// that it did not carry.
//
// It is two sockets of the kernel, one to receive and one to send. The runtime's poller
// waits for both directions of what it knows, and a socket that sends tells it of each
// packet that has left, which costs as much as sending: so it does not know the second.
type Socket struct {
	in    syscall.RawConn
	out   syscall.RawConn
	close func() error

	receiver receiver  // owned by the goroutine in ReadBatch
	senders  sync.Pool // of *sender; one is in use for each goroutine in WriteBatch
	counters counters
}

var _ Conn = (*Socket)(nil)

// MaxShards bounds the sockets of Listen: the kernel shows each packet to all of them.
const MaxShards = 8

// Listen opens shards sockets, a power of two up to MaxShards, for all of the machine's
// IPv4 addresses, in the network namespace of the calling thread. Socket i receives the
// packets whose Call ID is i modulo shards, so each can have a reader of its own; any of
// them sends any packet. It needs CAP_NET_RAW.
func Listen(shards int) ([]*Socket, error) {
	if shards < 1 || shards > MaxShards || shards&(shards-1) != 0 {
		return nil, fmt.Errorf("rawgre: cannot divide Call IDs among %d sockets", shards)
	}
	var sockets []*Socket
	for i := range shards {
		s, err := listen(filter(i, shards))
		if err != nil {
			for _, s := range sockets {
				s.Close()
			}
			return nil, err
		}
		sockets = append(sockets, s)
	}
	return sockets, nil
}

// listen opens a socket that receives what the program keeps.
func listen(program []bpf.Instruction) (*Socket, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if ctlErr := c.Control(func(fd uintptr) { err = setOptions(int(fd), program) }); ctlErr != nil {
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
	out, err := openSender()
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("rawgre: open raw socket to send: %w", err)
	}
	s := &Socket{close: sync.OnceValue(func() error { return errors.Join(conn.Close(), out.Close()) })}
	if s.in, err = conn.(*net.IPConn).SyscallConn(); err == nil {
		s.out, err = out.SyscallConn()
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("rawgre: open raw socket: %w", err)
	}
	s.receiver.init()
	s.senders.New = func() any { return newSender() }
	return s, nil
}

// openSender opens the socket that sends. It is bound to an address that no packet from
// the network has, so that the kernel does not even look whether a packet is for it;
// each packet that it sends names its own source. It is in blocking mode, which keeps
// it from the poller, and sendmmsg is told not to wait.
func openSender() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, Protocol)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	err = func() error {
		if err := attachFilter(fd, []bpf.Instruction{bpf.RetConstant{Val: 0}}); err != nil {
			return os.NewSyscallError("setsockopt SO_ATTACH_FILTER", err)
		}
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			return os.NewSyscallError("bind", err)
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
	}()
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "raw socket"), nil
}

// setOptions prepares the socket that receives before it is bound.
func setOptions(fd int, program []bpf.Instruction) error {
	// A raw socket receives from its creation on, so a few packets can pass
	// before the filter is there. That is harmless: the parser of the GRE
	// header checks the same bits and more, and all shards lead to the same calls.
	if err := attachFilter(fd, program); err != nil {
		return os.NewSyscallError("setsockopt SO_ATTACH_FILTER", err)
	}
	err := setBuffer(fd, unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, receiveBuffer)
	return os.NewSyscallError("setsockopt SO_RCVBUF", err)
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
