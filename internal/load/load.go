// Package load puts load on a PPTP server: it is thousands of clients in one
// process, each with a control connection, PPP, MS-CHAPv2 and MPPE-128 of its own,
// from addresses of its own, over one raw socket and without a network interface.
//
// It is made of what the daemon's own clients are made of, but for the interfaces:
// a session's far end sends ICMP echoes through its tunnel and counts the answers.
// It configures nothing, on this machine or on the server. Only servers on this
// machine are its targets, unless somebody says otherwise: see Permit.
package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"gopptp/internal/plane"
	"gopptp/internal/progress"
	"gopptp/internal/rawgre"
	"gopptp/ppp/auth"
)

// MaxCalls bounds the sessions of a control connection: gopptp's server takes no more.
const MaxCalls = 64

// MaxCount bounds the sessions: a Call ID has 16 bits, and so has the port of a TCP
// connection where all come from one address.
const MaxCount = 60_000

const (
	// dialTimeout bounds the set-up of one session. A server with thousands of
	// others to serve may take long, but one that takes longer than this has lost
	// the session's packets.
	dialTimeout = 30 * time.Second
	// maxRefused ends the set-up when so many sessions failed and none came up:
	// the rest would fail as well.
	maxRefused = 32
	// releaseLimit bounds the wait for the daemon to give its descriptors back,
	// goroutineLimit the one for its goroutines after that, and releaseLook is how often
	// that is looked at.
	releaseLimit   = 10 * time.Minute
	goroutineLimit = 30 * time.Second
	releaseLook    = 100 * time.Millisecond
)

// A Config says what to do to whom. All but Daemon, Print, Active and Hold is
// required.
type Config struct {
	Target   netip.Addr
	From     []netip.Addr // the sessions' addresses, which take turns; see Addresses
	Count    int          // sessions
	Calls    int          // how many of them share a control connection
	Parallel int          // how many are set up, or pinged, at a time
	User     string
	Password auth.Secret
	// Keepalive is the silence after which a session asks whether the server is
	// there. The server does the same by its own configuration.
	Keepalive time.Duration

	Active  int           // sessions that send at once after all are up; 0 for none
	Seconds time.Duration // how long they send
	Hold    time.Duration // how long all are held, idle

	// Dial opens the TCP connection of a session from an address.
	Dial func(ctx context.Context, from netip.Addr) (net.Conn, error)
	// GRE carries the packets of all sessions. Run closes it.
	GRE rawgre.Conn
	// Daemon is the process that serves; nil if it is not to be watched.
	Daemon *Process
	// Print has the daemon list its sessions; nil for no such row.
	Print func(context.Context) error
	// Progress is told how far things are.
	Progress io.Writer
	Line     *progress.Line // of the terminal that Progress goes to, for what is soon out of date; nil for none
}

// Run does it all, phase after phase, and tells what was measured. What went wrong
// with sessions is in the report; the error is that there is none, or that ctx has
// ended. All sessions have ended when Run returns.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	r := &run{Config: cfg, plane: plane.New(cfg.GRE), report: &Report{Count: cfg.Count, Problems: []string{}}}
	var road sync.WaitGroup
	road.Go(func() { _ = r.plane.Run(context.WithoutCancel(ctx)) }) // the end of the socket ends it
	defer road.Wait()
	defer cfg.GRE.Close()
	defer r.abandon()
	for _, phase := range []func(context.Context) error{r.setUp, r.ping, r.traffic, r.hold, r.print, r.disconnect} {
		if err := phase(ctx); err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	return r.report, nil
}

// A run is one run of Run.
type run struct {
	Config
	plane  *plane.Plane
	report *Report
	before usage

	mu       sync.Mutex
	sessions []*session // that came up; guarded by mu during setUp
	refused  int        // that did not; guarded by mu
	why      error      // of the first of them; guarded by mu
}

// setUp dials all sessions.
func (r *run) setUp(ctx context.Context) (err error) {
	if r.before, err = r.Daemon.settled(ctx); err != nil {
		return err
	}
	dialing, giveUp := context.WithCancel(ctx)
	defer giveUp()
	lines := make([]line, (r.Count+r.Calls-1)/r.Calls)
	for i := range lines {
		lines[i].from = r.From[i%len(r.From)]
	}
	took := r.each(dialing, "set-up", r.Count, func(i int) {
		s, err := r.dial(dialing, &lines[i/r.Calls])
		r.mu.Lock()
		defer r.mu.Unlock()
		switch {
		case err == nil:
			r.sessions = append(r.sessions, s)
			return
		case dialing.Err() != nil:
			return
		}
		if r.refused++; r.why == nil {
			r.why = err
		}
		if r.refused >= maxRefused && len(r.sessions) == 0 {
			giveUp()
		}
	})
	up := len(r.sessions)
	if up == 0 {
		return errors.Join(context.Cause(ctx), fmt.Errorf("load: no session came up: %w", r.why))
	}
	if up < r.Count {
		r.report.problem("%d of %d sessions did not come up, the first: %v", r.Count-up, r.Count, r.why)
	}
	row := Row{Name: "set-up", Value: float64(up) / took.Seconds(), Unit: "/s", Detail: fmt.Sprintf("%d of %d in %v", up, r.Count, round(took))}
	after, err := r.Daemon.usage()
	if r.Daemon != nil && err == nil {
		row.Detail += fmt.Sprintf(", %v of the daemon's CPU each", round((after.cpu-r.before.cpu)/time.Duration(up)))
	}
	r.report.add(row)
	return err
}

// hold lets the sessions be for a while, and sees what that costs and who is left.
func (r *run) hold(ctx context.Context) error {
	settled, err := r.Daemon.usage()
	if err != nil {
		return err
	}
	began := time.Now()
	r.wait(ctx, "hold", r.Hold)
	held := time.Since(began)
	lost := 0
	var why error
	for _, s := range r.sessions {
		if err := s.lost(); err != nil {
			if lost++; why == nil {
				why = err
			}
		}
	}
	if lost > 0 {
		r.report.problem("%d of %d sessions were lost, the first: %v", lost, len(r.sessions), why)
	}
	r.report.add(Row{Name: "lost", Value: float64(lost), Detail: fmt.Sprintf("until the end of %v of keepalives", round(held))})
	if r.Daemon == nil {
		return nil
	}
	after, err := r.Daemon.usage()
	if err != nil {
		return err
	}
	n := float64(len(r.sessions))
	kib := func(u usage) float64 { return float64(u.memory-r.before.memory) / n / 1024 }
	r.report.add(Row{Name: "memory", Value: kib(after), Unit: "KiB", Detail: fmt.Sprintf("of the daemon's RSS each; %.1f when all had come up", kib(settled))})
	if held > 0 {
		idle := (after.cpu - settled.cpu).Seconds() / held.Seconds()
		r.report.add(Row{Name: "idle", Value: idle / n * 1e6, Unit: "µs/s", Detail: fmt.Sprintf("of CPU each; %.2g %% of one processor in all", idle*100)})
	}
	return nil
}

// print has the daemon list its sessions.
func (r *run) print(ctx context.Context) error {
	if r.Print == nil {
		return nil
	}
	began := time.Now()
	if err := r.Print(ctx); err != nil {
		return fmt.Errorf("load: print: %w", err)
	}
	r.report.add(Row{Name: "print", Value: time.Since(began).Seconds(), Unit: "s", Detail: "/ppp/active/print"})
	return nil
}

// disconnect ends all sessions, and waits until the daemon has given back all that
// they had.
func (r *run) disconnect(ctx context.Context) error {
	began := time.Now()
	for _, s := range r.sessions {
		s.hangUp()
	}
	r.progress("disconnect", len(r.sessions), func() int { return ended(r.sessions) }, r.ended())
	r.report.add(Row{Name: "disconnect", Value: time.Since(began).Seconds(), Unit: "s", Detail: "until all control connections have ended"})
	if r.Daemon == nil {
		return nil
	}
	left, err := r.released(ctx, func() (surplus, error) { return r.Daemon.surplus(ctx, r.before) })
	if err != nil {
		return err
	}
	row := Row{Name: "release", Value: time.Since(began).Seconds(), Unit: "s", Detail: fmt.Sprintf("until the daemon has as many descriptors as before; %d left", left.files)}
	if r.Daemon.profiled() {
		row.Detail += fmt.Sprintf(", and %d of its goroutines", left.goroutines)
	}
	r.report.add(row)
	return nil
}

// released waits until the daemon has no more than before, as look says, and tells what
// is left.
func (r *run) released(ctx context.Context, look func() (surplus, error)) (left surplus, err error) {
	began := time.Now()
	told, closed := began, time.Time{}
	for {
		if left, err = look(); err != nil {
			return left, err
		}
		now := time.Now()
		if left.files == 0 && closed.IsZero() {
			closed = now
		}
		switch {
		case left == surplus{}:
			return left, nil
		case left.files > 0 && now.Sub(began) > releaseLimit:
			r.report.problem("the daemon has %d descriptors more than before", left.files)
			return left, nil
		case left.files == 0 && now.Sub(closed) > goroutineLimit:
			r.report.problem("the daemon has %d goroutines more than before", left.goroutines)
			return left, nil
		}
		if now.Sub(told) > progressEvery {
			told = now
			fmt.Fprintf(r.Progress, "release: %d descriptors and %d goroutines left\n", left.files, left.goroutines)
		}
		select {
		case <-ctx.Done():
			return left, context.Cause(ctx)
		case <-time.After(releaseLook):
		}
	}
}

// abandon ends what sessions there are, if a phase failed.
func (r *run) abandon() {
	for _, s := range r.sessions {
		s.hangUp()
	}
	<-r.ended()
}

// ended is closed when all sessions have ended.
func (r *run) ended() <-chan struct{} {
	all := make(chan struct{})
	go func() {
		defer close(all)
		for _, s := range r.sessions {
			<-s.done
		}
	}()
	return all
}

// ended counts the sessions that have.
func ended(sessions []*session) (n int) {
	for _, s := range sessions {
		if s.over() {
			n++
		}
	}
	return n
}
