// Package accept is the loop behind every door that keeps connections: accept,
// ask whether to serve, serve each in a goroutine of its own, and end them all
// when the door closes.
//
// It speaks no protocol, knows no user and writes no log: those are the door's.
package accept

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

// pause is how long to wait when the process has no file descriptor left: it is
// over when a connection ends.
const pause = 100 * time.Millisecond

// A Handler serves a connection. ctx ends with the door.
type Handler func(ctx context.Context)

// Serve accepts connections until ctx ends, which it returns as the cause, or
// until the listener fails. Admit judges them one after the other and gives what
// serves one, or nil to refuse it. A connection is closed when ctx ends, when its
// handler returns and when it is refused. Serve closes the listener, and returns
// after the last handler.
func Serve(ctx context.Context, l net.Listener, admit func(net.Conn) Handler) error {
	var handlers sync.WaitGroup
	defer handlers.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	defer l.Close()
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return context.Cause(ctx)
		case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ECONNABORTED):
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			continue
		case err != nil:
			return err
		}
		handle := admit(conn)
		if handle == nil {
			conn.Close()
			continue
		}
		handlers.Go(func() {
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			defer conn.Close()
			handle(ctx)
		})
	}
}
