package accept

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
)

// A listener gives what is put into it.
type listener struct {
	results chan any // a net.Conn or an error
	closed  chan struct{}
}

func newListener(results ...any) *listener {
	l := &listener{make(chan any, len(results)), make(chan struct{})}
	for _, r := range results {
		l.results <- r
	}
	return l
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case r := <-l.results:
		if err, ok := r.(error); ok {
			return nil, err
		}
		return r.(net.Conn), nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

func (l *listener) Addr() net.Addr { return &net.UnixAddr{} }

// echo is a handler that gives back what comes.
func echo(conn net.Conn) Handler {
	return func(context.Context) { _, _ = io.Copy(conn, conn) }
}

// closed reports whether the other end of a pipe is closed.
func closed(t *testing.T, conn net.Conn) {
	t.Helper()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the connection is open: %v", err)
	}
}

// TestServe serves one, refuses one, outlives what passes and ends with its
// context, after its handlers.
func TestServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		served, here := net.Pipe()
		refused, there := net.Pipe()
		stop := errors.New("stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		l := newListener(syscall.EMFILE, syscall.ECONNABORTED, refused, served)
		var handlers atomic.Int32
		result := make(chan error)
		go func() {
			result <- Serve(ctx, l, func(conn net.Conn) Handler {
				if conn == refused {
					return nil
				}
				return func(ctx context.Context) {
					handlers.Add(1)
					echo(conn)(ctx)
					handlers.Add(-1)
				}
			})
		}()
		closed(t, there)
		if _, err := here.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(here, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		cancel(stop)
		if err := <-result; !errors.Is(err, stop) {
			t.Errorf("the cause is %v", err)
		}
		if n := handlers.Load(); n != 0 {
			t.Errorf("%d handlers run on", n)
		}
		closed(t, here)
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the listener is open: %v", err)
		}
	})
}

// TestListenerFails ends everybody when the listener breaks.
func TestListenerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		served, here := net.Pipe()
		l := newListener(served, syscall.ENOTSOCK)
		if err := Serve(t.Context(), l, echo); !errors.Is(err, syscall.ENOTSOCK) {
			t.Errorf("the error is %v", err)
		}
		closed(t, here)
	})
}

// TestHandlerReturns closes what a handler left open.
func TestHandlerReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		served, here := net.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() {
			result <- Serve(ctx, newListener(served), func(net.Conn) Handler { return func(context.Context) {} })
		}()
		closed(t, here)
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("the cause is %v", err)
		}
	})
}
