package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"gopptp/internal/journal"
)

// The bounds of a connection. A client that is slower than this, or idle for
// longer, is cut off; it may come again.
const (
	headerTime = 10 * time.Second
	readTime   = 30 * time.Second
	// writeTime begins with the request, so that the longest command fits, with a
	// delayed login before it and a slow reader after it.
	writeTime = longest + 60*time.Second
	idleTime  = 2 * time.Minute
	// closeTime is how long the end of the service waits for answers.
	closeTime = 2 * time.Second
	// maxHeader is more than any browser sends.
	maxHeader = 32 << 10
)

// Serve answers HTTP requests with h until ctx ends, which it returns as the
// cause, or until the listener fails. With a TLS configuration it speaks HTTPS; so
// it does if the listener gives TLS connections. It closes the listener, and
// returns after the last answer. How many connections there may be is for the
// listener to say. A handler made by New, also as a part of h, logs each
// connection in once.
func Serve(ctx context.Context, l net.Listener, config *tls.Config, h http.Handler, j *journal.Journal) error {
	if config != nil {
		config = config.Clone()
		config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
		config.NextProtos = []string{"http/1.1"}
		l = tls.NewListener(l, config)
	}
	var connections sync.Map // net.Conn to *connection
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       readTime,
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(logWriter{j}, "", 0),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			c := &connection{}
			connections.Store(conn, c)
			return context.WithValue(ctx, connectionKey{}, c)
		},
		ConnState: func(conn net.Conn, state http.ConnState) {
			if state != http.StateClosed && state != http.StateHijacked {
				return
			}
			if c, ok := connections.LoadAndDelete(conn); ok {
				c.(*connection).close()
			}
		},
	}
	// Shutdown tells of the end of idle connections when it is over.
	defer connections.Range(func(_, c any) bool {
		c.(*connection).close()
		return true
	})
	var closing sync.WaitGroup
	defer closing.Wait()
	stopped := make(chan struct{})
	closing.Go(func() {
		select {
		case <-ctx.Done():
		case <-stopped:
		}
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		if server.Shutdown(late) != nil {
			server.Close()
		}
	})
	err := server.Serve(l)
	close(stopped)
	if ctx.Err() != nil || errors.Is(err, http.ErrServerClosed) {
		return context.Cause(ctx)
	}
	return fmt.Errorf("rest: %w", err)
}

// logWriter takes what the HTTP server has to say. Broken connections are the
// world's business and are shown when debugging only; a panic is ours.
type logWriter struct{ journal *journal.Journal }

func (w logWriter) Write(p []byte) (int, error) {
	if text := string(p); strings.Contains(text, "panic") {
		w.journal.Addf("web,error,critical", "%s", text)
	} else {
		w.journal.Debugf("web,debug", "%s", strings.TrimSpace(text))
	}
	return len(p), nil
}
