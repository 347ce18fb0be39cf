package session

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/plane"
	"gopptp/mppe"
	"gopptp/ppp/auth"
	"gopptp/ppp/link"
	"gopptp/pptp"
	"gopptp/pptp/wire"
)

// listenRetry is the wait after the control port could not be opened, as when
// another PPTP server still has it.
const listenRetry = 3 * time.Second

// stopControl bounds the end of a control connection, so that a graceful stop
// of the program fits into two seconds with the end of PPP (1.4 s, if the peer is
// silent) and clearWait before it.
const stopControl = 300 * time.Millisecond

// A listener is the running server.
type listener struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// reconcileServer starts or stops the server and returns what runs. It is
// called by Run only.
func (m *Manager) reconcileServer(ctx context.Context, l *listener, enabled bool) *listener {
	switch {
	case enabled && l == nil:
		ctx, cancel := context.WithCancel(ctx)
		l = &listener{cancel, make(chan struct{})}
		go func() {
			defer close(l.done)
			m.serve(ctx)
		}()
	case !enabled && l != nil:
		l.cancel()
		m.await(l.done)
		l = nil
	}
	return l
}

// serve accepts calls until ctx ends and every session of the server is gone.
func (m *Manager) serve(ctx context.Context) {
	var last string
	for ctx.Err() == nil {
		ln, err := m.cfg.Listen(ctx)
		if err == nil {
			last = ""
			m.setPort(port{open: true})
			err = m.serveListener(ctx, ln)
		}
		if ctx.Err() != nil {
			m.setPort(port{})
			return
		}
		m.setPort(port{err: err})
		if err.Error() != last {
			last = err.Error()
			m.cfg.Journal.Addf("pptp,error", "cannot serve on TCP port %d: %v; is another PPTP server running?", Port, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(listenRetry):
		}
	}
}

// serveListener ends the sessions before the control connections under them, so
// that a peer hears the reason in PPP first.
func (m *Manager) serveListener(ctx context.Context, ln net.Listener) error {
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var calls sync.WaitGroup
	var counting sync.Mutex // held while a call is counted, so that none is beside Wait
	full := false           // guarded by counting; no more calls
	server := pptp.Server{Config: m.controlConfig()}
	server.Config.MaxChannels = maxCalls
	log := server.Config.Log
	server.Config.Log = func(e pptp.Event) {
		switch e.Kind {
		case pptp.EventAccepted:
			m.meter.open.Add(1)
		case pptp.EventEnded:
			m.meter.open.Add(-1)
		}
		log(e)
	}
	server.Config.Calls = func(req *pptp.CallRequest) {
		counting.Lock()
		defer counting.Unlock()
		if full {
			req.Reject(wire.ErrorNoResource)
			return
		}
		calls.Go(func() { m.serveCall(ctx, req) })
	}
	result := make(chan error, 1)
	go func() {
		result <- server.Serve(serving, lasting{ln, serving.Done()}, nil)
	}()
	select {
	case err := <-result: // all connections have ended, and their calls with them
		calls.Wait()
		return err
	case <-ctx.Done():
		ln.Close()
		counting.Lock()
		full = true
		counting.Unlock()
		calls.Wait()
		stop()
		return <-result
	}
}

// A lasting listener hides that it is closed until its connections may end: for a
// pptp.Server it would be the end of all of them.
type lasting struct {
	net.Listener
	end <-chan struct{}
}

// Accept implements net.Listener.
func (l lasting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if errors.Is(err, net.ErrClosed) {
		<-l.end
	}
	return c, err
}

// maxCalls bounds the calls of one control connection. Clients make one; the
// bound keeps one of them from taking all Call IDs.
const maxCalls = 64

// serveCall owns one call from the request to the end.
func (m *Manager) serveCall(ctx context.Context, req *pptp.CallRequest) {
	var s *session
	aside(func() { s = m.takeCall(ctx, req) })
	if s != nil {
		s.run(ctx)
		m.dropCall(s)
	}
}

// takeCall answers a call request. It gives the session if there is one now.
func (m *Manager) takeCall(ctx context.Context, req *pptp.CallRequest) *session {
	c := req.Conn()
	local, peer := addrOf(c.LocalAddr()), addrOf(c.RemoteAddr())
	m.mu.Lock()
	server, identity := m.server, m.identity
	m.mu.Unlock()
	if len(server.Authentication) == 0 { // nobody comes in without a name
		req.Reject(wire.ErrorNoResource)
		m.meter.refuse(RefusedMethod)
		m.cfg.Journal.Addf("pptp,ppp,error", "call from %v refused: the server accepts no authentication method", peer)
		return nil
	}
	data, err := m.cfg.Plane.NewCall(local, peer)
	if err != nil {
		req.Reject(wire.ErrorNoResource)
		m.meter.refuse(RefusedCallID)
		m.cfg.Journal.Addf("pptp,ppp,error", "call from %v refused: %v", peer, err)
		return nil
	}
	data.SetPeerID(uint16(req.PeerID()))

	issued := m.issued.begin()
	s := newSession(m, data, link.New(link.Config{
		Server:    true,
		MRU:       server.MaxMRU,
		MTU:       server.MaxMTU,
		Auth:      strongestFirst(server.Authentication),
		Name:      identity,
		Strengths: strengths,
		RTT:       roundTrip(c.NetConn()),
		Keepalive: server.Keepalive,
		Rand:      m.cfg.Rand,
		Issue:     issued.issue,

		MRRU:           server.MRRU,
		LargeEncrypted: decryptsLarge(c.Peer()),
	}), peer)
	s.server, s.issued = true, issued
	s.place.began = req.Began()
	s.defaultProfile = server.DefaultProfile
	s.status.CallerID = peer.String()
	s.status.CalledID = local.String()
	if err := m.guard.enter(s, peer); err != nil {
		req.Reject(wire.ErrorNoResource)
		m.meter.refuse(RefusedCrowd)
		m.cfg.Journal.Debugf("pptp,debug", "call from %v refused: %v", peer, err)
		issued.end()
		data.Close()
		return nil
	}
	m.register(s)
	// From here on GRE packets of the call reach the session's queue, so that
	// nothing is lost however soon they follow the reply.
	s.call, err = req.Accept(ctx, pptp.CallReply{LocalID: wire.CallID(data.ID()), Window: plane.Window})
	if err != nil {
		m.cfg.Journal.Debugf("pptp,debug", "call from %v: %v", peer, err)
		m.dropCall(s)
		return nil
	}
	return s
}

// dropCall forgets the session of a call.
func (m *Manager) dropCall(s *session) {
	m.unregister(s)
	m.guard.leave(s, s.outer)
	s.issued.end()
	s.data.Close()
}

// strongestFirst is the order in which methods are asked for.
func strongestFirst(methods []auth.Method) []auth.Method {
	sorted := slices.Clone(methods)
	slices.SortFunc(sorted, func(a, b auth.Method) int { return int(b) - int(a) })
	return sorted
}

// strengths are what CCP may agree on, best first: old peers know 40 bits only.
var strengths = []mppe.Strength{mppe.Bits128, mppe.Bits56, mppe.Bits40}

// strengthsOf gives what CCP may agree on with a user; nil for all.
func strengthsOf(g *aaa.Grant) []mppe.Strength {
	if g.Only128 {
		return []mppe.Strength{mppe.Bits128}
	}
	return nil
}

// encryption turns a profile's use-encryption into the link's.
func encryption(t aaa.Tri) link.Encryption {
	switch t {
	case aaa.Yes:
		return link.EncryptionYes
	case aaa.Required:
		return link.EncryptionRequired
	}
	return link.EncryptionNo
}

// controlConfig is what every control connection of ours says and does.
func (m *Manager) controlConfig() pptp.Config {
	m.mu.Lock()
	defer m.mu.Unlock()
	return pptp.Config{
		HostName:         m.identity,
		VendorName:       vendor,
		FirmwareRevision: 1,
		StopTimeout:      stopControl,
		Log:              m.logControl,
	}
}

// vendor is what peers are told of the maker of this program.
const vendor = "gopptp"

// vendorRouterOS is what RouterOS tells.
const vendorRouterOS = "MikroTik"

// decryptsLarge says whether a peer is of a kind that decrypts packets of any size
// up to its MRRU, which Linux does not. Who lies about it loses packets of its own.
func decryptsLarge(p pptp.Peer) bool {
	return p.VendorName == vendor || p.VendorName == vendorRouterOS
}

// logControl writes what happens on control connections as RouterOS does.
func (m *Manager) logControl(e pptp.Event) {
	m.meter.control(e)
	from := addrOf(e.Remote)
	j := m.cfg.Journal
	switch e.Kind {
	case pptp.EventAccepted:
		j.Addf("pptp,info", "TCP connection established from %v", from)
	case pptp.EventRefused:
		j.Debugf("pptp,debug", "connection from %v refused: %v", from, e.Err)
	case pptp.EventReceived:
		j.Debugf("pptp,debug,packet", "rcvd %v from %v", e.Message.Type(), from)
	case pptp.EventSent:
		j.Debugf("pptp,debug,packet", "sent %v to %v", e.Message.Type(), from)
	case pptp.EventIgnored:
		j.Debugf("pptp,debug", "message from %v ignored: %v", from, e.Err)
	case pptp.EventEnded:
		if errors.Is(e.Err, net.ErrClosed) {
			return
		}
		j.Debugf("pptp,debug", "control connection with %v ended: %v", from, e.Err)
	}
}

// addrOf is the IP address of a TCP address; the zero Addr of any other.
func addrOf(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
