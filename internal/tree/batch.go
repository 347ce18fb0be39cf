package tree

import (
	"context"

	"gopptp/internal/menu"
)

// batched is the key under which a context belongs to a batch.
type batched struct{}

// Batch begins a batch of changes: what is executed with the context that it
// gives is done at once but may reach the disk a moment later, together with
// what follows. end returns when all of it is there; nobody may be told before
// that a change was made. A batch in another ends with that one.
//
// Operations of others go on meanwhile. They see the changes, and theirs reach the
// disk after them.
func (t *Tree) Batch(ctx context.Context) (inner context.Context, end func() error) {
	if inBatch(ctx) {
		return ctx, func() error { return nil }
	}
	return context.WithValue(ctx, batched{}, true), t.sync
}

// inBatch reports whether ctx belongs to a batch.
func inBatch(ctx context.Context) bool { return ctx.Value(batched{}) != nil }

// sync waits until the changes of all batches are on the disk.
func (t *Tree) sync() error {
	if err := t.store.Sync(); err != nil {
		return menu.Errorf(menu.Internal, "failure: the changes are not on the disk: %v", err)
	}
	return nil
}
