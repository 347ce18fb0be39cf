package nas

import (
	"context"
	"errors"
	"sync"
	"time"

	"gopptp/internal/radius"
	"gopptp/internal/session"
)

const (
	// lookEvery is how often it is looked which sessions are due for an update.
	lookEvery = time.Second
	// updatesAtOnce bounds the updates that wait for the disk together: it takes
	// them in one go.
	updatesAtOnce = 64
)

// An account is a session of which the servers were told.
type account struct {
	begin  time.Time
	server time.Duration // interval that the server asks for
	due    time.Time     // of the next update, guarded by NAS.mu; zero for none

	mu     sync.Mutex    // an update is not to come after the end
	record radius.Record // guarded by mu; what all its records have in common
	over   bool          // guarded by mu
}

// Event takes what happens to a session. It waits for the disk.
func (n *NAS) Event(e session.Event) {
	if !e.Server {
		return
	}
	switch e.Kind {
	case session.Up:
		n.start(e)
	case session.Ended:
		n.stop(e)
	}
}

// start accounts a session from when it has its address. If the network comes up a
// second time, that is the same session, perhaps with another address.
func (n *NAS) start(e session.Event) {
	s := e.Status
	n.mu.Lock()
	if a := n.accounted[s.ID]; a != nil {
		n.mu.Unlock()
		a.mu.Lock()
		defer a.mu.Unlock()
		a.record.Address, a.record.Class = s.RemoteAddress, e.Grant.Class
		return
	}
	if !n.settings.accounts() {
		n.mu.Unlock()
		return
	}
	a := &account{
		begin:  e.At,
		server: e.Grant.Interim,
		record: radius.Record{
			Session: told(s),
			Local:   !e.Grant.Radius, Address: s.RemoteAddress, Class: e.Grant.Class,
		},
	}
	n.accounted[s.ID] = a
	n.planLocked(a, e.At)
	n.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	n.add(a, radius.Start, e.At, radius.Usage{}, 0)
}

// stop accounts the end of a session.
func (n *NAS) stop(e session.Event) {
	n.mu.Lock()
	a := n.accounted[e.Status.ID]
	delete(n.accounted, e.Status.ID)
	n.mu.Unlock()
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	n.add(a, radius.Stop, e.At, usage(a, e.At, e.Status.Traffic), radius.Cause(e.Cause))
}

// planLocked sets the time of the next update.
func (n *NAS) planLocked(a *account, now time.Time) {
	a.due = time.Time{}
	if wait := radius.NextInterim(a.server, n.settings.Interim); wait > 0 {
		a.due = now.Add(wait)
	}
}

// update tells the servers now and then what sessions have used, until ctx ends.
func (n *NAS) update(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			n.updateDue(now)
		}
	}
}

// updateDue updates the sessions that are due.
func (n *NAS) updateDue(now time.Time) {
	due := map[uint64]*account{}
	n.mu.Lock()
	for id, a := range n.accounted {
		if !a.due.IsZero() && !now.Before(a.due) {
			due[id] = a
			n.planLocked(a, now)
		}
	}
	n.mu.Unlock()
	if len(due) == 0 {
		return
	}
	var all sync.WaitGroup
	defer all.Wait()
	room := make(chan struct{}, updatesAtOnce)
	for _, s := range n.sessions.Active() {
		a := due[s.ID]
		if a == nil {
			continue
		}
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			a.mu.Lock()
			defer a.mu.Unlock()
			if !a.over {
				n.add(a, radius.Interim, now, usage(a, now, s.Traffic), 0)
			}
		})
	}
}

// usage is what a session has used by now.
func usage(a *account, now time.Time, t session.Traffic) radius.Usage {
	return radius.Usage{
		Time: now.Sub(a.begin), InputOctets: t.RxBytes, OutputOctets: t.TxBytes, InputPackets: t.RxPackets, OutputPackets: t.TxPackets,
	}
}

// add puts a record of a session on the disk, from where it is sent. The caller
// holds a.mu.
func (n *NAS) add(a *account, status radius.Status, at time.Time, u radius.Usage, cause radius.Cause) {
	r := a.record
	r.Status, r.At, r.Usage, r.Cause = status, at, u, cause
	if err := n.accounting.Add(r); err != nil && !errors.Is(err, radius.ErrNoServer) {
		n.log.Addf("radius,error", "accounting of user %s: %v", r.Session.User, err)
	}
}
