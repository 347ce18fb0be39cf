package logging

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// streamBacklog is how many entries wait for a server that is not there, as
	// RouterOS has it.
	streamBacklog = 1000
	// streamTimeout bounds the making of a connection, and the wait for a server that
	// does not read.
	streamTimeout = 10 * time.Second
	// streamSilence is how long a server may leave unacknowledged what was sent. The
	// kernel's own limit is a quarter of an hour, in which all would be lost unseen of a
	// server that has gone without a word.
	streamSilence = 20 * time.Second
	// minRetry and maxRetry bound the wait before the next attempt, which doubles.
	minRetry = time.Second
	maxRetry = 30 * time.Second
	// streamGrace is how long what waits may take when the stream is closed.
	streamGrace = time.Second
)

// errBacklog says that an entry was lost.
var errBacklog = errors.New("the server does not keep up: entries are lost")

// A stream sends entries to a server over TCP. Whoever writes never waits for it: the
// entries do, while a goroutine that Close ends connects again and again. An entry that
// was given to a connection which then broke may be lost, as in all of syslog.
type stream struct {
	address string
	dialer  net.Dialer
	queue   chan []byte
	over    context.CancelFunc
	done    chan struct{}

	mu     sync.Mutex
	err    error // guarded by mu; why there is no connection
	closed bool  // guarded by mu
}

// newStream makes a stream for an action.
func newStream(a Action) *stream {
	ctx, cancel := context.WithCancel(context.Background())
	s := &stream{
		address: a.Server.String(), dialer: net.Dialer{Timeout: streamTimeout, Control: impatient},
		queue: make(chan []byte, streamBacklog), over: cancel, done: make(chan struct{}),
	}
	if a.Source.IsValid() {
		s.dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(a.Source, 0))
	}
	go s.run(ctx)
	return s
}

// impatient sets streamSilence on a socket (tcp(7)).
func impatient(_, _ string, c syscall.RawConn) (err error) {
	failed := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(streamSilence.Milliseconds()))
	})
	return cmp.Or(failed, err)
}

// Write takes an entry. The error is why it will be late, or lost.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, net.ErrClosed
	}
	select {
	case s.queue <- p:
		return len(p), s.err
	default:
		return 0, errors.Join(errBacklog, s.err)
	}
}

// Close ends the stream, after what waits if the server takes it soon.
func (s *stream) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.queue)
	}
	s.mu.Unlock()
	select {
	case <-s.done:
	case <-time.After(streamGrace):
	}
	s.over()
	<-s.done
	return nil
}

func (s *stream) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// run connects and sends until the stream is closed and nothing waits, or until ctx
// ends.
func (s *stream) run(ctx context.Context) {
	defer close(s.done)
	var next []byte // what waits for the next connection
	wait := minRetry
	for {
		if next == nil {
			p, more := <-s.queue
			if !more {
				return
			}
			next = p
		}
		conn, err := s.dialer.DialContext(ctx, "tcp", s.address)
		if err == nil {
			s.fail(nil)
			wait = minRetry
			next, err = s.send(ctx, conn, next)
			if next == nil && err == nil {
				return
			}
		}
		if ctx.Err() != nil {
			return
		}
		if next == nil { // the server left while there was nothing to say
			continue
		}
		s.fail(err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, maxRetry)
	}
}

// send sends over a connection until it breaks, or without an error until the stream is
// closed. It gives the entry that did not go out.
func (s *stream) send(ctx context.Context, conn net.Conn, next []byte) (unsent []byte, err error) {
	gone := make(chan struct{})
	go func() { // ends with the connection
		defer close(gone)
		_, _ = io.Copy(io.Discard, conn) // a server has nothing to say but that it leaves
	}()
	defer func() { <-gone }()
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	for {
		if next != nil {
			_ = conn.SetWriteDeadline(time.Now().Add(streamTimeout)) // a connection has deadlines
			if _, err := conn.Write(next); err != nil {
				return next, err
			}
		}
		select {
		case p, more := <-s.queue:
			if !more {
				return nil, nil
			}
			next = p
		case <-gone:
			return nil, fmt.Errorf("%s has closed the connection", s.address)
		}
		select {
		case <-gone: // both, and what is written now would be lost
			return next, fmt.Errorf("%s has closed the connection", s.address)
		default:
		}
	}
}
