package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/netutil"

	"gopptp/internal/journal"
	"gopptp/internal/metrics"
)

const (
	// maxScrapers bounds the connections of those who ask for metrics: they need no
	// login, and must not take the daemon's file descriptors.
	maxScrapers = 32
	// scrapeTime is how long an answer may take: ten thousand sessions with series of
	// their own are megabytes, and a scraper's own limit is ten seconds by default.
	scrapeTime = 30 * time.Second
	// scraperIdle is how long a connection stays without a request: longer than it is
	// from one scrape to the next, by default a minute.
	scraperIdle = 2 * time.Minute
	// feelEvery is how long what is known of the daemon's life is good for. Whoever asks
	// more often finds nothing else.
	feelEvery = time.Second
	// feelTime bounds the wait for a sign of life, which takes no time in a daemon that
	// lives.
	feelTime = 5 * time.Second
)

// A stage is where the daemon is in its life.
type stage uint8

const (
	stageStarting stage = iota
	stageRunning
	stageStopping
)

var (
	errStarting = errors.New("the daemon is starting")
	errStopping = errors.New("the daemon is stopping")
)

// A face is what the daemon shows to those who watch it from outside, from before it
// has started until it has stopped.
type face struct {
	mu      sync.Mutex
	stage   stage
	metrics http.Handler                                // not nil after the start, like those below
	serving func() (enabled, listening bool, err error) // of the server
	pulse   *pulse

	feeling sync.Mutex
	felt    time.Time // guarded by feeling
	ill     error     // guarded by feeling; as it was then
}

// open opens the port and shows the face there until stop is called, which waits for
// the last answer.
func (f *face) open(ctx context.Context, address string, log *journal.Journal) (stop func(), err error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, fmt.Errorf("--metrics %q: it is an address and a port, such as 127.0.0.1:9180", address)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen for --metrics: %w", err)
	}
	log.Addf("system,info", "metrics are on http://%s/metrics", l.Addr())
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it tells that the daemon is stopping
	var serving sync.WaitGroup
	serving.Go(func() {
		server := &http.Server{
			Handler: metrics.Handler(http.HandlerFunc(f.page), f.health, f.ready), WriteTimeout: scrapeTime, IdleTimeout: scraperIdle,
		}
		if err := serveHTTP(ctx, netutil.LimitListener(l, maxScrapers), server, time.Second); err != nil {
			log.Addf("system,error", "metrics: %v", err)
		}
	})
	return func() {
		cancel()
		serving.Wait()
	}, nil
}

// started says what there is to show from now on.
func (f *face) started(page http.Handler, serving func() (enabled, listening bool, err error), p *pulse) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stage, f.metrics, f.serving, f.pulse = stageRunning, page, serving, p
}

// stopping says that the daemon ends.
func (f *face) stopping() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stage = stageStopping
}

// page answers with the metrics, once there are some.
func (f *face) page(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	page := f.metrics
	f.mu.Unlock()
	if page == nil {
		http.Error(w, errStarting.Error(), http.StatusServiceUnavailable)
		return
	}
	page.ServeHTTP(w, r)
}

// ready tells why the daemon takes no calls though it should.
func (f *face) ready(context.Context) error {
	f.mu.Lock()
	stage, serving := f.stage, f.serving
	f.mu.Unlock()
	switch stage {
	case stageStarting:
		return errStarting
	case stageStopping:
		return errStopping
	}
	enabled, listening, err := serving()
	if enabled && !listening {
		return fmt.Errorf("the server takes no calls: %w", err)
	}
	return nil
}

// health tells what has come to a halt in a daemon that has started and is not to stop.
func (f *face) health(ctx context.Context) error {
	f.mu.Lock()
	stage, pulse := f.stage, f.pulse
	f.mu.Unlock()
	if stage != stageRunning {
		return nil
	}
	f.feeling.Lock()
	defer f.feeling.Unlock()
	if time.Since(f.felt) < feelEvery {
		return f.ill
	}
	// Not for as long as who asks has patience: others hear the same answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), feelTime)
	defer cancel()
	f.ill = pulse.feel(ctx)
	f.felt = time.Now()
	return f.ill
}
