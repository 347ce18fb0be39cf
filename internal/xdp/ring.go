package xdp

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A ring is a queue in memory that the kernel has too: one side puts entries in, the
// other takes them out, and each tells the other by a counter of its own how far it is.
// The counters run on beyond the number of entries, a power of two.
type ring[T any] struct {
	memory   []byte
	producer *atomic.Uint32
	consumer *atomic.Uint32
	entries  []T
	ours     uint32 // the counter of ours, which nobody else changes
}

// mapRing maps the ring of size entries that the socket has at page.
func mapRing[T any](fd int, page int64, at unix.XDPRingOffset, size int) (r ring[T], err error) {
	var entry T
	r.memory, err = unix.Mmap(fd, page, int(at.Desc)+size*int(unsafe.Sizeof(entry)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return ring[T]{}, fmt.Errorf("map a ring: %w", os.NewSyscallError("mmap", err))
	}
	r.producer = (*atomic.Uint32)(unsafe.Pointer(&r.memory[at.Producer]))
	r.consumer = (*atomic.Uint32)(unsafe.Pointer(&r.memory[at.Consumer]))
	r.entries = unsafe.Slice((*T)(unsafe.Pointer(&r.memory[at.Desc])), size)
	return r, nil
}

func (r *ring[T]) unmap() {
	if r.memory != nil {
		unix.Munmap(r.memory) // fails only for memory that is not mapped
	}
	*r = ring[T]{}
}

// entry is where the entry i after ours stands.
func (r *ring[T]) entry(i int) *T { return &r.entries[(r.ours+uint32(i))&uint32(len(r.entries)-1)] }

// filled is how many entries the kernel has put in that we have not taken.
func (r *ring[T]) filled() int { return int(r.producer.Load() - r.ours) }

// take gives the first n of them back.
func (r *ring[T]) take(n int) {
	r.ours += uint32(n)
	r.consumer.Store(r.ours)
}

// waiting is how many entries we have put in that the kernel has not taken.
func (r *ring[T]) waiting() int { return int(r.ours - r.consumer.Load()) }

// put gives the kernel the n entries after ours.
func (r *ring[T]) put(n int) {
	r.ours += uint32(n)
	r.producer.Store(r.ours)
}

// unput takes back the last n entries, which the kernel has not looked at.
func (r *ring[T]) unput(n int) {
	r.ours -= uint32(n)
	r.producer.Store(r.ours)
}
