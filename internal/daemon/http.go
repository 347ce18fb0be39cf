package daemon

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// headerWait is how long a request to a door without a login may take to arrive.
const headerWait = 10 * time.Second

// serveHTTP answers until ctx ends or the listener fails, which it closes. It returns
// after the last answer; one that takes longer than end after that is broken off.
func serveHTTP(ctx context.Context, l net.Listener, server *http.Server, end time.Duration) error {
	server.ReadHeaderTimeout = headerWait
	server.ErrorLog = log.New(io.Discard, "", 0) // what the one who asks does not see is of no use
	server.BaseContext = func(net.Listener) context.Context { return ctx }
	var closing sync.WaitGroup
	defer closing.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	closing.Go(func() {
		<-ctx.Done()
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), end)
		defer cancel()
		if server.Shutdown(late) != nil {
			server.Close()
		}
	})
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
