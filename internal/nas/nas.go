// Package nas ties the sessions to RADIUS: users who are no secrets here are asked
// about, sessions are accounted, and what a server orders for a live session is
// done. It is what RFC 2865 calls the network access server.
//
// It speaks no RADIUS (package radius does) and keeps no tunnel (package session
// does).
package nas

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/journal"
	"gopptp/internal/radius"
	"gopptp/internal/session"
)

// Settings are /ppp/aaa in the engine's types.
type Settings struct {
	UseRADIUS  bool
	Accounting bool
	Interim    time.Duration // between two updates; 0 for none but where a server asks for them
}

// Sessions are the tunnels of the server, as session.Manager keeps them.
type Sessions interface {
	Active() []session.Status
	Disconnect(id uint64) bool
	Change(id uint64, edit func(*aaa.Grant, *aaa.Policy)) (found bool, err error)
	Grant(profile string, call aaa.Call) (grant *aaa.Grant, known bool)
}

// A NAS is safe for concurrent use. Make it with New.
type NAS struct {
	log        *journal.Journal
	client     *radius.Client
	accounting *radius.Accounting
	incoming   *radius.Incoming
	sessions   Sessions // set before the first session

	mu        sync.Mutex
	settings  Settings            // guarded by mu
	accounted map[uint64]*account // guarded by mu; by the session's id
	begun     bool                // guarded by mu; accounting was told that we are here
}

// New makes a NAS that keeps its accounting in a directory until a server has it.
func New(dir string, log *journal.Journal) (*NAS, error) {
	n := &NAS{log: log, client: radius.NewClient(log), accounted: map[uint64]*account{}}
	var err error
	if n.accounting, err = radius.OpenAccounting(dir, n.client, log); err != nil {
		return nil, err
	}
	n.incoming = radius.NewIncoming(n.client, orders{n}, log)
	return n, nil
}

// Attach tells which sessions there are, before the first of them.
func (n *NAS) Attach(s Sessions) { n.sessions = s }

// SessionID gives the id of a new session, which does not come again soon.
func (n *NAS) SessionID() uint32 {
	var id uint32
	_, _ = fmt.Sscanf(n.accounting.NewSessionID(), "%08X", &id) // eight hexadecimal digits always
	return id
}

// SetIdentity sets the name that servers know this machine by.
func (n *NAS) SetIdentity(name string) { n.client.SetIdentity(name) }

// SetServers sets the servers, in the order in which they are asked.
func (n *NAS) SetServers(list []radius.Server) {
	n.client.Configure(list)
	n.introduce()
}

// SetIncoming sets whether servers may change sessions, and where.
func (n *NAS) SetIncoming(c radius.IncomingConfig) { n.incoming.Configure(c) }

// SetAAA sets what RADIUS is used for; it takes effect for the next session.
func (n *NAS) SetAAA(s Settings) {
	n.mu.Lock()
	n.settings = s
	n.mu.Unlock()
	n.introduce()
}

// Monitor gives the counters of a server.
func (n *NAS) Monitor(id uint64) (radius.Counters, bool) { return n.client.Monitor(id) }

// Silent reports whether the server of a row does not answer.
func (n *NAS) Silent(id uint64) bool { return n.client.Silent(id) }

// Tallies gives what was counted of each server, by address; ResetCounters does not
// touch it.
func (n *NAS) Tallies() []radius.Tally { return n.client.Tallies() }

// Queue is how many accounting records wait for a server, and how many were lost.
func (n *NAS) Queue() (waiting int, lost uint64) {
	return n.accounting.Waiting(), n.accounting.Lost()
}

// ResetCounters sets those of a server to zero.
func (n *NAS) ResetCounters(id uint64) { n.client.ResetCounters(id) }

// IncomingMonitor gives the counters of the requests that servers send.
func (n *NAS) IncomingMonitor() radius.IncomingCounters { return n.incoming.Monitor() }

// ResetIncomingCounters sets them to zero.
func (n *NAS) ResetIncomingCounters() { n.incoming.ResetCounters() }

// Run works until ctx ends. The sessions have ended before that. What servers have
// not taken by then stays on the disk for the next start.
func (n *NAS) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	lower, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	all.Go(func() { _ = n.client.Run(lower) }) // each ends with its context and nothing else
	all.Go(func() { _ = n.accounting.Run(lower) })
	requests, deaf := context.WithCancel(ctx)
	defer deaf()
	all.Go(func() { _ = n.incoming.Run(requests) })
	n.introduce()
	n.update(ctx)
	n.leave()
}

// Close gives the disk back, after Run.
func (n *NAS) Close() error { return n.accounting.Close() }

// accounts reports whether sessions are accounted.
func (s Settings) accounts() bool { return s.UseRADIUS && s.Accounting }

// introduce tells the accounting servers that we are here, once there is one.
func (n *NAS) introduce() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.begun && n.settings.accounts() {
		n.begun = n.accounting.On() == nil // or there is no server yet
	}
}

// farewell bounds what the end of the program waits for servers: what they do not
// take meanwhile they are told after the next start.
const farewell = 1500 * time.Millisecond

// leave tells the accounting servers that we go.
func (n *NAS) leave() {
	n.mu.Lock()
	begun := n.begun
	n.begun = false
	n.mu.Unlock()
	if !begun {
		return
	}
	if err := n.accounting.Off(); err != nil {
		n.log.Addf("radius,error", "accounting: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	_ = n.accounting.Drain(ctx) // the rest is on the disk
}
