package rawgre

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// The way of a packet in:
//
//  1. the reader waits in the runtime's poller (ReadBatch)
//  2. one recvmmsg fills the caller's buffers (receive)
//  3. each IP header is checked and stripped (accept)

// A receiver is what ReadBatch gives to the kernel, made once. It has no room
// for addresses: the IP header that a raw socket delivers has both of them.
type receiver struct {
	hdrs [BatchSize]mmsghdr
	iovs [BatchSize]unix.Iovec

	// Arguments and results of receive, which the poller calls.
	want  int
	got   int
	errno syscall.Errno

	receiveFunc func(fd uintptr) bool // receive; a method value made here would be allocated each time
}

func (r *receiver) init() {
	for i := range r.hdrs {
		r.hdrs[i].hdr.Iov = &r.iovs[i]
		r.hdrs[i].hdr.SetIovlen(1)
	}
	r.receiveFunc = r.receive
}

// receive takes what is there and reports whether the poller need not wait.
func (r *receiver) receive(fd uintptr) bool {
	r.got, r.errno = recvmmsg(fd, r.hdrs[:r.want])
	for turns := 0; r.errno == 0 && r.got < r.want && turns < Turns; turns++ {
		LetOthersRun()
		n, errno := recvmmsg(fd, r.hdrs[r.got:r.want])
		if errno != 0 {
			break // nothing more, or what the next call says again
		}
		r.got += n
	}
	return r.errno != unix.EAGAIN
}

// ReadBatch implements Conn.
func (s *Socket) ReadBatch(pkts []Packet) (int, error) {
	if len(pkts) == 0 {
		return 0, nil
	}
	r := &s.receiver
	r.want = min(len(pkts), BatchSize)
	for {
		for i := range r.want {
			r.iovs[i] = unix.Iovec{}
			if buf := pkts[i].Buf; len(buf) > 0 {
				r.iovs[i].Base = &buf[0]
				r.iovs[i].SetLen(len(buf))
			}
		}
		err := s.in.Read(r.receiveFunc)
		clear(r.iovs[:r.want])
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return 0, net.ErrClosed
			}
			return 0, fmt.Errorf("rawgre: read: %w", err)
		}
		if r.errno != 0 {
			if !passing(r.errno) {
				return 0, fmt.Errorf("rawgre: read: %w", os.NewSyscallError("recvmmsg", r.errno))
			}
			s.counters.receiveErrors.Add(1)
			continue
		}
		if n := s.accept(pkts[:r.got]); n > 0 {
			return n, nil
		}
	}
}

// accept strips the packets that were received, moves the good ones to the
// front and returns their number.
func (s *Socket) accept(pkts []Packet) int {
	good := 0
	for i := range pkts {
		m := &s.receiver.hdrs[i]
		if m.hdr.Flags&unix.MSG_TRUNC != 0 {
			s.counters.truncated.Add(1)
			continue
		}
		if !pkts[i].strip(int(m.n)) {
			s.counters.malformed.Add(1)
			continue
		}
		pkts[good], pkts[i] = pkts[i], pkts[good]
		good++
	}
	return good
}

// passing reports whether an error of the socket says nothing about the socket:
// it lacks memory for the moment, or it passes on what an ICMP message said
// about one peer. Reading goes on.
func passing(errno syscall.Errno) bool {
	switch errno {
	case unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EHOSTDOWN, unix.ENETDOWN,
		unix.ENOPROTOOPT, unix.EPROTO, unix.EMSGSIZE, unix.EOPNOTSUPP, unix.EACCES, unix.ENONET,
		unix.ENOMEM, unix.ENOBUFS:
		return true
	}
	return false
}
