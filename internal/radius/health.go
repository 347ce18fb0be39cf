package radius

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	wire "layeh.com/radius"
)

const (
	// probeInterval is how often a server that does not answer is asked with a
	// Status-Server (RFC 5997) whether it is back.
	probeInterval = 10 * time.Second
	// deadTime is after which a server that does not answer gets one request
	// again, since not every server knows Status-Server.
	deadTime = time.Minute
)

// health is whether a port answers.
type health struct {
	mu        sync.Mutex
	dead      bool
	nextProbe time.Time
	nextTry   time.Time
	probing   bool
}

// probe asks the servers that do not answer whether they are back.
func (c *Client) probe(ctx context.Context, now time.Time) {
	c.mu.Lock()
	servers := slices.Clone(c.servers)
	c.mu.Unlock()
	for _, s := range servers {
		for p := range s.health {
			if !s.usable() || !s.health[p].claimProbe(now) {
				continue
			}
			c.mu.Lock()
			if !c.closed {
				c.wg.Go(func() { c.ask(ctx, s, port(p)) })
			}
			c.mu.Unlock()
		}
	}
}

func (c *Client) ask(ctx context.Context, s *server, p port) {
	// Not an exchange: the row's counters are of requests that somebody waits for.
	timeout := s.Timeout
	if s.Protocol == RadSec {
		timeout = s.RadSecTimeout
	}
	began := time.Now()
	err := c.attempt(ctx, s, p, 1, timeout, func(secret []byte, n nas) (*wire.Packet, error) {
		var l attributeList
		l.identify(n)
		q := wire.New(wire.CodeStatusServer, secret)
		q.Attributes = l.Attributes
		return q, l.err
	}, func([]byte, []byte) error { return nil })
	s.health[p].probed()
	switch {
	case err == nil:
		s.meter.count(ForStatus, Accepted)
		s.meter.answer(ForStatus, time.Since(began))
		c.revive(s, p)
	case ctx.Err() != nil:
		s.meter.count(ForStatus, Abandoned)
	default:
		s.meter.count(ForStatus, Unanswered)
	}
}

func (h *health) claimProbe(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.dead || h.probing || now.Before(h.nextProbe) {
		return false
	}
	h.probing = true
	h.nextProbe = now.Add(probeInterval + rand.N(probeInterval/10))
	return true
}

func (h *health) probed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.probing = false
}

// alive reports whether the port may be asked; of those who want to ask a dead
// one, one may each deadTime.
func (h *health) alive(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.dead {
		return true
	}
	if now.Before(h.nextTry) {
		return false
	}
	h.nextTry = now.Add(deadTime)
	return true
}

// Silent reports whether the server of a row does not answer, on one of its ports.
func (c *Client) Silent(id uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.servers {
		if s.ID != id {
			continue
		}
		for p := range s.health {
			if s.health[p].isDead() {
				return true
			}
		}
	}
	return false
}

func (h *health) isDead() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dead
}

func (c *Client) revive(s *server, p port) {
	h := &s.health[p]
	h.mu.Lock()
	was := h.dead
	h.dead = false
	h.mu.Unlock()
	if was {
		c.log.Addf("radius,info", "server %s answers again", s.remote(p))
	}
}

func (c *Client) bury(s *server, p port) {
	now := time.Now()
	h := &s.health[p]
	h.mu.Lock()
	was := h.dead
	if !was {
		h.dead = true
		h.nextProbe, h.nextTry = now.Add(probeInterval), now.Add(deadTime)
	}
	h.mu.Unlock()
	if !was {
		c.log.Addf("radius,warning", "server %s does not answer", s.remote(p))
	}
}
