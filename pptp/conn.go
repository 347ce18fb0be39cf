// Package pptp is the control connection of PPTP (RFC 2637, sections 2 and 3),
// both ends of it, over a given net.Conn.
//
// A Conn is established by NewClient on one side and NewServer on the other,
// and Run. After that both sides are alike: each may ask for calls (Dial, as a
// PNS; Offer, as a PAC) and answer what the peer asks for (Accept).
//
// It carries no user data: GRE tunnels, PPP and Call IDs belong to its user. It
// dials no TCP connection, and writes no log.
package pptp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"gopptp/pptp/wire"
)

const (
	// readBuffer holds any message, and a few at once.
	readBuffer = 512
	// maxQueued bounds what waits for a peer that does not read: the longest
	// farewell, a word to each of 64 calls, is 10 KB.
	maxQueued = 32 << 10
	// maxStray is how many useless messages in a row are ignored. Honest
	// peers send one or two when messages cross; a peer that sends no other
	// is broken, or fills our log.
	maxStray = 64
	// maxPending bounds the call requests that wait for an answer of ours.
	// A peer has no reason to ask for more at once, and refused ones may be
	// repeated.
	maxPending = 8
)

// state is where a Conn stands (RFC 2637, sections 3.1.1 and 3.1.2).
type state uint8

const (
	stateNew         state = iota
	stateWaitStart         // for a Start-Control-Connection-Request
	stateWaitReply         // for a Start-Control-Connection-Reply
	stateEstablished       //
	stateStopping          // waits for a Stop-Control-Connection-Reply
	stateEnded             // only the last words and the TCP connection remain
)

// A Conn is a control connection. Its methods may be called from any goroutine.
//
// Run, the reader, is its only lasting goroutine: the deadlines of all states
// and calls are read deadlines. Messages are queued under the same lock that
// guards the state, so their order on the wire is the order of events, and
// nobody who sends is held up by the peer. The queue is written by a goroutine
// that lives while there is something to write; it ends when the queue is empty
// or a write fails, and Run waits for it.
type Conn struct {
	nc     net.Conn
	cfg    Config
	client bool
	made   time.Time
	// firstCall, if not nil, is called with mu held when either side asks
	// for the first call. Set by a Server before Run.
	firstCall func()

	established chan struct{}
	closing     chan struct{}     // closed when cause is set
	requests    chan *CallRequest // sent to with mu held

	writers sync.WaitGroup

	mu       sync.Mutex
	state    state // guarded by mu, like all below
	running  bool
	cause    error
	peer     Peer
	calls    map[wire.CallID]*Call
	pending  map[wire.PeerCallID]*CallRequest
	called   bool      // a call has been asked for
	deadline time.Time // of state; zero if it has none
	armed    time.Time // the read deadline of nc
	lastRx   time.Time
	echoID   uint32
	echoDue  time.Time // deadline of the Echo-Reply; zero if none is due
	stray    int
	out      []byte
	flushing bool // flush is running
	events   []Event
}

// A Peer is what the other host has told of itself. The names are its own
// text, not to be trusted.
type Peer struct {
	HostName, VendorName string
	FirmwareRevision     uint16
	MaxChannels          uint16
	Framing              wire.Framing
	Bearer               wire.Bearer
}

// NewClient makes the end of a control connection that asks for it to be
// started. Conn takes nc over.
func NewClient(nc net.Conn, cfg Config) *Conn { return newConn(nc, cfg, true) }

// NewServer makes the end of a control connection that waits to be asked. Conn
// takes nc over.
func NewServer(nc net.Conn, cfg Config) *Conn { return newConn(nc, cfg, false) }

func newConn(nc net.Conn, cfg Config, client bool) *Conn {
	return &Conn{
		nc:          nc,
		cfg:         cfg.withDefaults(),
		client:      client,
		made:        time.Now(),
		established: make(chan struct{}),
		closing:     make(chan struct{}),
		requests:    make(chan *CallRequest, maxPending),
		calls:       make(map[wire.CallID]*Call),
		pending:     make(map[wire.PeerCallID]*CallRequest),
	}
}

// Established is closed when the control connection is established.
func (c *Conn) Established() <-chan struct{} { return c.established }

// Done is closed when the connection ends or begins to; Err then says why.
func (c *Conn) Done() <-chan struct{} { return c.closing }

// Err says why the connection has ended, or nil if it has not.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Peer is what the other host has told; it is complete when Established is
// closed.
func (c *Conn) Peer() Peer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peer
}

// LocalAddr is the address of this end of the TCP connection.
func (c *Conn) LocalAddr() net.Addr { return c.nc.LocalAddr() }

// RemoteAddr is the address of the peer's end of the TCP connection.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// NetConn is the TCP connection below, for what can be asked of it. To read, write
// or close it would break the Conn.
func (c *Conn) NetConn() net.Conn { return c.nc }

// Run starts the control connection and serves it until it has ended, and says
// why it did. When ctx is cancelled it ends in good order, as after Stop with
// StopLocalShutdown. All calls have ended, the TCP connection is closed and no
// goroutine remains when Run returns. It can be called once.
func (c *Conn) Run(ctx context.Context) error {
	c.mu.Lock()
	if c.running {
		c.mu.Unlock()
		return ErrRun
	}
	c.running = true
	if c.state == stateNew {
		c.startLocked(time.Now())
	}
	c.unlock()

	stopped := make(chan struct{})
	unhook := context.AfterFunc(ctx, func() {
		defer close(stopped)
		c.stop(fmt.Errorf("pptp: connection stopped: %w", context.Cause(ctx)), wire.StopLocalShutdown)
	})
	c.read()
	if !unhook() {
		<-stopped
	}
	c.writers.Wait() // bounded by WriteTimeout
	c.nc.Close()
	return c.Err()
}

// read reads and serves messages until the TCP connection ends.
func (c *Conn) read() {
	buf := make([]byte, 0, readBuffer)
	for {
		n, err := c.nc.Read(buf[len(buf):cap(buf)])
		c.mu.Lock()
		now := time.Now()
		if n > 0 {
			buf = c.receiveLocked(buf[:len(buf)+n], now)
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			c.tickLocked(now)
		case errors.Is(err, io.EOF):
			// Perhaps the peer has closed its half only: what is queued may
			// still be written.
			c.endLocked(fmt.Errorf("pptp: connection lost: %w", err))
			c.unlock()
			return
		default:
			c.abortLocked(fmt.Errorf("pptp: connection lost: %w", err))
			c.unlock()
			return
		}
		c.unlock()
		c.handOver()
	}
}

// handOver gives the call requests that have come to who takes them.
func (c *Conn) handOver() {
	for c.cfg.Calls != nil {
		select {
		case r := <-c.requests:
			if r.open() {
				c.cfg.Calls(r)
			}
		default:
			return
		}
	}
}

// receiveLocked serves the messages in buf and moves the rest to its head.
func (c *Conn) receiveLocked(buf []byte, now time.Time) []byte {
	b := buf
	for c.state != stateEnded {
		m, n, err := wire.Decode(b)
		switch {
		case err == nil:
			c.handleLocked(m, now)
		case errors.Is(err, wire.ErrIncomplete):
			return buf[:copy(buf, b)]
		case n > 0: // well framed, but unknown
			c.lastRx = now
			c.ignoreLocked(nil, err)
		default:
			c.abortLocked(err)
		}
		b = b[n:]
	}
	return buf[:0]
}

// Close ends the connection at once, without a word to the peer but the closed
// TCP connection. It does not wait for Run. It returns nil.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.unlock()
	c.abortLocked(ErrClosed)
	return nil
}

// Stop ends the connection in good order: it disconnects the calls, sends a
// Stop-Control-Connection-Request, and closes when the reply has come or
// StopTimeout has passed. It does not wait; Run returns when all is done.
func (c *Conn) Stop(reason wire.StopReason) { c.stop(ErrStopped, reason) }

func (c *Conn) stop(cause error, reason wire.StopReason) {
	c.mu.Lock()
	defer c.unlock()
	c.stopLocked(cause, reason, time.Now())
}

// unlock sets the read deadline that the state now needs, unlocks, and reports
// events. Every change of state ends here.
func (c *Conn) unlock() {
	c.armLocked()
	events := c.events
	c.events = nil
	c.mu.Unlock()
	for _, e := range events {
		c.cfg.Log(e)
	}
}

// eventLocked queues an event for unlock.
func (c *Conn) eventLocked(e Event) {
	if c.cfg.Log != nil {
		e.Remote = c.nc.RemoteAddr()
		c.events = append(c.events, e)
	}
}

// ignoreLocked steps over a message that is of no use here and now. m is nil
// if it is not known at all.
func (c *Conn) ignoreLocked(m wire.Message, why error) {
	c.eventLocked(Event{Kind: EventIgnored, Message: m, Err: why})
	if c.stray++; c.stray > maxStray {
		c.abortLocked(ErrBabble)
	}
}
