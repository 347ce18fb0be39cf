package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gopptp/test/lab"
)

const (
	// few and many are how many secrets are printed, to see how the cost grows.
	few, many = 1_000, 10_000
	// growthLimit is the least ratio of a print: each of many costs as much as each of
	// few, and a fifth more for the caches that they no longer fit.
	growthLimit = 1 / 1.2

	adminPassword = "bench pass=1"
	namePrefix    = "bench-user-" // of each secret, and of nothing else that is printed
	importFile    = "secrets.rsc"
)

// A system is a gopptp with secrets in a namespace of its own, and its doors.
type system struct {
	lab     *lab.Lab
	secrets int
	socket  string
	pid     int
	added   time.Duration // what the import of its secrets took
	peak    int64         // of its memory then
	doors   []door
}

// A door is a connection that is open and logged in.
type door struct {
	name string
	// print asks for all secrets, and gives how many came.
	print func() (int, error)
}

// doors measures what it costs to print many secrets through each door beside few,
// to add them, and to serve a small request.
func (b *bench) doors(ctx context.Context) error {
	var systems []*system
	for _, n := range []int{few, many} {
		l, err := lab.New(ctx, labSource, fmt.Sprintf("bench-%d", n), serverAddress+"/24")
		if err != nil {
			return err
		}
		defer l.Close()
		s := &system{lab: l, secrets: n}
		if err := s.start(ctx, b.binary); err != nil {
			return err
		}
		systems = append(systems, s)
	}
	small, large := systems[0], systems[1]
	var added rounds
	added.add(float64(large.added)/many, float64(small.added)/few)
	b.growth("/import in one go", added, small.peak, large.peak)
	var failures []error
	for i, d := range small.doors {
		if err := b.printed(ctx, d.name, small, large, i); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(append(failures, b.requests(ctx, small))...)
}

// printed measures the door with number i. In each round few are printed as often
// as makes many, so that both take about as long and what else the machine does
// disturbs both alike. The rounds of a brief run are too few to fail for the limit.
func (b *bench) printed(ctx context.Context, name string, small, large *system, i int) error {
	var all rounds
	for n := range 1 + b.prints {
		turn(ctx, n, 1+b.prints)
		if n == 1 { // the first does not count
			if err := errors.Join(small.forgetPeak(), large.forgetPeak()); err != nil {
				return err
			}
		}
		ofFew, err := small.print(i, many/few)
		if err != nil {
			return err
		}
		ofMany, err := large.print(i, 1)
		if err != nil {
			return err
		}
		if n > 0 {
			all.add(ofMany/many, ofFew/few)
		}
	}
	peakFew, errFew := small.peakMemory()
	peakMany, errMany := large.peakMemory()
	if err := errors.Join(errFew, errMany); err != nil {
		return err
	}
	r := b.growth("print through "+name, all, peakFew, peakMany)
	if !b.brief && r.ratio < growthLimit {
		return fmt.Errorf("print through %s: each of %d secrets takes %.2f times as long as each of %d, want at most %.2f", name, many, 1/r.ratio, few, 1/growthLimit)
	}
	return nil
}

// print prints through the door with number i again and again, and gives what one
// time takes in nanoseconds.
func (s *system) print(i, times int) (float64, error) {
	d := s.doors[i]
	began := time.Now()
	for range times {
		n, err := d.print()
		if err != nil {
			return 0, fmt.Errorf("print through %s: %w", d.name, err)
		}
		if n != s.secrets {
			return 0, fmt.Errorf("print through %s: %d secrets, want %d", d.name, n, s.secrets)
		}
	}
	return float64(time.Since(began)) / float64(times), nil
}

// growth adds a row of what each secret costs among many beside among few.
func (b *bench) growth(name string, all rounds, peakFew, peakMany int64) row {
	r := all.row(fmt.Sprintf("%s, each of %d", name, many), fmt.Sprintf("each of %d", few), nanoseconds,
		fmt.Sprintf("peak memory %.0f and %.0f MB", float64(peakMany)/1e6, float64(peakFew)/1e6))
	b.add(r)
	return r
}

// start runs gopptp, adds the secrets and opens the doors.
func (s *system) start(ctx context.Context, binary string) error {
	const name = "server"
	server, err := s.lab.Start(ctx, binary, name)
	if err != nil {
		return err
	}
	s.socket = filepath.Join(s.lab.Dir, name, "socket")
	var source strings.Builder
	source.WriteString("/ppp secret\n")
	for i := range s.secrets {
		fmt.Fprintf(&source, "add name=%s%05d password=secret%d service=pptp remote-address=10.1.%d.%d\n", namePrefix, i, i, i>>8, i&0xff)
	}
	if err := os.WriteFile(filepath.Join(s.lab.Dir, name, "data", "files", importFile), []byte(source.String()), 0o600); err != nil {
		return err
	}
	// The console is the first: the import goes through it, and it tells the process.
	line, err := s.openConsole(ctx)
	if err != nil {
		return err
	}
	if err := s.forgetPeak(); err != nil {
		return err
	}
	began := time.Now()
	if _, err := line("/import file-name=" + importFile); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	s.added = time.Since(began)
	if s.peak, err = s.peakMemory(); err != nil {
		return err
	}
	_, err = server.Exec(ctx, `/user/set admin password="`+adminPassword+`"`, "/ip/service/set ssh disabled=no", "/ip/service/set www disabled=no")
	if err != nil {
		return err
	}
	s.doors = []door{{"console", func() (int, error) {
		out, err := line("/ppp/secret/print")
		return bytes.Count(out, []byte(namePrefix)), err
	}}}
	for _, d := range []struct {
		name string
		open func(context.Context) (func() (int, error), error)
	}{{"SSH", s.openSSH}, {"REST", s.openREST}, {"API", s.openAPI}} {
		show, err := d.open(ctx)
		if err != nil {
			return fmt.Errorf("open %s: %w\n%s", d.name, err, server.Transcript())
		}
		s.doors = append(s.doors, door{d.name, show})
	}
	return nil
}

// forgetPeak makes the daemon's memory of now its peak (proc_pid_clear_refs(5)).
func (s *system) forgetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.pid), []byte("5"), 0)
}

// peakMemory gives the daemon's peak of resident memory in octets.
func (s *system) peakMemory() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kB, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kB << 10, err
		}
	}
	return 0, errors.New("the kernel does not tell the peak of memory")
}
