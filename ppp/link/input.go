package link

import (
	"time"

	"gopptp/ppp"
	"gopptp/ppp/auth"
	"gopptp/ppp/cp"
)

// What happens to a frame:
//  1. Input parses the header and notes the sign of life;
//  2. inputLCP, inputAuth, inputCCP, inputIPCP or inputBCP hands it to its machine,
//     or keeps it until that has started;
//  3. reject refuses every other protocol;
//  4. pump performs what the machines put out (phase.go).

// Input takes a frame from the peer. It does not retain frame.
func (l *Link) Input(now time.Time, frame []byte) {
	if l.done || l.phase == dead || len(frame) > maxFrame {
		return
	}
	var h ppp.Header
	info, err := h.Parse(frame)
	if err != nil {
		return
	}
	if h.Protocol != ppp.ProtocolLCP {
		l.Heard(now)
	}
	switch h.Protocol {
	case ppp.ProtocolLCP:
		l.inputLCP(now, info)
	case ppp.ProtocolPAP, ppp.ProtocolCHAP:
		l.inputAuth(now, h.Protocol, info)
	case ppp.ProtocolCCP:
		l.inputCCP(now, info)
	case ppp.ProtocolIPCP:
		l.inputIPCP(now, info)
	case ppp.ProtocolBCP:
		l.inputBCP(now, info)
	case ppp.ProtocolIP:
		// The data path's; or too early, and then the sender knows.
	case ppp.ProtocolBridge:
		if l.bcp == nil {
			l.reject(now, h.Protocol, info)
		} // or else as IP
	case ppp.ProtocolCompressed:
		l.Undecryptable(now)
	default:
		l.reject(now, h.Protocol, info)
	}
	l.pump(now)
}

// reject sends a Protocol-Reject (RFC 1661, section 5.7): for IPV6CP each time,
// which is all that a peer gets that speaks of it; never more than a few a second
// for what is data. Data that may have come encrypted does not go back in clear.
func (l *Link) reject(now time.Time, p ppp.Protocol, info []byte) {
	if !l.alive() {
		return
	}
	if p < 0x8000 {
		if now.Sub(l.rejectAt) >= time.Second {
			l.rejectAt, l.rejects = now, 0
		}
		if l.rejects++; l.rejects > maxRejects {
			return
		}
		if l.was {
			info = nil
		}
	}
	l.lcp.RejectProtocol(p, info)
}

func (l *Link) inputLCP(now time.Time, info []byte) {
	var p ppp.Packet
	if p.Parse(info) != nil {
		return
	}
	first := !l.everHeard
	if !l.lcp.Looped(p) {
		l.Heard(now)
	}
	l.lcp.Input(now, p)
	if first && p.Code == cp.ConfigureRequest {
		l.lcp.Hasten(now, max(minAgain, rttFactor*l.cfg.RTT))
	}
	if p.Code == cp.TerminateRequest {
		l.hungUp(now)
	}
}

// hungUp ends the link after the Terminate-Ack: the peer left.
func (l *Link) hungUp(now time.Time) {
	if l.phase != terminate {
		l.reason, l.cause = ReasonHungup, cp.ErrTerminated
		if l.peer != nil && l.phase == authenticate || l.phase == establish && l.lcp.Balked() {
			l.reason = ReasonOurAuth
		}
	}
	l.phase = terminate // for the Down that LCP has queued: it is not a renegotiation
	l.leaveNetwork()
	l.drainLCP(now)
	l.die()
}

// inputAuth drops the error of an authentication packet: it only says that the
// packet was not what was expected, and the machine is as it was.
func (l *Link) inputAuth(now time.Time, p ppp.Protocol, info []byte) {
	switch {
	case l.phase == establish:
		l.early.keep(p, info)
	case l.authenticator != nil:
		_ = l.authenticator.Input(now, p, info)
	case l.peer != nil && !auth.ForAuthenticator(p, info):
		_ = l.peer.Input(now, p, info)
	}
}

func (l *Link) inputCCP(now time.Time, info []byte) {
	var p ppp.Packet
	switch {
	case l.phase == establish || l.phase == authenticate:
		l.early.keep(ppp.ProtocolCCP, info)
	case l.phase != network:
		return
	case l.ccp == nil:
		l.reject(now, ppp.ProtocolCCP, info)
	case p.Parse(info) == nil:
		l.ccp.Input(now, p)
	}
}

func (l *Link) inputIPCP(now time.Time, info []byte) {
	var p ppp.Packet
	switch {
	case l.phase == terminate:
		return
	case l.noIP:
		l.reject(now, ppp.ProtocolIPCP, info)
	case l.ipcp == nil:
		l.early.keep(ppp.ProtocolIPCP, info)
	case p.Parse(info) == nil:
		l.ipcp.Input(now, p)
	}
}
