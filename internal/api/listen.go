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
	w := &watcher{seed: maphash.MakeSeed()}
	for i := range q.Menu.Properties {
		if p := &q.Menu.Properties[i]; !runs(p) {
			w.properties = append(w.properties, p.Name)
		}
	}
	watch := c.server.cfg.Tree.Watch(q.Menu)
	for first := true; ; first = false {
		started := time.Now()
		rows, err := c.rows(j, q)
		if err != nil {
			return err
		}
		changed, gone := w.look(rows)
		took := time.Since(started)
		if first && !q.first {
			changed = nil
		}
		if q.Menu.Layout == menu.Lines {
			gone = nil // old lines leave the memory as new ones come: no news
		}
		for _, id := range gone {
			if err := r.gone(id); err != nil {
				return err
			}
		}
		if err := send(q, r, changed, -1); err != nil {
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
	seen       map[menu.ID]uint64
}

// look gives the rows that are new or changed since the last look, in their
// order, and the ids of those that are gone.
func (w *watcher) look(rows []*menu.Row) (changed []*menu.Row, gone []menu.ID) {
	now := make(map[menu.ID]uint64, len(rows))
	for _, row := range rows {
		sum := w.sum(row)
		now[row.ID] = sum
		if before, known := w.seen[row.ID]; !known || before != sum {
			changed = append(changed, row)
		}
	}
	for id := range w.seen {
		if _, still := now[id]; !still {
			gone = append(gone, id)
		}
	}
	slices.Sort(gone)
	w.seen = now
	return changed, gone
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
