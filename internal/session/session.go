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

// clearWait bounds the wait for a server's answer when a client clears its call.
const clearWait = 200 * time.Millisecond

// A session is one tunnel. run owns it; what others may see is in status.
type session struct {
	m       *Manager
	id      uint64 // set by register
	server  bool
	data    *plane.Call
	call    *pptp.Call // set before run
	link    *link.Link
	outer   netip.Addr    // the peer's
	kill    chan ending   // why to end, from others
	gone    chan struct{} // closed when the session is no more
	changes chan change

	defaultProfile string  // of a server session
	issued         *issuer // of a server session: its challenges
	route          int     // distance of a client's default route; 0 for none
	peerDNS        peerDNS // of a client
	held           *held   // the interface of a client that dials on demand; nil for none
	answers        chan answer
	asking         sync.WaitGroup // those who look for an answer

	// Owned by run.
	user         string     // the secret's name, or a client's own
	grant        *aaa.Grant // of a server session; it may be replaced, but not changed
	limits       limits
	leases       []netip.Addr // out of pools
	question     int          // the number of the last question who the peer is
	giveUpAsking context.CancelFunc
	refused      bool           // the peer failed to authenticate; the log has said so
	device       Interface      // nil while the network layer is down, or without IP
	port         tun.Device     // of a bridge; nil without one
	network      link.NetworkUp // what the interface was made for
	loggedIn     time.Time      // zero before authentication, and on a client
	heard        time.Time      // the last packet that the link was told of
	wasUp        bool           // the network came up at least once
	ending       ending         // why the session ends; without a reason while it lives
	place        place          // where it is counted

	// Guarded by m.mu: what is to be given back.
	claimed     string // interface name
	binding     uint64 // that it comes from; 0 for none
	claimedUser string

	mu     sync.Mutex
	status Status // guarded by mu once the session is registered
	past   Past   // guarded by mu; what is told when it is over
	denied bool   // guarded by mu; the last authentication of the peer failed
}

// noGrant is that of a session whose user nobody has authenticated.
var noGrant = new(aaa.Grant)

func newSession(m *Manager, data *plane.Call, l *link.Link, outer netip.Addr) *session {
	return &session{
		m:            m,
		data:         data,
		link:         l,
		outer:        outer,
		kill:         make(chan ending, 1),
		gone:         make(chan struct{}),
		changes:      make(chan change),
		answers:      make(chan answer),
		giveUpAsking: func() {},
		grant:        noGrant,
		past:         Past{Began: time.Now()},
		status:       Status{OuterAddress: outer, State: "connecting..."},
	}
}

// snapshot gives the session's state with fresh counters.
func (s *session) snapshot() Status {
	s.mu.Lock()
	st := s.status
	s.mu.Unlock()
	st.Traffic = s.traffic()
	return st
}

// traffic gives what the session has carried.
func (s *session) traffic() Traffic {
	t := s.data.Stats()
	return Traffic{
		RxBytes: t.RxBytes, TxBytes: t.TxBytes, RxPackets: t.RxPackets, TxPackets: t.TxPackets,
		RxDrops: t.RxDrops, TxDrops: t.TxDrops,
	}
}

func (s *session) update(f func(*Status)) {
	defer s.m.bell.Ring() // when mu is free
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

// stop asks the session to end; the first ending counts.
func (s *session) stop(e ending) {
	select {
	case s.kill <- e:
	default:
	}
}

// run owns the session from the connected call to its end.
func (s *session) run(ctx context.Context) {
	s.reach(Connecting)
	defer s.departed()
	defer s.end()
	timer := time.NewTimer(0)
	defer timer.Stop()
	stopped := ctx.Done()
	s.link.Start(time.Now())
	for {
		s.deeply(func() { s.pump(ctx, time.Now()) })
		if reason := s.link.Reason(); reason != "" {
			s.terminating(endOf(reason))
		}
		if s.link.Dead() {
			return
		}
		if at, ok := s.deadline(time.Now()); ok {
			timer.Reset(time.Until(at))
		}
		select {
		case f := <-s.data.Frames():
			s.deeply(func() { s.take(time.Now(), f) })
		case <-s.call.Done():
			s.terminating(endLost)
			return
		case e := <-s.kill:
			s.close(time.Now(), e)
		case c := <-s.changes:
			s.change(c)
		case a := <-s.answers:
			s.deeply(func() { s.answered(time.Now(), a) })
		case <-stopped:
			stopped = nil
			s.close(time.Now(), endStop)
		case <-timer.C:
			if heard := s.data.Heard(); heard.After(s.heard) {
				s.heard = heard
				s.link.Heard(heard)
			}
			s.link.Tick(time.Now())
		}
	}
}

// deeply runs f, aside until the network is up.
func (s *session) deeply(f func()) {
	if s.limits.up.IsZero() {
		aside(f)
		return
	}
	f()
}

// aside runs f on a stack that goes with it, and waits. Making a session takes several
// times the stack that keeping one does, and a goroutine that lives on gives little of it
// back.
func aside(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// deadline is when the link or the policy has something to do. A session whose
// policy is at its end is closed.
func (s *session) deadline(now time.Time) (time.Time, bool) {
	at, ok := s.link.Deadline()
	if s.ending.reason != "" {
		return at, ok
	}
	end, over, next := s.limits.due(now, s.data.Used(), s.traffic())
	if over {
		s.close(now, end)
		return now, true // what the link has to say now goes out
	}
	if !next.IsZero() && (!ok || next.Before(at)) {
		return next, true
	}
	return at, ok
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
	case plane.DeviceLost:
		s.data.Rearm(plane.DeviceLost)
		if s.device != nil || s.port != nil { // or it is gone by now
			s.close(now, endRemoved)
		}
	default:
		s.debugFrame("rcvd", f.Data)
		s.link.Input(now, f.Data)
	}
}

// pump does what the link wants, in the order in which it wants it: a key is in
// force before the frame that lets the peer use it leaves.
func (s *session) pump(ctx context.Context, now time.Time) {
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
			s.authorize(ctx, now, o)
		case link.Authenticated:
			s.authenticated(now, o)
		case link.Multilink:
			s.data.SetMultilink(plane.Multilink(o))
		case link.ReceiveKey:
			s.data.SetReceiver(o.Config, o.Key)
		case link.SendKey:
			s.data.SetSender(o.Config, o.Key)
			if !s.limits.up.IsZero() {
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
		case link.BridgeUp:
			s.bridgeUp(now, o)
		case link.BridgeDown:
			s.bridgeDown()
		case link.MissedEcho:
			s.info("LCP missed echo reply")
		}
	}
}

// authenticated names the session. On a server the user is logged in from here
// on; on a client the server has taken our password.
func (s *session) authenticated(now time.Time, o link.Authenticated) {
	s.proven(o.Method)
	s.mu.Lock()
	if s.past.Authenticated.IsZero() {
		s.past.Authenticated = now
	}
	s.past.Method = o.Method
	s.mu.Unlock()
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
			st.LimitIn, st.LimitOut = s.grant.Policy.LimitIn, s.grant.Policy.LimitOut
		})
		from := ""
		if s.grant.Remote.IsValid() {
			from = s.grant.Remote.String() + " "
		}
		s.m.cfg.Journal.Addf("pptp,ppp,info,account", "%s logged in, %sfrom %s", s.user, from, s.outer)
	}
	s.info("authenticated")
}

// networkUp makes the interface and lets user traffic flow. A session that only
// bridges has no addresses, and no interface but the port.
func (s *session) networkUp(now time.Time, o link.NetworkUp) {
	if o.Local.IsValid() {
		if err := s.checkAddresses(o); err != nil {
			s.close(now, ending{"could not add address: " + err.Error(), NASError})
			return
		}
		device, err := s.open(s.interfaceConfig(o))
		if err != nil {
			s.close(now, ending{"could not add interface: " + err.Error(), NASError})
			return
		}
		s.device = device
	}
	s.network = o
	s.data.SetLimit(s.limits.policy.Rate) // of an earlier network there may be another one
	s.limits.up = now
	if s.limits.begin.IsZero() {
		s.limits.begin = now
	}
	encoding := encodingOf(o.Send, o.Receive)
	s.connected(now, encryptionOf(o.Send, o.Receive))
	s.update(func(st *Status) {
		st.State, st.Running = "connected", true
		st.LocalAddress, st.RemoteAddress = o.Local, o.Remote
		st.MTU, st.MRU = o.MTU, o.MRU
		st.Encoding, st.ConnectedAt = encoding, now
	})
	s.data.Open(plane.Opening{
		Device:       s.device,
		SendClear:    o.Send.Strength == mppe.None,
		ReceiveClear: o.Receive.Strength == mppe.None,
		PFC:          o.PFC,
		ACFC:         o.ACFC,
		MTU:          o.MTU,
	})
	s.wasUp = true
	if encoding != "" {
		s.info("using encoding - %s", encoding)
	}
	s.info("connected")
	s.tell(Up)
}

// open gives the tunnel its interface: one that the client has already, or a new
// one.
func (s *session) open(c InterfaceConfig) (Interface, error) {
	if s.held != nil {
		return s.held.lend(c)
	}
	return s.m.cfg.Host.CreateInterface(c)
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
	s.bridgeDown()
	if s.limits.up.IsZero() {
		return
	}
	if s.device != nil {
		s.device.Close()
		s.data.WaitReader()
		s.device = nil
	}
	s.limits.up = time.Time{}
	if s.place.stage == Connected {
		s.reach(Authenticated)
	}
	s.update(func(st *Status) { st.Running = false })
	s.tell(Down)
}

// close ends the session for a reason of our own.
func (s *session) close(now time.Time, e ending) {
	s.terminating(e)
	s.link.Close(now, e.reason)
}

// terminating says, once, why the session ends.
func (s *session) terminating(e ending) {
	if s.ending.reason != "" {
		return
	}
	s.ending = e
	s.ends(e)
	state := "terminating... - " + e.reason
	s.update(func(st *Status) { st.State, st.Running = state, false })
	if !s.refused {
		s.info("%s", state)
	}
}

// end says goodbye to the peer and gives back all that the session had.
func (s *session) end() {
	s.giveUpAsking()
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
	s.asking.Wait()
	if !s.loggedIn.IsZero() {
		s.tell(Ended) // before somebody else has the address
	}
	s.tell(Over)
	s.unlease()
}
