package pptp

import (
	"time"

	"gopptp/pptp/wire"
)

// startLocked begins the life of the connection when Run does.
func (c *Conn) startLocked(now time.Time) {
	c.lastRx = now
	c.deadline = now.Add(c.cfg.HandshakeTimeout)
	if !c.client {
		c.state = stateWaitStart
		return
	}
	c.state = stateWaitReply
	c.sendLocked(&wire.StartControlConnectionRequest{
		ProtocolVersion:  wire.Version1,
		Framing:          wire.FramingEither,
		Bearer:           wire.BearerAny,
		FirmwareRevision: c.cfg.FirmwareRevision,
		HostName:         c.cfg.HostName,
		VendorName:       c.cfg.VendorName,
	})
}

// handleLocked serves one message. Which message is good in which state, and
// what becomes of the others, is all here.
func (c *Conn) handleLocked(m wire.Message, now time.Time) {
	c.lastRx = now
	c.eventLocked(Event{Kind: EventReceived, Message: m})

	var err error
	switch m := m.(type) {
	case *wire.StartControlConnectionRequest:
		err = c.startRequestLocked(m, now)
	case *wire.StartControlConnectionReply:
		err = c.startReplyLocked(m, now)
	case *wire.StopControlConnectionRequest:
		c.stopRequestLocked(m)
	case *wire.StopControlConnectionReply:
		// It is for the host that asked for the stop to close the TCP
		// connection, and it has all it waited for
		// (RFC 2637, section 3.1.1).
		if c.state == stateStopping {
			c.abortLocked(c.cause)
		} else {
			err = errState
		}
	case *wire.EchoRequest:
		// Answered while stopping too: the peer may still be waiting for it.
		if c.state == stateEstablished || c.state == stateStopping {
			c.sendLocked(&wire.EchoReply{Identifier: m.Identifier, Result: wire.EchoOK})
		} else {
			err = errState
		}
	default:
		if c.state == stateEstablished {
			err = c.handleCallLocked(m, now)
		} else {
			// Whether the connection is not yet or no longer established,
			// there are no calls (CVE-2021-42870).
			err = errState
		}
	}
	if err != nil {
		c.ignoreLocked(m, err)
	} else {
		c.stray = 0
	}
}

// handleCallLocked serves the messages that need an established connection.
func (c *Conn) handleCallLocked(m wire.Message, now time.Time) error {
	switch m := m.(type) {
	case *wire.EchoReply:
		if c.echoDue.IsZero() || m.Identifier != c.echoID {
			return errEchoID
		}
		c.echoDue = time.Time{}
		return nil
	case *wire.OutgoingCallRequest:
		return c.requestLocked(&CallRequest{c: c, Outgoing: m}, now)
	case *wire.IncomingCallRequest:
		return c.requestLocked(&CallRequest{c: c, Incoming: m}, now)
	case *wire.OutgoingCallReply:
		return c.outgoingReplyLocked(m, now)
	case *wire.IncomingCallReply:
		return c.incomingReplyLocked(m, now)
	case *wire.IncomingCallConnected:
		return c.incomingConnectedLocked(m)
	case *wire.CallClearRequest:
		return c.clearRequestLocked(m)
	case *wire.CallDisconnectNotify:
		return c.disconnectNotifyLocked(m)
	case *wire.WANErrorNotify:
		return c.wanErrorLocked(m)
	case *wire.SetLinkInfo:
		return c.linkInfoLocked(m)
	}
	return errState
}

// startRequestLocked answers a request to start (RFC 2637, section 3.1.2).
func (c *Conn) startRequestLocked(m *wire.StartControlConnectionRequest, now time.Time) error {
	switch {
	case c.state == stateEstablished:
		c.startSendReplyLocked(wire.StartExists)
		return errState
	case c.state != stateWaitStart:
		return errState
	case m.ProtocolVersion != wire.Version1:
		c.startSendReplyLocked(wire.StartBadVersion)
		c.endLocked(ErrVersion)
		return nil
	}
	c.startSendReplyLocked(wire.StartOK)
	c.establishLocked(Peer{
		HostName:         m.HostName,
		VendorName:       m.VendorName,
		FirmwareRevision: m.FirmwareRevision,
		MaxChannels:      m.MaxChannels,
		Framing:          m.Framing,
		Bearer:           m.Bearer,
	}, now)
	return nil
}

func (c *Conn) startSendReplyLocked(r wire.StartResult) {
	c.sendLocked(&wire.StartControlConnectionReply{
		ProtocolVersion:  wire.Version1,
		Result:           r,
		Framing:          wire.FramingEither,
		Bearer:           wire.BearerAny,
		MaxChannels:      c.cfg.MaxChannels,
		FirmwareRevision: c.cfg.FirmwareRevision,
		HostName:         c.cfg.HostName,
		VendorName:       c.cfg.VendorName,
	})
}

// startReplyLocked takes the answer to our request (RFC 2637, section 3.1.1).
func (c *Conn) startReplyLocked(m *wire.StartControlConnectionReply, now time.Time) error {
	switch {
	case c.state != stateWaitReply:
		return errState
	case m.Result > wire.StartOK:
		c.abortLocked(&ResultError{Type: m.Type(), Result: m.Result, Code: m.Error})
		return nil
	case m.ProtocolVersion != wire.Version1:
		c.stopLocked(ErrVersion, wire.StopProtocol, now)
		return nil
	}
	// Result zero is not in the RFC; some DSL modems mean success by it.
	c.establishLocked(Peer{
		HostName:         m.HostName,
		VendorName:       m.VendorName,
		FirmwareRevision: m.FirmwareRevision,
		MaxChannels:      m.MaxChannels,
		Framing:          m.Framing,
		Bearer:           m.Bearer,
	}, now)
	return nil
}

func (c *Conn) establishLocked(p Peer, now time.Time) {
	c.peer = p
	c.state = stateEstablished
	c.idleLocked(now)
	close(c.established)
	c.eventLocked(Event{Kind: EventEstablished})
}

// idleLocked sets the deadline of an established connection according to its
// calls. It is called whenever one has come or gone.
func (c *Conn) idleLocked(now time.Time) {
	switch {
	case c.state != stateEstablished:
	case c.client || len(c.calls)+len(c.pending) > 0:
		c.deadline = time.Time{}
	case c.called:
		c.deadline = now.Add(c.cfg.IdleTimeout)
	default:
		c.deadline = now.Add(c.cfg.HandshakeTimeout)
	}
}

// stopRequestLocked obeys a request to stop. "All active user calls are
// implicitly cleared" (RFC 2637, section 2.3).
func (c *Conn) stopRequestLocked(m *wire.StopControlConnectionRequest) {
	c.sendLocked(&wire.StopControlConnectionReply{Result: wire.StopOK})
	if c.state != stateStopping { // else the two have crossed, and our reply comes too
		c.endLocked(&StopError{Reason: m.Reason})
	}
}

// stopLocked begins to stop the connection, for the given cause.
func (c *Conn) stopLocked(cause error, reason wire.StopReason, now time.Time) {
	switch c.state {
	case stateNew, stateWaitStart:
		c.abortLocked(cause) // nothing has begun that could be stopped
		return
	case stateStopping, stateEnded:
		return
	}
	for _, call := range c.calls {
		call.farewellLocked(wire.DisconnectAdminShutdown)
	}
	c.sendLocked(&wire.StopControlConnectionRequest{Reason: reason})
	if c.state == stateEnded {
		return // the queue was full
	}
	c.leaveLocked(cause)
	c.state = stateStopping
	c.deadline = now.Add(c.cfg.StopTimeout)
}
