// Package tun is the door of the data path to the machine's own IP stack:
// network interfaces whose packets a process reads and writes in batches, one
// for each session, without PPP in the kernel.
//
// It gives an interface a name and moves packets. The kernel and the process spare
// each other work where a packet is IPv4: a super packet of many TCP or UDP segments
// crosses the border at once, in both directions, and is cut and put together by
// package offload. The callers see packets only.
//
// Addresses, MTU, and the state "up" are the work of package host; encapsulation is
// that of package plane. The package starts no goroutine, and a Device keeps no
// packet. Package tuntest has interfaces without a kernel.
package tun

import "errors"

// MaxName is the longest name of an interface in octets (IFNAMSIZ of Linux less
// its final zero).
const MaxName = 15

// ErrRemoved says that somebody else deleted the interface, for instance with
// "ip link delete". The Device is of no more use and is to be closed.
var ErrRemoved = errors.New("tun: interface was removed")

// ErrInterrupted says that Wait or Read was interrupted and took no packet. The
// Device is as good as before.
var ErrInterrupted = errors.New("tun: read was interrupted")

// A Device is a network interface whose far end is this process. Packets are IP
// packets without any header before them, or Ethernet frames from their addresses
// to their end; one Device has only the one or the other. They are whole and have
// their checksums, whatever the kernel is spared of.
//
// After Close each method but Name returns net.ErrClosed, a Wait that waits too.
// Any other error but ErrInterrupted means that the Device is of no more use. A call
// without buffers does nothing, and a Read of segments that are pending needs no
// Device.
type Device interface {
	// Name is the name that the interface was created with.
	Name() string

	// Wait waits until there is a packet to read. It needs no memory for packets, so
	// an interface where nothing happens holds none.
	Wait() error

	// Read takes what packets there are without waiting, as many as b has room for,
	// and returns how many: zero if there are none. Packet i is
	// b.Bufs[i][b.Off:b.Off+b.Sizes[i]]; the octets before it are left alone, as
	// headroom for the headers to come.
	//
	// Several elements of b.Bufs may be filled by one packet that the kernel left for
	// us to cut into segments. Segments that found no room stay in b, which is Pending
	// then: the next Read with b returns them, before all else. A Read that returns an
	// error leaves nothing in b.
	//
	// A packet that has no room in its element, which the interface's MTU should
	// prevent, is dropped and counted.
	//
	// Only one goroutine at a time may call Wait or Read.
	Read(b *Batch) (n int, err error)

	// Write gives the packets bufs[i][off:] to the IP stack and returns how many it
	// took. TCP segments that follow each other may be given as one; so packets of a
	// flow keep their order, and segments of another may overtake them. Write does not
	// wait; a packet that is refused, because it is no packet of the Device's kind or
	// the interface is down, is skipped.
	//
	// Any number of goroutines may call Write. The memory of bufs belongs to
	// the caller again afterwards; the octets before off may have been
	// overwritten, the packets not.
	Write(bufs [][]byte, off int) (n int, err error)

	// Interrupt makes a Wait that waits, and each later Wait and Read, return
	// ErrInterrupted until Resume. What stands in the interface's queue stays there.
	Interrupt()
	Resume()

	// Close removes the interface with its addresses and routes. It is
	// idempotent.
	Close() error
}
