package session

import (
	"context"
	"net"
	"testing"
	"time"

	"gopptp/internal/journal"
	"gopptp/pptp"
)

// TestCallsWhileServerStops asks for calls while the server is told to stop: each is
// either counted before that, or refused.
func TestCallsWhileServerStops(t *testing.T) {
	for i := range 20 {
		m := NewManager(Config{Journal: journal.New(func(journal.Entry) {}, false)})
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			_ = m.serveListener(ctx, ln)
		}()
		nc, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		c := pptp.NewClient(nc, pptp.Config{})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = c.Run(context.Background())
		}()
		time.AfterFunc(time.Duration(1+i)*time.Millisecond, cancel)
		for c.Err() == nil {
			_, _ = c.Dial(t.Context(), pptp.OutgoingCall{LocalID: 1}) // refused: the server takes no method
		}
		<-stopped
		<-ended
	}
}
