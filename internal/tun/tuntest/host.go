package tuntest

import (
	"context"
	"fmt"
	"os"
	"sync"

	"gopptp/internal/tun"
)

// A Host is a machine in memory: the interfaces that a daemon made on it, by
// name.
type Host struct {
	mu      sync.Mutex      // guards what follows
	links   map[string]*TUN // the interfaces that are open
	changed chan struct{}   // closed and replaced when links changes
}

// NewHost makes a machine without interfaces.
func NewHost() *Host {
	return &Host{links: make(map[string]*TUN), changed: make(chan struct{})}
}

// Create makes an interface, as tun.Create does. It disappears on Close.
func (h *Host) Create(name string) (tun.Device, error) { return h.create(name, false) }

// CreateTAP makes one for Ethernet frames, as tun.CreateTAP does.
func (h *Host) CreateTAP(name string) (tun.Device, error) { return h.create(name, true) }

func (h *Host) create(name string, frames bool) (tun.Device, error) {
	if name == "" || len(name) > tun.MaxName {
		return nil, fmt.Errorf("tuntest: invalid interface name %.32q", name)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.links[name] != nil {
		return nil, fmt.Errorf("tuntest: create %q: %w", name, os.ErrExist)
	}
	t := newTUN(name, func() { h.remove(name) })
	t.frames = frames
	h.links[name] = t
	h.changedLocked()
	return t, nil
}

// remove forgets an interface that is being closed.
func (h *Host) remove(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.links, name)
	h.changedLocked()
}

// changedLocked wakes those who wait for a change.
func (h *Host) changedLocked() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// Taken reports whether an interface has the name.
func (h *Host) Taken(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.links[name] != nil
}

// Wait gives the interface with the name, when there is one.
func (h *Host) Wait(ctx context.Context, name string) (*TUN, error) {
	for {
		h.mu.Lock()
		t, changed := h.links[name], h.changed
		h.mu.Unlock()
		if t != nil {
			return t, nil
		}
		if err := wait(ctx, changed); err != nil {
			return nil, fmt.Errorf("tuntest: wait for interface %q: %w", name, err)
		}
	}
}

// WaitGone waits until no interface has the name.
func (h *Host) WaitGone(ctx context.Context, name string) error {
	for {
		h.mu.Lock()
		t, changed := h.links[name], h.changed
		h.mu.Unlock()
		if t == nil {
			return nil
		}
		if err := wait(ctx, changed); err != nil {
			return fmt.Errorf("tuntest: wait for the end of interface %q: %w", name, err)
		}
	}
}

func wait(ctx context.Context, changed <-chan struct{}) error {
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
