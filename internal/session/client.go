package session

import (
	"context"
	"math/rand/v2"
	"reflect"
	"sync"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/plane"
	"gopptp/ppp/auth"
	"gopptp/ppp/link"
	"gopptp/pptp"
	"gopptp/pptp/wire"
)

const (
	// connectTimeout bounds the TCP connection, the control connection's start
	// and the call's answer together.
	connectTimeout = 15 * time.Second
	// minRedial and maxRedial bound the wait before a client dials again: it
	// doubles from one failure to the next, and a jitter keeps a thousand
	// clients of one server from coming back at the same moment.
	minRedial = time.Second
	maxRedial = 30 * time.Second
)

// A dialer keeps one client connected.
type dialer struct {
	m      *Manager
	cfg    ClientConfig
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	state   string   // guarded by mu; while there is no session
	session *session // guarded by mu
}

// reconcileClients stops the dialers that should not run any more and starts
// those that should. It is called by Run only.
func (m *Manager) reconcileClients(ctx context.Context, want map[uint64]ClientConfig) {
	m.mu.Lock()
	running := make(map[uint64]*dialer, len(m.dialers))
	for id, d := range m.dialers {
		running[id] = d
	}
	m.mu.Unlock()

	var stopping []*dialer
	for id, d := range running {
		if c, ok := want[id]; !ok || c.Disabled || !reflect.DeepEqual(c, d.cfg) {
			d.cancel()
			stopping = append(stopping, d)
			delete(running, id)
		}
	}
	for _, d := range stopping {
		m.await(d.done)
	}
	m.mu.Lock()
	for _, d := range stopping {
		delete(m.dialers, d.cfg.ID)
	}
	m.mu.Unlock()

	for id, c := range want {
		if c.Disabled || running[id] != nil {
			continue
		}
		ctx, cancel := context.WithCancel(ctx)
		d := &dialer{m: m, cfg: c, cancel: cancel, done: make(chan struct{}), state: "initializing..."}
		m.mu.Lock()
		m.dialers[id] = d
		m.mu.Unlock()
		go func() {
			defer close(d.done)
			d.run(ctx)
		}()
	}
}

// run dials until ctx ends.
func (d *dialer) run(ctx context.Context) {
	if d.cfg.DialOnDemand {
		d.runOnDemand(ctx)
		return
	}
	wait := minRedial
	for {
		connected := d.dial(ctx, nil)
		if ctx.Err() != nil {
			return
		}
		if connected {
			wait = minRedial
		}
		if !d.pause(ctx, &wait) {
			return
		}
	}
}

// pause waits before the next attempt, and doubles the wait. It reports whether
// ctx goes on.
func (d *dialer) pause(ctx context.Context, wait *time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(*wait + rand.N(*wait/4)):
	}
	*wait = min(2**wait, maxRedial)
	return true
}

// dial makes one attempt and keeps the session until it ends. It reports
// whether the network came up. A client that dials on demand holds its interface.
func (d *dialer) dial(ctx context.Context, held *held) (connected bool) {
	began := time.Now()
	d.say("initializing...")
	d.say("connecting...")
	dialing, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	server := d.cfg.ConnectTo
	if held != nil {
		server = held.server(dialing)
	}
	nc, err := d.m.cfg.Dial(dialing, server)
	if err != nil {
		d.failed(ctx, err)
		return false
	}
	local, peer := addrOf(nc.LocalAddr()), addrOf(nc.RemoteAddr())
	c := pptp.NewClient(nc, d.m.controlConfig())
	var control sync.WaitGroup
	control.Go(func() { _ = c.Run(context.WithoutCancel(ctx)) }) // Stop ends it, after the session
	defer control.Wait()
	defer c.Stop(wire.StopNone)

	data, err := d.m.cfg.Plane.NewCall(local, peer)
	if err != nil {
		d.failed(ctx, err)
		return false
	}
	defer data.Close()
	call, err := c.Dial(dialing, pptp.OutgoingCall{LocalID: wire.CallID(data.ID()), Window: plane.Window})
	if err != nil {
		d.failed(ctx, err)
		return false
	}
	data.SetPeerID(uint16(call.PeerID()))

	profile, _ := d.m.aaa.Profile(d.cfg.Profile)
	policy := profile.Policy()
	dns := peerDNSOf(d.cfg.UsePeerDNS)
	s := newSession(d.m, data, link.New(link.Config{
		MRU:         d.cfg.MaxMRU,
		MTU:         d.cfg.MaxMTU,
		Auth:        strongestFirst(d.cfg.Allow),
		User:        d.cfg.User,
		Password:    auth.Secret(d.cfg.Password),
		Local:       profile.LocalAddress,
		Encryption:  encryption(aaa.Settle(profile.UseEncryption, aaa.Default)),
		Strengths:   strengths,
		Compression: policy.Compression,
		Bridge:      policy.Bridge.Bridge != "",
		RTT:         roundTrip(nc),
		RequestDNS:  dns != noDNS,
		Keepalive:   d.cfg.Keepalive,
		Rand:        d.m.cfg.Rand,
		Forbidden:   d.m.issued.ours,

		MRRU:           d.cfg.MRRU,
		LargeEncrypted: decryptsLarge(c.Peer()),
	}), peer)
	s.call = call
	s.place.began = began
	s.user = d.cfg.User
	s.status.Interface = d.cfg.Name
	s.status.Client = d.cfg.ID
	s.status.User = d.cfg.User
	s.status.CallerID = local.String()
	s.status.CalledID = peer.String()
	s.limits.policy = policy
	s.peerDNS = dns
	s.held = held
	if d.cfg.AddDefaultRoute {
		s.route = max(d.cfg.DefaultRouteDistance, 1)
	}
	d.m.register(s)
	defer d.m.unregister(s)
	d.attach(s)
	defer d.attach(nil)
	s.run(ctx)
	return s.wasUp
}

// failed logs why an attempt came to nothing, unless it was called off.
func (d *dialer) failed(ctx context.Context, err error) {
	if ctx.Err() == nil {
		d.say("terminating... - %v", err)
	}
	d.say("disconnected")
}

// say logs a step and shows it as the client's state.
func (d *dialer) say(format string, args ...any) {
	d.m.cfg.Journal.Addf("pptp,ppp,info", "%s: "+format, append([]any{d.cfg.Name}, args...)...)
	if len(args) == 0 {
		d.mu.Lock()
		d.state = format
		d.mu.Unlock()
		d.m.bell.Ring()
	}
}

// attach makes s the client's session, or with nil says that there is none.
func (d *dialer) attach(s *session) {
	defer d.m.bell.Ring() // when mu is free
	d.mu.Lock()
	defer d.mu.Unlock()
	d.session = s
	if s == nil {
		d.state = "disconnected"
	}
}

// snapshot gives the client's state.
func (d *dialer) snapshot() Status {
	d.mu.Lock()
	s, state := d.session, d.state
	d.mu.Unlock()
	if s != nil {
		return s.snapshot()
	}
	return Status{Interface: d.cfg.Name, User: d.cfg.User, State: state}
}
