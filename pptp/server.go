package pptp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
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
	// second may be all dead weight before anybody is refused.
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
	// MaxConns bounds the connections, MaxHalfOpen those that are half-open,
	// MaxHalfOpenPerAddr the half-open ones from one address. Zero means the
	// default.
	MaxConns, MaxHalfOpen, MaxHalfOpenPerAddr int
}

// Serve accepts connections from ln and runs each, with handle beside it to
// Accept its calls. The context of handle ends with its connection; that of ctx
// asks all connections to end in good order. Serve returns when all have, and
// all handles have returned, with the cause of ctx or the error of ln. It closes
// ln.
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
		half:       make(map[netip.Addr]int),
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
		guest, err := door.admit(nc.RemoteAddr())
		if err != nil {
			log(Event{Kind: EventRefused, Remote: nc.RemoteAddr(), Err: err})
			nc.Close()
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

// serveConn runs c and, beside it, handle.
func serveConn(ctx context.Context, c *Conn, handle func(context.Context, *Conn)) {
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
	half    map[netip.Addr]int // never holds a zero
}

// A guest is a connection that the door has let in.
type guest struct {
	door     *door
	addr     netip.Addr
	halfOpen bool // guarded by door.mu
}

// admit counts a new connection, or says why it must go.
func (d *door) admit(remote net.Addr) (*guest, error) {
	var addr netip.Addr // of all that is not TCP, which is only met in tests
	if t, ok := remote.(*net.TCPAddr); ok {
		addr = t.AddrPort().Addr().Unmap()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.conns >= d.maxConns:
		return nil, ErrMaxConns
	case d.halfSum >= d.maxHalf:
		return nil, ErrMaxHalfOpen
	case d.half[addr] >= d.maxPerAddr:
		return nil, ErrMaxHalfOpenPerAddr
	}
	d.conns++
	d.halfSum++
	d.half[addr]++
	return &guest{door: d, addr: addr, halfOpen: true}, nil
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
	g.door.halfSum--
	if g.door.half[g.addr]--; g.door.half[g.addr] == 0 {
		delete(g.door.half, g.addr)
	}
}

// leave says that the connection has ended.
func (g *guest) leave() {
	g.door.mu.Lock()
	defer g.door.mu.Unlock()
	g.openLocked()
	g.door.conns--
}
