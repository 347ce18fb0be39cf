package session

import (
	"net/netip"
	"strings"

	"gopptp/internal/aaa"
)

// PutPool adds or replaces a pool of addresses, for sessions to come.
func (m *Manager) PutPool(id uint64, p aaa.Pool) { m.pools.Put(id, p) }

// RemovePool forgets a pool. Sessions keep the addresses that they have of it.
func (m *Manager) RemovePool(id uint64) { m.pools.Remove(id) }

// PoolUsed gives the addresses that are out of pools, in the order of their pools'
// ids.
func (m *Manager) PoolUsed() []aaa.Lease { return m.pools.Used() }

// PoolUsage gives how much of each pool is taken, by name.
func (m *Manager) PoolUsage() []aaa.Usage { return m.pools.Usage() }

// poolOwner is what /ip/pool/used shows as the owner of an address.
const poolOwner = "PPP"

// lease fills in the addresses that the grant takes from pools, and keeps others
// from being given to somebody else. An address that a pool cannot give stays
// unknown, which ends the link with a reason of its own.
func (s *session) lease(g *aaa.Grant) {
	s.unlease()
	take := func(pool, user string, to *netip.Addr) {
		switch {
		case to.IsValid():
			s.m.pools.TakeExact(*to, poolOwner, g.User)
			s.leases = append(s.leases, *to)
		case pool != "":
			a, err := s.m.pools.Take(pool, poolOwner, g.User, user)
			if err != nil {
				s.m.cfg.Journal.Addf("pptp,ppp,error", "%s: user %s gets no address: %s", s.name(), g.User, strings.TrimPrefix(err.Error(), "aaa: "))
				return
			}
			*to = a
			s.leases = append(s.leases, a)
		}
	}
	if g.Local.IsValid() { // a pool may have our own end of the tunnel as well, which nobody is given
		s.m.pools.TakeExact(g.Local, poolOwner, g.User)
		defer s.m.pools.Release(g.Local)
	}
	take(g.RemotePool, g.User, &g.Remote)
	if g.LocalPool != "" { // a local address that is written down serves any number of sessions
		take(g.LocalPool, "", &g.Local)
	}
}

// unlease gives the addresses back.
func (s *session) unlease() {
	for _, a := range s.leases {
		s.m.pools.Release(a)
	}
	s.leases = nil
}
