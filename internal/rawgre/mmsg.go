package rawgre

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// This file holds the system calls that take many packets at once, and all of
// the package's unsafe code. It exists because golang.org/x/net/ipv4 allocates
// an address for each packet that it reads, and golang.org/x/sys/unix has no
// recvmmsg. Neither call here waits: the socket that receives is non-blocking, and the one that
// sends is told. So the runtime is not told of them (RawSyscall), which would have its monitor take
// the processor away from a long batch and look each 20 µs for more to take.

// A mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32 // octets received or sent; set by the kernel
}

// A sourceInfo is the control message IP_PKTINFO of ip(7) that gives a packet
// its source address. Both parts have the layout of the kernel, and the first
// one ends on the alignment that CMSG_DATA gives the second.
type sourceInfo struct {
	hdr  unix.Cmsghdr
	info unix.Inet4Pktinfo
}

const sourceInfoSize = int(unsafe.Sizeof(sourceInfo{}))

// name points h at the socket address of the destination.
func (h *mmsghdr) name(sa *unix.RawSockaddrInet4) {
	h.hdr.Name = (*byte)(unsafe.Pointer(sa))
	h.hdr.Namelen = unix.SizeofSockaddrInet4
}

// control points h at its control message.
func (h *mmsghdr) control(c *sourceInfo) {
	h.hdr.Control = (*byte)(unsafe.Pointer(c))
	h.hdr.SetControllen(sourceInfoSize)
}

// recvmmsg receives at most len(hdrs) packets. hdrs is not empty.
func recvmmsg(fd uintptr, hdrs []mmsghdr) (int, syscall.Errno) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&hdrs[0])), uintptr(len(hdrs)), 0, 0, 0)
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}

// sendmmsg sends packets until the first that is refused. An error means that
// hdrs[0] was. hdrs is not empty.
func sendmmsg(fd uintptr, hdrs []mmsghdr) (int, syscall.Errno) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&hdrs[0])), uintptr(len(hdrs)), unix.MSG_DONTWAIT, 0, 0)
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}

// Turns is how often a reader lets others run while its batch grows.
const Turns = 16

// LetOthersRun lets other threads that are ready have this processor first. A reader
// that is woken by the first of many packets finds few: on a busy processor those who
// bring more of them have it next, and all that is done once for a batch is done less
// often. With nobody to run it comes back at once, and nothing ever waits for a timer.
func LetOthersRun() { unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

// The array that SO_MEMINFO fills, from linux/sock_diag.h: how many numbers,
// and which of them counts the packets for which there was no room.
const (
	memInfoLen   = 9
	memInfoDrops = 8
)

// overflows reads how many packets the kernel dropped because the receive
// buffer was full.
func overflows(fd uintptr) (uint32, syscall.Errno) {
	var info [memInfoLen]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	return info[memInfoDrops], errno
}
