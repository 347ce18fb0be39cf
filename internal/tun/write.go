package tun

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"gopptp/internal/offload"
)

// writers is room for those who are in Write. It belongs to no device, of which
// there may be thousands that rarely write.
var writers = sync.Pool{New: func() any {
	w := new(writer)
	w.sendFunc = w.send
	return w
}}

// A writer is what one Write needs.
type writer struct {
	sendFunc func(fd uintptr) bool // send; a method value made in Write would be allocated each time

	device *TUN
	bufs   [][]byte
	off    int
	sent   int
	errno  unix.Errno

	merge  offload.Merge
	pieces [offload.MaxPieces][]byte
	iov    [offload.MaxPieces]unix.Iovec
}

// Write implements Device.
func (t *TUN) Write(bufs [][]byte, off int) (int, error) {
	if len(bufs) == 0 {
		return 0, nil
	}
	w := writers.Get().(*writer)
	w.device, w.bufs, w.off, w.sent, w.errno = t, bufs, off, 0, 0
	err := t.raw.Write(w.sendFunc)
	sent, errno := w.sent, w.errno
	w.device, w.bufs = nil, nil
	writers.Put(w)
	if err == nil && errno != 0 {
		err = errno
	}
	if err != nil {
		return sent, t.broken("write", err)
	}
	return sent, nil
}

// send writes all packets, and never has the poller wait. While it runs, no other
// Write to the device does.
func (w *writer) send(fd uintptr) bool {
	if w.device.frames {
		for _, b := range w.bufs {
			w.pieces[0] = b[w.off:]
			if w.writev(fd, w.pieces[:1], 1); w.errno != 0 {
				break
			}
		}
		clear(w.pieces[:1])
		clear(w.iov[:1])
		return true
	}
	for bufs := w.bufs; len(bufs) > 0 && w.errno == 0; {
		n := min(len(bufs), offload.MaxPackets)
		w.merged(fd, bufs[:n])
		bufs = bufs[n:]
	}
	return true
}

// merged writes packets as the runs that they are.
func (w *writer) merged(fd uintptr, bufs [][]byte) {
	most := 0
	runs := w.merge.Load(bufs, w.off)
	for k := range runs {
		pieces, packets := w.merge.Pieces(k, w.pieces[:0])
		most = max(most, len(pieces))
		if w.writev(fd, pieces, packets); w.errno != 0 {
			break
		}
		if packets > 1 {
			w.device.merges.Add(1)
		}
	}
	w.merge.Release()
	clear(w.pieces[:most])
	clear(w.iov[:most])
}

// writev gives the kernel one packet, which is made of pieces and stands for a
// number of packets.
func (w *writer) writev(fd uintptr, pieces [][]byte, packets int) {
	for i, p := range pieces {
		w.iov[i].Base = unsafe.SliceData(p)
		w.iov[i].SetLen(len(p))
	}
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&w.iov[0])), uintptr(len(pieces)))
		switch {
		case errno == unix.EINTR:
			continue
		case errno == unix.EBADFD: // there is no interface any more
			w.errno = errno
		case errno != 0 || n == 0: // without octets the device is not even asked
			w.device.refused.Add(uint64(packets))
		default:
			w.sent += packets
		}
		return
	}
}
