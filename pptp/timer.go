package pptp

import (
	"time"

	"gopptp/pptp/wire"
)

// armLocked makes the earliest of all deadlines the read deadline, so that the
// reader wakes for it.
func (c *Conn) armLocked() {
	if c.state == stateNew {
		return
	}
	next := c.deadline
	earlier := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if c.state == stateEstablished {
		earlier(c.echoLocked())
		for _, call := range c.calls {
			earlier(call.deadline)
		}
		for _, r := range c.pending {
			earlier(r.deadline)
		}
	}
	if !next.Equal(c.armed) {
		c.armed = next
		// A deadline that cannot be set is that of a closed connection; Read
		// says the same.
		c.nc.SetReadDeadline(next)
	}
}

// echoLocked says when the keep-alive has something to do: send a request, or
// give up waiting for the reply (RFC 2637, section 3.1.4).
func (c *Conn) echoLocked() time.Time {
	switch {
	case !c.echoDue.IsZero():
		return c.echoDue
	case c.cfg.EchoInterval < 0:
		return time.Time{}
	}
	return c.lastRx.Add(c.cfg.EchoInterval)
}

// tickLocked does what is due. It must move or remove every deadline that has
// passed, or the reader would turn in circles.
func (c *Conn) tickLocked(now time.Time) {
	due := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }

	if due(c.deadline) {
		c.expireLocked(now)
	}
	if c.state != stateEstablished {
		return
	}
	if due(c.echoLocked()) {
		if !c.echoDue.IsZero() {
			c.abortLocked(&TimeoutError{Missing: wire.TypeEchoReply.String()})
			return
		}
		c.echoID++
		c.echoDue = now.Add(c.cfg.EchoTimeout)
		c.sendLocked(&wire.EchoRequest{Identifier: c.echoID})
	}
	for _, call := range c.calls {
		if due(call.deadline) {
			call.expireLocked(now)
		}
	}
	for id, r := range c.pending {
		if due(r.deadline) {
			c.refuseLocked(r, wire.OutgoingTimeout, wire.IncomingGeneralError, wire.ErrorNoResource)
			c.dropRequestLocked(id, now)
		}
	}
}

// expireLocked is called when the deadline of the state has passed.
func (c *Conn) expireLocked(now time.Time) {
	switch c.state {
	case stateWaitStart:
		c.abortLocked(&TimeoutError{Missing: wire.TypeStartControlConnectionRequest.String()})
	case stateWaitReply:
		c.abortLocked(&TimeoutError{Missing: wire.TypeStartControlConnectionReply.String()})
	case stateEstablished:
		c.stopLocked(&TimeoutError{Missing: "call"}, wire.StopNone, now)
	case stateStopping:
		c.abortLocked(c.cause)
	case stateEnded:
		c.deadline = time.Time{}
		c.nc.Close()
	}
}
