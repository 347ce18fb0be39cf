package session

import (
	"context"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/plane"
	"gopptp/internal/tun"
	"gopptp/mppe"
	"gopptp/ppp/link"
	"gopptp/pptp"
	"gopptp/pptp/wire"
)

// Reasons that end a session, as the log shows them after "terminating... - ".
const (
	reasonAdmin = "administrator request"
	reasonLost  = "disconnected"
)

// clearWait bounds the wait for a server's answer when a client clears its call.
const clearWait = 200 * time.Millisecond

// A session is one tunnel. run owns it; what others may see is in status.
type session struct {
	m      *Manager
	id     uint64 // set by register
	server bool
	data   *plane.Call
	call   *pptp.Call // set before run
	link   *link.Link
	outer  netip.Addr  // the peer's
	kill   chan string // a reason to end, from others

	defaultProfile string // of a server session

	// Owned by run.
	user     string     // the secret's name, or a client's own
	grant    aaa.Grant  // of a server session
	refused  bool       // the peer failed to authenticate; the log has said so
	device   tun.Device // nil while the network layer is down
	loggedIn time.Time  // zero before authentication, and on a client
	heard    time.Time  // the last packet that the link was told of
	wasUp    bool       // the network came up at least once
	reason   string     // why the session ends; empty while it lives

	claimed string // guarded by m.mu; interface name to give back

	mu     sync.Mutex
	status Status // guarded by mu once the session is registered
}

func newSession(m *Manager, data *plane.Call, l *link.Link, outer netip.Addr) *session {
	return &session{
		m:      m,
		data:   data,
		link:   l,
		outer:  outer,
		kill:   make(chan string, 1),
		status: Status{OuterAddress: outer, State: "connecting..."},
	}
}

// snapshot gives the session's state with fresh counters.
func (s *session) snapshot() Status {
	s.mu.Lock()
	st := s.status
	s.mu.Unlock()
	t := s.data.Stats()
	st.Traffic = Traffic{
		RxBytes: t.RxBytes, TxBytes: t.TxBytes, RxPackets: t.RxPackets, TxPackets: t.TxPackets,
		RxDrops: t.RxDrops, TxDrops: t.TxDrops,
	}
	return st
}

func (s *session) update(f func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.status)
}

// name is what the log calls the session: its interface, or before that the
// number of the call.
func (s *session) name() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status.Interface != "" {
		return s.status.Interface
	}
	return "<" + strconv.Itoa(int(s.data.ID())) + ">"
}

// info writes a line of the log about the session.
func (s *session) info(format string, args ...any) {
	s.m.cfg.Journal.Addf("pptp,ppp,info", "%s: "+format, append([]any{s.name()}, args...)...)
}

// stop asks the session to end; the first reason counts.
func (s *session) stop(reason string) {
	select {
	case s.kill <- reason:
	default:
	}
}

// run owns the session from the connected call to its end.
func (s *session) run(ctx context.Context) {
	defer s.end()
	timer := time.NewTimer(0)
	defer timer.Stop()
	stopped := ctx.Done()
	s.link.Start(time.Now())
	for {
		s.pump(time.Now())
		if reason := s.link.Reason(); reason != "" {
			s.terminating(reason)
		}
		if s.link.Dead() {
			return
		}
		if at, ok := s.link.Deadline(); ok {
			timer.Reset(time.Until(at))
		}
		select {
		case f := <-s.data.Frames():
			s.take(time.Now(), f)
		case <-s.call.Done():
			s.terminating(reasonLost)
			return
		case reason := <-s.kill:
			s.close(time.Now(), reason)
		case <-stopped:
			stopped = nil
			s.close(time.Now(), reasonAdmin)
		case <-timer.C:
			if heard := s.data.Heard(); heard.After(s.heard) {
				s.heard = heard
				s.link.Heard(heard)
			}
			s.link.Tick(time.Now())
		}
	}
}

// take gives one thing from the data path to the link.
func (s *session) take(now time.Time, f plane.Frame) {
	switch f.Signal {
	case plane.NeedReset:
		s.link.NeedReset(now)
		s.data.Rearm(plane.NeedReset)
	case plane.Resynced:
		s.link.Resynced()
	case plane.Undecryptable:
		s.link.Undecryptable(now)
		s.data.Rearm(plane.Undecryptable)
	default:
		s.debugFrame("rcvd", f.Data)
		s.link.Input(now, f.Data)
	}
}

// pump does what the link wants, in the order in which it wants it: a key is in
// force before the frame that lets the peer use it leaves.
func (s *session) pump(now time.Time) {
	for {
		output, ok := s.link.Next()
		if !ok {
			return
		}
		switch o := output.(type) {
		case link.Frame:
			s.debugFrame("sent", o)
			_ = s.data.SendFrame(o) // lost like any other packet; the link sends it again
		case link.AuthRequest:
			s.authorize(now, o)
		case link.Authenticated:
			s.authenticated(now, o)
		case link.ReceiveKey:
			s.data.SetReceiver(o.Config, o.Key)
		case link.SendKey:
			s.data.SetSender(o.Config, o.Key)
			if s.device != nil {
				s.data.Resume(s.device)
			}
		case link.Blocked:
			s.data.Block()
		case link.FlushSend:
			s.debugFrame("sent", o.Ack)
			_ = s.data.Flush(o.Ack) // lost like any other packet; the peer asks again
		case link.NetworkUp:
			s.networkUp(now, o)
		case link.NetworkDown:
			s.networkDown()
		case link.MissedEcho:
			s.info("LCP missed echo reply")
		}
	}
}

// authenticated names the session. On a server the user is logged in from here
// on; on a client the server has taken our password.
func (s *session) authenticated(now time.Time, _ link.Authenticated) {
	if !s.server {
		s.info("authenticated")
		s.update(func(st *Status) { st.State = "authenticated" })
		return
	}
	if s.loggedIn.IsZero() {
		s.loggedIn = now
		name, binding := s.m.claimInterface(s, s.user)
		s.update(func(st *Status) {
			st.Interface, st.Binding, st.User = name, binding, s.user
			st.RemoteAddress = s.grant.Remote
		})
		from := ""
		if s.grant.Remote.IsValid() {
			from = s.grant.Remote.String() + " "
		}
		s.m.cfg.Journal.Addf("pptp,ppp,info,account", "%s logged in, %sfrom %s", s.user, from, s.outer)
	}
	s.info("authenticated")
}

// networkUp makes the interface and lets user traffic flow.
func (s *session) networkUp(now time.Time, o link.NetworkUp) {
	if err := s.checkAddresses(o); err != nil {
		s.close(now, "could not add address: "+err.Error())
		return
	}
	device, err := s.m.cfg.Host.CreateInterface(InterfaceConfig{
		Name: s.name(), MTU: o.MTU, Local: o.Local, Remote: o.Remote,
	})
	if err != nil {
		s.close(now, "could not add interface: "+err.Error())
		return
	}
	s.device = device
	encoding := encodingOf(o.Send, o.Receive)
	s.update(func(st *Status) {
		st.State, st.Running = "connected", true
		st.LocalAddress, st.RemoteAddress = o.Local, o.Remote
		st.MTU, st.MRU = o.MTU, o.MRU
		st.Encoding, st.ConnectedAt = encoding, now
	})
	s.data.Open(plane.Opening{
		Device:       device,
		SendClear:    o.Send.Strength == mppe.None,
		ReceiveClear: o.Receive.Strength == mppe.None,
		PFC:          o.PFC,
		ACFC:         o.ACFC,
	})
	s.wasUp = true
	if encoding != "" {
		s.info("using encoding - %s", encoding)
	}
	s.info("connected")
}

// encodingOf is what RouterOS shows: both directions, joined if they differ.
func encodingOf(send, receive mppe.Config) string {
	if send == receive {
		return send.String()
	}
	return send.String() + "/" + receive.String()
}

// networkDown takes the interface away.
func (s *session) networkDown() {
	s.data.Shut()
	if s.device == nil {
		return
	}
	s.device.Close()
	s.data.WaitReader()
	s.device = nil
	s.update(func(st *Status) { st.Running = false })
}

// close ends the session for a reason of our own.
func (s *session) close(now time.Time, reason string) {
	s.terminating(reason)
	s.link.Close(now, reason)
}

// terminating says, once, why the session ends.
func (s *session) terminating(reason string) {
	if s.reason != "" {
		return
	}
	s.reason = reason
	state := "terminating... - " + reason
	s.update(func(st *Status) { st.State, st.Running = state, false })
	if !s.refused {
		s.info("%s", state)
	}
}

// end says goodbye to the peer and gives back all that the session had.
func (s *session) end() {
	s.networkDown()
	s.call.Disconnect(wire.DisconnectAdminShutdown)
	if !s.server {
		select {
		case <-s.call.Done():
		case <-time.After(clearWait):
		}
	}
	if !s.loggedIn.IsZero() {
		t := s.data.Stats()
		s.m.cfg.Journal.Addf("pptp,ppp,info,account", "%s logged out, %d %d %d %d %d from %s", s.user,
			int(time.Since(s.loggedIn).Seconds()), t.RxBytes, t.TxBytes, t.RxPackets, t.TxPackets, s.outer)
	}
	if !s.refused {
		s.info("disconnected")
	}
}
