package pptp

import (
	"time"

	"gopptp/pptp/wire"
)

// callState is where a call stands (RFC 2637, sections 3.2.3 and 3.2.4).
type callState uint8

const (
	callRequested callState = iota // our request waits for its reply
	callAnswered                   // our Incoming-Call-Reply waits for Incoming-Call-Connected
	callUp
	callClearing // our Call-Clear-Request waits for Call-Disconnect-Notify
	callEnded
)

// A Call is a call of a Conn. Its methods may be called from any goroutine.
type Call struct {
	c        *Conn
	localID  wire.CallID
	serial   uint16
	pns      bool // this side is the PNS of the call
	incoming IncomingCall
	settled  chan struct{} // closed when the call is up or has failed
	done     chan struct{}

	state     callState // guarded by c.mu, like all below
	err       error
	wasUp     bool
	peerKnown bool
	peerID    wire.PeerCallID
	terms     Terms
	deadline  time.Time // of state; zero if it has none
	linkInfo  LinkInfo
	wanErrors wire.WANErrorNotify
}

// Terms are what the peer has told of its end of a call.
type Terms struct {
	ConnectSpeed    uint32 // bits per second, by its word; zero if we are the PAC
	Window          uint16 // packets that it will buffer
	ProcessingDelay wire.Delay
}

// LinkInfo are the control characters that PPP escapes on an asynchronous line
// (RFC 2637, section 2.15). There is none in a VPN.
type LinkInfo struct {
	SendACCM, ReceiveACCM uint32
}

// allACCM is the map from which all lines begin (RFC 1662, section 7.1).
const allACCM = 0xffffffff

// LocalID is the Call ID that this side has given: GRE packets to us carry it.
func (call *Call) LocalID() wire.CallID { return call.localID }

// PeerID is the Call ID that the peer has given: GRE packets to it carry it.
func (call *Call) PeerID() wire.PeerCallID {
	call.c.mu.Lock()
	defer call.c.mu.Unlock()
	return call.peerID
}

// SerialNumber is the number of the call that both sides may write in logs.
func (call *Call) SerialNumber() uint16 { return call.serial }

// PNS says whether this side is the PNS of the call, the side of VPN clients.
func (call *Call) PNS() bool { return call.pns }

// Conn is the control connection of the call.
func (call *Call) Conn() *Conn { return call.c }

// Terms are what the peer has told of its end.
func (call *Call) Terms() Terms {
	call.c.mu.Lock()
	defer call.c.mu.Unlock()
	return call.terms
}

// Done is closed when the call has ended; Err then says why.
func (call *Call) Done() <-chan struct{} { return call.done }

// Err says why the call has ended, or is about to, or nil: a *ResultError when
// the peer disconnected it, ErrCleared, ErrDisconnected, or the end of the
// control connection.
func (call *Call) Err() error {
	call.c.mu.Lock()
	defer call.c.mu.Unlock()
	return call.err
}

// LinkInfo is what the peer has told last by Set-Link-Info.
func (call *Call) LinkInfo() LinkInfo {
	call.c.mu.Lock()
	defer call.c.mu.Unlock()
	return call.linkInfo
}

// WANErrors is what the peer has told last by WAN-Error-Notify; its numbers
// count from the beginning of the call.
func (call *Call) WANErrors() wire.WANErrorNotify {
	call.c.mu.Lock()
	defer call.c.mu.Unlock()
	return call.wanErrors
}

// Disconnect ends the call. A PAC sends a Call-Disconnect-Notify with the given
// result, and the call has ended. A PNS sends a Call-Clear-Request, which gives
// no reason, and the call has ended when the peer confirms it or CallTimeout
// has passed; until then its Call ID is in use. Disconnect does not wait: Done
// tells.
func (call *Call) Disconnect(result wire.DisconnectResult) {
	call.c.mu.Lock()
	defer call.c.unlock()
	call.failLocked(ErrDisconnected, result, time.Now())
}

// SetLinkInfo sends a Set-Link-Info, which is the right of the PNS.
func (call *Call) SetLinkInfo(l LinkInfo) error {
	call.c.mu.Lock()
	defer call.c.unlock()
	switch {
	case !call.pns:
		return ErrNotPNS
	case call.state != callUp:
		return ErrNotUp
	}
	call.c.sendLocked(&wire.SetLinkInfo{
		PeerCallID:  call.peerID,
		SendACCM:    l.SendACCM,
		ReceiveACCM: l.ReceiveACCM,
	})
	return nil
}

// newCallLocked makes a call if there is room for one.
func (c *Conn) newCallLocked(id wire.CallID, serial uint16, pns bool) (*Call, error) {
	if c.cause != nil {
		return nil, c.cause
	}
	if id == 0 || c.calls[id] != nil { // zero is what refusals carry
		return nil, ErrCallID
	}
	call := &Call{
		c:        c,
		localID:  id,
		serial:   serial,
		pns:      pns,
		settled:  make(chan struct{}),
		done:     make(chan struct{}),
		linkInfo: LinkInfo{SendACCM: allACCM, ReceiveACCM: allACCM},
	}
	c.calls[id] = call
	return call, nil
}

// fullLocked says whether there is no room for another call.
func (c *Conn) fullLocked() bool {
	return len(c.calls)+len(c.pending) >= int(c.cfg.MaxChannels)
}

// calledLocked notes that a call has been asked for.
func (c *Conn) calledLocked(now time.Time) {
	if !c.called {
		c.called = true
		if c.firstCall != nil {
			c.firstCall()
		}
	}
	c.idleLocked(now)
}

// upLocked makes the call connected.
func (call *Call) upLocked() {
	call.state = callUp
	call.wasUp = true
	call.deadline = time.Time{}
	close(call.settled)
	call.c.eventLocked(Event{Kind: EventCallUp, Call: call})
}

// settleLocked notes why the call fails, once.
func (call *Call) settleLocked(err error) {
	if call.err != nil {
		return
	}
	call.err = err
	if !call.wasUp {
		close(call.settled)
	}
}

// failLocked gives the call up for err and tells the peer.
func (call *Call) failLocked(err error, result wire.DisconnectResult, now time.Time) {
	if call.state >= callClearing {
		return
	}
	call.settleLocked(err)
	call.farewellLocked(result)
	switch {
	case call.state == callEnded: // the connection ended over it
	case call.pns:
		call.state = callClearing
		call.deadline = now.Add(call.c.cfg.CallTimeout)
	default:
		call.endLocked(err)
	}
}

// farewellLocked tells the peer that the call is to end.
func (call *Call) farewellLocked(result wire.DisconnectResult) {
	switch {
	case call.state >= callClearing:
	case call.pns:
		call.c.sendLocked(&wire.CallClearRequest{CallID: call.localID})
	default:
		call.c.sendLocked(&wire.CallDisconnectNotify{CallID: call.localID, Result: result})
	}
}

// endLocked ends the call, for err unless it had a reason before.
func (call *Call) endLocked(err error) {
	if call.state == callEnded {
		return
	}
	call.settleLocked(err)
	call.state = callEnded
	call.deadline = time.Time{}
	delete(call.c.calls, call.localID)
	close(call.done)
	if call.wasUp {
		call.c.eventLocked(Event{Kind: EventCallEnded, Call: call, Err: call.err})
	}
	call.c.idleLocked(time.Now())
}

// expireLocked is called when the deadline of the call's state has passed.
func (call *Call) expireLocked(now time.Time) {
	missing := wire.TypeIncomingCallConnected
	switch {
	case call.state == callClearing:
		call.endLocked(call.err)
		return
	case call.state == callAnswered:
	case call.pns:
		missing = wire.TypeOutgoingCallReply
	default:
		missing = wire.TypeIncomingCallReply
	}
	call.failLocked(&TimeoutError{Missing: missing.String()}, wire.DisconnectRequest, now)
}

// byPeerLocked finds the call to which the peer has given id.
func (c *Conn) byPeerLocked(id wire.PeerCallID) *Call {
	for _, call := range c.calls {
		if call.peerKnown && call.peerID == id {
			return call
		}
	}
	return nil
}

// bySenderLocked finds the call of a message that carries its sender's Call ID.
// Some peers send ours instead, since RFC 2637, sections 2.12 and 2.13 can be
// read so.
func (c *Conn) bySenderLocked(id wire.CallID) *Call {
	if call := c.byPeerLocked(wire.PeerCallID(id)); call != nil {
		return call
	}
	return c.calls[id]
}

// byReceiverLocked finds the call of a message that carries its receiver's Call
// ID. Some peers send their own.
func (c *Conn) byReceiverLocked(id wire.PeerCallID) *Call {
	if call := c.calls[wire.CallID(id)]; call != nil {
		return call
	}
	return c.byPeerLocked(id)
}

// clearRequestLocked serves a Call-Clear-Request. The answer is a
// Call-Disconnect-Notify, in which a PAC gives its own Call ID. A request that
// we have not answered has none yet; the peer's own must do there.
func (c *Conn) clearRequestLocked(m *wire.CallClearRequest) error {
	notify := &wire.CallDisconnectNotify{CallID: m.CallID, Result: wire.DisconnectRequest}
	if c.pending[wire.PeerCallID(m.CallID)] != nil {
		c.sendLocked(notify)
		c.dropRequestLocked(wire.PeerCallID(m.CallID), time.Now())
		return nil
	}
	call := c.bySenderLocked(m.CallID)
	if call == nil {
		return errUnknownCall
	}
	notify.CallID = call.localID
	c.sendLocked(notify)
	call.endLocked(ErrCleared)
	return nil
}

// disconnectNotifyLocked serves a Call-Disconnect-Notify. The PNS of a call has
// no right to send it, but its wish is clear.
func (c *Conn) disconnectNotifyLocked(m *wire.CallDisconnectNotify) error {
	if c.pending[wire.PeerCallID(m.CallID)] != nil {
		c.dropRequestLocked(wire.PeerCallID(m.CallID), time.Now())
		return nil
	}
	call := c.bySenderLocked(m.CallID)
	if call == nil {
		return errUnknownCall
	}
	call.endLocked(&ResultError{Type: m.Type(), Result: m.Result, Code: m.Error, Cause: m.Cause})
	return nil
}

func (c *Conn) wanErrorLocked(m *wire.WANErrorNotify) error {
	call := c.byReceiverLocked(m.PeerCallID)
	if call == nil {
		return errUnknownCall
	}
	call.wanErrors = *m
	return nil
}

func (c *Conn) linkInfoLocked(m *wire.SetLinkInfo) error {
	call := c.byReceiverLocked(m.PeerCallID)
	if call == nil {
		return errUnknownCall
	}
	call.linkInfo = LinkInfo{SendACCM: m.SendACCM, ReceiveACCM: m.ReceiveACCM}
	return nil
}
