package api

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gopptp/internal/tree"
)

const (
	// strangerTimeout bounds the time from the connection to the login.
	strangerTimeout = time.Minute
	// idleTimeout is how long a client with no command running may be silent.
	// Programs that poll hold their connection for long.
	idleTimeout = time.Hour
	// sentenceTimeout is how long a sentence may take from its first octet to its
	// last.
	sentenceTimeout = 30 * time.Second
	// grace is what commands get to end when their client quits or closes its way
	// out: it may have sent all it had to say at once.
	grace = time.Second
	// maxRunning is how many tags of a connection may have a command running, and
	// how many of its commands may go on until they are cancelled.
	maxRunning = 64
	// maxWaiting bounds, in octets, the commands of a connection that were read
	// and have not ended. More are left unread; a cancel behind them is too.
	maxWaiting = 2 << 20
	// maxAnswers is how many answers of rows are made at a time: so a client that
	// takes none makes the door keep few.
	maxAnswers = 4
)

// A conn is one client.
type conn struct {
	server *Server
	conn   net.Conn
	in     *bufio.Reader
	out    *out
	from   netip.Addr
	since  time.Time

	// What follows is the reader's.
	user      tree.User
	leave     func() // nil before login
	known     func() // somebody has logged in
	challenge []byte // nil if none is open

	dismissed atomic.Bool // the client was logged out by another

	running sync.WaitGroup // the goroutines that carry out jobs
	mu      sync.Mutex
	jobs    map[*job]bool     // guarded by mu; those that have not ended, true for those that go on
	lanes   map[string][]*job // guarded by mu; by tag, the first of each runs
	ongoing int               // guarded by mu; jobs that go on
	waiting int               // guarded by mu; octets of jobs that have not ended
	room    chan struct{}     // tells the reader that waiting fell

	places chan struct{} // holds a token for each answer of rows that is being made
}

// A job is a command. Those with one tag form a lane: one follows the other. One
// that goes on until it is cancelled leaves its lane, or what comes after it would
// wait for ever.
type job struct {
	sentence
	malformed bool
	user      tree.User
	ctx       context.Context // ends with the connection, or when the job is cancelled
	cancel    context.CancelFunc
}

// serveConn answers one client. It ends with the connection or with ctx.
func (s *Server) serveConn(ctx context.Context, nc net.Conn) {
	var from netip.Addr
	if a, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		from = a.AddrPort().Addr().Unmap()
	}
	known, ok := s.strangers.enter(from)
	if !ok {
		nc.Close() // not logged: a flood must not fill the log
		return
	}
	defer known()
	ctx, cancel := context.WithCancel(ctx)
	defer context.AfterFunc(ctx, func() { nc.Close() })()
	c := &conn{
		server: s, conn: nc, from: from, known: known, in: bufio.NewReader(nc), out: newOut(nc), since: time.Now(),
		jobs: map[*job]bool{}, lanes: map[string][]*job{}, room: make(chan struct{}, 1), places: make(chan struct{}, maxAnswers),
	}
	defer func() {
		cancel()
		nc.Close() // ends what writes; ctx closes it too, but when nobody waits
		c.running.Wait()
		if c.leave != nil {
			c.leave()
		}
	}()
	// For the handshake of TLS, which the first read begins.
	if nc.SetDeadline(c.since.Add(strangerTimeout)) != nil {
		return
	}
	reason := c.read(ctx)
	c.drain(ctx)
	if reason != "" {
		_ = c.reply(sentence{}).fatal(reason) // it is closed either way
	}
}

// drain waits a moment for the commands that run and come to an end.
func (c *conn) drain(ctx context.Context) {
	c.mu.Lock()
	for j, goesOn := range c.jobs {
		if goesOn {
			j.cancel()
		}
	}
	c.mu.Unlock()
	ended := make(chan struct{})
	go func() { // ends with the jobs, which serveConn waits for
		c.running.Wait()
		close(ended)
	}()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// reply makes the way to answer a sentence.
func (c *conn) reply(s sentence) *reply {
	return &reply{out: c.out, tag: s.tag, tagged: s.tagged}
}

// read takes sentences until the conversation is over, and gives the reason to
// tell the client, if any.
func (c *conn) read(ctx context.Context) (reason string) {
	for {
		words, err := c.next()
		switch {
		case errors.Is(err, errControl), errors.Is(err, errTooLong):
			c.server.cfg.Journal.Debugf("api,debug", "connection from %s ends: %v", c.from, err)
			return strings.TrimPrefix(err.Error(), "api: ")
		case errors.Is(err, errDismissed):
			return notIn
		case err != nil:
			return ""
		case len(words) == 0:
			continue
		}
		s, ok := parse(words)
		switch {
		case s.command == "/quit":
			return "session terminated on request"
		case s.command == "/login" && ok:
			err = c.login(ctx, s)
		case c.leave == nil:
			return notIn
		case s.command == "/cancel" && ok:
			err = c.reply(s).done() // before the answers that end because of it
			c.cancel(s)
		default:
			err = c.start(ctx, s, ok)
		}
		if err != nil {
			return ""
		}
	}
}

// notIn is what a client is told that may not say what it says.
const notIn = "not logged in"

var errDismissed = errors.New("api: logged out")

// next reads a sentence.
func (c *conn) next() ([]string, error) {
	limit := maxSentence
	for {
		deadline := time.Now().Add(idleTimeout)
		if c.leave == nil {
			deadline, limit = c.since.Add(strangerTimeout), maxStranger
		}
		if err := c.conn.SetReadDeadline(deadline); err != nil {
			return nil, err
		}
		if c.dismissed.Load() { // looked at after the deadline, which dismiss sets last
			return nil, errDismissed
		}
		_, err := c.in.Peek(1)
		if c.dismissed.Load() {
			return nil, errDismissed
		}
		if err == nil {
			break
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || !c.busy() {
			return nil, err
		}
	}
	if c.leave != nil {
		if err := c.conn.SetReadDeadline(time.Now().Add(sentenceTimeout)); err != nil {
			return nil, err
		}
	}
	return readSentence(c.in, limit)
}

// busy reports whether a command runs.
func (c *conn) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.jobs) > 0
}

// start gives a command to its lane, when there is room.
func (c *conn) start(ctx context.Context, s sentence, ok bool) error {
	for {
		c.mu.Lock()
		if c.waiting == 0 || c.waiting+s.size <= maxWaiting {
			break
		}
		c.mu.Unlock()
		select {
		case <-c.room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	follows := len(c.lanes[s.tag]) > 0
	if !follows && len(c.lanes) >= maxRunning {
		c.mu.Unlock()
		return c.reply(s).trap(errTooMany)
	}
	defer c.mu.Unlock()
	j := &job{sentence: s, malformed: !ok, user: c.user}
	j.ctx, j.cancel = context.WithCancel(ctx) // end releases it
	c.jobs[j] = false
	c.waiting += s.size
	c.lanes[s.tag] = append(c.lanes[s.tag], j)
	if !follows {
		c.running.Go(func() { c.runLane(s.tag, j) })
	}
	return nil
}

// runLane carries out the commands with a tag, beginning with j, until there is
// none.
func (c *conn) runLane(tag string, j *job) {
	for j != nil {
		if !c.answer(j) {
			c.end(j)
		}
		c.mu.Lock()
		if rest := c.lanes[tag][1:]; len(rest) > 0 {
			c.lanes[tag], j = rest, rest[0]
		} else {
			delete(c.lanes, tag)
			j = nil
		}
		c.mu.Unlock()
	}
}

// goOn carries out, beside its lane, a job that goes on.
func (c *conn) goOn(j *job, run func()) (ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ongoing >= maxRunning {
		return false
	}
	c.ongoing++
	c.jobs[j] = true
	c.running.Go(func() {
		defer c.end(j)
		run()
	})
	return true
}

// end forgets a job.
func (c *conn) end(j *job) {
	j.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.jobs[j] {
		c.ongoing--
	}
	delete(c.jobs, j)
	c.waiting -= j.size
	select {
	case c.room <- struct{}{}:
	default: // it was told already
	}
}

// cancel ends the commands with the tag that a sentence names, or all.
func (c *conn) cancel(s sentence) {
	tag, one := s.attribute("tag")
	c.mu.Lock()
	defer c.mu.Unlock()
	for j := range c.jobs {
		if !one || j.tag == tag {
			j.cancel()
		}
	}
}
