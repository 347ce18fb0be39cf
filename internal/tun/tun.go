// Package tun is the door of the data path to the machine's own IP stack:
// network interfaces whose packets a process reads and writes in batches, one
// for each session, without PPP in the kernel.
//
// It gives an interface a name and moves packets. Addresses, MTU, and the state
// "up" are the work of package host; encapsulation is that of package plane. It
// starts no goroutine and keeps no packet. Package tuntest has interfaces
// without a kernel.
package tun

import "errors"

// MaxName is the longest name of an interface in octets (IFNAMSIZ of Linux less
// its final zero).
const MaxName = 15

// ErrRemoved says that somebody else deleted the interface, for instance with
// "ip link delete". The Device is of no more use and is to be closed.
var ErrRemoved = errors.New("tun: interface was removed")

// ErrInterrupted says that Read took no packet because it was interrupted. The
// Device is as good as before.
var ErrInterrupted = errors.New("tun: read was interrupted")

// A Device is a network interface whose far end is this process. Packets are IP
// packets without any header before them, or Ethernet frames from their addresses
// to their end; one Device has only the one or the other.
//
// After Close each method but Name returns net.ErrClosed, a Read that waits
// too. Any other error but ErrInterrupted means that the Device is of no more use. A call without
// buffers does nothing.
type Device interface {
	// Name is the name that the interface was created with.
	Name() string

	// Read waits for a packet and then takes what more is there, at most
	// len(bufs), and returns how many: at least one if err is nil. Packet i is
	// bufs[i][off:off+sizes[i]]; the off octets before it are left alone, as
	// headroom for the headers to come. len(sizes) is at least len(bufs).
	//
	// A buffer has room after off for a packet of the interface's MTU, or a frame
	// with one; the kernel cuts what is longer. More than one element of bufs may be filled
	// by one packet that the kernel left for us to cut into segments, so
	// callers must not take len(bufs) for a number of system calls.
	//
	// Only one goroutine at a time may call Read. The memory of bufs belongs to
	// the caller before and after the call.
	Read(bufs [][]byte, sizes []int, off int) (n int, err error)

	// Write gives the packets bufs[i][off:] to the IP stack in their order and
	// returns how many it took. It does not wait; a packet that is refused,
	// because it is no packet of the Device's kind or the interface is down, is skipped.
	//
	// Any number of goroutines may call Write. The memory of bufs belongs to
	// the caller again afterwards; the octets before off may have been
	// overwritten, the packets not.
	Write(bufs [][]byte, off int) (n int, err error)

	// Interrupt makes a Read that waits, and each later one, return ErrInterrupted
	// until Resume. What stands in the interface's queue stays there.
	Interrupt()
	Resume()

	// Close removes the interface with its addresses and routes. It is
	// idempotent.
	Close() error
}
