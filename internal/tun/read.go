package tun

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"gopptp/internal/offload"
)

// Wait implements Device.
func (t *TUN) Wait() error {
	t.rx.err = nil
	err := t.raw.Read(t.lookFunc)
	if err == nil {
		err = t.rx.err
	}
	if err != nil {
		return t.broken("wait", err)
	}
	return nil
}

// look reports whether the poller need not wait. The poller tells of changes only,
// and there may be packets of which it told long ago.
func (t *TUN) look(fd uintptr) bool {
	events, err := pollIn(fd)
	switch {
	case err == unix.EINTR:
		return true // Read says what there is
	case err != nil:
		t.rx.err = err
	case events&unix.POLLERR != 0:
		t.rx.err = unix.EBADFD // as Read would say
	}
	return err != nil || events != 0
}

// pollIn says what is to be read from a descriptor. Without an interface it is
// POLLERR.
func pollIn(fd uintptr) (events int16, err error) {
	fds := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	_, err = unix.Poll(fds[:], 0)
	return fds[0].Revents, err
}

// Read implements Device.
func (t *TUN) Read(b *Batch) (int, error) {
	n := t.fill(b, 0)
	if n == len(b.Bufs) {
		return n, nil
	}
	rx := &t.rx
	rx.batch, rx.n, rx.err = b, n, nil
	err := t.raw.Read(t.takeFunc)
	rx.batch = nil // the caller's again
	if err == nil {
		err = rx.err
	}
	if err != nil && rx.n == 0 {
		return 0, t.broken("read", err)
	}
	return rx.n, nil
}

// take reads packets until there is none, and never has the poller wait.
func (t *TUN) take(fd uintptr) bool {
	rx := &t.rx
	for rx.n < len(rx.batch.Bufs) {
		size, errno := rx.batch.read(fd, rx.n, t.frames)
		switch errno {
		case 0:
			rx.n = t.arrive(rx.batch, rx.n, size)
		case unix.EINTR:
		case unix.EAGAIN:
			return true
		default:
			rx.err = errno // if there are packets, it is for the next Read
			return true
		}
	}
	return true
}

// read reads one packet into the element n: what is more than its room goes to where
// it belongs in super. The packet's header is in b.header, unless it is a frame.
func (b *Batch) read(fd uintptr, n int, frame bool) (size int, errno unix.Errno) {
	iov := b.iov[:]
	if frame {
		iov = iov[1:]
	}
	b.iov[1].Base = unsafe.SliceData(b.Bufs[n][b.Off:])
	// Never waits, so the runtime need not know, as in rawgre.
	got, _, errno := unix.RawSyscall(unix.SYS_READV, fd, uintptr(unsafe.Pointer(&iov[0])), uintptr(len(iov)))
	if errno != 0 {
		return 0, errno
	}
	size = int(got)
	if !frame {
		size -= offload.HeaderLen
	}
	return size, 0
}

// arrive makes the packet of which read put size octets into the element n one or
// more packets from there on, or none if it is bad, and returns how many elements
// are full.
func (t *TUN) arrive(b *Batch, n, size int) (full int) {
	slot := b.Bufs[n][b.Off:]
	var h offload.Header
	if !t.frames {
		if _, err := h.Parse(b.header[:]); err != nil || size < 0 {
			t.malformed.Add(1)
			return n
		}
	}
	if h.Kind == offload.None {
		switch {
		case size > len(slot):
			t.tooLong.Add(1)
		case offload.Complete(h, slot[:size]) != nil:
			t.malformed.Add(1)
		default:
			b.Sizes[n] = size
			n++
		}
		return n
	}
	copy(b.super, slot[:min(size, len(slot))])
	if size >= len(b.super) || b.Split(h, b.super[:size]) != nil {
		t.malformed.Add(1)
		return n
	}
	t.cuts.Add(1)
	return t.fill(b, n)
}

// fill is that of b and counts what is lost.
func (t *TUN) fill(b *Batch, n int) (full int) {
	full, lost := b.Fill(n)
	if lost > 0 {
		t.tooLong.Add(uint64(lost))
	}
	return full
}
