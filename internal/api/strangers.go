package api

import (
	"net/netip"
	"sync"
)

// maxStrangersFrom is how many connections from one address may be open over which
// nobody has logged in, so that one stranger cannot take all places.
const maxStrangersFrom = 8

// network6 is how much of an IPv6 address is one network: who has one address in it
// has all.
const network6 = 64

// strangers counts connections over which nobody has logged in.
type strangers struct {
	mu   sync.Mutex
	from map[netip.Addr]int // guarded by mu; by address, or the first of a network of IPv6
}

// enter counts a connection, if there is room for it. Leave is called when somebody
// logged in over it, and at its end; it counts once.
func (s *strangers) enter(from netip.Addr) (leave func(), ok bool) {
	if from.Is6() {
		network, err := from.Prefix(network6)
		if err != nil {
			return nil, false // cannot be: an address of IPv6 has so many bits
		}
		from = network.Addr()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.from[from] >= maxStrangersFrom {
		return nil, false
	}
	if s.from == nil {
		s.from = map[netip.Addr]int{}
	}
	s.from[from]++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.from[from]--; s.from[from] == 0 {
			delete(s.from, from)
		}
	}), true
}
