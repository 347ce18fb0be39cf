package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"gopptp/internal/plane"
	"gopptp/mppe"
	"gopptp/ppp/auth"
	"gopptp/ppp/link"
	"gopptp/pptp"
	"gopptp/pptp/wire"
)

// clearWait bounds the wait for the server to confirm that a call is cleared, and
// stopWait the one for the end of the control connection. A server that ends
// thousands at once is slow.
const (
	clearWait = 2 * time.Second
	stopWait  = 5 * time.Second
)

// A session is one client. Its goroutine owns it; others use its device and what
// is said to be theirs.
type session struct {
	line   *line
	data   *plane.Call
	call   *pptp.Call
	link   *link.Link
	device *device

	up   chan struct{} // closed when IP flows
	quit chan struct{} // closed by hangUp
	once sync.Once
	done chan struct{} // closed at the end
	err  error         // why it came to its end; valid after done
}

// dial makes a session and returns when it is up.
func (r *run) dial(ctx context.Context, on *line) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	s := &session{line: on, up: make(chan struct{}), quit: make(chan struct{}), done: make(chan struct{})}
	if err := s.connect(ctx, r); err != nil {
		return nil, err
	}
	s.link = link.New(link.Config{
		Auth: []auth.Method{auth.MSCHAPv2}, User: r.User, Password: r.Password,
		Encryption: link.EncryptionRequired, StatelessOnly: true, Keepalive: r.Keepalive,
	})
	go s.run()
	select {
	case <-s.up:
		return s, nil
	case <-s.done:
	case <-ctx.Done():
		s.hangUp()
		<-s.done
		s.err = errors.Join(context.Cause(ctx), s.err)
	}
	return nil, s.err
}

// connect makes the control connection, if need be, and the call.
func (s *session) connect(ctx context.Context, r *run) (err error) {
	control, local, err := s.line.take(ctx, r)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			s.disconnect()
		}
	}()
	if s.data, err = r.plane.NewCall(local, r.Target); err != nil {
		return err
	}
	s.device = newDevice(s.data.ID())
	if s.call, err = control.Dial(ctx, pptp.OutgoingCall{LocalID: wire.CallID(s.data.ID())}); err != nil {
		return err
	}
	s.data.SetPeerID(uint16(s.call.PeerID()))
	return nil
}

// addressOf gives our address of a connection.
func addressOf(nc net.Conn) netip.Addr {
	if a, ok := nc.LocalAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// disconnect gives back what connect took.
func (s *session) disconnect() {
	if s.call != nil {
		s.call.Disconnect(wire.DisconnectRequest)
		select {
		case <-s.call.Done():
		case <-time.After(clearWait):
		}
	}
	s.line.leave()
	if s.data != nil {
		s.data.Close()
	}
}

// hangUp asks the session to end.
func (s *session) hangUp() { s.once.Do(func() { close(s.quit) }) }

// over reports whether the session has ended.
func (s *session) over() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// lost says why a session that nobody has asked to end did so; nil if it lives.
func (s *session) lost() error {
	if s.over() {
		return s.err
	}
	return nil
}

// errHungUp is the end of a session that was asked to end.
var errHungUp = errors.New("load: hung up")

// run owns the session until its end.
func (s *session) run() {
	defer close(s.done)
	s.err = s.serve()
	s.data.Shut()
	s.device.Close()
	s.data.WaitReader()
	s.disconnect()
}

// serve gives frames and time to the link, until its end, and says why it ended.
func (s *session) serve() error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	quit, asked := s.quit, false
	var heard time.Time
	s.link.Start(time.Now())
	for {
		if err := s.pump(); err != nil {
			if asked {
				return errHungUp
			}
			return err
		}
		if at, ok := s.link.Deadline(); ok {
			timer.Reset(time.Until(at))
		}
		select {
		case f := <-s.data.Frames():
			s.take(time.Now(), f)
		case <-s.call.Done():
			if asked {
				return errHungUp
			}
			return fmt.Errorf("load: the call ended: %w", s.call.Err())
		case <-quit:
			quit, asked = nil, true
			s.link.Close(time.Now(), "")
		case <-timer.C:
			if at := s.data.Heard(); at.After(heard) {
				heard = at
				s.link.Heard(at)
			}
			s.link.Tick(time.Now())
		}
	}
}

// take gives one thing from the data path to the link.
func (s *session) take(now time.Time, f plane.Frame) {
	switch f.Signal {
	case plane.NoSignal:
		s.link.Input(now, f.Data)
	case plane.NeedReset:
		s.link.NeedReset(now)
		s.data.Rearm(plane.NeedReset)
	case plane.Resynced:
		s.link.Resynced()
	case plane.Undecryptable:
		s.link.Undecryptable(now)
		s.data.Rearm(plane.Undecryptable)
	}
}

// pump does what the link wants, in its order. The error says that the link is at
// its end.
func (s *session) pump() error {
	for {
		output, ok := s.link.Next()
		if !ok {
			return nil
		}
		switch o := output.(type) {
		case link.Frame:
			_ = s.data.SendFrame(o) // lost like any other packet; the link sends it again
		case link.Multilink:
			s.data.SetMultilink(plane.Multilink(o))
		case link.ReceiveKey:
			s.data.SetReceiver(o.Config, o.Key)
		case link.SendKey:
			s.data.SetSender(o.Config, o.Key)
			if s.isUp() {
				s.data.Resume(s.device)
			}
		case link.Blocked:
			s.data.Block()
		case link.FlushSend:
			_ = s.data.Flush(o.Ack) // lost like any other packet; the peer asks again
		case link.NetworkUp:
			if !s.isUp() {
				s.open(o)
			}
		case link.NetworkDown:
			s.data.Shut()
		case link.Down:
			return errors.Join(errors.New("load: "+o.Reason), o.Cause)
		}
	}
}

// isUp reports whether IP has flowed.
func (s *session) isUp() bool {
	select {
	case <-s.up:
		return true
	default:
		return false
	}
}

// open lets packets flow.
func (s *session) open(o link.NetworkUp) {
	s.device.address(o.Local, o.Remote)
	s.data.Open(plane.Opening{
		Device:    s.device,
		SendClear: o.Send.Strength == mppe.None, ReceiveClear: o.Receive.Strength == mppe.None,
		PFC: o.PFC, ACFC: o.ACFC, MTU: o.MTU,
	})
	close(s.up)
}
