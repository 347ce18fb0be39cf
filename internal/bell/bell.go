// Package bell tells any number of goroutines that something has changed.
//
// It does not say what, and tells of many changes once: who was told looks for
// itself. It starts no goroutine and knows nobody who waits, so that ringing
// never blocks and nobody who stops waiting leaves anything behind.
package bell

import "sync"

// A Bell is safe for concurrent use; the zero value is ready.
type Bell struct {
	mu   sync.Mutex
	next chan struct{} // guarded by mu; nil while nobody waits
}

// Next gives a channel that is closed the next time the bell rings. Who looks
// at what may change takes the channel before, and misses nothing.
func (b *Bell) Next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		b.next = make(chan struct{})
	}
	return b.next
}

// Ring wakes all who wait.
func (b *Bell) Ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next != nil {
		close(b.next)
		b.next = nil
	}
}
