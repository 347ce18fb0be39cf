package pptp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Defaults of Server, with their reasons.
const (
	// DefaultMaxConns: room for 10,000 tunnels and their reconnections, at
	// some ten kilobytes each.
	DefaultMaxConns = 12_000
	// DefaultMaxHalfOpen: at 5 s for a handshake, a hundred new connections a
	// second may be all dead weight before any of them ends early; of a thousand
	// a second each still has half a second, which is many round trips.
	DefaultMaxHalfOpen = 512
	// DefaultMaxHalfOpenPerAddr: behind one NAT whole offices redial at once
	// after a power cut, and an honest handshake takes only a round trip.
	DefaultMaxHalfOpenPerAddr = 32
)

// Pauses after an accept that failed for lack of something: to try at once
// again would burn a processor that is needed to free it.
const (
	minAcceptPause = 5 * time.Millisecond
	maxAcceptPause = time.Second
)

// A Server accepts control connections and bounds their number. A connection is
// half-open until the first call is asked for on it. The zero value is good.
type Server struct {
	// Config is that of every connection.
	Config Config
	// MaxConns bounds the connections: one more is refused. MaxHalfOpen bounds
	// those that are half-open, MaxHalfOpenPerAddr the half-open ones from one
	// address: for one more the oldest of the address that has most of them, or
	// of its own address, ends. An honest client is through within a round trip,
	// so those who wait longest are not. Zero means the default.
	MaxConns, MaxHalfOpen, MaxHalfOpenPerAddr int
}

// Serve accepts connections from ln and runs each, with handle beside it to
// Accept its calls; handle may be nil if Config.Calls is not. The context of handle
// ends with its connection; that of ctx asks all connections to end in good order.
// Serve returns when all have, and all handles have returned, with the cause of ctx
// or the error of ln. It closes ln.
func (s *Server) Serve(ctx context.Context, ln net.Listener, handle func(context.Context, *Conn)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	closed := make(chan struct{})
	unhook := context.AfterFunc(ctx, func() {
		defer close(closed)
		ln.Close()
	})
	door := &door{
		maxConns:   cmp.Or(s.MaxConns, DefaultMaxConns),
		maxHalf:    cmp.Or(s.MaxHalfOpen, DefaultMaxHalfOpen),
		maxPerAddr: cmp.Or(s.MaxHalfOpenPerAddr, DefaultMaxHalfOpenPerAddr),
		half:       make(map[netip.Addr][]*guest),
	}
	log := s.Config.Log
	if log == nil {
		log = func(Event) {}
	}

	var conns sync.WaitGroup
	pause := time.Duration(0)
	for {
		nc, err := ln.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				nc.Close()
			}
			if unhook() { // ctx ends this instant, and has not closed ln yet
				ln.Close()
			} else {
				<-closed
			}
			conns.Wait()
			return fmt.Errorf("pptp: server stopped: %w", context.Cause(ctx))
		case err != nil && transient(err):
			log(Event{Kind: EventRefused, Err: err})
			pause = min(max(2*pause, minAcceptPause), maxAcceptPause)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			continue
		case err != nil:
			cancel(err)
			continue
		}
		pause = 0
		guest, victim, err := door.admit(nc)
		if victim != nil {
			log(Event{Kind: EventRefused, Remote: victim.RemoteAddr(), Err: err})
			victim.Close()
		}
		if guest == nil {
			continue
		}
		log(Event{Kind: EventAccepted, Remote: nc.RemoteAddr()})
		c := NewServer(nc, s.Config)
		c.firstCall = guest.open
		conns.Go(func() {
			defer guest.leave()
			serveConn(ctx, c, handle)
		})
	}
}

// serveConn runs c and, beside it, handle if there is one.
func serveConn(ctx context.Context, c *Conn, handle func(context.Context, *Conn)) {
	if handle == nil {
		_ = c.Run(ctx) // which has told the log
		return
	}
	hctx, cancel := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { handle(hctx, c) })
	cancel(c.Run(ctx))
	wg.Wait()
}

// transient says whether an accept that failed with err may succeed later: a
// connection that died in the queue, or a lack that passes.
func transient(err error) bool {
	for _, e := range []syscall.Errno{
		syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EPROTO, syscall.EINTR,
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ENETDOWN, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.EHOSTUNREACH,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// A door counts the connections of a Server.
type door struct {
	maxConns, maxHalf, maxPerAddr int

	mu      sync.Mutex // taken with a Conn's mu held; takes no other
	conns   int
	halfSum int
	half    map[netip.Addr][]*guest // oldest first; never holds an empty list
	came    uint64                  // how many guests there were
}

// A guest is a connection that the door has let in.
type guest struct {
	door     *door
	nc       net.Conn
	addr     netip.Addr
	number   uint64 // a later one has a higher one
	halfOpen bool   // guarded by door.mu
}

// admit counts a new connection. If one must go for it, or it must go itself, that
// is victim, and err says why.
func (d *door) admit(nc net.Conn) (g *guest, victim net.Conn, err error) {
	var addr netip.Addr // of all that is not TCP, which is only met in tests
	if t, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		addr = t.AddrPort().Addr().Unmap()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conns >= d.maxConns {
		return nil, nc, ErrMaxConns
	}
	var oldest *guest
	switch {
	case len(d.half[addr]) >= d.maxPerAddr:
		oldest, err = d.half[addr][0], ErrMaxHalfOpenPerAddr
	case d.halfSum >= d.maxHalf:
		oldest, err = d.heaviestLocked(), ErrMaxHalfOpen
	}
	if oldest != nil {
		oldest.openLocked() // half-open no more: it ends
		victim = oldest.nc
	}
	d.conns++
	d.halfSum++
	d.came++
	g = &guest{door: d, nc: nc, addr: addr, number: d.came, halfOpen: true}
	d.half[addr] = append(d.half[addr], g)
	return g, victim, err
}

// heaviestLocked gives the oldest guest of the address that has most half-open
// ones; of several such addresses, the oldest of all.
func (d *door) heaviestLocked() *guest {
	var heaviest []*guest
	for _, list := range d.half {
		if len(list) > len(heaviest) || len(list) == len(heaviest) && list[0].number < heaviest[0].number {
			heaviest = list
		}
	}
	return heaviest[0]
}

// open says that the connection is no longer half-open.
func (g *guest) open() {
	g.door.mu.Lock()
	defer g.door.mu.Unlock()
	g.openLocked()
}

func (g *guest) openLocked() {
	if !g.halfOpen {
		return
	}
	g.halfOpen = false
	d := g.door
	d.halfSum--
	list := d.half[g.addr]
	if i := slices.Index(list, g); len(list) > 1 {
		d.half[g.addr] = slices.Delete(list, i, i+1)
	} else {
		delete(d.half, g.addr)
	}
}

// leave says that the connection has ended.
func (g *guest) leave() {
	g.door.mu.Lock()
	defer g.door.mu.Unlock()
	g.openLocked()
	g.door.conns--
}
