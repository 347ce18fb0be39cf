package tree

import (
	"sync"
	"time"

	"gopptp/internal/menu"
	"gopptp/internal/store"
)

// neverConnected is last-logged-out of a user who was never connected, as RouterOS has it.
const neverConnected = "1970-01-01 00:00:00"

// A lastSessions is what is known of the session that each secret had last. It is
// no part of the configuration, and goes to the disk a moment later than that: a
// thousand sessions may end at once.
type lastSessions struct {
	menu  *menu.Menu // how the rows are stored; a row has its secret's id
	store *store.Store

	mu   sync.Mutex
	rows map[menu.ID]*menu.Row
}

// lastProperties are what /ppp/secret shows of them.
func lastProperties() []menu.Property {
	return []menu.Property{
		{Name: "last-logged-out", Type: menu.Words(), Default: neverConnected, ReadOnly: true, Help: "When the user was disconnected last"},
		{Name: "last-caller-id", Type: menu.String{}, ReadOnly: true, Help: "Address that the user called from last"},
		{Name: "last-disconnect-reason", Type: menu.String{}, ReadOnly: true, Help: "Why the user was disconnected last"},
	}
}

// loadLast reads what is known.
func (t *Tree) loadLast() error {
	l := &lastSessions{store: t.store, rows: map[menu.ID]*menu.Row{}}
	properties := lastProperties()
	for i := range properties {
		properties[i].ReadOnly = false // here it is what is stored
		properties[i].Type = menu.String{}
	}
	l.menu = (&menu.Menu{Name: "ppp-secret-last", Properties: properties}).Standalone()
	rows, _, err := t.store.Load(l.menu) // a row that makes no sense is forgotten
	if err != nil {
		return err
	}
	for _, r := range rows {
		l.rows[r.ID] = r
	}
	t.last = l
	return nil
}

// SessionEnded notes the end of a session of a secret.
func (t *Tree) SessionEnded(secret uint64, at time.Time, callerID, reason string) {
	t.mu.RLock() // to the end: a secret that is removed now is forgotten after that
	defer t.mu.RUnlock()
	if t.tables[secretPath].stored[menu.ID(secret)] == nil {
		return // removed while the session lived
	}
	r := t.last.menu.Defaults(menu.ID(secret))
	r.Put("last-logged-out", at.Format(time.DateTime))
	r.Put("last-caller-id", callerID)
	r.Put("last-disconnect-reason", reason)
	t.last.put(r.ID, r)
	t.tables[secretPath].changed.Ring()
}

// put stores what is known of a secret, or with nil forgets it.
func (l *lastSessions) put(id menu.ID, r *menu.Row) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r == nil && l.rows[id] == nil {
		return
	}
	// What cannot be written now is told by the next change that must be.
	_ = l.store.Stage([]store.Change{{Menu: l.menu, ID: id, Row: r}})
	if r == nil {
		delete(l.rows, id)
	} else {
		l.rows[id] = r
	}
}

// fill puts what is known into rows of /ppp/secret.
func (l *lastSessions) fill(rows []*menu.Row) []*menu.Row {
	never := l.menu.Defaults(0)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range rows {
		last := l.rows[r.ID]
		if last == nil {
			last = never
		}
		for i := range l.menu.Properties {
			name := l.menu.Properties[i].Name
			r.Put(name, last.Get(name))
		}
	}
	return rows
}
