package tunnel

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"gopptp/internal/host/hosttest"
	"gopptp/internal/plane"
	"gopptp/internal/rawgre"
	"gopptp/ppp/auth"
	"gopptp/ppp/link"
	"gopptp/pptp"
	"gopptp/pptp/wire"
	"gopptp/test/rig"
)

// callLimit is how long a call may take until it is up or refused.
const callLimit = 10 * time.Second

// A caller makes calls without an interface at their end: as many as one likes,
// good ones and bad ones.
type caller struct {
	in    *hosttest.Namespace
	plane *plane.Plane
}

// newCaller makes a caller in a namespace, for as long as the test runs.
func newCaller(t *testing.T, in *hosttest.Namespace) *caller {
	t.Helper()
	var sockets []*rawgre.Socket
	in.Do(func() {
		var err error
		if sockets, err = rawgre.Listen(1); err != nil {
			t.Fatal(err)
		}
	})
	c := &caller{in: in, plane: plane.New(sockets[0])}
	var running sync.WaitGroup
	running.Go(func() { _ = c.plane.Run(context.Background()) }) // Close ends it
	t.Cleanup(func() {
		c.plane.Close()
		running.Wait()
	})
	return c
}

// connect opens the TCP connection of a call.
func (c *caller) connect(ctx context.Context, from netip.Addr) (nc net.Conn, err error) {
	c.in.Do(func() { // the socket is the namespace's: nothing here starts a goroutine for it
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: from.AsSlice()}}
		nc, err = d.DialContext(ctx, "tcp4", rig.ServerAddress+":1723")
	})
	return nc, err
}

// call makes a call up to PPP and gives it to use, and then clears it.
func (c *caller) call(ctx context.Context, from netip.Addr, use func(*plane.Call, *pptp.Call) error) error {
	nc, err := c.connect(ctx, from)
	if err != nil {
		return err
	}
	control := pptp.NewClient(nc, pptp.Config{StopTimeout: time.Second})
	var running sync.WaitGroup
	running.Go(func() { _ = control.Run(context.WithoutCancel(ctx)) })
	defer running.Wait()
	defer control.Stop(wire.StopNone)
	data, err := c.plane.NewCall(from, netip.MustParseAddr(rig.ServerAddress))
	if err != nil {
		return err
	}
	defer data.Close()
	call, err := control.Dial(ctx, pptp.OutgoingCall{LocalID: wire.CallID(data.ID())})
	if err != nil {
		return err
	}
	data.SetPeerID(uint16(call.PeerID()))
	return use(data, call)
}

// errDown says that a link came to its end before it was up.
var errDown = errors.New("the link went down")

// dial makes a call until it carries IP, and says how long that took.
func (c *caller) dial(ctx context.Context, from netip.Addr, user, password string) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	began := time.Now()
	err = c.call(ctx, from, func(data *plane.Call, call *pptp.Call) error {
		l := link.New(link.Config{
			Auth: []auth.Method{auth.MSCHAPv2}, User: user, Password: auth.Secret(password), Encryption: link.EncryptionYes,
		})
		l.Start(time.Now())
		timer := time.NewTimer(0)
		defer timer.Stop()
		for {
			for o, ok := l.Next(); ok; o, ok = l.Next() {
				switch o := o.(type) {
				case link.Frame:
					_ = data.SendFrame(o)
				case link.NetworkUp:
					took = time.Since(began)
					return nil
				}
			}
			if l.Dead() {
				return errDown
			}
			if at, ok := l.Deadline(); ok {
				timer.Reset(time.Until(at))
			}
			select {
			case f := <-data.Frames():
				l.Input(time.Now(), f.Data)
			case <-timer.C:
				l.Tick(time.Now())
			case <-call.Done():
				return errDown
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	return took, err
}
