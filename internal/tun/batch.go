package tun

import (
	"golang.org/x/sys/unix"

	"gopptp/internal/offload"
)

// maxSuper is the room for a super packet. Since it is more than the longest one, a
// packet that fills it was cut.
const maxSuper = offload.MaxPacket + 1

// A Batch is room to read packets into. It takes much memory, so it is lent to a
// Device for a Read, and belongs to none, unless it is Pending: then it has
// segments of that Device.
type Batch struct {
	Bufs  [][]byte // may be written to, but not replaced
	Sizes []int    // of the packets in Bufs, by Read
	Off   int      // where packets begin in Bufs

	super  []byte        // a super packet, while it is cut
	rest   offload.Split // of super
	header [offload.HeaderLen]byte
	iov    [3]unix.Iovec // header, an element of Bufs, what is left of super
}

// NewBatch makes room for a number of packets of at most slot octets, each behind
// off octets of headroom.
func NewBatch(packets, slot, off int) *Batch {
	b := &Batch{
		Bufs:  make([][]byte, packets),
		Sizes: make([]int, packets),
		Off:   off,
		super: make([]byte, max(maxSuper, slot+1)),
	}
	size := off + slot
	room := make([]byte, packets*size)
	for i := range b.Bufs {
		b.Bufs[i] = room[i*size : (i+1)*size : (i+1)*size]
	}
	over := b.super[slot:]
	b.iov[0] = unix.Iovec{Base: &b.header[0]}
	b.iov[0].SetLen(len(b.header))
	b.iov[1].SetLen(slot)
	b.iov[2] = unix.Iovec{Base: &over[0]}
	b.iov[2].SetLen(len(over))
	return b
}

// Pending says that there are segments in b of the packet that Read took last.
func (b *Batch) Pending() bool { return b.rest.Pending() }

// Split is for a Device: it makes pkt, a super packet, the one whose segments Fill
// gives. b reads it as long as it is Pending, which it must not be before.
func (b *Batch) Split(h offload.Header, pkt []byte) error { return b.rest.Start(h, pkt) }

// Fill is for a Device: it fills Bufs from the element n on with what is pending and
// returns the number of elements that are full. lost is how many segments had no room
// in theirs.
func (b *Batch) Fill(n int) (full, lost int) {
	for n < len(b.Bufs) && b.rest.Pending() {
		size, fits := b.rest.Next(b.Bufs[n][b.Off:])
		if !fits {
			lost++
			continue
		}
		b.Sizes[n] = size
		n++
	}
	return n, lost
}
