package session

import (
	"time"

	"gopptp/internal/plane"
	"gopptp/ppp/link"
)

const (
	// fullFrame is the largest frame of an Ethernet, its addresses and type included.
	fullFrame = 1514
	// fullMRRU carries it, encrypted and with the tag of a VLAN.
	fullMRRU = 1524
)

// bridgeUp makes the session's port of the bridge and lets Ethernet frames flow.
// Without a port the session goes on with IP, if it has that.
func (s *session) bridgeUp(now time.Time, o link.BridgeUp) {
	bridge := s.limits.policy.Bridge
	port, err := s.m.cfg.Host.CreateBridgePort(s.name(), bridge)
	switch {
	case err == nil:
	case s.device == nil:
		s.close(now, ending{"could not add bridge port: " + err.Error(), NASError})
		return
	default:
		s.m.cfg.Journal.Addf("pptp,ppp,error", "%s: could not add bridge port: %v", s.name(), err)
		s.link.EndBridge(now)
		return
	}
	s.port = port
	s.data.OpenBridge(plane.Bridge{Device: port, MaxFrame: o.MTU, Tagged: o.Tagged, Inline: o.Inline})
	s.info("port of bridge %s", bridge.Bridge)
	if o.MTU < fullFrame {
		s.m.cfg.Journal.Addf("pptp,ppp,warning", "%s: no frame above %d octets crosses: mrru of at least %d is needed on both sides", s.name(), o.MTU, fullMRRU)
	}
}

// bridgeDown takes the port away.
func (s *session) bridgeDown() {
	s.data.ShutBridge()
	if s.port == nil {
		return
	}
	s.port.Close()
	s.data.WaitBridge()
	s.port = nil
}
