package tree

import (
	"cmp"
	"strconv"
	"sync"
	"time"

	"gopptp/internal/menu"
	"gopptp/internal/session"
)

// about is what the menus of interfaces say of PPTP since RouterOS 7.18.
const about = "PPTP connections are considered unsafe, it is suggested to use a more modern VPN protocol instead"

// aboutPPTP declares the remark. Programs see it; a print shows it when it is asked
// for, since it is the same on every line.
func aboutPPTP() menu.Property {
	return menu.Property{Name: "about", Type: menu.String{}, Default: about, Quiet: about, ReadOnly: true, Help: "Remark on the kind of interface"}
}

// A link is what /interface remembers of an interface when its tunnel is down, and
// since when it counts.
type link struct {
	up, down time.Time // when it last did so; zero for never
	downs    int
	session  uint64          // that counted is of
	counted  session.Traffic // by the session, when the counters were reset
}

// links are those of the configured interfaces, since the program started.
type links struct {
	mu   sync.Mutex
	rows map[menu.ID]link
}

// change changes what is known of an interface.
func (l *links) change(id menu.ID, edit func(*link)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.rows[id]
	edit(&known)
	l.rows[id] = known
}

// of gives what is known of an interface.
func (l *links) of(id menu.ID) link {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rows[id]
}

// forget ends with a row.
func (l *links) forget(id menu.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.rows, id)
}

// LinkChanged notes that the tunnel of an interface came up, or went down. A dynamic
// interface is gone with its tunnel, so that there is nothing to remember.
func (t *Tree) LinkChanged(s session.Status, at time.Time, up bool) {
	id := menu.ID(cmp.Or(s.Client, s.Binding))
	if id == 0 {
		if !up {
			t.links.forget(rowOf(s))
		}
		return
	}
	// Under mu, so that no row is removed in between and remembered for ever.
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.tables[clientPath].stored[id] == nil && t.tables[serverPath].stored[id] == nil {
		return
	}
	t.links.change(id, func(l *link) {
		if up {
			l.up = at
		} else {
			l.down = at
			l.downs++
		}
	})
}

// putLink fills in what is remembered of an interface, and what its session counted
// since the counters were reset.
func (m *interfacesMenu) putLink(r *menu.Row, s session.Status) {
	l := m.tree.links.of(r.ID)
	if s.Running && !s.ConnectedAt.IsZero() {
		l.up = s.ConnectedAt
	}
	for name, at := range map[string]time.Time{"last-link-up-time": l.up, "last-link-down-time": l.down} {
		if !at.IsZero() {
			r.Put(name, menu.FormatDateTime(at))
		}
	}
	r.Put("link-downs", strconv.Itoa(l.downs))
	now, then := trafficOf(s.Traffic), trafficOf(session.Traffic{})
	if l.session == s.ID {
		then = trafficOf(l.counted)
	}
	for name, n := range now {
		r.Put(name, strconv.FormatUint(n-min(n, then[name]), 10))
	}
}

// trafficOf gives the counters of a session under the names of /interface.
func trafficOf(t session.Traffic) map[string]uint64 {
	return map[string]uint64{
		"rx-byte": t.RxBytes, "tx-byte": t.TxBytes, "rx-packet": t.RxPackets, "tx-packet": t.TxPackets,
		"rx-drop": t.RxDrops, "tx-drop": t.TxDrops,
	}
}

// act carries out reset-counters: the counters of the interfaces, which are those
// of their sessions, begin at zero again.
func (m *interfacesMenu) act(_ User, _ string, items []string) error {
	rows := m.rows()
	var chosen []menu.ID
	for _, text := range items {
		r, err := pick(rows, text)
		if err != nil {
			return err
		}
		chosen = append(chosen, r.ID)
	}
	sessions := m.sessions()
	for _, id := range chosen {
		s := sessions[id]
		if s.ID == 0 {
			s, _ = m.tree.engine.Client(uint64(id))
		}
		m.tree.links.change(id, func(l *link) { l.session, l.counted = s.ID, s.Traffic })
	}
	return nil
}
