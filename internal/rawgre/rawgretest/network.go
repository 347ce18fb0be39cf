// Package rawgretest is a network in memory whose ends are rawgre.Conn: the test
// carries each packet from one end to the other and may lose, double, hold or
// change it on the way.
//
// It knows addresses and datagrams only: no routes, no fragments, no time. It
// starts no goroutine. All waiting is on channels, so it works in a bubble of
// testing/synctest.
package rawgretest

import (
	"net/netip"
	"slices"
	"sync"
)

// A Datagram is a GRE packet on its way.
type Datagram struct {
	Src, Dst netip.Addr
	Data     []byte // belongs to who holds the Datagram
}

// A Carrier decides about each datagram that is sent: what it returns is
// delivered, in that order. It may keep a datagram and return it later with
// another one, or give it to Deliver. Carriers are called one at a time, in the
// order of sending.
type Carrier func(d Datagram) []Datagram

// A Network connects the Conns that listen on it.
type Network struct {
	carry struct {
		sync.Mutex // held while the carrier runs, so that it needs no lock of its own
		f          Carrier
	}
	ends struct {
		sync.Mutex // guards list
		list       []*Conn
	}
}

// New makes a network that delivers everything at once and in order.
func New() *Network {
	n := new(Network)
	n.Carry(All)
	return n
}

// Carry makes f the carrier from now on.
func (n *Network) Carry(f Carrier) {
	n.carry.Lock()
	defer n.carry.Unlock()
	n.carry.f = f
}

// Listen makes an end that has the given addresses; the first is the source of
// packets that name none.
func (n *Network) Listen(addrs ...netip.Addr) *Conn {
	if len(addrs) == 0 {
		panic("rawgretest: an end needs an address")
	}
	c := &Conn{
		network: n,
		addrs:   slices.Clone(addrs),
		queue:   make(chan Datagram, queueLen),
		closed:  make(chan struct{}),
	}
	n.ends.Lock()
	defer n.ends.Unlock()
	n.ends.list = append(n.ends.list, c)
	return c
}

// send gives a datagram to the carrier and delivers what comes back.
func (n *Network) send(d Datagram) {
	n.carry.Lock()
	defer n.carry.Unlock()
	for _, d := range n.carry.f(d) {
		n.Deliver(d)
	}
}

// Deliver puts a datagram into the queue of the end that has its destination,
// past the carrier: a packet held before, or a forged one. It reports whether
// there is such an end with room in its queue. It takes over d.Data.
func (n *Network) Deliver(d Datagram) bool {
	n.ends.Lock()
	defer n.ends.Unlock()
	for _, c := range n.ends.list {
		if slices.Contains(c.addrs, d.Dst) {
			return c.deliver(d)
		}
	}
	return false
}

// remove takes an end away.
func (n *Network) remove(c *Conn) {
	n.ends.Lock()
	defer n.ends.Unlock()
	n.ends.list = slices.DeleteFunc(n.ends.list, func(e *Conn) bool { return e == c })
}
