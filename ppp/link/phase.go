package link

import (
	"cmp"
	"encoding/binary"
	"errors"
	"time"

	"gopptp/ppp"
	"gopptp/ppp/auth"
	"gopptp/ppp/cp"
	"gopptp/ppp/ipcp"
	"gopptp/ppp/lcp"
)

// pump performs what the machines put out, until none has anything left. Lower
// layers come first: what they say may end the upper ones.
func (l *Link) pump(now time.Time) {
	for !l.done && (l.pumpLCP(now) || l.pumpAuth(now) || l.pumpCCP(now) || l.pumpIPCP(now) || l.pumpBCP(now)) {
	}
}

// drainLCP lets LCP's last words out.
func (l *Link) drainLCP(now time.Time) {
	for !l.done && l.pumpLCP(now) {
	}
}

func (l *Link) pumpLCP(now time.Time) bool {
	o, ok := l.lcp.Next()
	if !ok {
		return false
	}
	switch o.Kind {
	case cp.Send:
		l.send(ppp.ProtocolLCP, o.Packet)
	case cp.Up:
		l.linkUp(now)
	case cp.Down:
		l.linkDown(now)
	case cp.Failed:
		reason := ReasonLCP
		if errors.Is(o.Err, lcp.ErrNoMethod) {
			reason = ReasonAuth
		}
		l.fail(now, reason, o.Err)
	case cp.Finished:
		l.linkFinished(o.Err)
	case lcp.ProtocolRejected:
		l.protocolRejected(now, ppp.Protocol(binary.BigEndian.Uint16(o.Packet.Data)))
	}
	return true
}

// linkUp enters the Authenticate phase.
func (l *Link) linkUp(now time.Time) {
	if l.phase != establish {
		return
	}
	l.phase, l.limit = authenticate, time.Time{}
	l.method = cmp.Or(l.lcp.PeerMethod(), l.lcp.OurMethod())
	if l.opens++; l.opens > maxOpens {
		l.fail(now, ReasonLCP, ErrOpens)
		return
	}
	if rtt, ok := l.lcp.RTT(); ok {
		l.lcp.SetFirst(max(lcpFirst, rttFactor*rtt))
	}
	l.keepalive.hear(now)
	l.cfg = l.base
	l.settleMultilink()
	var err error
	reason := ReasonAuth
	switch method := l.lcp.OurMethod(); {
	case l.lcp.PeerMethod() != 0:
		l.authenticator, err = auth.NewAuthenticator(auth.AuthenticatorConfig{
			Method: l.lcp.PeerMethod(), Name: l.cfg.Name, Rand: l.cfg.Rand, Issue: l.cfg.Issue})
		if err == nil {
			err = l.authenticator.Start(now)
		}
	case method != 0:
		reason = ReasonOurAuth
		l.peer, err = auth.NewPeer(auth.PeerConfig{
			Method: method, User: l.cfg.User, Password: l.cfg.Password, Rand: l.cfg.Rand, Forbidden: l.cfg.Forbidden})
		if err == nil {
			err = l.peer.Start(now)
		}
	default:
		l.enterNetwork(now)
		return
	}
	if err != nil {
		l.fail(now, reason, err)
		return
	}
	for _, p := range []ppp.Protocol{ppp.ProtocolPAP, ppp.ProtocolCHAP} {
		for _, packet := range l.early.take(p) {
			l.inputAuth(now, p, packet)
		}
	}
}

// linkDown goes back to Establish: the peer negotiates LCP again, and everything
// above starts over, authentication included (RFC 1661, section 3.4).
func (l *Link) linkDown(now time.Time) {
	if l.phase == terminate {
		return
	}
	l.leaveNetwork()
	l.phase, l.limit = establish, now.Add(phaseWait)
	l.expectFragments()
}

// linkFinished is the end of LCP: after our Close, or for lack of an answer.
func (l *Link) linkFinished(err error) {
	if l.phase != terminate {
		l.reason, l.cause = ReasonLCP, err
		if !l.everHeard {
			l.reason = ReasonNotResponding
		}
	}
	l.die()
}

// protocolRejected is the peer's word that it does not know a protocol.
func (l *Link) protocolRejected(now time.Time, p ppp.Protocol) {
	switch {
	case p == ppp.ProtocolCCP && l.ccp != nil:
		l.ccp.Rejected(now)
	case p == ppp.ProtocolIPCP && l.ipcp != nil:
		l.ipcp.Rejected(now)
	case (p == ppp.ProtocolBCP || p == ppp.ProtocolBridge) && l.bcp != nil:
		l.bcp.Rejected(now)
	case p == ppp.ProtocolCompressed:
		l.unreadable(now)
	case p == ppp.ProtocolPAP || p == ppp.ProtocolCHAP:
		if l.phase != authenticate {
			return
		}
		reason := ReasonAuth
		if l.peer != nil {
			reason = ReasonOurAuth
		}
		l.fail(now, reason, cp.ErrRejected)
	}
}

// Authorize answers the AuthRequest. Too late or twice, it does nothing.
func (l *Link) Authorize(now time.Time, g Grant) {
	if l.done || l.phase != authenticate || l.authenticator == nil {
		return
	}
	l.cfg = l.base.merge(g)
	l.authenticator.Answer(g.Result)
	l.pump(now)
}

func (l *Link) pumpAuth(now time.Time) bool {
	var o auth.Output
	ok := false
	if l.authenticator != nil {
		o, ok = l.authenticator.Next()
	}
	if !ok && l.peer != nil {
		o, ok = l.peer.Next()
	}
	if !ok {
		return false
	}
	switch o := o.(type) {
	case auth.Frame:
		h := ppp.Header{Protocol: o.Protocol}
		l.emit(Frame(append(h.Append(make([]byte, 0, h.Len()+len(o.Packet))), o.Packet...)))
	case *auth.Request:
		l.user = o.Name
		l.emit(AuthRequest{o})
	case auth.Done:
		l.authenticated(now, o)
	}
	return true
}

// authenticated leaves the Authenticate phase.
func (l *Link) authenticated(now time.Time, d auth.Done) {
	user, method, reason := l.user, l.lcp.PeerMethod(), ReasonAuth
	if l.peer != nil {
		user, method, reason = l.cfg.User, l.lcp.OurMethod(), ReasonOurAuth
	}
	switch {
	case d.Err != nil:
		l.fail(now, reason, d.Err)
	case l.phase == authenticate:
		l.keys = d.Keys
		l.emit(Authenticated{User: user, Method: method})
		l.enterNetwork(now)
	}
}

// enterNetwork settles encryption first; IPCP and BCP follow.
func (l *Link) enterNetwork(now time.Time) {
	l.phase, l.limit = network, now.Add(phaseWait)
	if l.cfg.Server && (!l.cfg.Local.IsValid() || !l.cfg.Remote.IsValid()) {
		if !l.cfg.Bridge {
			l.fail(now, ReasonAddress, ipcp.ErrNoAddress)
			return
		}
		l.noIP = true
	}
	l.startEncryption(now)
}

// startNetwork begins once encryption is settled, and hears what came before.
func (l *Link) startNetwork(now time.Time) {
	if l.started {
		l.networkUp(now)
		return
	}
	l.started = true
	if !l.noIP {
		l.ipcp = ipcp.New(ipcp.Config{
			Local: l.cfg.Local, TakeLocal: !l.cfg.Server, Remote: l.cfg.Remote,
			DNS: l.cfg.DNS, WINS: l.cfg.WINS, RequestDNS: l.cfg.RequestDNS,
		})
		l.ipcp.Start(now)
	}
	for _, packet := range l.early.take(ppp.ProtocolIPCP) {
		l.inputIPCP(now, packet)
	}
	l.startBCP(now)
}

func (l *Link) pumpIPCP(now time.Time) bool {
	if l.ipcp == nil {
		return false
	}
	o, ok := l.ipcp.Next()
	if !ok {
		return false
	}
	switch o.Kind {
	case cp.Send:
		l.send(ppp.ProtocolIPCP, o.Packet)
	case cp.Up:
		l.networkUp(now)
	case cp.Down:
		l.networkDown()
		l.limit = now.Add(phaseWait)
	case cp.Failed:
		if l.withoutIP(now) {
			break
		}
		l.fail(now, ReasonAddress, o.Err)
	case cp.Finished:
		if l.withoutIP(now) {
			break
		}
		reason := ReasonAddress
		if errors.Is(o.Err, cp.ErrTerminated) {
			reason = ReasonHungup
		}
		l.fail(now, reason, o.Err)
	}
	return true
}

// networkUp opens the gate, if encryption is settled and IPCP, or BCP where there
// is no IP.
func (l *Link) networkUp(now time.Time) {
	if l.up || !l.settled {
		return
	}
	n := NetworkUp{Send: l.sending, Receive: l.receiving}
	switch {
	case l.noIP:
		if l.bcp == nil || !l.bcp.Opened() {
			return
		}
	case l.ipcp == nil || !l.ipcp.Opened():
		return
	default:
		var err error
		if n.Local, n.Remote, err = l.ipcp.Addresses(); err != nil {
			if !l.withoutIP(now) {
				l.fail(now, ReasonAddress, err)
			}
			return
		}
		n.DNS, n.WINS = l.cfg.DNS, l.cfg.WINS
		if !l.cfg.Server {
			n.DNS, n.WINS = l.ipcp.DNS(), nil
		}
	}
	n.MTU, n.MRU = l.sizes()
	n.ACFC, n.PFC = l.lcp.Compression()
	l.up, l.opens, l.limit = true, 0, time.Time{}
	l.emit(n)
	l.bridgeUp()
}

// networkDown closes it, for frames too.
func (l *Link) networkDown() {
	if l.up {
		l.up, l.bridged = false, false
		l.emit(NetworkDown{})
	}
}
