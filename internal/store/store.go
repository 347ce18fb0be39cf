// Package store keeps the configuration's rows on disk: one table per menu, row
// id to canonical values, every change durable before it is acknowledged. After
// kill -9 at any moment at most changes that were not acknowledged are missing,
// and those are the last ones.
//
// It keeps no rows in memory but those that wait a moment for the disk. It takes no
// decision about their meaning and calls nobody: internal/tree validates, orders
// and publishes. A timer writes what was staged and then forgotten.
package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"gopptp/internal/menu"
)

// ErrInUse is the error of Open when another daemon holds the database.
var ErrInUse = errors.New("in use by another gopptp daemon")

// sequenceTable is the table of the last id given out, by the menu's sequence.
const sequenceTable = "sequence"

// orders is the table of the ids of a menu's rows in the order that people gave
// them, by the menu's path.
const orders = "order"

// version is the form of a row's value.
const version = 1

// A record is a row's value in the database.
type record struct {
	Version int               `json:"v"`
	Values  map[string]string `json:"values"`
}

// A Store is safe for concurrent use. Make it with Open.
type Store struct {
	db database

	mu   sync.Mutex
	last map[string]menu.ID // guarded by mu; last id given out, by sequence

	// write is held while the database writes; it comes before mu. It guards what
	// follows.
	write   sync.Mutex
	staged  []op
	touched map[string]bool // sequences of staged rows
	late    *time.Timer     // writes what is staged in time; nil if nothing is
}

// Open opens the database file at path, and makes it if it does not exist. A
// warning tells what was wrong and did not matter.
func Open(path string) (s *Store, warnings []string, err error) {
	db, err := openBolt(path)
	if err != nil {
		return nil, nil, err
	}
	s = &Store{db: db, last: map[string]menu.ID{}}
	err = db.scan(sequenceTable, func(k, v []byte) {
		if len(v) != 8 {
			warnings = append(warnings, fmt.Sprintf("%.64q: last id cannot be read, that of the last row is used", k))
			return
		}
		s.last[string(k)] = menu.ID(binary.BigEndian.Uint64(v))
	})
	if err != nil {
		db.close()
		return nil, nil, fmt.Errorf("store: %w", err)
	}
	return s, warnings, nil
}

// Close gives the database back. Nothing that was committed or synced is lost
// without it.
func (s *Store) Close() error {
	s.write.Lock()
	defer s.write.Unlock()
	return errors.Join(s.flushLocked(nil, nil), s.db.close())
}

// Next gives an id that no row of the sequence ever had. It is on disk together
// with the first row that has it.
func (s *Store) Next(sequence string) menu.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last[sequence]++
	return s.last[sequence]
}

// Reserve makes sure that the id of a row that exists in every system is not
// given out.
func (s *Store) Reserve(sequence string, id menu.ID) {
	if id < builtins {
		s.Seen(sequence, id)
	}
}

// Seen makes sure that an id which is in use is not given out again.
func (s *Store) Seen(sequence string, id menu.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last[sequence] = max(s.last[sequence], id)
}

// A Change puts a row, or removes it if Row is nil.
type Change struct {
	Menu *menu.Menu
	ID   menu.ID
	Row  *menu.Row
}

// An Order is the rows of an ordered menu, in their order.
type Order struct {
	Menu *menu.Menu
	IDs  []menu.ID
}

// Commit makes all of the changes or none. They are on the disk when it returns,
// with all that was staged before.
func (s *Store) Commit(changes []Change, ordered ...Order) error {
	ops, touched, err := operations(changes, ordered)
	if err != nil {
		return err
	}
	s.write.Lock()
	defer s.write.Unlock()
	return s.flushLocked(ops, touched)
}

// operations gives the database's form of changes, and the sequences of the rows
// in them.
func operations(changes []Change, ordered []Order) (ops []op, touched map[string]bool, err error) {
	for _, o := range ordered {
		value := []byte{} // nil would delete the key
		for _, id := range o.IDs {
			value = append(value, key(id)...)
		}
		ops = append(ops, op{orders, []byte(o.Menu.Path()), value})
	}
	touched = map[string]bool{}
	for _, c := range changes {
		o := op{table: c.Menu.Path(), key: key(c.ID)}
		if c.Row != nil {
			touched[c.Menu.IDs()] = true
			value, err := json.Marshal(record{version, values(c.Row)})
			if err != nil {
				return nil, nil, fmt.Errorf("store: %w", err)
			}
			o.value = value
		}
		ops = append(ops, o)
	}
	return ops, touched, nil
}

// key is the form of an id that sorts as the id does.
func key(id menu.ID) []byte { return binary.BigEndian.AppendUint64(nil, uint64(id)) }

// values are the row's values that are stored.
func values(r *menu.Row) map[string]string {
	out := map[string]string{}
	for i := range r.Menu.Properties {
		p := &r.Menu.Properties[i]
		if text, ok := r.Lookup(p.Name); ok && p.Settable() {
			out[p.Name] = text
		}
	}
	return out
}

// builtins is where ids begin that are fixed and come from no sequence.
const builtins menu.ID = 0xFFFF0000

// Load gives the rows of a menu in the order of their ids. What is wrong in the
// database stops nobody: it is told in a warning, and the default is used; a row
// that lacks what has no default is left out.
func (s *Store) Load(m *menu.Menu) (rows []*menu.Row, warnings []string, err error) {
	err = s.db.scan(m.Path(), func(k, v []byte) {
		if len(k) != 8 {
			warnings = append(warnings, fmt.Sprintf("%s: row with a bad id is ignored", m.Path()))
			return
		}
		id := menu.ID(binary.BigEndian.Uint64(k))
		if id < builtins {
			s.Seen(m.IDs(), id)
		}
		row, told := decode(m, id, v)
		warnings = append(warnings, told...)
		if row != nil {
			rows = append(rows, row)
		}
	})
	if err != nil {
		return nil, warnings, fmt.Errorf("store: %w", err)
	}
	return rows, warnings, nil
}

// Order gives the ids of a menu's rows in their order, as far as it was stored. It
// may name rows that are gone, and lack some that are there.
func (s *Store) Order(m *menu.Menu) (ids []menu.ID, warnings []string, err error) {
	err = s.db.scan(orders, func(k, v []byte) {
		switch {
		case string(k) != m.Path():
		case len(v)%8 != 0:
			warnings = append(warnings, fmt.Sprintf("%s: the order of the rows cannot be read", m.Path()))
		default:
			for ; len(v) > 0; v = v[8:] {
				ids = append(ids, menu.ID(binary.BigEndian.Uint64(v)))
			}
		}
	})
	if err != nil {
		return nil, warnings, fmt.Errorf("store: %w", err)
	}
	return ids, warnings, nil
}

// decode makes a row of a database value. Warnings name properties but never a
// value, which may be a password.
func decode(m *menu.Menu, id menu.ID, value []byte) (row *menu.Row, warnings []string) {
	warn := func(format string, args ...any) {
		warnings = append(warnings, fmt.Sprintf("%s %s: ", m.Path(), id)+fmt.Sprintf(format, args...))
	}
	var rec record
	if err := json.Unmarshal(value, &rec); err != nil {
		warn("row cannot be read and is ignored")
		return nil, warnings
	}
	if rec.Version != version {
		warn("row of unknown version %d is ignored", rec.Version)
		return nil, warnings
	}
	row = m.Defaults(id)
	for _, name := range slices.Sorted(maps.Keys(rec.Values)) {
		p := m.Property(name)
		if p == nil || !p.Settable() {
			warn("unknown property %.64q is ignored", name)
			continue
		}
		text, err := p.Type.Parse(name, rec.Values[name], nil)
		if err != nil {
			warn("wrong value of %s, its default is used", name)
			continue
		}
		row.Put(name, text)
	}
	for i := range m.Properties {
		p := &m.Properties[i]
		_, there := row.Lookup(p.Name)
		if p.Required && !there || p.Name == m.NameKey && p.Settable() && row.Get(p.Name) == "" {
			warn("row without %s is ignored", p.Name)
			return nil, warnings
		}
	}
	return row, warnings
}
