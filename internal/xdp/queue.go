package xdp

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"gopptp/internal/rawgre"
)

const (
	// ringSize is the number of packets that wait for us, and the number that wait for
	// the interface: 20 ms of one gigabit per second each.
	ringSize = 2048
	// frameSize is the room for one packet. The kernel keeps 256 octets of it for
	// itself, which leaves enough for the 1500 octets of Ethernet and its header.
	frameSize = 2048
	// maxMTU is the largest MTU of an interface whose packets all have room.
	maxMTU = frameSize - unix.XDP_PACKET_HEADROOM - ethernetLen
	// sendBuffer is asked of the kernel for packets that are on their way.
	sendBuffer = 8 << 20
	// leaving is how long a queue may still be that of a process which has ended, the one
	// before us: the kernel takes it from there in the background.
	leaving = time.Second
	// kicks is how often the kernel is asked to send one batch. Old kernels send 16
	// packets at a time, and tell how far they are only when all have left.
	kicks = rawgre.BatchSize/16 + 2
	// again is when it is asked once more for what it could not send: an interface that
	// is full has room for some packets by then.
	again = time.Millisecond
)

// A queue is one receive queue of an interface, and a way to send. Its packets stand in
// frames of memory which it shares with the kernel: the first half of them is for packets
// that come, the second for packets that leave. They come by one AF_XDP socket and leave
// by another, since to wait for one that can send means to the kernel to send.
type queue struct {
	number int // of the interface's queues
	fd     int // of the socket that receives
	out    int // of the one that sends
	bell   int // an eventfd, which is readable once the queue is to end
	frames []byte

	rx struct {
		mu      sync.Mutex // held by ReadBatch, for close
		packets ring[unix.XDPDesc]
		free    ring[uint64]
		lent    []uint64 // frames that the last ReadBatch gave away
		left    bool     // release has left the frames to the reader, who has some of them
	}
	tx struct {
		mu      sync.Mutex
		packets ring[unix.XDPDesc]
		done    ring[uint64]
		free    []uint64    // frames that hold no packet
		again   *time.Timer // runs while packets wait that the kernel could not send
		dropped uint64      // what the kernel has said last
	}
	burst    *burst // nil where there are none; guarded by tx.mu but for what it says
	close    func()
	ended    atomic.Bool // set before the locks are taken to end it
	received atomic.Uint64
	sent     atomic.Uint64
	bad      atomic.Uint64 // received, but no sound packet
	full     atomic.Uint64 // not sent: too many are on their way
}

// openQueue opens a socket for a queue of an interface. errNoQueue tells that the
// interface has no such queue.
func openQueue(index, number int) (_ *queue, err error) {
	q := &queue{number: number, fd: -1, out: -1, bell: -1}
	q.close = sync.OnceFunc(q.release)
	q.tx.again = time.AfterFunc(time.Hour, q.resume)
	q.tx.again.Stop() // for now
	defer func() {
		if err != nil {
			q.close()
		}
	}()
	if q.fd, err = unix.Socket(unix.AF_XDP, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0); err != nil {
		return nil, os.NewSyscallError("socket AF_XDP", err)
	}
	if q.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	const memory = 2 * ringSize * frameSize
	if q.frames, err = unix.Mmap(-1, 0, memory, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE); err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	reg := unix.XDPUmemReg{Addr: uint64(uintptr(unsafe.Pointer(&q.frames[0]))), Len: memory, Size: frameSize}
	// The structure has grown; kernels take its first 24 octets, and later ones the rest.
	if err = setsockopt(q.fd, unix.XDP_UMEM_REG, unsafe.Pointer(&reg), unsafe.Sizeof(reg)); err != nil {
		return nil, os.NewSyscallError("setsockopt XDP_UMEM_REG", err)
	}
	if q.out, err = unix.Socket(unix.AF_XDP, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0); err != nil {
		return nil, os.NewSyscallError("socket AF_XDP", err)
	}
	for _, r := range []struct{ fd, option int }{
		{q.fd, unix.XDP_UMEM_FILL_RING}, {q.fd, unix.XDP_UMEM_COMPLETION_RING}, {q.fd, unix.XDP_RX_RING}, {q.out, unix.XDP_TX_RING},
	} {
		if err = unix.SetsockoptInt(r.fd, unix.SOL_XDP, r.option, ringSize); err != nil {
			return nil, os.NewSyscallError("setsockopt of a ring", err)
		}
	}
	// A batch in one call instead of two; older kernels do not know it.
	_ = unix.SetsockoptInt(q.out, unix.SOL_XDP, unix.XDP_MAX_TX_SKB_BUDGET, rawgre.BatchSize)
	_ = unix.SetsockoptInt(q.out, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, sendBuffer)
	if err = q.mapRings(); err != nil {
		return nil, err
	}
	for i := range ringSize {
		*q.rx.free.entry(i) = uint64(i * frameSize)
		q.tx.free = append(q.tx.free, uint64((ringSize+i)*frameSize))
	}
	q.rx.free.put(ringSize)
	// Without XDP_COPY drivers that can would let the interface write into our memory:
	// faster, and never tried.
	for end := time.Now().Add(leaving); ; time.Sleep(10 * time.Millisecond) {
		err = unix.Bind(q.fd, &unix.SockaddrXDP{Flags: unix.XDP_COPY, Ifindex: uint32(index), QueueID: uint32(number)})
		if err != unix.EBUSY || time.Now().After(end) {
			break
		}
	}
	if errors.Is(err, unix.EINVAL) && number > 0 {
		return nil, errNoQueue
	}
	if err != nil {
		return nil, os.NewSyscallError("bind", err)
	}
	err = unix.Bind(q.out, &unix.SockaddrXDP{Flags: unix.XDP_SHARED_UMEM, Ifindex: uint32(index), QueueID: uint32(number), SharedUmemFD: uint32(q.fd)})
	return q, os.NewSyscallError("bind", err)
}

var errNoQueue = errors.New("no such queue")

func (q *queue) mapRings() error {
	var at unix.XDPMmapOffsets // the same of all sockets
	size := uint32(unsafe.Sizeof(at))
	if _, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(q.fd), unix.SOL_XDP, unix.XDP_MMAP_OFFSETS,
		uintptr(unsafe.Pointer(&at)), uintptr(unsafe.Pointer(&size)), 0); errno != 0 {
		return os.NewSyscallError("getsockopt XDP_MMAP_OFFSETS", errno)
	}
	var err error
	if q.rx.packets, err = mapRing[unix.XDPDesc](q.fd, unix.XDP_PGOFF_RX_RING, at.Rx, ringSize); err != nil {
		return err
	}
	if q.tx.packets, err = mapRing[unix.XDPDesc](q.out, unix.XDP_PGOFF_TX_RING, at.Tx, ringSize); err != nil {
		return err
	}
	if q.rx.free, err = mapRing[uint64](q.fd, unix.XDP_UMEM_PGOFF_FILL_RING, at.Fr, ringSize); err != nil {
		return err
	}
	q.tx.done, err = mapRing[uint64](q.fd, unix.XDP_UMEM_PGOFF_COMPLETION_RING, at.Cr, ringSize)
	return err
}

// await waits until packets are there, and reports whether the queue is still open. It
// waits in the kernel and not in the runtime's poller, which would be told of each
// packet, also while we are awake; here that costs only what sleeps.
func (q *queue) await() bool {
	fds := [2]unix.PollFd{{Fd: int32(q.fd), Events: unix.POLLIN}, {Fd: int32(q.bell), Events: unix.POLLIN}}
	for q.rx.packets.filled() == 0 {
		// EINTR and the like: look again.
		_, _, _ = unix.Syscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&fds[0])), uintptr(len(fds)), 0, 0, 0, 0)
		if fds[1].Revents != 0 {
			return false
		}
		if fds[0].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0 {
			fds[0].Fd = -1 // the interface is gone: nothing comes any more
		}
	}
	return true
}

// dropped is how many packets the kernel had no room for.
func (q *queue) dropped() uint64 {
	q.tx.mu.Lock()
	defer q.tx.mu.Unlock()
	if q.ended.Load() {
		return q.tx.dropped
	}
	var s unix.XDPStatistics
	size := uint32(unsafe.Sizeof(s))
	// Kernels before 5.9 fill only the first half.
	if _, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(q.fd), unix.SOL_XDP, unix.XDP_STATISTICS,
		uintptr(unsafe.Pointer(&s)), uintptr(unsafe.Pointer(&size)), 0); errno == 0 {
		q.tx.dropped = s.Rx_dropped + s.Rx_ring_full
	}
	return q.tx.dropped
}

// release ends the queue. Whoever waits for packets is woken first.
func (q *queue) release() {
	q.ended.Store(true)
	if q.bell >= 0 {
		unix.Write(q.bell, binary.NativeEndian.AppendUint64(nil, 1)) // an eventfd takes it
	}
	q.rx.mu.Lock()
	defer q.rx.mu.Unlock()
	q.tx.mu.Lock()
	defer q.tx.mu.Unlock()
	q.tx.again.Stop()
	for _, fd := range []int{q.fd, q.out, q.bell} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	q.rx.packets.unmap()
	q.rx.free.unmap()
	q.tx.packets.unmap()
	q.tx.done.unmap()
	if q.rx.left = len(q.rx.lent) > 0; !q.rx.left {
		q.unmapFrames()
	}
}

func setsockopt(fd, option int, value unsafe.Pointer, size uintptr) error {
	if _, _, errno := unix.Syscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.SOL_XDP, uintptr(option), uintptr(value), size, 0); errno != 0 {
		return errno
	}
	return nil
}

// gather gives how many packets are there, at most most. While that becomes more when
// others run, it lets them.
func (q *queue) gather(most int) int {
	n := min(q.rx.packets.filled(), most)
	for range rawgre.Turns {
		if n == most {
			break
		}
		rawgre.LetOthersRun()
		was := n
		if n = min(q.rx.packets.filled(), most); n == was {
			break
		}
	}
	return n
}

// ReadBatch implements rawgre.Conn, but that the packets are not copied: Buf becomes a
// frame, which is good until the next ReadBatch. No system call bounds their number.
func (q *queue) ReadBatch(pkts []rawgre.Packet) (int, error) {
	if len(pkts) == 0 {
		return 0, nil
	}
	q.rx.mu.Lock()
	defer q.rx.mu.Unlock()
	if q.ended.Load() {
		q.rx.lent = q.rx.lent[:0]
		if q.rx.left {
			q.unmapFrames()
		}
		return 0, net.ErrClosed
	}
	q.takeBack()
	for {
		if !q.await() {
			return 0, net.ErrClosed
		}
		n := q.gather(len(pkts))
		good := 0
		for i := range n {
			d := q.rx.packets.entry(i)
			q.rx.lent = append(q.rx.lent, d.Addr&^(frameSize-1))
			if pkts[good].Adopt(q.frames[d.Addr+ethernetLen : d.Addr+uint64(d.Len) : d.Addr+uint64(d.Len)]) {
				good++
			} else {
				q.bad.Add(1)
			}
		}
		q.rx.packets.take(n)
		q.received.Add(uint64(good))
		if good > 0 {
			return good, nil
		}
		q.takeBack()
	}
}

// takeBack gives the kernel the frames that were lent.
func (q *queue) takeBack() {
	for i, at := range q.rx.lent {
		*q.rx.free.entry(i) = at
	}
	q.rx.free.put(len(q.rx.lent))
	q.rx.lent = q.rx.lent[:0]
}

func (q *queue) unmapFrames() {
	if q.frames != nil {
		unix.Munmap(q.frames) // fails only for memory that is not mapped
	}
	q.frames = nil
}

// errNoSend tells that the interface has a queue to receive of this number, but none to
// send.
var errNoSend = errors.New("no such queue to send")

// send sends packets over a way, and says how many of them the kernel has. With an error
// it has none of them, and will not take any.
func (q *queue) send(w *way, pkts []rawgre.Packet) (int, error) {
	q.tx.mu.Lock()
	defer q.tx.mu.Unlock()
	if q.ended.Load() {
		return 0, net.ErrClosed
	}
	if q.tx.packets.waiting() > 0 {
		if err := q.kickLocked(); err != nil {
			return 0, err
		}
	}
	if q.tx.packets.waiting() == 0 && q.burst.takes(len(pkts)) {
		if n := q.burst.send(w, pkts); n > 0 {
			q.sent.Add(uint64(n))
			return n, nil
		}
	}
	q.reapLocked()
	first := q.tx.packets.waiting() == 0
	n := min(len(pkts), len(q.tx.free))
	for i, at := range q.tx.free[len(q.tx.free)-n:] {
		*q.tx.packets.entry(i) = unix.XDPDesc{Addr: at, Len: uint32(w.write(q.frames[at:at+frameSize], pkts[i].Bytes()))}
	}
	q.tx.packets.put(n)
	if err := q.kickLocked(); err != nil && first {
		q.tx.packets.unput(n) // the kernel has not looked
		return 0, err
	}
	q.tx.free = q.tx.free[:len(q.tx.free)-n]
	q.sent.Add(uint64(n))
	q.full.Add(uint64(len(pkts) - n))
	return n, nil
}

// reapLocked takes back the frames of packets that have left.
func (q *queue) reapLocked() {
	n := q.tx.done.filled()
	for i := range n {
		q.tx.free = append(q.tx.free, *q.tx.done.entry(i))
	}
	q.tx.done.take(n)
}

// kickLocked lets the kernel send what waits, and sees to it that it is asked again when
// that was not all. With an error it has not looked at what waits: the interface is down
// or gone, or has no such queue.
func (q *queue) kickLocked() error {
	for i := range kicks {
		_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(q.out), 0, 0, unix.MSG_DONTWAIT, 0, 0)
		switch {
		case q.tx.packets.waiting() == 0:
			return nil
		case i > 0:
			continue
		case errno == unix.ENETDOWN, errno == unix.ENXIO:
			return errno
		case errno == 0:
			return errNoSend
		}
	}
	q.tx.again.Reset(again)
	return nil
}

// resume sends what has waited.
func (q *queue) resume() {
	q.tx.mu.Lock()
	defer q.tx.mu.Unlock()
	if !q.ended.Load() && q.tx.packets.waiting() > 0 {
		_ = q.kickLocked() // the next to send is told
	}
}
