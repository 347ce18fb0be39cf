package tree

import (
	"context"
	"time"

	"gopptp/internal/menu"
)

// lookAgain is the time between two looks at a menu of which nothing tells when
// it changes: that of a clock.
const lookAgain = 250 * time.Millisecond

// A Watch tells when what a menu shows may have changed. It holds nothing that
// must be released, and is for one goroutine.
type Watch struct {
	sources []func() <-chan struct{}
	armed   []<-chan struct{}
	every   time.Duration // look again, whatever happens; 0 for not
}

// Watch begins to watch a menu: what changes from now on wakes the first Next.
func (t *Tree) Watch(m *menu.Menu) *Watch {
	w := &Watch{}
	switch b := t.bindings[m].(type) {
	case *table:
		w.sources = append(w.sources, b.changed.Next)
		if b.live != nil && !b.rings {
			w.sources = append(w.sources, t.engine.Changes, t.gate.Changes)
		}
		if b.ticks {
			w.every = lookAgain
		}
	case *activeMenu:
		w.sources = append(w.sources, t.engine.Changes)
	case *interfacesMenu:
		w.sources = append(w.sources, b.clients.changed.Next, b.servers.changed.Next, t.engine.Changes)
	case *logMenu:
		w.sources = append(w.sources, t.journal.Changes)
	default:
		w.every = lookAgain
	}
	w.arm()
	return w
}

func (w *Watch) arm() {
	w.armed = w.armed[:0]
	for _, next := range w.sources {
		w.armed = append(w.armed, next())
	}
}

// maxSources is how many things tell of one menu.
const maxSources = 3

// Next waits until what the menu shows may have changed since Next returned
// last. Many changes wake it once, and some that the menu does not show wake it
// too. It returns the cause when ctx ends.
func (w *Watch) Next(ctx context.Context) error {
	var timer <-chan time.Time
	if w.every > 0 {
		t := time.NewTimer(w.every)
		defer t.Stop()
		timer = t.C
	}
	var c [maxSources]<-chan struct{} // a nil channel tells nothing
	copy(c[:], w.armed)
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c[0]:
	case <-c[1]:
	case <-c[2]:
	case <-timer:
	}
	w.arm() // before the look that follows
	return nil
}

// announce wakes those who watch the tables of steps, and the tables that show
// names of their rows.
func (t *Tree) announce(steps []step) {
	touched := map[*table]bool{}
	for _, s := range steps {
		touched[s.table] = true
	}
	for from, properties := range t.references {
		for _, p := range properties {
			if touched[t.tables[p.Type.(menu.Reference).Path]] {
				t.tables[from.Path()].changed.Ring()
			}
		}
	}
	for b := range touched {
		b.changed.Ring()
	}
}
