// Package treetest stands in for the engine behind the tree in tests: it
// records what it is told and shows the sessions that a test puts into it. It
// makes no tunnel.
package treetest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/bell"
	"gopptp/internal/nas"
	"gopptp/internal/radius"
	"gopptp/internal/session"
)

// An Engine is a tree.Engine that records. The zero value is ready.
type Engine struct {
	bell bell.Bell

	mu       sync.Mutex
	calls    []string
	profiles map[uint64]string // their names
	broken   []string
	sessions []session.Status
	leases   []aaa.Lease
	clients  map[uint64]session.Status

	// OnCall, if set before use, is called by every method that configures.
	OnCall func()
}

func (e *Engine) record(format string, args ...any) {
	if e.OnCall != nil {
		e.OnCall()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, fmt.Sprintf(format, args...))
}

// what writes the fields of a struct that are not zero, so that a test tells what it
// means and not all that could be.
func what(v any) string {
	var out []string
	s := reflect.ValueOf(v)
	for i := range s.NumField() {
		if f := s.Field(i); !f.IsZero() {
			out = append(out, fmt.Sprintf("%s:%+v", s.Type().Field(i).Name, f.Interface()))
		}
	}
	return "{" + strings.Join(out, " ") + "}"
}

// known notes a reference to a profile that was not put before.
func (e *Engine) known(from, profile string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !slices.Contains(slices.Collect(maps.Values(e.profiles)), profile) {
		e.broken = append(e.broken, from+" refers to unknown profile "+profile)
	}
}

// Calls gives what was recorded since the last time.
func (e *Engine) Calls() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	calls := e.calls
	e.calls = nil
	return calls
}

// Broken gives the promises of the tree that were broken.
func (e *Engine) Broken() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.broken)
}

// SetSessions replaces the live sessions of the server side.
func (e *Engine) SetSessions(sessions ...session.Status) {
	defer e.bell.Ring()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sessions = sessions
}

// SetLeases replaces the addresses that are out of pools.
func (e *Engine) SetLeases(leases ...aaa.Lease) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.leases = leases
}

// SetClient replaces the state of a client.
func (e *Engine) SetClient(id uint64, s session.Status) {
	defer e.bell.Ring()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.clients == nil {
		e.clients = map[uint64]session.Status{}
	}
	e.clients[id] = s
}

// SetIdentity records.
func (e *Engine) SetIdentity(name string) { e.record("identity %s", name) }

// SetServer records.
func (e *Engine) SetServer(c session.ServerConfig) {
	e.known("server", c.DefaultProfile)
	e.record("server %s", what(c))
}

// PutBinding records.
func (e *Engine) PutBinding(b session.Binding) { e.record("binding %s", what(b)) }

// RemoveBinding records.
func (e *Engine) RemoveBinding(id uint64) { e.record("remove binding %X", id) }

// PutClient records, with the password.
func (e *Engine) PutClient(c session.ClientConfig) {
	e.known("client", c.Profile)
	e.record("client %s", what(c))
}

// RemoveClient records.
func (e *Engine) RemoveClient(id uint64) { e.record("remove client %X", id) }

// PutProfile records.
func (e *Engine) PutProfile(id uint64, p aaa.Profile) {
	e.mu.Lock()
	if e.profiles == nil {
		e.profiles = map[uint64]string{}
	}
	e.profiles[id] = p.Name
	e.mu.Unlock()
	e.record("profile %X %s", id, what(p))
}

// RemoveProfile records.
func (e *Engine) RemoveProfile(id uint64) {
	e.mu.Lock()
	delete(e.profiles, id)
	e.mu.Unlock()
	e.record("remove profile %X", id)
}

// SetServers implements tree.Engine.
func (e *Engine) SetServers(list []radius.Server) {
	var ids []string
	for _, s := range list {
		ids = append(ids, fmt.Sprintf("%X", s.ID))
	}
	e.record("radius %s", strings.Join(ids, " "))
}

// SetIncoming implements tree.Engine.
func (e *Engine) SetIncoming(c radius.IncomingConfig) { e.record("radius incoming %s", what(c)) }

// SetAAA implements tree.Engine.
func (e *Engine) SetAAA(s nas.Settings) { e.record("aaa %s", what(s)) }

// Monitor implements tree.Engine.
func (e *Engine) Monitor(uint64) (radius.Counters, bool) {
	return radius.Counters{Pending: 1, Requests: 10, Accepts: 6, Rejects: 2, Resends: 3, Timeouts: 1, BadReplies: 4, LastRTT: 20 * time.Millisecond}, true
}

// ResetCounters implements tree.Engine.
func (e *Engine) ResetCounters(id uint64) { e.record("radius reset-counters %X", id) }

// IncomingMonitor implements tree.Engine.
func (e *Engine) IncomingMonitor() radius.IncomingCounters {
	return radius.IncomingCounters{Requests: 5, BadRequests: 2, Acks: 2, Naks: 1}
}

// ResetIncomingCounters implements tree.Engine.
func (e *Engine) ResetIncomingCounters() { e.record("radius incoming reset-counters") }

// PutPool records.
func (e *Engine) PutPool(id uint64, p aaa.Pool) { e.record("pool %X %s", id, what(p)) }

// RemovePool records.
func (e *Engine) RemovePool(id uint64) { e.record("remove pool %X", id) }

// PoolUsed gives the addresses of SetLeases.
func (e *Engine) PoolUsed() []aaa.Lease {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.leases)
}

// PutSecret records, with the password.
func (e *Engine) PutSecret(s aaa.Secret) {
	e.known("secret", s.Profile)
	e.record("secret %s", what(s))
}

// RemoveSecret records.
func (e *Engine) RemoveSecret(id uint64) { e.record("remove secret %X", id) }

// Active gives the sessions of SetSessions.
func (e *Engine) Active() []session.Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.sessions)
}

// Client gives the state of SetClient.
func (e *Engine) Client(id uint64) (session.Status, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.clients[id]
	return s, ok
}

// Changes tells of SetSessions, SetClient and Disconnect.
func (e *Engine) Changes() <-chan struct{} { return e.bell.Next() }

// Disconnect removes a session of SetSessions, and records.
func (e *Engine) Disconnect(id uint64) bool {
	e.record("disconnect %d", id)
	defer e.bell.Ring()
	e.mu.Lock()
	defer e.mu.Unlock()
	before := len(e.sessions)
	e.sessions = slices.DeleteFunc(e.sessions, func(s session.Status) bool { return s.ID == id })
	return len(e.sessions) < before
}
