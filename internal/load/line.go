package load

import (
	"context"
	"net/netip"
	"sync"

	"gopptp/pptp"
	"gopptp/pptp/wire"
)

// A line is a control connection, and the calls of several sessions may be on it (RFC
// 2637, section 2.7). It is there while a session has it.
type line struct {
	from    netip.Addr
	running sync.WaitGroup

	mu      sync.Mutex
	users   int
	control *pptp.Conn // nil without users
	local   netip.Addr // its address, from which the packets come too
}

// take gives the connection, which is made for the first of its users. Each of them
// calls leave in the end.
func (l *line) take(ctx context.Context, r *run) (*pptp.Conn, netip.Addr, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users == 0 {
		nc, err := r.Dial(ctx, l.from)
		if err != nil {
			return nil, netip.Addr{}, err
		}
		l.local = addressOf(nc)
		l.control = pptp.NewClient(nc, pptp.Config{HostName: "gopptp-bench", VendorName: "gopptp", FirmwareRevision: 1, StopTimeout: stopWait})
		l.running.Go(func() { _ = l.control.Run(context.WithoutCancel(ctx)) }) // leave ends it
	}
	l.users++
	return l.control, l.local, nil
}

// leave ends the connection with its last user.
func (l *line) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users--; l.users == 0 {
		l.control.Stop(wire.StopNone)
		l.running.Wait()
		l.control = nil
	}
}
