package radius

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	wire "layeh.com/radius"

	"gopptp/internal/journal"
)

const (
	// acctFile is the queue's name in its directory.
	acctFile = "accounting.db"
	// firstWindow and maxInFlight are how many records are on their way at one
	// time, at first and at most.
	firstWindow = 4
	maxInFlight = 64
	// The pause after which servers are tried again that did not take a record
	// doubles from the first to the second of these.
	minPause = time.Second
	maxPause = 10 * time.Second
)

// Accounting keeps records on disk until a server has taken them, and sends the
// records of each session in their order. It is safe for concurrent use.
type Accounting struct {
	client *Client
	log    *journal.Journal
	q      *queue
	wake   chan struct{} // capacity 1
	count  atomic.Uint32 // sessions so far

	lost   atomic.Uint64
	losing atomic.Bool // what is lost was logged, until the queue is empty again

	mu     sync.Mutex
	groups map[uint64]*group // guarded by mu; by the first server's id
	flying int               // guarded by mu
	idle   chan struct{}     // guarded by mu; closed when the queue is empty, if somebody waits
}

// A group is what is asked of the same servers. How many records are on their way
// at one time grows with each that is taken and shrinks by half when one is not,
// so that a slow server is not drowned in what it has to catch up with.
type group struct {
	id     uint64
	window int
	pause  time.Duration // zero: all is well
	until  time.Time
	flying int
}

// OpenAccounting opens the queue in a directory, with what a former run left in
// it. Close ends it.
func OpenAccounting(dir string, client *Client, log *journal.Journal) (*Accounting, error) {
	q, err := openQueue(filepath.Join(dir, acctFile), maxRecords)
	if err != nil {
		return nil, err
	}
	a := &Accounting{client: client, log: log, q: q, wake: make(chan struct{}, 1), groups: map[uint64]*group{}}
	if q.unreadable > 0 { // one that cannot be read must not keep the program from starting
		a.lost.Add(uint64(q.unreadable))
		log.Addf("radius,error", "%d accounting records of an earlier run cannot be read and are lost", q.unreadable)
	}
	if n := q.len(); n > 0 {
		log.Addf("radius,info", "%d accounting records of an earlier run wait for their server", n)
	}
	return a, nil
}

// The parts of a session id: the service, how often the program has started, and
// a count.
const (
	idService   = 0x81 << 24
	idBootBits  = 6
	idCountBits = 18
)

// NewSessionID gives an Acct-Session-Id of eight hexadecimal digits, as RouterOS
// makes them. It does not come again for 64 starts of the program.
func (a *Accounting) NewSessionID() string {
	boot := uint32(a.q.boots) & (1<<idBootBits - 1) << idCountBits
	return fmt.Sprintf("%08X", idService|boot|(a.count.Add(1)-1)&(1<<idCountBits-1))
}

// Add takes a record; after it returns, the record is on disk. The records of a
// session are to come one after the other. Without a server for the session it is
// ErrNoServer, and nothing is kept.
func (a *Accounting) Add(r Record) error {
	if !a.client.accounts(r.Session) {
		return ErrNoServer
	}
	return a.add(r)
}

// On says that the program begins to account, Off that it ends (RFC 2866,
// section 5.1). Both go to every server for accounting but the backups; no
// record is sent before an On or Off that was added earlier, nor the other way
// round. Without a server nothing is kept.
func (a *Accounting) On() error { return a.border(On) }

// Off is the counterpart of On. Drain waits until it has been sent.
func (a *Accounting) Off() error { return a.border(Off) }

func (a *Accounting) border(s Status) error {
	if len(a.client.masters()) == 0 {
		return ErrNoServer
	}
	return a.add(Record{Status: s, Session: Session{ID: a.NewSessionID()}})
}

func (a *Accounting) add(r Record) error {
	if r.At.IsZero() {
		r.At = time.Now()
	}
	dropped, err := a.q.add(r)
	if err != nil {
		a.lost.Add(1)
		a.log.Addf("radius,error", "accounting record of session %s is lost: %v", r.Session.ID, err)
		return err
	}
	if dropped != 0 {
		a.lost.Add(1)
		if a.losing.CompareAndSwap(false, true) {
			a.log.Addf("radius,error", "too many accounting records wait for their server, the oldest are dropped, interim updates first")
		}
		if dropped != Interim {
			a.log.Addf("radius,error", "an accounting record that is no interim update was dropped")
		}
	}
	a.poke()
	return nil
}

// Waiting is the number of records that no server has taken yet, Lost that of
// records that none ever will.
func (a *Accounting) Waiting() int { return a.q.len() }

// Lost counts the records that were dropped of a full queue or a broken disk.
func (a *Accounting) Lost() uint64 { return a.lost.Load() }

func (a *Accounting) poke() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// Run sends records until ctx ends, and waits for those on their way. What was
// not taken is left for the next run.
func (a *Accounting) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	timer := time.NewTicker(minPause / 4) // pauses end at its pace
	defer timer.Stop()
	for {
		for a.launch(ctx, &wg) {
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-a.wake:
		case <-timer.C:
		}
	}
}

// launch sends the next record that can be, on a goroutine of its own.
func (a *Accounting) launch(ctx context.Context, wg *sync.WaitGroup) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.flying >= maxInFlight || ctx.Err() != nil {
		return false
	}
	now := time.Now()
	var g *group
	r, e, ok, err := a.q.next(func(e entry) bool {
		id, ok := a.client.groupOf(e)
		if !ok {
			return false
		}
		if g = a.groups[id]; g == nil {
			g = &group{id: id, window: firstWindow}
			a.groups[id] = g
		}
		return g.flying < g.window && (g.pause == 0 || now.After(g.until))
	})
	if !ok {
		return false
	}
	if err != nil {
		a.lost.Add(1)
		a.log.Addf("radius,error", "accounting record of session %s is lost: %v", e.session.ID, err)
		a.q.done(e)
		return true
	}
	a.flying++
	g.flying++
	wg.Go(func() {
		err := a.send(ctx, r)
		a.settle(g, e, err)
		a.poke()
	})
	return true
}

func (a *Accounting) send(ctx context.Context, r Record) error {
	build := func(secret []byte, n nas) (*wire.Packet, error) { return r.packet(secret, n, time.Now()) }
	if r.Status != On && r.Status != Off {
		return a.client.account(ctx, r.Session, build)
	}
	// One that answers is enough: one that is gone for good must not hold up
	// everything behind.
	err := ErrNoServer
	for _, s := range a.client.masters() {
		if e := a.client.accountTo(ctx, s, build); err != nil {
			err = e
		}
	}
	return err
}

// settle ends a record's flight.
func (a *Accounting) settle(g *group, e entry, err error) {
	switch {
	case err == nil:
		if e := a.q.done(e); e != nil {
			a.log.Addf("radius,error", "accounting: %v", e)
		}
	case errors.Is(err, ErrTimeout), errors.Is(err, ErrNoServer), errors.Is(err, ErrClosed), errors.Is(err, context.Canceled):
		a.q.later(e)
	default: // a packet that cannot be made today cannot be made tomorrow
		a.lost.Add(1)
		a.log.Addf("radius,error", "accounting record of session %s is lost: %v", e.session.ID, err)
		a.q.done(e)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.flying--
	g.flying--
	now := time.Now()
	switch {
	case err == nil:
		g.pause = 0
		g.window = min(g.window+1, maxInFlight)
		if g.flying == 0 && a.q.len() == 0 {
			delete(a.groups, g.id)
		}
	case now.After(g.until): // the first one of those that failed together
		g.window = max(g.window/2, 1)
		g.pause = min(max(2*g.pause, minPause), maxPause)
		g.until = now.Add(g.pause + rand.N(g.pause/4))
	}
	if a.q.len() == 0 {
		a.losing.Store(false)
		if a.idle != nil {
			close(a.idle)
			a.idle = nil
		}
	}
}

// Drain waits until servers have taken all records, or ctx ends. Run must be
// running.
func (a *Accounting) Drain(ctx context.Context) error {
	a.mu.Lock()
	if a.q.len() == 0 {
		a.mu.Unlock()
		return nil
	}
	if a.idle == nil {
		a.idle = make(chan struct{})
	}
	idle := a.idle
	a.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close closes the file. Run must have ended.
func (a *Accounting) Close() error { return a.q.close() }

// masters gives the servers that hear of On and Off.
func (c *Client) masters() (list []*server) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.servers {
		if s.usable() && !s.AccountingBackup && s.serves(ServicePPP) {
			list = append(list, s)
		}
	}
	return list
}

func (c *Client) accounts(q Session) bool {
	_, ok := c.groupOf(entry{status: Start, session: q})
	return ok
}

// groupOf gives the first server, in the order of rows, that a record is for.
func (c *Client) groupOf(e entry) (uint64, bool) {
	if e.status == On || e.status == Off {
		if list := c.masters(); len(list) > 0 {
			return list[0].ID, true
		}
		return 0, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.servers {
		if s.matches(e.session) {
			return s.ID, true
		}
	}
	return 0, false
}

// jitterPart is the part of an interim interval by which it is shortened or
// lengthened at most, so that sessions that began together do not report
// together.
const jitterPart = 10

// NextInterim gives the time to the next interim update: the server's interval,
// or without one the local one, give or take a tenth. Zero means none.
func NextInterim(server, local time.Duration) time.Duration {
	d := server
	if d == 0 {
		d = local
	}
	if d < jitterPart {
		return 0
	}
	return d - d/jitterPart + rand.N(2*d/jitterPart)
}
