package rawgre

import (
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Stats tells how many packets a Socket did not carry, and why, since it was
// opened.
type Stats struct {
	// Received, but not given to the reader.
	Overflow      uint64 // the receive buffer was full: the reader is too slow
	Truncated     uint64 // longer than the reader's buffer
	Malformed     uint64 // no sound IPv4 header
	ReceiveErrors uint64 // not packets: errors that passed, such as ICMP messages

	// Given to WriteBatch, but not sent.
	Invalid     uint64 // without an IPv4 destination or without content
	NoBuffer    uint64 // the send buffer is full: the network is too slow
	Denied      uint64 // EPERM, EACCES: a firewall rule or a prohibiting route
	TooBig      uint64 // EMSGSIZE: more than an IPv4 packet can hold
	Unreachable uint64 // no route, or the local address is no longer ours
	Refused     uint64 // any other error
}

// counters are the numbers of Stats that we count ourselves.
type counters struct {
	truncated, malformed, receiveErrors                     atomic.Uint64
	invalid, noBuffer, denied, tooBig, unreachable, unknown atomic.Uint64
}

// refused counts a packet that sendmmsg did not take.
func (c *counters) refused(errno syscall.Errno) {
	switch errno {
	case unix.ENOBUFS, unix.ENOMEM, unix.EAGAIN:
		c.noBuffer.Add(1)
	case unix.EPERM, unix.EACCES:
		c.denied.Add(1)
	case unix.EMSGSIZE:
		c.tooBig.Add(1)
	case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENETDOWN, unix.EHOSTDOWN, unix.ECONNREFUSED,
		unix.EADDRNOTAVAIL, unix.ENODEV, unix.EINVAL: // EINVAL: the source is not ours
		c.unreachable.Add(1)
	default:
		c.unknown.Add(1)
	}
}

// Stats reads the counters. Overflow is asked of the kernel and is zero after
// Close.
func (s *Socket) Stats() Stats {
	var overflow uint32
	// The only error is that of a closed socket.
	_ = s.in.Control(func(fd uintptr) {
		if n, errno := overflows(fd); errno == 0 {
			overflow = n
		}
	})
	c := &s.counters
	return Stats{
		Overflow:      uint64(overflow),
		Truncated:     c.truncated.Load(),
		Malformed:     c.malformed.Load(),
		ReceiveErrors: c.receiveErrors.Load(),
		Invalid:       c.invalid.Load(),
		NoBuffer:      c.noBuffer.Load(),
		Denied:        c.denied.Load(),
		TooBig:        c.tooBig.Load(),
		Unreachable:   c.unreachable.Load(),
		Refused:       c.unknown.Load(),
	}
}

// Total adds up the counters of sockets.
func Total(sockets []*Socket) Stats {
	var total Stats
	for _, s := range sockets {
		one := s.Stats()
		for _, c := range [...]struct{ sum, add *uint64 }{
			{&total.Overflow, &one.Overflow}, {&total.Truncated, &one.Truncated}, {&total.Malformed, &one.Malformed},
			{&total.ReceiveErrors, &one.ReceiveErrors}, {&total.Invalid, &one.Invalid}, {&total.NoBuffer, &one.NoBuffer},
			{&total.Denied, &one.Denied}, {&total.TooBig, &one.TooBig}, {&total.Unreachable, &one.Unreachable}, {&total.Refused, &one.Refused},
		} {
			*c.sum += *c.add
		}
	}
	return total
}
