package rawgre

import (
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRefusedCounts(t *testing.T) {
	for _, test := range []struct {
		errno syscall.Errno
		want  func(c *counters) uint64
	}{
		{unix.ENOBUFS, func(c *counters) uint64 { return c.noBuffer.Load() }},
		{unix.ENOMEM, func(c *counters) uint64 { return c.noBuffer.Load() }},
		{unix.EPERM, func(c *counters) uint64 { return c.denied.Load() }},
		{unix.EACCES, func(c *counters) uint64 { return c.denied.Load() }},
		{unix.EMSGSIZE, func(c *counters) uint64 { return c.tooBig.Load() }},
		{unix.ENETUNREACH, func(c *counters) uint64 { return c.unreachable.Load() }},
		{unix.EINVAL, func(c *counters) uint64 { return c.unreachable.Load() }},
		{unix.EIO, func(c *counters) uint64 { return c.unknown.Load() }},
	} {
		var c counters
		c.refused(test.errno)
		if test.want(&c) != 1 {
			t.Errorf("%v was not counted where it belongs: %+v", test.errno, &c)
		}
	}
}

func TestPassingErrors(t *testing.T) {
	for _, errno := range []syscall.Errno{unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENOPROTOOPT, unix.ENOMEM} {
		if !passing(errno) {
			t.Errorf("%v ends reading", errno)
		}
	}
	for _, errno := range []syscall.Errno{unix.EBADF, unix.ENOTSOCK, unix.EFAULT, unix.EINVAL} {
		if passing(errno) {
			t.Errorf("%v does not end reading, so it would be tried for ever", errno)
		}
	}
}
