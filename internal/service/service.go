// Package service opens and closes the ports through which people and programs
// come in, as /ip/service says. A port can be moved while connections through it
// live on: what serves them is given one listener for its whole life.
//
// It speaks no protocol and knows no user.
package service

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gopptp/internal/journal"
)

// retryEvery is how often a port that could not be opened is tried again.
const retryEvery = 5 * time.Second

// acceptPause is how long to wait when the process has no file descriptor left:
// it is over when a connection ends.
const acceptPause = 100 * time.Millisecond

// A Config is a row of /ip/service.
type Config struct {
	Name        string
	Port        uint16
	Allowed     []netip.Prefix // where clients may come from; empty for anywhere
	Secure      bool           // with TLS
	Certificate string         // for TLS; what it means is up to Options.TLS
	OnlyTLS12   bool           // no other version of TLS
	MaxSessions int            // connections at once
	Disabled    bool
}

// addresses are the ones to listen on. A service that none but this machine may
// use is not even reachable from elsewhere.
func (c Config) addresses() []string {
	port := strconv.Itoa(int(c.Port))
	loopback := len(c.Allowed) > 0
	for _, p := range c.Allowed {
		loopback = loopback && p.Addr().IsLoopback() && p.Bits() >= 8
	}
	if !loopback {
		return []string{":" + port}
	}
	return []string{"127.0.0.1:" + port, "[::1]:" + port}
}

// A Door serves the connections of a listener until ctx ends, and returns after
// the last of them.
type Door func(ctx context.Context, l net.Listener) error

// Options is what a Supervisor stands on.
type Options struct {
	Journal *journal.Journal
	// Listen opens a port; the net package's by default.
	Listen func(ctx context.Context, address string) (net.Listener, error)
	// TLS makes the settings of a secure service.
	TLS func(Config) (*tls.Config, error)
}

// A Supervisor keeps the listeners as the rows of /ip/service want them. Its
// methods are safe for concurrent use, never block on a port, and take effect
// once Run runs. Make it with New.
type Supervisor struct {
	changed chan struct{} // holds a token when Run must look again

	mu   sync.Mutex
	rows map[string]Config
}

// New makes a supervisor; it does nothing until Run.
func New() *Supervisor {
	return &Supervisor{changed: make(chan struct{}, 1), rows: map[string]Config{}}
}

// Put sets the configuration of a service.
func (s *Supervisor) Put(c Config) {
	s.mu.Lock()
	s.rows[c.Name] = c
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// configs gives the services by name, in a fixed order.
func (s *Supervisor) configs() []Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Config
	for _, c := range s.rows {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Config) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Run keeps the listeners of the services that have a door, until ctx ends; it
// returns after the last connection.
func (s *Supervisor) Run(ctx context.Context, doors map[string]Door, o Options) {
	if o.Listen == nil {
		o.Listen = func(ctx context.Context, address string) (net.Listener, error) {
			return (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		}
	}
	var all sync.WaitGroup
	defer all.Wait()
	ports := map[string]*port{}
	for name, door := range doors {
		p := &port{name: name, options: o, conns: make(chan net.Conn)}
		ports[name] = p
		all.Go(func() { p.serve(ctx, door) })
		defer p.close()
	}
	retry := time.NewTicker(retryEvery)
	defer retry.Stop()
	for {
		for _, c := range s.configs() {
			if p := ports[c.Name]; p != nil {
				p.reconcile(ctx, c)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-s.changed:
		case <-retry.C:
		}
	}
}

// sentence makes an error's text fit for the middle of a line of the log.
func sentence(err error) string { return strings.TrimSuffix(err.Error(), ".") }
