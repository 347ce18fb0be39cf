package service

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A port is the listener that a door is given. Connections come from whatever
// real listeners are open at the moment.
type port struct {
	name    string
	options Options
	conns   chan net.Conn // accepted, for Accept
	open    atomic.Int64  // connections

	live atomic.Pointer[settings] // read for each connection

	// What follows belongs to Supervisor.Run.
	config    Config
	listeners map[string]net.Listener
	accepting sync.WaitGroup
	told      string // the last error in the log
}

// settings are what a connection is judged by.
type settings struct {
	allowed []netip.Prefix
	most    int64
	tls     *tls.Config
}

// serve runs the door, and runs it again if it fails.
func (p *port) serve(ctx context.Context, door Door) {
	for {
		l := &listener{port: p, closed: make(chan struct{})}
		err := door(ctx, l)
		l.Close()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			p.options.Journal.Addf("system,error", "service %s failed: %s", p.name, sentence(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(retryEvery):
		}
	}
}

// reconcile makes the real listeners what c wants.
func (p *port) reconcile(ctx context.Context, c Config) {
	fresh := settings{allowed: c.Allowed, most: int64(c.MaxSessions)}
	if c.Secure && !c.Disabled {
		// The settings are kept while nothing changed: they hold the keys of tickets.
		if old := p.live.Load(); old != nil && old.tls != nil && p.config.Certificate == c.Certificate && p.config.OnlyTLS12 == c.OnlyTLS12 {
			fresh.tls = old.tls
		} else if made, err := p.options.TLS(c); err != nil {
			p.tell(err)
			c.Disabled = true // no listener is better than one in clear
		} else {
			fresh.tls = made
		}
	}
	p.live.Store(&fresh)
	p.config = c
	var wanted []string
	if !c.Disabled {
		wanted = c.addresses()
	}
	for address, l := range p.listeners {
		if !slices.Contains(wanted, address) {
			l.Close()
			delete(p.listeners, address)
		}
	}
	var failed error
	for _, address := range wanted {
		if p.listeners[address] != nil {
			continue
		}
		l, err := p.options.Listen(ctx, address)
		if err != nil {
			// A machine without IPv6 has no such loopback address.
			if !errors.Is(err, syscall.EADDRNOTAVAIL) && !errors.Is(err, syscall.EAFNOSUPPORT) {
				failed = err
			}
			continue
		}
		if p.listeners == nil {
			p.listeners = map[string]net.Listener{}
		}
		p.listeners[address] = l
		p.accepting.Go(func() { p.accept(ctx, l) })
	}
	switch {
	case failed != nil:
		p.tell(failed)
	case !c.Disabled:
		p.told = ""
	}
}

// tell writes an error to the log, unless it is the one that is there.
func (p *port) tell(err error) {
	if text := sentence(err); text != p.told {
		p.told = text
		p.options.Journal.Addf("system,error", "service %s cannot listen: %s; trying again", p.name, text)
	}
}

// close closes the real listeners. Run calls it when ctx has ended.
func (p *port) close() {
	for _, l := range p.listeners {
		l.Close()
	}
	p.accepting.Wait()
}

// accept hands over the connections of a real listener until it is closed.
func (p *port) accept(ctx context.Context, l net.Listener) {
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
		case errors.Is(err, net.ErrClosed) || ctx.Err() != nil:
			return
		default:
			select {
			case <-time.After(acceptPause):
			case <-ctx.Done():
				return
			}
			continue
		}
		if conn = p.judge(conn); conn == nil {
			continue
		}
		select {
		case p.conns <- conn:
		case <-ctx.Done():
			conn.Close()
			return
		}
	}
}

// judge gives the connection as the door shall see it, or closes it and gives
// nil if it comes from a wrong place or is one too many.
func (p *port) judge(conn net.Conn) net.Conn {
	s := p.live.Load()
	from, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	addr := from.Addr().Unmap().WithZone("")
	welcome := err == nil && (len(s.allowed) == 0 || slices.ContainsFunc(s.allowed, func(n netip.Prefix) bool { return n.Contains(addr) }))
	if !welcome {
		conn.Close()
		return nil
	}
	if p.open.Add(1) > s.most {
		p.open.Add(-1)
		conn.Close()
		return nil
	}
	counted := &counted{Conn: conn, gone: sync.OnceFunc(func() { p.open.Add(-1) })}
	if s.tls != nil {
		return tls.Server(counted, s.tls)
	}
	return counted
}

// counted is a connection that counts until it is closed.
type counted struct {
	net.Conn
	gone func()
}

// Close closes the connection.
func (c *counted) Close() error {
	c.gone()
	return c.Conn.Close()
}

// A listener is what the door sees of a port.
type listener struct {
	port   *port
	once   sync.Once
	closed chan struct{}
}

// Accept gives the next connection from anywhere.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
		return nil, net.ErrClosed
	default:
	}
	select {
	case conn := <-l.port.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept. The real listeners stay: they belong to the supervisor.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr names the service.
func (l *listener) Addr() net.Addr { return address(l.port.name) }

// address is the name of a service in the place of an address: it has several,
// and they change.
type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }
