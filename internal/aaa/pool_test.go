package aaa

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
)

// span makes a range of two texts.
func span(first, last string) Range { return Range{addr(first), addr(last)} }

// taker takes addresses for a test.
func taker(t *testing.T, p *Pools) func(pool, user, want string) {
	return func(pool, user, want string) {
		t.Helper()
		a, err := p.Take(pool, "PPP", user, user)
		switch got := a.String(); {
		case err != nil:
			got = err.Error()
			fallthrough
		default:
			if got != want {
				t.Errorf("%s got %s, want %s", user, got, want)
			}
		}
	}
}

func TestPoolOrder(t *testing.T) {
	var p Pools
	take := taker(t, &p)
	take("main", "u", ErrNoPool.Error())
	p.Put(1, Pool{Name: "main", Ranges: []Range{span("10.0.0.62", "10.0.0.65"), span("10.0.0.1", "10.0.0.1")}})
	take("main", "a", "10.0.0.62")
	take("main", "b", "10.0.0.63")
	p.Release(addr("10.0.0.62"))
	take("main", "c", "10.0.0.64") // what a had is free, but the newest to be so
	take("main", "d", "10.0.0.65")
	take("main", "e", "10.0.0.1")
	take("main", "f", "10.0.0.62") // after the last comes the first
	take("main", "g", ErrExhausted.Error())
	p.Release(addr("10.0.0.64"))
	p.Release(addr("10.0.0.64")) // twice
	p.Release(addr("10.9.9.9"))  // and what was never taken
	take("main", "g", "10.0.0.64")
	take("main", "h", ErrExhausted.Error())
}

func TestPoolRemembers(t *testing.T) {
	var p Pools
	take := taker(t, &p)
	p.Put(1, Pool{Name: "main", Ranges: []Range{span("10.0.0.1", "10.0.0.9")}})
	take("main", "a", "10.0.0.1")
	take("main", "b", "10.0.0.2")
	take("main", "c", "10.0.0.3")
	p.Release(addr("10.0.0.2"))
	p.Release(addr("10.0.0.1"))
	take("main", "b", "10.0.0.2") // their own
	take("main", "b", "10.0.0.4") // a second session of theirs
	take("main", "", "10.0.0.5")  // nobody in particular
	p.TakeExact(addr("10.0.0.1"), "PPP", "s")
	take("main", "a", "10.0.0.6") // theirs is taken
}

func TestPoolNext(t *testing.T) {
	var p Pools
	take := taker(t, &p)
	p.Put(1, Pool{Name: "one", Ranges: []Range{span("10.0.0.1", "10.0.0.1")}, Next: 2})
	p.Put(2, Pool{Name: "two", Ranges: []Range{span("10.0.0.2", "10.0.0.2")}, Next: 3})
	p.Put(3, Pool{Name: "three", Ranges: []Range{span("10.0.0.3", "10.0.0.3")}, Next: 1})
	take("two", "a", "10.0.0.2")
	take("two", "b", "10.0.0.3")
	take("two", "c", "10.0.0.1") // around the circle
	take("two", "d", ErrExhausted.Error())
	p.Release(addr("10.0.0.3"))
	p.Release(addr("10.0.0.2"))
	take("two", "b", "10.0.0.3") // the address they had in the next pool
	if got := p.Used(); len(got) != 2 || got[0].Pool != 1 || got[1] != (Lease{addr("10.0.0.3"), 3, "PPP", "b"}) {
		t.Errorf("used: %+v", got)
	}
	p.Put(4, Pool{Name: "self", Ranges: []Range{span("10.1.0.1", "10.1.0.1")}, Next: 4})
	take("self", "a", "10.1.0.1")
	take("self", "b", ErrExhausted.Error())
	p.Put(5, Pool{Name: "dangling", Next: 99})
	take("dangling", "a", ErrExhausted.Error())
}

func TestPoolChanges(t *testing.T) {
	var p Pools
	take := taker(t, &p)
	p.Put(1, Pool{Name: "main", Ranges: []Range{span("10.0.0.1", "10.0.0.4")}})
	take("main", "a", "10.0.0.1")
	take("main", "b", "10.0.0.2")
	p.Put(1, Pool{Name: "new", Ranges: []Range{span("10.0.0.2", "10.0.0.3")}})
	take("main", "c", ErrNoPool.Error())
	take("new", "c", "10.0.0.3")
	take("new", "d", ErrExhausted.Error())
	if got := p.Used(); len(got) != 3 {
		t.Errorf("used: %+v", got)
	}
	p.Release(addr("10.0.0.1"))
	take("new", "a", ErrExhausted.Error()) // their address is none of the pool's now
	// A pool that takes over an old name keeps it when the old one is renamed.
	p.Put(2, Pool{Name: "new", Ranges: []Range{span("10.2.0.1", "10.2.0.1")}})
	p.Put(1, Pool{Name: "old"})
	take("new", "e", "10.2.0.1")
	p.Remove(2)
	p.Remove(2)
	take("new", "f", ErrNoPool.Error())
	if got := p.Used(); len(got) != 3 {
		t.Errorf("used after the pool is gone: %+v", got)
	}
}

func TestTakeExact(t *testing.T) {
	var p Pools
	p.TakeExact(addr("10.0.0.2"), "PPP", "early") // before there is any pool
	take := taker(t, &p)
	p.Put(1, Pool{Name: "main", Ranges: []Range{span("10.0.0.1", "10.0.0.4")}})
	p.Put(2, Pool{Name: "over", Ranges: []Range{span("10.0.0.0", "10.0.0.255")}})
	p.TakeExact(addr("10.0.0.1"), "PPP", "u")
	take("main", "v", "10.0.0.3")
	take("over", "w", "10.0.0.0")
	take("over", "x", "10.0.0.4") // what is out of one pool is out of all
	p.TakeExact(addr("2001:db8::1"), "PPP", "u")
	p.TakeExact(addr("192.0.2.1"), "PPP", "u")
	if got := p.Used(); len(got) != 4 || got[0] != (Lease{addr("10.0.0.1"), 1, "PPP", "u"}) {
		t.Errorf("used: %+v", got)
	}
	p.Release(addr("192.0.2.1"))
	p.Release(addr("2001:db8::1"))
	p.Release(addr("10.0.0.4"))
	for range 3 { // of three who have it, the last gives it back
		p.TakeExact(addr("10.0.0.4"), "PPP", "u")
	}
	for range 2 {
		p.Release(addr("10.0.0.4"))
		take("main", "y", ErrExhausted.Error())
	}
	p.Release(addr("10.0.0.4"))
	take("main", "y", "10.0.0.4")
	p.Release(addr("10.0.0.4"))
	take("main", "z", "10.0.0.4")
}

// TestPoolEdges takes all there is at the ends of the address space.
func TestPoolEdges(t *testing.T) {
	var p Pools
	p.Put(1, Pool{Name: "all", Ranges: []Range{span("0.0.0.0", "255.255.255.255")}})
	p.Put(2, Pool{Name: "last", Ranges: []Range{span("255.255.255.254", "255.255.255.255")}})
	take := taker(t, &p)
	take("all", "a", "0.0.0.0")
	take("last", "a", "255.255.255.254")
	take("last", "b", "255.255.255.255")
	take("last", "c", ErrExhausted.Error())
	take("all", "b", "0.0.0.1")
}

// TestPoolModel compares random use with a plain list of what is free.
func TestPoolModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var p Pools
	p.Put(1, Pool{Name: "main", Ranges: []Range{span("10.0.0.50", "10.0.0.130"), span("10.0.1.0", "10.0.1.70"), span("10.0.0.7", "10.0.0.7")}})
	const size = 81 + 71 + 1
	out := map[netip.Addr]bool{}
	for range 20000 {
		if rnd.IntN(2) == 0 {
			for a := range out {
				p.Release(a)
				delete(out, a)
				break
			}
			continue
		}
		a, err := p.Take("main", "PPP", "", fmt.Sprint(rnd.IntN(300)))
		switch {
		case (err != nil) != (len(out) == size):
			t.Fatalf("with %d of %d out: %v", len(out), size, err)
		case err == nil && (out[a] || !p.pools[1].has(number(a))):
			t.Fatalf("%v is out already, or none of the pool's", a)
		case err == nil:
			out[a] = true
		}
		if len(p.Used()) != len(out) {
			t.Fatalf("%d are out, and %d used", len(out), len(p.Used()))
		}
	}
}

// TestPoolConcurrent gives no address to two at once.
func TestPoolConcurrent(t *testing.T) {
	var p Pools
	p.Put(1, Pool{Name: "main", Ranges: []Range{span("10.0.0.0", "10.0.0.99")}})
	var mu sync.Mutex
	out := map[netip.Addr]bool{}
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 500 {
				a, err := p.Take("main", "PPP", "", fmt.Sprint(g, i%20))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if out[a] {
					t.Errorf("%v was given twice", a)
				}
				out[a] = true
				mu.Unlock()
				p.Used()
				mu.Lock()
				delete(out, a)
				mu.Unlock()
				p.Release(a)
			}
		})
	}
	all.Wait()
}

// TestPoolForgets bounds what a pool remembers.
func TestPoolForgets(t *testing.T) {
	var p Pools
	p.Put(1, Pool{Name: "main", Ranges: []Range{span("10.0.0.0", "10.255.255.255")}})
	for i := range maxRemembered + 10 {
		a, err := p.Take("main", "PPP", "", fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		p.Release(a)
	}
	if n := len(p.pools[1].last); n != maxRemembered {
		t.Errorf("%d users are remembered", n)
	}
	if len(p.busy) > 0 || len(p.leases) > 0 {
		t.Error("something is out")
	}
}

// BenchmarkPoolFull takes the one free address of a /16 that is otherwise out.
func BenchmarkPoolFull(b *testing.B) {
	var p Pools
	p.Put(1, Pool{Name: "main", Ranges: []Range{span("10.0.0.0", "10.0.255.255")}})
	for range 1 << 16 {
		if _, err := p.Take("main", "PPP", "", ""); err != nil {
			b.Fatal(err)
		}
	}
	free := addr("10.0.128.77")
	b.ReportAllocs()
	for b.Loop() {
		p.Release(free)
		if a, err := p.Take("main", "PPP", "", ""); err != nil || a != free {
			b.Fatal(a, err)
		}
	}
}

func TestPoolUsage(t *testing.T) {
	var p Pools
	take := taker(t, &p)
	want := func(when string, want ...Usage) {
		t.Helper()
		if got := p.Usage(); !slices.Equal(got, want) {
			t.Errorf("%s: %+v, want %+v", when, got, want)
		}
	}
	want("at first")
	p.Put(1, Pool{Name: "small", Ranges: []Range{span("10.0.0.1", "10.0.0.1"), span("10.0.0.8", "10.0.0.9")}, Next: 2})
	p.Put(2, Pool{Name: "all", Ranges: []Range{span("0.0.0.0", "255.255.255.255")}})
	take("small", "a", "10.0.0.1")
	take("small", "b", "10.0.0.8")
	p.TakeExact(addr("10.0.0.9"), "PPP", "c")
	p.TakeExact(addr("10.0.0.9"), "PPP", "c") // a second session of c
	take("small", "d", "0.0.0.0")             // of the pool that follows
	want("taken", Usage{"all", 1 << 32, 1}, Usage{"small", 3, 3})
	p.Put(1, Pool{Name: "less", Ranges: []Range{span("10.0.0.1", "10.0.0.1")}})
	want("changed", Usage{"all", 1 << 32, 1}, Usage{"less", 1, 3}) // they keep what they have
	for _, a := range []string{"10.0.0.1", "10.0.0.8", "10.0.0.9", "10.0.0.9", "10.0.0.9", "0.0.0.0"} {
		p.Release(addr(a))
	}
	want("released", Usage{"all", 1 << 32, 0}, Usage{"less", 1, 0})
}
