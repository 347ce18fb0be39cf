package radius

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

const (
	// identifiers is how many requests can wait on one socket: the identifier is
	// one octet.
	identifiers = 256
	// maxUDPSockets and maxTLSConns bound what is opened to one port of a server:
	// 4096 requests wait at one time over UDP. Who comes then waits for a place.
	maxUDPSockets = 16
	maxTLSConns   = 4
	// idleTime is how long a socket nobody waits on stays open.
	idleTime = 30 * time.Second
	// maxReadErrors is how many errors in a row end a UDP socket. One comes for
	// each ICMP message, and a server that is down causes those.
	maxReadErrors = 100
)

// An endpointKey says whom a socket is connected to and how.
type endpointKey struct {
	local  netip.Addr // zero: the machine chooses
	remote netip.AddrPort
	proto  Protocol
	tls    *tls.Config
}

// An endpoint is one port of a server: the sockets to it, shared by all requests.
type endpoint struct {
	key   endpointKey
	stray func()        // counts what nobody waits for
	slots chan struct{} // one for each identifier there can be
	dial  chan struct{} // held while a socket is opened
	wg    *sync.WaitGroup

	mu     sync.Mutex
	socks  []*socket // guarded by mu
	closed bool      // guarded by mu
}

// A socket carries up to 256 requests.
type socket struct {
	conn net.Conn
	gone chan struct{} // closed when nothing will come any more

	// The rest is guarded by the endpoint's mu.
	waiting [identifiers]*waiter
	count   int
	next    uint8
	idle    time.Time // since when nobody waits
	broken  bool
}

// A waiter is one request on its way.
type waiter struct {
	accept func(reply []byte) error // judges a reply; nil ends the wait
	done   chan struct{}
}

func newEndpoint(key endpointKey, wg *sync.WaitGroup, stray func()) *endpoint {
	n := maxUDPSockets
	if key.proto == RadSec {
		n = maxTLSConns
	}
	return &endpoint{key: key, wg: wg, stray: stray, slots: make(chan struct{}, n*identifiers), dial: make(chan struct{}, 1)}
}

// reserve finds an identifier on an open socket, or opens one. The caller gives
// it back with release.
func (e *endpoint) reserve(ctx context.Context) (*socket, uint8, error) {
	select {
	case e.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	s, id, err := e.place(ctx)
	if err != nil {
		<-e.slots
	}
	return s, id, err
}

func (e *endpoint) place(ctx context.Context) (*socket, uint8, error) {
	if s, id, err := e.free(); s != nil || err != nil {
		return s, id, err
	}
	select {
	case e.dial <- struct{}{}:
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	defer func() { <-e.dial }()
	if s, id, err := e.free(); s != nil || err != nil { // somebody else's
		return s, id, err
	}
	conn, err := e.connect(ctx)
	if err != nil {
		return nil, 0, err
	}
	s := &socket{conn: conn, gone: make(chan struct{}), idle: time.Now()}
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		conn.Close()
		return nil, 0, ErrClosed
	}
	e.socks = append(e.socks, s)
	id := s.take()
	e.wg.Go(func() { e.read(s) })
	e.mu.Unlock()
	return s, id, nil
}

// reserved stands for a waiter that is not armed yet.
var reserved = &waiter{accept: func([]byte) error { return errCode }}

func (e *endpoint) free() (*socket, uint8, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, 0, ErrClosed
	}
	for _, s := range e.socks {
		if !s.broken && s.count < identifiers {
			return s, s.take(), nil
		}
	}
	return nil, 0, nil
}

// take gives the identifier that was free the longest, so that a late reply
// hardly meets another request.
func (s *socket) take() uint8 {
	for s.waiting[s.next] != nil {
		s.next++
	}
	id := s.next
	s.next++
	s.waiting[id] = reserved
	s.count++
	return id
}

func (e *endpoint) arm(s *socket, id uint8, w *waiter) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s.waiting[id] = w
}

func (e *endpoint) release(s *socket, id uint8) {
	e.mu.Lock()
	s.waiting[id] = nil
	s.count--
	if s.count == 0 {
		s.idle = time.Now()
	}
	e.mu.Unlock()
	<-e.slots
}

func (e *endpoint) connect(ctx context.Context) (net.Conn, error) {
	if e.key.proto == UDP {
		d := net.Dialer{}
		if e.key.local.IsValid() {
			d.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(e.key.local, 0))
		}
		return d.DialContext(ctx, "udp", e.key.remote.String())
	}
	d := tls.Dialer{NetDialer: &net.Dialer{}, Config: e.key.tls}
	if e.key.local.IsValid() {
		d.NetDialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(e.key.local, 0))
	}
	return d.DialContext(ctx, "tcp", e.key.remote.String())
}

// read gives replies to those who wait, until the socket ends.
func (e *endpoint) read(s *socket) {
	defer close(s.gone)
	defer e.drop(s)
	buf := make([]byte, maxPacket)
	for failures := 0; failures < maxReadErrors; {
		n, err := e.readPacket(s.conn, buf)
		if err != nil {
			var no syscall.Errno
			if e.key.proto != UDP || errors.Is(err, net.ErrClosed) || !errors.As(err, &no) {
				return
			}
			failures++
			continue
		}
		failures = 0
		e.deliver(s, buf[:n])
	}
}

// readPacket reads one datagram, or from a stream one packet by its length.
func (e *endpoint) readPacket(r io.Reader, buf []byte) (int, error) {
	if e.key.proto == UDP {
		return r.Read(buf)
	}
	if _, err := io.ReadFull(r, buf[:headerLen]); err != nil {
		return 0, err
	}
	n := int(binary.BigEndian.Uint16(buf[2:]))
	if n < headerLen || n > maxPacket {
		return 0, fmt.Errorf("%w: the stream cannot be followed", errLength)
	}
	_, err := io.ReadFull(r, buf[headerLen:n])
	return n, err
}

func (e *endpoint) deliver(s *socket, b []byte) {
	var w *waiter
	if len(b) >= headerLen {
		e.mu.Lock()
		w = s.waiting[b[1]]
		e.mu.Unlock()
	}
	if w == nil || w.done == nil {
		e.stray()
		return
	}
	select {
	case <-w.done: // a second reply, before the first one was looked at
		e.stray()
		return
	default:
	}
	if w.accept(b) == nil {
		close(w.done)
	}
}

func (e *endpoint) drop(s *socket) {
	s.conn.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	s.broken = true
	for i, o := range e.socks {
		if o == s {
			e.socks = append(e.socks[:i], e.socks[i+1:]...)
			return
		}
	}
}

// sweep closes the sockets that nobody used since idleTime, and tells how many
// are left.
func (e *endpoint) sweep(now time.Time) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, s := range e.socks {
		if s.count == 0 && now.Sub(s.idle) >= idleTime {
			s.broken = true
			s.conn.Close() // the reader takes it off the list
			continue
		}
		n++
	}
	return n
}

func (e *endpoint) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	for _, s := range e.socks {
		s.broken = true
		s.conn.Close()
	}
}
