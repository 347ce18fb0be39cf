// Package link is one PPP link from its first frame to its last: the phases of
// RFC 1661, section 3.2, over LCP, an authentication, CCP, IPCP and BCP, for
// either end of a PPTP call.
//
// It is sans-IO: frames and time go in, an ordered queue of outputs comes out.
// There is no goroutine, timer, socket or logger inside. It touches no user
// packet: encryption is the data path's, which follows the queue.
//
// No method returns an error or panics on input: what makes no sense is dropped,
// and the link stays usable unless Dead reports true. The owner empties the
// queue after each call. A Link is not safe for concurrent use.
package link

import (
	"errors"
	"time"

	"gopptp/mppe"
	"gopptp/ppp"
	"gopptp/ppp/auth"
	"gopptp/ppp/cp"
	"gopptp/ppp/ipcp"
	"gopptp/ppp/lcp"
)

// A phase is one of RFC 1661, section 3.2.
type phase uint8

const (
	dead phase = iota // before Start and after Down
	establish
	authenticate
	network
	terminate
)

const (
	// lcpFirst is the shortest first wait of LCP, and rttFactor how many round
	// trips of the path it lasts. The first frame of a PPTP call is often lost,
	// because the peer's end of the GRE tunnel is not there yet; 3 s would be a
	// long time to wait for that.
	//
	// CCP and IPCP wait the 3 s of RFC 1661, section 4.6: little is lost once LCP
	// is open, and a request that was only slow to be answered does harm as a
	// copy. pppd takes it for a new negotiation, and ends the link when MPPE goes
	// down for it.
	lcpFirst  = time.Second
	rttFactor = 4
	// minAgain is the wait for the answer to our first request once the peer's
	// own request shows that it is there now: if ours was not lost, the answer
	// comes together with it, unless the peer is a very slow machine.
	minAgain = 200 * time.Millisecond
	// terminateWait twice fits into the two seconds that an orderly end may take.
	terminateWait = 700 * time.Millisecond
	// phaseWait bounds Establish, and Network until it is up: twice what ten
	// requests take, for a peer that answers but never agrees.
	phaseWait = time.Minute
	// maxOpens is how often LCP may open without IP ever flowing.
	maxOpens = 8
	// maxQueue bounds the frames that wait for an owner that does not take them.
	maxQueue = 256
	// maxEvents bounds all outputs; an owner that far behind has lost the link.
	maxEvents = 4 * maxQueue
	// maxFrame is the largest control frame that is looked at, well above any
	// MRU in use: what is larger is not negotiation.
	maxFrame = 4096
	// maxRejects bounds the Protocol-Rejects a second for protocols that are not
	// control protocols: a stream of data needs one, not one for each packet.
	maxRejects = 8
)

// Causes of Down where no protocol gives one.
var (
	ErrOpens    = errors.New("link: LCP opens again and again")
	ErrPhase    = errors.New("link: no agreement in time")
	ErrOverflow = errors.New("link: outputs were not taken")
	ErrNoKeys   = errors.New("link: encryption is required, but the authentication gives no keys")
	ErrNoMPPE   = errors.New("link: the peer encrypts without agreement")
	ErrResync   = errors.New("link: the peer answers no Reset-Request")
)

// A Link is one end of a PPP link.
type Link struct {
	cfg   Config // with the grant laid over it
	base  Config // as given
	phase phase
	done  bool
	out   []Output

	lcp           *lcp.Machine
	authenticator *auth.Authenticator // server, while LCP is open
	peer          *auth.Peer          // client, while LCP is open
	ipcp          *ipcp.Machine       // once encryption is settled
	started       bool                // what comes above encryption
	early         early
	opens         int
	limit         time.Time // of the phase; zero for none

	user   string
	method auth.Method // last agreed on
	keys   *mppe.Keys
	encryption
	bridge
	multilink Multilink // as last put out
	up        bool      // NetworkUp was the last word

	keepalive keepalive
	everHeard bool
	reason    string // of the Down to come
	cause     error
	rejects   int // Protocol-Rejects since rejectAt
	rejectAt  time.Time
}

// New makes a link that waits for Start.
func New(cfg Config) *Link {
	cfg = cfg.withDefaults()
	l := &Link{cfg: cfg, base: cfg, keepalive: keepalive{period: cfg.Keepalive}}
	first := max(lcpFirst, rttFactor*cfg.RTT)
	lc := lcp.Config{MRU: uint16(cfg.MRU), Rand: cfg.Rand, Timing: cp.Timing{First: first, Terminate: terminateWait}}
	if cfg.MRRU > 0 {
		lc.MRRU, lc.Endpoint = uint16(cfg.MRRU), newEndpoint(cfg.Rand)
	}
	if cfg.Server {
		lc.Demand = cfg.Auth
	} else {
		lc.Allow = cfg.Auth
	}
	l.lcp = lcp.New(lc)
	return l
}

// Start begins to negotiate. It does so once.
func (l *Link) Start(now time.Time) {
	if l.phase != dead || l.done {
		return
	}
	l.phase, l.limit = establish, now.Add(phaseWait)
	l.expectFragments()
	l.lcp.Open(now)
	l.lcp.Up(now)
	l.pump(now)
}

// Dead tells whether Down was put out.
func (l *Link) Dead() bool { return l.done }

// Reason is why the link is ending or has ended, as Down will say or has said;
// empty while it is not.
func (l *Link) Reason() string { return l.reason }

// Method is how the peer was last to show us who it is, or else how we were to show
// the peer; 0 if nothing was agreed on.
func (l *Link) Method() auth.Method { return l.method }

// Next takes the oldest output from the queue.
func (l *Link) Next() (Output, bool) {
	if len(l.out) == 0 {
		return nil, false
	}
	o := l.out[0]
	l.out[0] = nil
	l.out = l.out[1:]
	return o, true
}

// Close ends the link in order: the peer is told, and Down follows within two
// seconds. A second Close changes nothing.
func (l *Link) Close(now time.Time, reason string) {
	if l.done {
		return
	}
	l.fail(now, reason, nil)
	l.pump(now)
}

// Heard tells that a user packet came from the peer.
func (l *Link) Heard(now time.Time) {
	l.everHeard = true
	l.keepalive.hear(now)
}

// Deadline is when Tick has something to do, if at all.
func (l *Link) Deadline() (time.Time, bool) {
	var first time.Time
	take := func(at time.Time, ok bool) {
		if ok && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if l.done || l.phase == dead {
		return first, false
	}
	take(l.lcp.Deadline())
	take(l.limit, !l.limit.IsZero())
	if l.authenticator != nil {
		take(l.authenticator.Deadline())
	}
	if l.peer != nil {
		take(l.peer.Deadline())
	}
	if l.ccp != nil {
		take(l.ccp.Deadline())
	}
	if l.ipcp != nil {
		take(l.ipcp.Deadline())
	}
	if l.bcp != nil {
		take(l.bcp.Deadline())
	}
	take(l.giveUp, !l.giveUp.IsZero())
	if l.alive() {
		take(l.keepalive.deadline())
	}
	return first, !first.IsZero()
}

// alive tells whether the peer's silence counts.
func (l *Link) alive() bool { return l.phase == authenticate || l.phase == network }

// Tick tells the time.
func (l *Link) Tick(now time.Time) {
	if l.done || l.phase == dead {
		return
	}
	l.lcp.Tick(now)
	if l.authenticator != nil {
		l.authenticator.Tick(now)
	}
	if l.peer != nil {
		l.peer.Tick(now)
	}
	if l.ccp != nil {
		l.ccp.Tick(now)
	}
	if l.ipcp != nil {
		l.ipcp.Tick(now)
	}
	if l.bcp != nil {
		l.bcp.Tick(now)
	}
	l.pump(now)
	l.tickEncryption(now)
	l.tickLimit(now)
	l.tickKeepalive(now)
	l.pump(now)
}

func (l *Link) tickLimit(now time.Time) {
	if l.limit.IsZero() || now.Before(l.limit) {
		return
	}
	if l.withoutIP(now) {
		return
	}
	reason := ReasonLCP
	switch {
	case l.noIP:
		reason = ReasonBridge
	case l.phase == network:
		reason = ReasonAddress
	}
	l.fail(now, reason, ErrPhase)
}

func (l *Link) tickKeepalive(now time.Time) {
	if l.done || !l.alive() {
		return
	}
	missed, send := l.keepalive.tick(now)
	if missed > 0 {
		l.emit(MissedEcho{N: missed})
	}
	if send {
		l.lcp.Echo()
	}
	if missed == maxMissed {
		l.fail(now, ReasonNotResponding, nil)
		l.drainLCP(now) // the Terminate-Request goes out, but nobody waits for an answer
		l.die()
	}
}

// emit queues an output, within bounds.
func (l *Link) emit(o Output) {
	if l.done {
		return
	}
	switch o.(type) {
	case Frame:
		if len(l.out) >= maxQueue {
			return
		}
	case FlushSend:
		if n := len(l.out); n > 0 {
			if _, twice := l.out[n-1].(FlushSend); twice {
				l.out = l.out[:n-1] // the latest request is the one to answer
			}
		}
	}
	if len(l.out) >= maxEvents && l.phase != dead {
		l.reason, l.cause = ReasonHungup, ErrOverflow
		l.die()
		return
	}
	l.out = append(l.out, o)
}

// send queues a control packet. Its header is never compressed: LCP's must not
// be, and the others gain nothing.
func (l *Link) send(proto ppp.Protocol, p ppp.Packet) {
	l.emit(l.frame(proto, p))
}

func (l *Link) frame(proto ppp.Protocol, p ppp.Packet) Frame {
	h := ppp.Header{Protocol: proto}
	return Frame(p.Append(h.Append(make([]byte, 0, h.Len()+p.Len()))))
}

// fail ends the link in order. The first reason stays. The caller pumps.
func (l *Link) fail(now time.Time, reason string, cause error) {
	if l.done || l.phase == terminate {
		return
	}
	l.reason, l.cause = reason, cause
	l.leaveNetwork()
	silent := l.phase == dead || !l.everHeard
	l.phase, l.limit = terminate, time.Time{}
	if silent {
		l.die() // nobody is there to be told
		return
	}
	l.lcp.Close(now)
}

// die is the end.
func (l *Link) die() {
	if l.done {
		return
	}
	l.phase, l.limit = dead, time.Time{}
	l.leaveNetwork()
	l.done = true
	l.out = append(l.out, Down{Reason: l.reason, Cause: l.cause})
}

// leaveNetwork takes down everything above LCP.
func (l *Link) leaveNetwork() {
	l.networkDown()
	l.block()
	l.dropEncryption()
	l.authenticator, l.peer, l.ipcp = nil, nil, nil
	l.started, l.bridge = false, bridge{}
	l.keys = nil
	l.early.forget()
}
