package pptp

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"gopptp/pptp/wire"
)

// What we tell where the caller gives no number. Nobody holds us to it, but
// some peers refuse zeros.
const (
	defaultMinBPS = 300
	defaultMaxBPS = 100_000_000
	defaultWindow = 64
)

// An OutgoingCall is what Dial asks for (RFC 2637, section 2.7). Only LocalID
// is needed.
type OutgoingCall struct {
	LocalID         wire.CallID
	SerialNumber    uint16
	MinBPS, MaxBPS  uint32 // zero means 300 and 100,000,000
	Window          uint16 // zero means 64
	ProcessingDelay wire.Delay
	PhoneNumber     string
	Subaddress      string
}

// An IncomingCall is what Offer tells (RFC 2637, sections 2.9 and 2.11). Only
// LocalID is needed.
type IncomingCall struct {
	LocalID                     wire.CallID
	SerialNumber                uint16
	PhysicalChannel             uint32
	DialedNumber, DialingNumber string
	Subaddress                  string
	ConnectSpeed                uint32 // zero means 100,000,000
	Window                      uint16 // zero means 64
	ProcessingDelay             wire.Delay
}

// Dial asks the peer for a call, as a PNS. It waits until the control
// connection is established, which is the business of Run, and then for the
// answer, at most CallTimeout. The data path for LocalID must be ready before,
// for GRE packets may come sooner than the answer. If ctx ends first, the peer
// is asked to clear the call, and LocalID is in use until it has done so.
func (c *Conn) Dial(ctx context.Context, o OutgoingCall) (*Call, error) {
	call, err := c.ask(ctx, o.LocalID, o.SerialNumber, true, func(*Call) wire.Message {
		return &wire.OutgoingCallRequest{
			CallID:          o.LocalID,
			SerialNumber:    o.SerialNumber,
			MinBPS:          cmp.Or(o.MinBPS, defaultMinBPS),
			MaxBPS:          cmp.Or(o.MaxBPS, defaultMaxBPS),
			Bearer:          wire.BearerAny,
			Framing:         wire.FramingEither,
			Window:          cmp.Or(o.Window, defaultWindow),
			ProcessingDelay: o.ProcessingDelay,
			PhoneNumber:     o.PhoneNumber,
			Subaddress:      o.Subaddress,
		}
	})
	if err != nil {
		return nil, fmt.Errorf("pptp: outgoing call %d: %w", o.LocalID, err)
	}
	return call, nil
}

// Offer tells the peer of an incoming call, as a PAC. It waits like Dial.
func (c *Conn) Offer(ctx context.Context, i IncomingCall) (*Call, error) {
	i.ConnectSpeed = cmp.Or(i.ConnectSpeed, defaultMaxBPS)
	i.Window = cmp.Or(i.Window, defaultWindow)
	call, err := c.ask(ctx, i.LocalID, i.SerialNumber, false, func(call *Call) wire.Message {
		call.incoming = i
		return &wire.IncomingCallRequest{
			CallID:          i.LocalID,
			SerialNumber:    i.SerialNumber,
			Bearer:          wire.BearerDigital,
			PhysicalChannel: i.PhysicalChannel,
			DialedNumber:    i.DialedNumber,
			DialingNumber:   i.DialingNumber,
			Subaddress:      i.Subaddress,
		}
	})
	if err != nil {
		return nil, fmt.Errorf("pptp: incoming call %d: %w", i.LocalID, err)
	}
	return call, nil
}

// ask makes a call and sends the request for it, then waits for the answer.
func (c *Conn) ask(ctx context.Context, id wire.CallID, serial uint16, pns bool, request func(*Call) wire.Message) (*Call, error) {
	select {
	case <-c.established:
	case <-c.closing:
		return nil, c.Err()
	case <-ctx.Done():
	}
	if ctx.Err() != nil { // also where select had the choice
		return nil, context.Cause(ctx)
	}
	call, err := c.begin(id, serial, pns, request)
	if err != nil {
		return nil, err
	}
	return call, call.wait(ctx)
}

func (c *Conn) begin(id wire.CallID, serial uint16, pns bool, request func(*Call) wire.Message) (*Call, error) {
	c.mu.Lock()
	defer c.unlock()
	if c.cause == nil && c.fullLocked() {
		return nil, ErrTooManyCalls
	}
	call, err := c.newCallLocked(id, serial, pns)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	call.deadline = now.Add(c.cfg.CallTimeout)
	c.sendLocked(request(call))
	c.calledLocked(now)
	return call, nil
}

// wait waits until the call is up or has failed, and gives it up with ctx.
func (call *Call) wait(ctx context.Context) error {
	select {
	case <-call.settled:
	case <-ctx.Done():
		call.c.mu.Lock()
		call.failLocked(context.Cause(ctx), wire.DisconnectRequest, time.Now())
		call.c.unlock()
	}
	return call.Err()
}

// outgoingReplyLocked serves the answer to Dial's request.
func (c *Conn) outgoingReplyLocked(m *wire.OutgoingCallReply, now time.Time) error {
	call := c.calls[wire.CallID(m.PeerCallID)]
	if call == nil {
		return errUnknownCall
	}
	ok := m.Result == wire.OutgoingConnected
	switch {
	case !call.pns || call.peerKnown || call.state != callRequested && call.state != callClearing:
		return errState
	case !ok:
		call.endLocked(&ResultError{Type: m.Type(), Result: m.Result, Code: m.Error, Cause: m.Cause})
		return nil
	case c.byPeerLocked(wire.PeerCallID(m.CallID)) != nil:
		call.failLocked(errPeerCallID, wire.DisconnectRequest, now)
		return nil
	}
	call.peerKnown, call.peerID = true, wire.PeerCallID(m.CallID)
	call.terms = Terms{ConnectSpeed: m.ConnectSpeed, Window: m.Window, ProcessingDelay: m.ProcessingDelay}
	if call.state == callRequested {
		call.upLocked()
	}
	return nil
}

// incomingReplyLocked serves the answer to Offer's request. A good one is
// confirmed by Incoming-Call-Connected.
func (c *Conn) incomingReplyLocked(m *wire.IncomingCallReply, now time.Time) error {
	call := c.calls[wire.CallID(m.PeerCallID)]
	if call == nil {
		return errUnknownCall
	}
	switch {
	case call.pns || call.state != callRequested:
		return errState
	case m.Result != wire.IncomingConnect:
		call.endLocked(&ResultError{Type: m.Type(), Result: m.Result, Code: m.Error})
		return nil
	case c.byPeerLocked(wire.PeerCallID(m.CallID)) != nil:
		call.failLocked(errPeerCallID, wire.DisconnectGeneralError, now)
		return nil
	}
	call.peerKnown, call.peerID = true, wire.PeerCallID(m.CallID)
	call.terms = Terms{Window: m.Window, ProcessingDelay: m.ProcessingDelay}
	c.sendLocked(&wire.IncomingCallConnected{
		PeerCallID:      call.peerID,
		ConnectSpeed:    call.incoming.ConnectSpeed,
		Window:          call.incoming.Window,
		ProcessingDelay: call.incoming.ProcessingDelay,
		Framing:         wire.FramingSync,
	})
	if call.state == callRequested { // else the queue was full and all has ended
		call.upLocked()
	}
	return nil
}
