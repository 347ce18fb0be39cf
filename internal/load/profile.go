package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// settleQuiet is how long a daemon that is asked to collect its garbage must not
	// become smaller until it counts as settled, and settleLook how often it is asked.
	// The runtime gives memory back in steps, according to what the last but one
	// collection has left.
	settleQuiet = time.Second
	settleLook  = 100 * time.Millisecond
	// settleLimit bounds that.
	settleLimit = 30 * time.Second
	// profileLimit bounds the wait for a page of profiles, and maxProfile what is read
	// of one.
	profileLimit = 30 * time.Second
	maxProfile   = 1 << 20
)

// The pages of a daemon's profiles.
const (
	goroutinesPage = "/debug/pprof/goroutine?debug=1"
	collectPage    = "/debug/pprof/heap?gc=1"
)

// settled is what p has when it has given back what it needed to start and needs no
// more: on its first start it makes the hash of a password in 19 MB, and the first
// sessions after it would live in those for nothing. Whoever asks is counted too, as
// when the goroutines are counted again. Without profiles it is what p has now.
func (p *Process) settled(ctx context.Context) (least usage, err error) {
	if least, err = p.usage(); err != nil || !p.profiled() {
		return least, err
	}
	if least.goroutines, err = p.goroutines(ctx); err != nil {
		return least, err
	}
	for began, smaller := time.Now(), time.Now(); time.Since(smaller) < settleQuiet && time.Since(began) < settleLimit; {
		if _, err := p.ask(ctx, collectPage); err != nil {
			return least, err
		}
		n, err := p.goroutines(ctx)
		if err != nil {
			return least, err
		}
		now, err := p.usage()
		if err != nil {
			return least, err
		}
		if now.memory < least.memory {
			smaller = time.Now()
		}
		least.memory, least.files, least.goroutines = min(least.memory, now.memory), min(least.files, now.files), min(least.goroutines, n)
		least.cpu = now.cpu
		select {
		case <-ctx.Done():
			return least, context.Cause(ctx)
		case <-time.After(settleLook):
		}
	}
	return least, nil
}

// A surplus is what a daemon has more of than before its sessions.
type surplus struct{ files, goroutines int }

// surplus compares what p has with what it had. Goroutines are counted only when no
// descriptor is left: the count of thousands would hold up what they do.
func (p *Process) surplus(ctx context.Context, before usage) (s surplus, err error) {
	now, err := p.usage()
	if err != nil {
		return s, err
	}
	if s.files = max(now.files-before.files, 0); s.files > 0 || !p.profiled() {
		return s, nil
	}
	n, err := p.goroutines(ctx)
	s.goroutines = max(n-before.goroutines, 0)
	return s, err
}

// profiled reports whether p can be asked for profiles.
func (p *Process) profiled() bool { return p != nil && p.Profiles.IsValid() }

// goroutines counts those of p.
func (p *Process) goroutines(ctx context.Context) (n int, err error) {
	page, err := p.ask(ctx, goroutinesPage)
	if err != nil {
		return 0, err
	}
	if _, err := fmt.Sscanf(string(page), "goroutine profile: total %d\n", &n); err != nil {
		return 0, fmt.Errorf("load: the daemon's goroutines: %w in %.64q", err, page)
	}
	return n, nil
}

// ask gets the beginning of a page of p's profiles, over a connection of its own, whose
// goroutines have no part in a later count.
func (p *Process) ask(ctx context.Context, page string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, profileLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Profiles.String()+page, nil)
	if err != nil {
		return nil, err
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: p.dial}}).Do(request)
	if err != nil {
		return nil, fmt.Errorf("load: the daemon's profiles: %w", err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxProfile))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(answer.Status)
	}
	if err != nil {
		return nil, fmt.Errorf("load: the daemon's profiles: %s: %w", page, err)
	}
	return b, nil
}

// dial connects to where p serves its profiles, a loopback that is its network
// namespace's.
func (p *Process) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	own, err := os.Stat(ownNetwork)
	if err != nil {
		return nil, err
	}
	theirs, err := os.Open(p.file("ns/net"))
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	there, err := theirs.Stat()
	if err != nil {
		return nil, err
	}
	if os.SameFile(own, there) {
		return dialTCP(ctx, p.Profiles)
	}
	var nc net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Never unlocked: the thread ends with the goroutine, so that nothing else runs
		// in that namespace.
		runtime.LockOSThread()
		if err = unix.Setns(int(theirs.Fd()), unix.CLONE_NEWNET); err == nil {
			nc, err = dialTCP(ctx, p.Profiles)
		}
	}()
	<-done
	return nc, err
}

// dialTCP connects to an address.
func dialTCP(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", to.String())
}
