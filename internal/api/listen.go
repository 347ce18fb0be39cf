package api

import (
	"hash/maphash"
	"slices"
	"time"

	"gopptp/internal/menu"
)

// listenShare keeps a listener from looking again for this many times as long as
// its last look took, so that none costs more than a twentieth of a processor.
const listenShare = 20

// listen tells what changes in a menu, until the job is cancelled: new and
// changed rows, and the ids of those that are gone or that the query wants no
// more. What changes and changes back between two looks is missed.
func (c *conn) listen(j *job, q *call, r *reply) error {
	w := &watcher{seed: maphash.MakeSeed(), seen: map[menu.ID]glance{}}
	for i := range q.Menu.Properties {
		if p := &q.Menu.Properties[i]; !runs(p) {
			w.properties = append(w.properties, p.Name)
		}
	}
	watch := c.server.cfg.Tree.Watch(q.Menu)
	for tell := q.first; ; tell = true {
		took, err := c.lookAround(j, q, r, w, tell)
		if err != nil {
			return err
		}
		rest := time.NewTimer(listenShare * took)
		select {
		case <-rest.C:
		case <-j.ctx.Done():
			rest.Stop()
			return interrupted()
		}
		if watch.Next(j.ctx) != nil {
			return interrupted()
		}
	}
}

// lookAround looks at all rows once, and with tell tells what is new. It gives how
// long it took without what waited for the client.
func (c *conn) lookAround(j *job, q *call, r *reply, w *watcher, tell bool) (took time.Duration, err error) {
	leave, err := c.place(j.ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	started := time.Now()
	r.wrote = 0
	err = c.rows(j, q, func(row *menu.Row) error {
		if news := w.look(row); !news || !tell {
			return nil
		}
		return r.row(q, row, -1)
	})
	if err != nil {
		return 0, err
	}
	gone := w.gone()
	if q.Menu.Layout == menu.Lines {
		gone = nil // old lines leave the memory as new ones come: no news
	}
	for _, id := range gone {
		if err := r.gone(id); err != nil {
			return 0, err
		}
	}
	err = r.flush()
	return time.Since(started) - r.wrote, err
}

// runs reports whether a property changes all the time by itself: a counter, or
// how long something lasts.
func runs(p *menu.Property) bool {
	_, lasts := p.Type.(menu.Time)
	return p.Stat || p.ReadOnly && lasts
}

// A watcher knows what the rows of a menu looked like.
type watcher struct {
	properties []string // those that make a change
	seed       maphash.Seed
	seen       map[menu.ID]glance
	round      uint64 // the number of this look at all rows
}

// A glance is what a row looked like, and in which round.
type glance struct{ sum, round uint64 }

// look reports whether a row is new or changed since the last round.
func (w *watcher) look(row *menu.Row) bool {
	now := glance{w.sum(row), w.round}
	before, known := w.seen[row.ID]
	w.seen[row.ID] = now
	return !known || before.sum != now.sum
}

// gone ends a round, and gives the ids of the rows that were not there in it.
func (w *watcher) gone() (ids []menu.ID) {
	for id, last := range w.seen {
		if last.round != w.round {
			ids = append(ids, id)
			delete(w.seen, id)
		}
	}
	slices.Sort(ids)
	w.round++
	return ids
}

// sum is a fingerprint of a row.
func (w *watcher) sum(row *menu.Row) uint64 {
	var h maphash.Hash
	h.SetSeed(w.seed)
	for _, name := range w.properties {
		if text, there := row.Lookup(name); there {
			h.WriteString(name)
			h.WriteByte(0)
			h.WriteString(text)
			h.WriteByte(0)
		}
	}
	return h.Sum64()
}
