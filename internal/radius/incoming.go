package radius

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	wire "layeh.com/radius"

	"gopptp/internal/journal"
)

const (
	// DefaultIncomingPort is where requests are expected (RFC 5176, section 2.1).
	DefaultIncomingPort = 3799
	// timeWindow is how old or early an Event-Timestamp may be: "the recommended
	// default is 300 seconds" (RFC 5176, section 6.3).
	timeWindow = 300 * time.Second
	// A repeated request is answered as the first time, if it is one of the last
	// so many. One with an Event-Timestamp is remembered until that is too old, so
	// that nobody replays it. One without can be meant a second time, when the
	// sender's identifiers have gone round; it is remembered while it is repeated.
	replayEntries = 1024
	repeatTime    = 30 * time.Second
	// reopenAfter is when a port that could not be opened is tried again.
	reopenAfter = 5 * time.Second
)

// Sessions are the sessions that requests change. The calls are made one after
// the other and should not wait for a peer.
type Sessions interface {
	// Find gives a handle for each live session that Match.Has.
	Find(Match) []uint64
	// Disconnect ends a session for the cause AdminReset.
	Disconnect(id uint64) error
	// Change applies a change without a drop, all of it or nothing.
	Change(id uint64, change Change) error
}

// ErrGone is what Sessions say of a session that has ended since it was found.
var ErrGone = errors.New("radius: the session has ended")

// IncomingConfig is /radius/incoming in the engine's types.
type IncomingConfig struct {
	Accept bool
	Port   uint16 // zero for 3799
}

// IncomingCounters are what /radius/incoming/monitor shows.
type IncomingCounters struct {
	Requests    uint64 // all that came
	BadRequests uint64 // from elsewhere, wrongly signed, malformed or too old: not answered
	Acks, Naks  uint64
}

// Incoming answers Disconnect-Requests and CoA-Requests of the servers in
// /radius. It is safe for concurrent use.
type Incoming struct {
	client   *Client
	sessions Sessions
	log      *journal.Journal
	changed  chan struct{} // capacity 1

	mu  sync.Mutex
	cfg IncomingConfig // guarded by mu

	answerMu sync.Mutex // one request at a time, of both sockets
	replay   []replayed // guarded by answerMu; oldest first

	requests, bad, acks, naks atomic.Uint64
}

// A replayed is a request that has been answered.
type replayed struct {
	from          netip.AddrPort
	authenticator [16]byte
	id            uint8
	until         time.Time
	reply         []byte
}

// NewIncoming makes a receiver that is closed; the client knows the servers.
func NewIncoming(client *Client, sessions Sessions, log *journal.Journal) *Incoming {
	return &Incoming{client: client, sessions: sessions, log: log, changed: make(chan struct{}, 1)}
}

// Configure opens, moves or closes the port.
func (i *Incoming) Configure(cfg IncomingConfig) {
	if cfg.Port == 0 {
		cfg.Port = DefaultIncomingPort
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.cfg == cfg {
		return
	}
	i.cfg = cfg
	select {
	case i.changed <- struct{}{}:
	default:
	}
}

// Monitor gives the counters.
func (i *Incoming) Monitor() IncomingCounters {
	return IncomingCounters{Requests: i.requests.Load(), BadRequests: i.bad.Load(), Acks: i.acks.Load(), Naks: i.naks.Load()}
}

// ResetCounters sets the counters to zero.
func (i *Incoming) ResetCounters() {
	for _, n := range []*atomic.Uint64{&i.requests, &i.bad, &i.acks, &i.naks} {
		n.Store(0)
	}
}

// Run keeps the port as configured until ctx ends.
func (i *Incoming) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		i.mu.Lock()
		cfg := i.cfg
		i.mu.Unlock()
		var wg sync.WaitGroup
		var retry <-chan time.Time
		conns, err := []*door(nil), error(nil)
		if cfg.Accept {
			if conns, err = listen(cfg.Port); err != nil {
				i.log.Addf("radius,error", "cannot listen for incoming requests: %v", err)
				retry = time.After(reopenAfter)
			}
		}
		for _, c := range conns {
			wg.Go(func() { i.serve(c) })
		}
		select {
		case <-ctx.Done():
		case <-i.changed:
		case <-retry:
		}
		for _, c := range conns {
			c.Close()
		}
		wg.Wait()
	}
	return context.Cause(ctx)
}

func (i *Incoming) serve(c *door) {
	buf := make([]byte, maxPacket)
	for failures := 0; failures < maxReadErrors; {
		n, from, to, err := c.read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			failures++
			continue
		}
		failures = 0
		if reply := i.answer(buf[:n], from, time.Now()); reply != nil {
			c.write(reply, from, to)
		}
	}
	i.log.Addf("radius,error", "the port for incoming requests fails")
}

// answer gives the reply to a datagram, nil for none.
func (i *Incoming) answer(b []byte, from netip.AddrPort, now time.Time) []byte {
	i.answerMu.Lock()
	defer i.answerMu.Unlock()
	i.requests.Add(1)
	b, secret, err := i.check(b, from.Addr().Unmap())
	if err != nil {
		i.bad.Add(1)
		i.log.Debugf("radius,debug", "bad incoming request from %s: %v", from, err)
		return nil
	}
	trace(i.log, "rx", "from", from, b)
	asked := [16]byte(b[4:headerLen])
	i.replay = slices.DeleteFunc(i.replay, func(r replayed) bool { return now.After(r.until) })
	for _, r := range i.replay {
		if r.from == from && r.id == b[1] && r.authenticator == asked {
			return r.reply
		}
	}
	o := decodeOrder(b)
	if !o.at.IsZero() && now.Sub(o.at).Abs() > timeWindow {
		i.bad.Add(1)
		return nil
	}
	reply, err := i.reply(b, secret, i.follow(o, wire.Code(b[0]), from))
	if err != nil {
		i.log.Addf("radius,error", "%v", err)
		return nil
	}
	trace(i.log, "tx", "to", from, reply)
	if len(i.replay) == replayEntries {
		i.replay = slices.Delete(i.replay, 0, 1)
	}
	until := now.Add(repeatTime)
	if !o.at.IsZero() {
		until = o.at.Add(timeWindow)
	}
	i.replay = append(i.replay, replayed{from, asked, b[1], until, reply})
	return reply
}

// check finds the server that a request is from, by address and signature, before
// anything inside is read. It gives the request without padding.
func (i *Incoming) check(b []byte, from netip.Addr) (request, secret []byte, err error) {
	secrets := i.client.secrets(from)
	if len(secrets) == 0 {
		return nil, nil, errors.New("radius: not from a server in the list")
	}
	if b, err = frame(b); err != nil {
		return nil, nil, err
	}
	if code := wire.Code(b[0]); code != wire.CodeDisconnectRequest && code != wire.CodeCoARequest {
		return nil, nil, errCode
	}
	for _, s := range secrets {
		sum := digest(b, [16]byte{}, []byte(s))
		if subtle.ConstantTimeCompare(sum[:], b[4:headerLen]) == 1 {
			secret = []byte(s)
			break
		}
	}
	if secret == nil {
		return nil, nil, errAuthenticator
	}
	if err := checkAttributes(b); err != nil {
		return nil, nil, err
	}
	_, err = signed(b, [16]byte{}, secret)
	return b, secret, err
}

// secrets gives the secrets of the servers at an address.
func (c *Client) secrets(from netip.Addr) (list []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.servers {
		if s.usable() && s.Address == from && s.Protocol == UDP && !slices.Contains(list, s.Secret) {
			list = append(list, s.Secret)
		}
	}
	return list
}

// follow does what a request orders; noCause means that it is done.
func (i *Incoming) follow(o order, code wire.Code, from netip.AddrPort) ErrorCause {
	switch {
	case o.cause != noCause:
		return o.cause
	case o.nas != "" && o.nas != i.client.name(), o.addr.IsValid() && !local(o.addr):
		return NASMismatch
	case o.match.Empty():
		return MissingAttribute
	}
	ids := i.sessions.Find(o.match)
	if len(ids) == 0 {
		return SessionNotFound
	}
	cause := SessionNotFound
	for _, id := range ids {
		what, refusal := "disconnect", SessionNotRemovable
		var err error
		if code == wire.CodeDisconnectRequest {
			err = i.sessions.Disconnect(id)
		} else {
			what, refusal = "change", ResourcesUnavailable
			err = i.sessions.Change(id, o.change)
		}
		switch {
		case err == nil:
			cause = noCause
		case !errors.Is(err, ErrGone): // one that has just ended is not there
			i.log.Addf("radius,warning", "%s asked by %s: %v", what, from.Addr(), err)
			return refusal
		}
	}
	return cause
}

// reply builds the answer. Proxy-State goes back as it came (RFC 5176, section
// 3.1), and a Message-Authenticator is answered by one.
func (i *Incoming) reply(b, secret []byte, cause ErrorCause) ([]byte, error) {
	code := wire.Code(b[0]) + 1 // ACK
	if cause == noCause {
		i.acks.Add(1)
	} else {
		i.naks.Add(1)
		code++
	}
	p := wire.Packet{Code: code, Identifier: b[1], Authenticator: [16]byte(b[4:headerLen]), Secret: secret}
	var l attributeList
	withAuth := false
	for k, v := range attributes(b) {
		switch k {
		case attrMessageAuthenticator:
			withAuth = true
		case attrProxyState:
			l.octets(k, v)
		}
	}
	if cause != noCause {
		l.integer(attrErrorCause, uint32(cause))
	}
	if withAuth {
		l.Attributes = slices.Insert(l.Attributes, 0, &wire.AVP{Type: wire.Type(attrMessageAuthenticator.typ), Attribute: make(wire.Attribute, 16)})
		p.Attributes = l.Attributes
		plain, err := p.MarshalBinary() // with the request's authenticator, as it is signed
		if err != nil {
			return nil, fmt.Errorf("radius: incoming: %w", err)
		}
		copy(l.Attributes[0].Attribute, messageAuth(plain, secret))
	}
	p.Attributes = l.Attributes
	out, err := p.Encode()
	if err != nil {
		return nil, fmt.Errorf("radius: incoming: %w", err)
	}
	return out, nil
}

func (c *Client) name() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.identity
}

// local reports whether an address is this machine's. NAS-IP-Address names us by
// the one that a server knows.
func local(a netip.Addr) bool {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return true // nothing says that it is another's
	}
	return slices.ContainsFunc(list, func(n net.Addr) bool {
		p, ok := n.(*net.IPNet)
		if !ok {
			return false
		}
		own, _ := netip.AddrFromSlice(p.IP)
		return own.Unmap() == a
	})
}
