package pptp

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"gopptp/pptp/wire"
)

// A CallRequest is a call that the peer asks for. It must be answered, once, by
// Accept or Reject, within CallTimeout; else the peer is told Time-out.
type CallRequest struct {
	c        *Conn
	began    time.Time
	deadline time.Time // owned by c.mu

	// Exactly one of these is set. They must not be changed.
	Outgoing *wire.OutgoingCallRequest // the peer is the PNS: a VPN client
	Incoming *wire.IncomingCallRequest // the peer is a PAC
}

// A CallReply is what Accept answers (RFC 2637, sections 2.8 and 2.10). Only
// LocalID is needed.
type CallReply struct {
	LocalID         wire.CallID
	ConnectSpeed    uint32 // of an outgoing call; zero means the MaxBPS of the request
	Window          uint16 // zero means 64
	ProcessingDelay wire.Delay
	PhysicalChannel uint32 // of an outgoing call
}

// Conn is the control connection of the request.
func (r *CallRequest) Conn() *Conn { return r.c }

// Began is when the peer began: for the first call of a connection when that was made,
// else when the call was asked for.
func (r *CallRequest) Began() time.Time { return r.began }

// PeerID is the Call ID that the peer has given the call.
func (r *CallRequest) PeerID() wire.PeerCallID {
	if r.Outgoing != nil {
		return wire.PeerCallID(r.Outgoing.CallID)
	}
	return wire.PeerCallID(r.Incoming.CallID)
}

// SerialNumber is the number of the call that both sides may write in logs.
func (r *CallRequest) SerialNumber() uint16 {
	if r.Outgoing != nil {
		return r.Outgoing.SerialNumber
	}
	return r.Incoming.SerialNumber
}

// Accept waits for the next call request of the peer.
func (c *Conn) Accept(ctx context.Context) (*CallRequest, error) {
	for {
		select {
		case r := <-c.requests:
			if r.open() {
				return r, nil
			}
		case <-c.closing:
			return nil, c.Err()
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// open says whether r still waits for an answer.
func (r *CallRequest) open() bool {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.openLocked()
}

// openLocked is open with the lock of the connection held.
func (r *CallRequest) openLocked() bool { return r.c.pending[r.PeerID()] == r }

// Accept agrees to the call. The data path for LocalID must be ready before,
// for GRE packets may follow at once. For an outgoing call it does not wait; for
// an incoming one it waits for Incoming-Call-Connected, at most CallTimeout.
// If ctx ends first, the peer is asked to clear the call.
func (r *CallRequest) Accept(ctx context.Context, a CallReply) (*Call, error) {
	call, err := r.answer(a)
	if err == nil {
		err = call.wait(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("pptp: accept call %d: %w", a.LocalID, err)
	}
	return call, nil
}

func (r *CallRequest) answer(a CallReply) (*Call, error) {
	c := r.c
	c.mu.Lock()
	defer c.unlock()
	if !r.openLocked() {
		return nil, cmp.Or(c.cause, ErrWithdrawn)
	}
	call, err := c.newCallLocked(a.LocalID, r.SerialNumber(), r.Incoming != nil)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	delete(c.pending, r.PeerID())
	call.peerKnown, call.peerID = true, r.PeerID()
	if m := r.Outgoing; m != nil {
		call.terms = Terms{Window: m.Window, ProcessingDelay: m.ProcessingDelay}
		c.sendLocked(&wire.OutgoingCallReply{
			CallID:          a.LocalID,
			PeerCallID:      call.peerID,
			Result:          wire.OutgoingConnected,
			ConnectSpeed:    cmp.Or(a.ConnectSpeed, m.MaxBPS, defaultMaxBPS),
			Window:          cmp.Or(a.Window, defaultWindow),
			ProcessingDelay: a.ProcessingDelay,
			PhysicalChannel: a.PhysicalChannel,
		})
		if call.state != callEnded { // else the queue was full and all has ended
			call.upLocked()
		}
		return call, nil
	}
	call.state = callAnswered
	call.deadline = now.Add(c.cfg.CallTimeout)
	c.sendLocked(&wire.IncomingCallReply{
		CallID:          a.LocalID,
		PeerCallID:      call.peerID,
		Result:          wire.IncomingConnect,
		Window:          cmp.Or(a.Window, defaultWindow),
		ProcessingDelay: a.ProcessingDelay,
	})
	return call, nil
}

// Reject refuses the call: with ErrorNone by the result Do Not Accept, else by
// General Error and the code. A request that is no longer open needs no answer.
func (r *CallRequest) Reject(code wire.ErrorCode) {
	c := r.c
	c.mu.Lock()
	defer c.unlock()
	if !r.openLocked() {
		return
	}
	outgoing, incoming := wire.OutgoingDoNotAccept, wire.IncomingDoNotAccept
	if code != wire.ErrorNone {
		outgoing, incoming = wire.OutgoingGeneralError, wire.IncomingGeneralError
	}
	c.refuseLocked(r, outgoing, incoming, code)
	c.dropRequestLocked(r.PeerID(), time.Now())
}

// requestLocked takes a request of the peer, or refuses it.
func (c *Conn) requestLocked(r *CallRequest, now time.Time) error {
	id := r.PeerID()
	refuse := func(code wire.ErrorCode) {
		c.refuseLocked(r, wire.OutgoingGeneralError, wire.IncomingGeneralError, code)
	}
	if c.pending[id] != nil || c.byPeerLocked(id) != nil {
		// To end the first call for it, as some servers do, would let a
		// confused peer lose a call that works.
		refuse(wire.ErrorBadCallID)
		return errPeerCallID
	}
	if c.fullLocked() {
		refuse(wire.ErrorNoResource)
		return ErrTooManyCalls
	}
	if r.began = now; !c.called {
		r.began = c.made
	}
	select {
	case c.requests <- r:
	default:
		refuse(wire.ErrorNoResource)
		return ErrTooManyCalls
	}
	r.deadline = now.Add(c.cfg.CallTimeout)
	c.pending[id] = r
	c.calledLocked(now)
	return nil
}

// refuseLocked sends the refusal of r, in whichever message it needs.
func (c *Conn) refuseLocked(r *CallRequest, o wire.OutgoingResult, i wire.IncomingResult, code wire.ErrorCode) {
	if r.Outgoing != nil {
		if o != wire.OutgoingGeneralError {
			code = wire.ErrorNone
		}
		c.sendLocked(&wire.OutgoingCallReply{PeerCallID: r.PeerID(), Result: o, Error: code})
		return
	}
	c.sendLocked(&wire.IncomingCallReply{PeerCallID: r.PeerID(), Result: i, Error: code})
}

// dropRequestLocked forgets a request that has been answered or taken back.
func (c *Conn) dropRequestLocked(id wire.PeerCallID, now time.Time) {
	delete(c.pending, id)
	c.idleLocked(now)
}

// incomingConnectedLocked serves the last word of the PAC about an incoming
// call that we have accepted.
func (c *Conn) incomingConnectedLocked(m *wire.IncomingCallConnected) error {
	call := c.calls[wire.CallID(m.PeerCallID)]
	if call == nil {
		return errUnknownCall
	}
	if call.state != callAnswered {
		return errState
	}
	call.terms = Terms{ConnectSpeed: m.ConnectSpeed, Window: m.Window, ProcessingDelay: m.ProcessingDelay}
	call.upLocked()
	return nil
}
