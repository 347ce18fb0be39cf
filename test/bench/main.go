// Command bench measures gopptp beside what it can be compared with, in one run,
// and prints a row for each comparison: its name first, and last how many times
// better gopptp is. Figures differ from machine to machine and from run to run;
// ratios less so. docs/performance.md explains the rows.
//
//	go run ./test/bench [-only GROUPS] [-quick] [GOPPTP]        GOPPTP: the binary (default bin/gopptp)
//
// The rows are also written as Markdown and as plots, to bench/out. With -quick there
// are fewer and shorter rounds, and the ratios are compared with those of
// bench/baseline.json, which -write-baseline writes.
//
// It exits with 1 when something could not be measured, when a connection takes
// longer than it may, when a packet costs an allocation, when a print grows more than
// the number of rows explains, or, with -quick, when a ratio is less than half of its
// baseline. It needs root and what make setup installs; the group packets needs nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"gopptp/internal/progress"
	"gopptp/test/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	only := flag.String("only", "", "measure only these groups, with commas between them: "+strings.Join(groupNames(), ", "))
	quick := flag.Bool("quick", false, "fewer and shorter rounds, compared with the baseline")
	write := flag.Bool("write-baseline", false, "write the ratios of several quick runs to the baseline")
	path := flag.String("path", "", "force MPPE to take this path: Go, scalar, AVX-512")
	flag.Parse()
	b := &bench{binary: "bin/gopptp", path: *path, effort: full}
	b.waiting.line = progress.On(os.Stderr)
	b.to = b.before(os.Stdout)
	if flag.NArg() > 0 {
		b.binary = flag.Arg(0)
	}
	if *quick || *write {
		b.effort = brief
	}
	if err := b.run(ctx, *only, *write); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A bench is one run of all that is measured.
type bench struct {
	effort
	table
	waiting
	binary  string
	path    string   // of MPPE, or empty
	absent  []string // rows that this machine cannot have
	calls   int      // sessions on a control connection
	servers int      // that sessions were put on
}

// An effort is how long is measured.
type effort struct {
	brief       bool
	rounds      int // of TCP through a tunnel, by turns
	others      int // rounds of UDP, of pings, and of bad networks
	seconds     int // of a run of iperf3
	lossy       int // seconds of one over a bad network
	headers     int // rounds of GRE
	mppe        int // rounds of MPPE, which are short
	dials       int // of our client
	guestRounds int // calls of a guest's client
	prints      int // rounds of each door
	rest        int // rounds of requests

	fewSessions, manySessions int
	sessionRounds             int
	held                      time.Duration // how long sessions are held, idle
}

var (
	full = effort{
		rounds: 5, others: 5, seconds: 3, lossy: 5, headers: 3, mppe: 9, dials: 50, guestRounds: 5, prints: 15, rest: 5,
		fewSessions: 1000, manySessions: 10_000, sessionRounds: 5, held: time.Minute,
	}
	brief = effort{
		brief: true, rounds: 2, others: 1, seconds: 1, lossy: 2, headers: 1, mppe: 2, dials: 10, guestRounds: 1, prints: 3, rest: 1,
		fewSessions: 300, manySessions: 1000, sessionRounds: 1, held: 2 * time.Second,
	}
)

// groups are what is measured, in order.
var groups = []struct {
	name, title string
	lacking     func() string // says what the machine lacks for it, or is nil
	run         func(*bench, context.Context) error
}{
	{"packets", "cost of a packet of 1400 octets", nil, (*bench).packets},
	{"connect", "time to connect, MS-CHAPv2 and MPPE-128", noTools, (*bench).connects},
	{"doors", "10000 secrets beside 1000, and requests", noTools, (*bench).doors},
	{"tunnel", "TCP through one tunnel between two namespaces, with --fast-path but where a row says sockets, the default; CPU is that of the two daemons", noTools, beside((*bench).tunnelTCP)},
	{"tunnel-udp", "UDP through the same", noTools, beside((*bench).tunnelUDP)},
	{"tunnel-latency", "ping through the same, while 1 stream of TCP runs", noTools, beside((*bench).tunnelLatency)},
	{"network", fmt.Sprintf("TCP through a tunnel with MPPE over a line of %d Mbit/s and %v each way that harms packets", relayRate/1_000_000, relayDelay), noTools, (*bench).networks},
	{"guest", "the kernel's client with a server, both on the one processor of a guest", lab.Missing, (*bench).guest},
	{"sessions", "many sessions on one server", noTools, (*bench).sessions},
}

// noTools says what the machine lacks for namespaces and loads in them.
func noTools() string {
	if os.Geteuid() != 0 {
		return "needs root for network namespaces"
	}
	for _, program := range []string{"ip", "ping", "iperf3"} {
		if _, err := exec.LookPath(program); err != nil {
			return err.Error() + " (run make setup)"
		}
	}
	return ""
}

func groupNames() []string {
	var names []string
	for _, g := range groups {
		names = append(names, g.name)
	}
	return names
}

// chosen reads the names of groups.
func chosen(only string) (map[string]bool, error) {
	names := groupNames()
	want := names
	if only != "" {
		want = strings.Split(only, ",")
	}
	all := map[string]bool{}
	for _, name := range want {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("no group %q, only %s", name, strings.Join(names, ", "))
		}
		all[name] = true
	}
	return all, nil
}

// run measures, writes what was measured, and compares it with the baseline or makes
// that.
func (b *bench) run(ctx context.Context, only string, write bool) error {
	want, err := chosen(only)
	if err != nil {
		return err
	}
	if write {
		return b.writeBaseline(ctx, want)
	}
	failures := []error{b.measure(ctx, want)}
	if b.brief {
		failures = append(failures, b.check(ctx, want))
	}
	return errors.Join(append(failures, b.table.write(outDir))...)
}

// check compares with the baseline. A group with a row that falls behind is measured
// once more before that counts: a second is short, and the machine does other things.
func (b *bench) check(ctx context.Context, want map[string]bool) error {
	before, err := readBaseline(baselinePath)
	if err != nil {
		return err
	}
	behind := before.compare(b.baseline(), want, b.absent)
	if len(behind) == 0 {
		return nil
	}
	again := map[string]bool{}
	for _, s := range behind {
		again[s.group] = true
		fmt.Fprintln(b.to, "measured again, since", s)
	}
	b.groups = slices.DeleteFunc(b.groups, func(g tableGroup) bool { return again[g.name] })
	failures := []error{b.measure(ctx, again)}
	for _, s := range before.compare(b.baseline(), again, b.absent) {
		failures = append(failures, s)
	}
	return errors.Join(failures...)
}

// writeBaseline measures several times and writes the medians.
func (b *bench) writeBaseline(ctx context.Context, want map[string]bool) error {
	before, err := readBaseline(baselinePath)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var runs []baseline
	for range baselineRuns {
		b.groups = nil
		if err := b.measure(ctx, want); err != nil {
			return err
		}
		runs = append(runs, b.baseline())
	}
	return before.write(baselinePath, middle(runs))
}

// measure measures the groups, and what fails in one does not keep the others from
// their turn.
func (b *bench) measure(ctx context.Context, want map[string]bool) error {
	began := time.Now()
	var failures []error
	at := 0
	for _, g := range groups {
		if !want[g.name] || ctx.Err() != nil {
			continue
		}
		at++
		if g.lacking != nil {
			if lacking := g.lacking(); lacking != "" {
				failures = append(failures, fmt.Errorf("cannot measure %s: %s", g.name, lacking))
				continue
			}
		}
		b.begin(g.name, g.title)
		name := fmt.Sprintf("group %d of %d: %s", at, len(want), g.name)
		if err := b.show(ctx, name, func(ctx context.Context) error { return g.run(b, ctx) }); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", g.name, err))
		}
	}
	fmt.Fprintf(b.to, "\n%.0f s\n", time.Since(began).Seconds())
	return errors.Join(append(failures, ctx.Err())...)
}
