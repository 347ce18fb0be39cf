package aaa

import (
	"cmp"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"math/bits"
	"net/netip"
	"slices"
	"sync"
)

// The errors of Pools.
var (
	// ErrNoPool says that there is no pool of that name.
	ErrNoPool = errors.New("aaa: no such pool")
	// ErrExhausted says that a pool, and all that follow it, have no address left.
	ErrExhausted = errors.New("aaa: pool is used up")
)

// maxRemembered bounds the users whose last address a pool remembers. It has room
// for each address of a /16; beyond it somebody is given another address.
const maxRemembered = 1 << 16

// A Range is the addresses from First to Last, both in it, IPv4.
type Range struct{ First, Last netip.Addr }

// A Pool is a row of /ip/pool in the engine's types.
type Pool struct {
	Name   string
	Ranges []Range // they do not overlap
	Next   uint64  // id of the pool to go on with when this one is used up; 0 for none
}

// A Lease is an address that is out.
type Lease struct {
	Address netip.Addr
	Pool    uint64 // id of the pool that it was taken from; 0 if it belongs to none
	Owner   string // the service
	Info    string // of whom: the name of the user
}

// Pools gives out the addresses of /ip/pool. It is safe for concurrent use; the
// zero value has no pools.
//
// Pools may overlap: an address that is out of one is out of all. A pool may change
// while its addresses are out; those it has no longer stay out until they are
// released.
type Pools struct {
	mu    sync.Mutex
	pools map[uint64]*pool
	names map[string]uint64

	leases map[uint32]Lease
	used   map[uint64]int // how many of leases are out of a pool, by its id
	// more has how many hold an address of leases besides the one that is shown:
	// a user may have several sessions with the address that is theirs.
	more map[uint32]int
	// busy has a bit for each address of leases, 64 in a word, so that the next
	// free one is found without a look at each: a full /16 is a thousand words.
	busy map[uint32]uint64
}

type pool struct {
	Pool
	spans []numbers
	// at is where the search for a free address begins: behind the one that was
	// given last, so that the addresses of users who went are given to others as
	// late as can be.
	at   uint32
	last map[string]uint32 // the address that a user had
}

// numbers is a Range in numbers.
type numbers struct{ first, last uint32 }

func number(a netip.Addr) uint32 {
	b := a.Unmap().As4()
	return binary.BigEndian.Uint32(b[:])
}

func addressOf(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, n)))
}

// Put adds or replaces the pool with an id.
func (p *Pools) Put(id uint64, c Pool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.makeLocked()
	fresh := &pool{Pool: c, last: map[string]uint32{}}
	for _, r := range c.Ranges {
		fresh.spans = append(fresh.spans, numbers{number(r.First), number(r.Last)})
	}
	if len(fresh.spans) > 0 {
		fresh.at = fresh.spans[0].first
	}
	if old := p.pools[id]; old != nil {
		p.unnameLocked(id, old)
		fresh.last = old.last
		if slices.Equal(old.spans, fresh.spans) {
			fresh.at = old.at
		}
	}
	p.pools[id] = fresh
	p.names[c.Name] = id
}

// makeLocked makes the maps at the first use.
func (p *Pools) makeLocked() {
	if p.pools == nil {
		p.pools, p.names = map[uint64]*pool{}, map[string]uint64{}
		p.leases, p.used, p.more, p.busy = map[uint32]Lease{}, map[uint64]int{}, map[uint32]int{}, map[uint32]uint64{}
	}
}

// Remove forgets a pool. Its addresses stay out until they are released.
func (p *Pools) Remove(id uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.pools[id]; old != nil {
		p.unnameLocked(id, old)
		delete(p.pools, id)
	}
}

// unnameLocked takes a pool's name away, unless another has it by now.
func (p *Pools) unnameLocked(id uint64, old *pool) {
	if p.names[old.Name] == id {
		delete(p.names, old.Name)
	}
}

// Take takes an address out of a pool, or of those that follow it. A user who is
// named gets the address that they had before, if it is free; an empty user gets
// any. Owner and info are for Used.
func (p *Pools) Take(name, owner, info, user string) (netip.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, known := p.names[name]
	if !known {
		return netip.Addr{}, ErrNoPool
	}
	chain := p.chainLocked(id)
	if user != "" {
		for _, id := range chain {
			b := p.pools[id]
			if n, had := b.last[user]; had && b.has(n) && !p.isBusyLocked(n) {
				return p.leaseLocked(n, id, owner, info, user), nil
			}
		}
	}
	for _, id := range chain {
		if n, ok := p.freeLocked(p.pools[id]); ok {
			p.pools[id].at = p.pools[id].after(n)
			return p.leaseLocked(n, id, owner, info, user), nil
		}
	}
	return netip.Addr{}, ErrExhausted
}

// chainLocked gives the ids of a pool and of those that follow it, each once: they
// may go in a circle.
func (p *Pools) chainLocked(id uint64) []uint64 {
	var chain []uint64
	for id != 0 && p.pools[id] != nil && !slices.Contains(chain, id) {
		chain = append(chain, id)
		id = p.pools[id].Next
	}
	return chain
}

// TakeExact takes an address that was not chosen here, as a secret's own, so that
// no pool gives it to another. It may be out already; then it is until as many have
// released it.
func (p *Pools) TakeExact(a netip.Addr, owner, info string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !a.Unmap().Is4() {
		return // no pool has it
	}
	n := number(a)
	p.makeLocked()
	if p.isBusyLocked(n) {
		p.more[n]++
		return
	}
	var home uint64
	for _, id := range slices.Sorted(maps.Keys(p.pools)) {
		if p.pools[id].has(n) {
			home = id
			break
		}
	}
	p.leaseLocked(n, home, owner, info, "")
}

// Release gives an address back, once for each time that it was taken. One that is
// not out is not touched.
func (p *Pools) Release(a netip.Addr) {
	if !a.Unmap().Is4() {
		return
	}
	n := number(a)
	p.mu.Lock()
	defer p.mu.Unlock()
	lease, out := p.leases[n]
	if !out {
		return
	}
	switch more := p.more[n]; {
	case more > 1:
		p.more[n]--
		return
	case more == 1:
		delete(p.more, n)
		return
	}
	delete(p.leases, n)
	if p.used[lease.Pool]--; p.used[lease.Pool] == 0 {
		delete(p.used, lease.Pool)
	}
	if left := p.busy[n>>6] &^ (1 << (n & 63)); left != 0 {
		p.busy[n>>6] = left
	} else {
		delete(p.busy, n>>6)
	}
}

// Used gives the addresses that are out of pools, in their order.
func (p *Pools) Used() []Lease {
	p.mu.Lock()
	out := make([]Lease, 0, len(p.leases))
	for _, l := range p.leases {
		if l.Pool != 0 {
			out = append(out, l)
		}
	}
	p.mu.Unlock()
	slices.SortFunc(out, func(a, b Lease) int { return cmp.Or(cmp.Compare(a.Pool, b.Pool), a.Address.Compare(b.Address)) })
	return out
}

// A Usage is how much of a pool is taken.
type Usage struct {
	Name string
	Size uint64 // addresses
	Used int
}

// Usage gives that of each pool, by name. It looks at no address.
func (p *Pools) Usage() []Usage {
	p.mu.Lock()
	out := make([]Usage, 0, len(p.pools))
	for id, b := range p.pools {
		u := Usage{Name: b.Name, Used: p.used[id]}
		for _, s := range b.spans {
			u.Size += uint64(s.last) - uint64(s.first) + 1
		}
		out = append(out, u)
	}
	p.mu.Unlock()
	slices.SortFunc(out, func(a, b Usage) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func (p *Pools) isBusyLocked(n uint32) bool { return p.busy[n>>6]&(1<<(n&63)) != 0 }

// leaseLocked takes a free address.
func (p *Pools) leaseLocked(n uint32, id uint64, owner, info, user string) netip.Addr {
	a := addressOf(n)
	p.leases[n] = Lease{Address: a, Pool: id, Owner: owner, Info: info}
	p.used[id]++
	p.busy[n>>6] |= 1 << (n & 63)
	if user == "" {
		return a
	}
	last := p.pools[id].last
	if _, known := last[user]; !known && len(last) >= maxRemembered {
		for somebody := range last {
			delete(last, somebody)
			break
		}
	}
	last[user] = n
	return a
}

// has reports whether an address is one of the pool's.
func (b *pool) has(n uint32) bool {
	return slices.ContainsFunc(b.spans, func(s numbers) bool { return s.first <= n && n <= s.last })
}

// after gives the pool's address that follows n, one of its own.
func (b *pool) after(n uint32) uint32 {
	for i, s := range b.spans {
		switch {
		case n < s.first || n > s.last:
		case n < s.last:
			return n + 1
		default:
			return b.spans[(i+1)%len(b.spans)].first
		}
	}
	return n
}

// freeLocked finds an address of a pool that is not out: the first from b.at on, or
// else the first of all.
func (p *Pools) freeLocked(b *pool) (uint32, bool) {
	from := slices.IndexFunc(b.spans, func(s numbers) bool { return s.first <= b.at && b.at <= s.last })
	if from < 0 {
		return p.freeInLocked(b.spans)
	}
	// What stands after b.at, and then what stands before it.
	s := b.spans[from]
	if n, ok := p.freeInLocked(slices.Concat([]numbers{{b.at, s.last}}, b.spans[from+1:])); ok {
		return n, true
	}
	before := b.spans[:from:from]
	if b.at > s.first {
		before = append(before, numbers{s.first, b.at - 1})
	}
	return p.freeInLocked(before)
}

// freeInLocked finds the first address of spans that is not out.
func (p *Pools) freeInLocked(spans []numbers) (uint32, bool) {
	for _, s := range spans {
		for w := s.first >> 6; ; w++ {
			taken := p.busy[w]
			if w == s.first>>6 {
				taken |= 1<<(s.first&63) - 1
			}
			if w == s.last>>6 {
				taken |= math.MaxUint64 << (s.last & 63) << 1
			}
			if taken != math.MaxUint64 {
				return w<<6 | uint32(bits.TrailingZeros64(^taken)), true
			}
			if w == s.last>>6 {
				break
			}
		}
	}
	return 0, false
}
