package radius

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	wire "layeh.com/radius"

	"gopptp/internal/journal"
)

// tick is how often Run looks for sockets to close and servers to probe.
const tick = time.Second

// A port says which of a server's ports is meant.
type port uint8

const (
	authPort port = iota
	acctPort
)

// A Client asks RADIUS servers. It is safe for concurrent use. Run is its life;
// after Run it answers ErrClosed.
type Client struct {
	log *journal.Journal

	mu        sync.Mutex
	identity  string                    // guarded by mu
	servers   []*server                 // guarded by mu; in the order of the rows
	endpoints map[endpointKey]*endpoint // guarded by mu
	closed    bool                      // guarded by mu

	wg    sync.WaitGroup // readers and probes
	stray atomic.Uint64
}

// A server is a row with what is known of it. The row never changes; Configure
// makes another server, with the same counters.
type server struct {
	Server
	n      *counters
	meter  *meter    // of the address, as long as any row has it
	health [2]health // by port
	warned atomic.Bool
}

// NewClient makes a client without servers. It starts nothing.
func NewClient(log *journal.Journal) *Client {
	return &Client{log: log, endpoints: map[endpointKey]*endpoint{}}
}

// SetIdentity sets the router's name, which servers are told as NAS-Identifier.
func (c *Client) SetIdentity(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.identity = name
}

// Configure replaces the servers, in the order in which they are asked. What is
// under way goes on. A row keeps its counters, and what is known of the server
// if the row did not change.
func (c *Client) Configure(rows []Server) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.servers
	c.servers = nil
	meters := map[netip.Addr]*meter{}
	for _, o := range old {
		meters[o.Address] = o.meter
	}
	for _, row := range rows {
		row = row.withDefaults()
		if meters[row.Address] == nil {
			meters[row.Address] = new(meter)
		}
		s := &server{Server: row, n: new(counters), meter: meters[row.Address]}
		for _, o := range old {
			if o.ID != row.ID {
				continue
			}
			if s.n = o.n; o.equal(row) {
				s = o
			}
		}
		if !row.Disabled && row.Secret == "" && (len(old) == 0 || !slices.Contains(old, s)) {
			c.log.Addf("radius,warning", "server %s has no secret and is not asked", row.Address)
		}
		c.servers = append(c.servers, s)
	}
}

// Run closes sockets that nobody uses and probes servers that do not answer,
// until ctx ends; then it closes everything and waits for it.
func (c *Client) Run(ctx context.Context) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			c.shut()
			return context.Cause(ctx)
		case now := <-ticker.C:
			c.sweep(now)
			c.probe(ctx, now)
		}
	}
}

func (c *Client) shut() {
	c.mu.Lock()
	c.closed = true
	endpoints := c.endpoints
	c.endpoints = map[endpointKey]*endpoint{}
	c.mu.Unlock()
	for _, e := range endpoints {
		e.close()
	}
	c.wg.Wait()
}

func (c *Client) sweep(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, e := range c.endpoints {
		if e.sweep(now) == 0 && len(e.slots) == 0 {
			// Who has e in hand already must not open a socket that nobody sweeps.
			e.close()
			delete(c.endpoints, key)
		}
	}
}

func (s *server) remote(p port) netip.AddrPort {
	n := s.AuthPort
	if p == acctPort {
		n = s.AcctPort
	}
	return netip.AddrPortFrom(s.Address, n)
}

// candidates gives the servers for a session in the order to ask them: the
// rows', but those known not to answer last, and for accounting the backups
// after the others.
func (c *Client) candidates(q Session, p port) []*server {
	c.mu.Lock()
	servers := c.servers
	c.mu.Unlock()
	now := time.Now()
	var alive, dead [2][]*server // by backup
	for _, s := range servers {
		backup := 0
		if s.AccountingBackup {
			backup = 1
		}
		if !s.matches(q) || backup == 1 && p == authPort {
			continue
		}
		if s.health[p].alive(now) {
			alive[backup] = append(alive[backup], s)
		} else {
			dead[backup] = append(dead[backup], s)
		}
	}
	return slices.Concat(alive[0], alive[1], dead[0], dead[1])
}

// Authenticate asks the servers about a user, one after the other until one
// answers. An error means that there is no verdict: ErrNoServer, ErrTimeout,
// the end of ctx, or a request that cannot be put into a packet.
func (c *Client) Authenticate(ctx context.Context, q Request) (*Answer, error) {
	list := c.candidates(q.Session, authPort)
	if len(list) == 0 {
		return nil, ErrNoServer
	}
	for _, s := range list {
		var a *Answer
		err := c.exchange(ctx, s, authPort, q.packet, func(request, reply []byte) (err error) {
			a, err = decodeAnswer(q.Credentials, reply, []byte(s.Secret), [16]byte(request[4:headerLen]))
			return err
		})
		if err == nil {
			if a.ServerID = s.ID; a.Accepted {
				s.n.accepts.Add(1)
				s.meter.count(ForAuthentication, Accepted)
			} else {
				s.n.rejects.Add(1)
				s.meter.count(ForAuthentication, Rejected)
			}
			return a, nil
		}
		if !errors.Is(err, ErrTimeout) {
			return nil, err
		}
	}
	return nil, ErrTimeout
}

// account sends one accounting record, to the first server that takes it.
func (c *Client) account(ctx context.Context, q Session, build func(secret []byte, n nas) (*wire.Packet, error)) error {
	list := c.candidates(q, acctPort)
	if len(list) == 0 {
		return ErrNoServer
	}
	for _, s := range list {
		if err := c.accountTo(ctx, s, build); !errors.Is(err, ErrTimeout) {
			return err
		}
	}
	return ErrTimeout
}

func (c *Client) accountTo(ctx context.Context, s *server, build func(secret []byte, n nas) (*wire.Packet, error)) error {
	err := c.exchange(ctx, s, acctPort, build, func([]byte, []byte) error { return nil })
	if err == nil {
		s.n.accepts.Add(1)
		s.meter.count(ForAccounting, Accepted)
	}
	return err
}

func (c *Client) endpoint(s *server, p port) (*endpoint, nas, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, nas{}, ErrClosed
	}
	key := endpointKey{local: s.SrcAddress, remote: s.remote(p), proto: s.Protocol, tls: s.TLS}
	e := c.endpoints[key]
	if e == nil {
		e = newEndpoint(key, &c.wg, func() { c.stray.Add(1) })
		c.endpoints[key] = e
	}
	return e, nas{identity: c.identity, realm: s.Realm}, nil
}

// exchange sends one request to one server until a reply is taken, and buries a
// server that does not answer.
func (c *Client) exchange(ctx context.Context, s *server, p port,
	build func(secret []byte, n nas) (*wire.Packet, error), take func(request, reply []byte) error,
) error {
	s.n.requests.Add(1)
	s.n.pending.Add(1)
	defer s.n.pending.Add(-1)
	timeout := s.Timeout
	if s.Protocol == RadSec {
		timeout = s.RadSecTimeout // in all; a second attempt is for a connection that the server had closed
	}
	began := time.Now()
	deadline := began.Add(timeout)
	for again := true; ; again = false {
		err := c.attempt(ctx, s, p, transmissions, timeout, build, take)
		if errors.Is(err, errGone) && again && time.Until(deadline) > 0 {
			if s.Protocol == RadSec {
				timeout = time.Until(deadline)
			}
			continue
		}
		switch {
		case err == nil:
			s.meter.answer(purposeOf(p), time.Since(began))
			c.revive(s, p)
		case ctx.Err() != nil:
			s.meter.count(purposeOf(p), Abandoned)
			return ctx.Err()
		case errors.Is(err, errGone), errors.Is(err, ErrTimeout):
			s.n.timeouts.Add(1)
			s.meter.count(purposeOf(p), Unanswered)
			c.bury(s, p)
			return ErrTimeout
		default:
			s.meter.count(purposeOf(p), Failed)
		}
		return err
	}
}

// errGone means that the socket ended under a request, or that there was none.
var errGone = errors.New("radius: connection lost")

func (c *Client) attempt(ctx context.Context, s *server, p port, tries int, timeout time.Duration,
	build func(secret []byte, n nas) (*wire.Packet, error), take func(request, reply []byte) error,
) error {
	e, n, err := c.endpoint(s, p)
	if err != nil {
		return err
	}
	dialCtx, cancel := context.WithTimeout(ctx, timeout)
	sock, id, err := e.reserve(dialCtx)
	cancel()
	if err != nil {
		c.log.Debugf("radius,debug", "cannot reach %s: %v", s.remote(p), err)
		return errGone
	}
	defer e.release(sock, id)
	n.address = addrOf(sock.conn.LocalAddr())
	packet, err := build([]byte(s.Secret), n)
	if err != nil {
		return err
	}
	packet.Identifier = id
	request, err := seal(packet)
	if err != nil {
		return err
	}
	w := &waiter{done: make(chan struct{})}
	w.accept = func(reply []byte) error { return c.judge(s, p, request, reply, take) }
	e.arm(sock, id, w)

	if s.Protocol == RadSec {
		tries = 1 // TCP repeats what is lost (RFC 6613, section 2.6.1)
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for try := range tries {
		if try > 0 {
			s.n.resends.Add(1)
			s.meter.resends.Add(1)
			timer.Reset(timeout)
		}
		c.trace("tx", "to", s.remote(p), request)
		sent := time.Now()
		sock.conn.SetWriteDeadline(sent.Add(timeout))
		// An error of UDP is one of an earlier packet; what is lost is sent again.
		if _, err := sock.conn.Write(request); err != nil && s.Protocol == RadSec {
			sock.conn.Close()
			return errGone
		}
		select {
		case <-w.done:
			s.n.rtt.Store(int64(time.Since(sent)))
			return nil
		case <-sock.gone:
			return errGone
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			c.log.Debugf("radius,debug", "timeout for id %d to %s", id, s.remote(p))
		}
	}
	return ErrTimeout
}

// judge decides about a reply; what it does not take is counted, and waited on.
func (c *Client) judge(s *server, p port, request, reply []byte, take func(request, reply []byte) error) error {
	reply, err := checkReply(request, reply, []byte(s.Secret), !s.AnyMessageAuth)
	if err == nil {
		c.trace("rx", "from", s.remote(p), reply)
		err = take(request, reply)
	}
	if err != nil {
		s.n.badReplies.Add(1)
		s.meter.badReplies.Add(1)
		c.log.Debugf("radius,debug", "bad reply from %s: %v", s.remote(p), err)
		if errors.Is(err, errNoMessageAuth) && s.warned.CompareAndSwap(false, true) {
			// Its administrator has to know, and once will do.
			c.log.Addf("radius,error", "server %s replies without Message-Authenticator and is not believed: see require-message-auth", s.remote(p))
		}
	}
	return err
}

// trace shows a packet in the log for debugging.
func (c *Client) trace(verb, preposition string, at netip.AddrPort, b []byte) {
	trace(c.log, verb, preposition, at, b)
}

func trace(log *journal.Journal, verb, preposition string, at netip.AddrPort, b []byte) {
	if !log.Debug() {
		return
	}
	log.Debugf("radius,debug", "%s %v with id %d %s %s", verb, wire.Code(b[0]), b[1], preposition, at)
	for k, v := range attributes(b) {
		log.Debugf("radius,debug,packet", "    %s = %s", k.name(), k.show(v))
	}
}

func addrOf(a net.Addr) netip.Addr {
	switch a := a.(type) {
	case *net.UDPAddr:
		return a.AddrPort().Addr().Unmap()
	case *net.TCPAddr:
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
