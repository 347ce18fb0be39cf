// Package tree declares the menus and binds them to the rows of the store and to
// live sessions. It is the only place where an operation is defined: a door
// parses a request and prints the answer, and this package does the rest.
//
// It opens no socket, speaks to no peer and starts no goroutine; the tunnels are
// behind Engine.
//
// A change is on the disk before whoever asked for it is answered. Those of a
// script, which are a Batch, are seen at once and get there together, before the
// script prints anything or ends.
//
// Rows are cached here, since the store keeps none. Locks, in order: Tree.change
// (one change at a time: validation, commit, publication, engine and log), then
// the store's, then Tree.mu (the cached rows, held for a moment), then the
// engine's. Readers take only mu, and never while they call the engine; so a
// print waits for no disk. The engine must not call the tree while it holds a
// lock that its methods take.
package tree
