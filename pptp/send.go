package pptp

import (
	"fmt"
	"time"

	"gopptp/pptp/wire"
)

// sendLocked queues m for the peer. After the end it does nothing.
func (c *Conn) sendLocked(m wire.Message) {
	if c.state == stateEnded {
		return
	}
	if len(c.out)+m.Len() > maxQueued {
		c.abortLocked(ErrSlowPeer)
		return
	}
	c.out = m.Append(c.out)
	c.eventLocked(Event{Kind: EventSent, Message: m})
	if !c.flushing {
		c.flushing = true
		c.writers.Go(c.flush)
	}
}

// flush writes the queue until it is empty.
func (c *Conn) flush() {
	var b []byte
	for {
		c.mu.Lock()
		if len(c.out) == 0 {
			c.flushing = false
			c.out = nil // an idle connection holds no buffers
			if c.state == stateEnded {
				c.shutLocked()
			}
			c.unlock()
			return
		}
		b, c.out = c.out, b[:0]
		c.mu.Unlock()

		// A deadline that cannot be set is that of a closed connection; Write
		// says the same.
		c.nc.SetWriteDeadline(time.Now().Add(c.cfg.WriteTimeout))
		if _, err := c.nc.Write(b); err != nil {
			c.mu.Lock()
			c.abortLocked(fmt.Errorf("pptp: connection lost: %w", err))
			c.unlock()
		}
	}
}

// endLocked ends the connection and all its calls, but lets the queue be
// written. After that the peer has StopTimeout to close its side: were we to
// close first, with something of the peer unread, TCP could destroy our last
// words on their way.
func (c *Conn) endLocked(cause error) {
	if c.state == stateEnded {
		return
	}
	c.leaveLocked(cause)
	c.state = stateEnded
	c.deadline = time.Now().Add(c.cfg.StopTimeout)
	c.eventLocked(Event{Kind: EventEnded, Err: c.cause})
	if !c.flushing {
		c.shutLocked()
	}
}

// abortLocked ends the connection and all its calls, and closes the TCP
// connection at once.
func (c *Conn) abortLocked(cause error) {
	c.endLocked(cause)
	c.out = nil
	c.nc.Close()
}

// leaveLocked ends all calls and call requests, and sets the cause unless there
// is one.
func (c *Conn) leaveLocked(cause error) {
	if c.cause != nil {
		return
	}
	c.cause = cause
	close(c.closing)
	for _, call := range c.calls {
		call.endLocked(cause)
	}
	clear(c.pending)
}

// shutLocked closes our half of the TCP connection when all is written, or the
// whole where there are no halves.
func (c *Conn) shutLocked() {
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		return
	}
	c.nc.Close()
}
