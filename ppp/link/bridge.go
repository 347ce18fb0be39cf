package link

import (
	"errors"
	"time"

	"gopptp/ppp"
	"gopptp/ppp/bcp"
	"gopptp/ppp/cp"
)

// ErrNoBridge means that neither IP nor bridging was agreed on.
var ErrNoBridge = errors.New("link: the peer speaks neither IP nor bridging here")

// BridgeUp says that Ethernet frames may flow too. It comes while the network is
// up, and frames are encrypted as the network is.
type BridgeUp struct {
	// MTU is the largest frame to send, from its addresses to its end.
	MTU int
	// Tagged and Inline say whether the peer takes frames of VLANs and those of the
	// spanning tree.
	Tagged, Inline bool
}

// BridgeDown says that frames no longer flow, while the network goes on. There is
// none before NetworkDown, which ends both.
type BridgeDown struct{}

func (BridgeUp) output()   {}
func (BridgeDown) output() {}

// bridge is what a link knows about BCP. A bridge asks for no addresses, so a link
// may be up without IP; it may be up without BCP as well, but not without both.
type bridge struct {
	bcp     *bcp.Machine // nil: every BCP packet gets a Protocol-Reject
	over    bool         // the peer does without, or we do, until it asks anew
	noIP    bool         // there will be no IPCP, or no longer
	bridged bool         // BridgeUp was the last word
}

// startBCP begins once encryption is settled, and hears what came before.
func (l *Link) startBCP(now time.Time) {
	early := l.early.take(ppp.ProtocolBCP)
	if l.cfg.Bridge {
		l.bcp = bcp.New(bcp.Config{})
		l.bcp.Start(now)
	}
	for _, packet := range early {
		l.inputBCP(now, packet)
	}
}

func (l *Link) inputBCP(now time.Time, info []byte) {
	var p ppp.Packet
	switch {
	case l.phase == establish || l.phase == authenticate:
		l.early.keep(ppp.ProtocolBCP, info)
	case l.phase != network:
		return
	case l.bcp == nil && l.cfg.Bridge: // encryption is not settled
		l.early.keep(ppp.ProtocolBCP, info)
	case l.bcp == nil:
		l.reject(now, ppp.ProtocolBCP, info)
	case p.Parse(info) == nil:
		l.bcp.Input(now, p)
	}
}

func (l *Link) pumpBCP(now time.Time) bool {
	if l.bcp == nil {
		return false
	}
	o, ok := l.bcp.Next()
	if !ok {
		return false
	}
	switch o.Kind {
	case cp.Send:
		l.send(ppp.ProtocolBCP, o.Packet)
	case cp.Up:
		l.over = false
		l.networkUp(now)
		l.bridgeUp()
	case cp.Down:
		l.bridgeDown(now)
	case cp.Failed:
		l.bcp.Close(now)
		l.bridgeOver(now, o.Err)
	case cp.Finished:
		l.bridgeOver(now, o.Err)
	}
	return true
}

// bridgeUp opens the gate for frames, if it is open for IP.
func (l *Link) bridgeUp() {
	if l.bridged || !l.up || l.bcp == nil || !l.bcp.Opened() {
		return
	}
	l.bridged = true
	peer := l.bcp.Peer()
	l.emit(BridgeUp{MTU: l.frameSize(), Tagged: peer.Tagged, Inline: peer.Inline})
}

// bridgeDown closes it. Where there is no IP, the network is down.
func (l *Link) bridgeDown(now time.Time) {
	if l.noIP {
		l.networkDown()
		l.limit = now.Add(phaseWait)
		return
	}
	if l.bridged {
		l.bridged = false
		l.emit(BridgeDown{})
	}
}

// bridgeOver ends a link that has no IP either.
func (l *Link) bridgeOver(now time.Time, err error) {
	l.over = true
	if l.noIP {
		reason := ReasonBridge
		if errors.Is(err, cp.ErrTerminated) {
			reason = ReasonHungup
		}
		l.fail(now, reason, err)
	}
}

// EndBridge ends bridging because there is no bridge here to join. The peer is
// told, and the network goes on if there is IP.
func (l *Link) EndBridge(now time.Time) {
	if l.done || l.bcp == nil || l.over {
		return
	}
	l.over = true
	l.bcp.Close(now)
	if l.noIP {
		l.fail(now, ReasonBridge, ErrNoBridge)
	}
	l.pump(now)
}

// withoutIP goes on without IP, if there may be bridging.
func (l *Link) withoutIP(now time.Time) bool {
	if l.bcp == nil || l.over || l.noIP || l.phase != network {
		return false
	}
	l.networkDown()
	l.ipcp, l.noIP, l.limit = nil, true, now.Add(phaseWait)
	l.networkUp(now)
	return true
}

// frameSize is the largest Ethernet frame that fits.
func (l *Link) frameSize() int {
	mtu := min(l.cfg.MTU, l.lcp.PeerMRU())
	if l.multilink.SendMRRU != 0 {
		// Who bridges decrypts what it puts together: encryptedMTU is about others.
		mtu = min(l.cfg.MRRU, l.multilink.SendMRRU)
		if l.sending.Active() {
			mtu -= mppeRoom
		}
	}
	return mtu - bcp.HeaderLen
}
