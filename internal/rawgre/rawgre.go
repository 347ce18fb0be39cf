// Package rawgre is the door of the data path to the network: one raw socket
// for IP protocol 47 that carries the GRE packets of every call of the process
// in batches, over IPv4.
//
// It strips the IP header from what it receives, reports which of our addresses
// a packet came to and sends from the address that it is told. The kernel drops
// what is not enhanced GRE (RFC 2637, section 4.1) before it reaches us. The
// package does not look into the GRE header, knows no call, starts no goroutine
// and keeps no packet. Package rawgretest has a Conn without a kernel.
//
// The files in the order in which a packet meets them: socket.go opens the
// door, filter.go is what the kernel lets through, read.go and ipv4.go bring
// packets in, write.go takes them out, mmsg.go holds the system calls.
package rawgre

import "net/netip"

const (
	// Protocol is GRE's number in the IPv4 header (RFC 2637, section 4.1).
	Protocol = 47

	// BatchSize is the most packets that one system call carries. The cost of
	// the call is shared by that many; beyond 64 nothing more is gained, and a
	// reader with a buffer of 2 KiB for each still fits in the L2 cache.
	BatchSize = 64

	// MaxIPHeader is the longest IPv4 header (RFC 791, section 3.1). A buffer
	// for ReadBatch holds this and the longest GRE packet that is awaited.
	MaxIPHeader = 60

	// MinIPHeader is an IPv4 header without options (RFC 791, section 3.1).
	MinIPHeader = 20
)

// A Packet is a GRE packet in a buffer, with the IPv4 addresses of its ends.
// The GRE packet is Buf[Off:Off+N].
//
// The memory of Buf belongs to the caller before and after each call; a Conn
// uses it during the call only and keeps no reference to it.
type Packet struct {
	Buf    []byte
	Off, N int

	// Peer is the far end: the source of a packet received, the destination of
	// one to be sent.
	Peer netip.Addr

	// Local is the near end: the destination of a packet received, the source
	// of one to be sent. The zero Addr lets the kernel choose the source; a
	// call gives the local address of its control connection instead, since a
	// peer takes no GRE packet from another address than the one it dialed.
	Local netip.Addr
}

// Bytes gives the GRE packet, a slice of p.Buf.
func (p *Packet) Bytes() []byte { return p.Buf[p.Off : p.Off+p.N] }

// A Conn sends and receives GRE packets.
//
// After Close each method returns net.ErrClosed, those that are waiting too.
// Any other error means that the Conn is of no more use; what happens to a
// single packet is counted and is no error. A call without packets does nothing.
type Conn interface {
	// ReadBatch waits for a packet and then takes what more is there, at most
	// len(pkts) and, where a system call brings them, at most BatchSize, and returns
	// how many: at least one if err is nil and pkts is not empty.
	//
	// The caller sets Buf of each element to a buffer. The Conn writes the IP
	// packet to its start and sets the other fields, so that Bytes is the GRE
	// packet. A packet that does not fit is dropped. ReadBatch may exchange
	// elements of pkts, so a buffer can come back at another index.
	//
	// Only one goroutine at a time may call ReadBatch.
	ReadBatch(pkts []Packet) (n int, err error)

	// WriteBatch sends the packets in their order and returns how many the
	// kernel took; those that it refuses are skipped. It never waits: packets
	// for which there is no room are lost, so it may be called under a lock. It
	// changes neither the packets nor their bytes.
	//
	// Any number of goroutines may call WriteBatch. The packets of each leave in
	// the order in which it gave them; those of others may come between.
	WriteBatch(pkts []Packet) (n int, err error)

	// Close closes the Conn. It is idempotent.
	Close() error
}
