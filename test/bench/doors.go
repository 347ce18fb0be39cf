package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"gopptp/test/lab"
)

const (
	// few and many are how many secrets are printed, to see how the cost grows.
	few, many = 1_000, 10_000
	// growthLimit is how many times the time for few the time for many may be:
	// ten times as much costs ten times as much, and some for the caches that it
	// no longer fits.
	growthLimit = 12
	// prints is how many rounds each door prints, after a first that does not count.
	prints = 15

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
func doors(ctx context.Context, binary string) error {
	var systems []*system
	for _, n := range []int{few, many} {
		l, err := lab.New(ctx, labSource, fmt.Sprintf("bench-%d", n), serverAddress+"/24")
		if err != nil {
			return err
		}
		defer l.Close()
		s := &system{lab: l, secrets: n}
		if err := s.start(ctx, binary); err != nil {
			return err
		}
		systems = append(systems, s)
	}
	small, large := systems[0], systems[1]
	fmt.Printf("\n%d secrets beside %d, the middle of %d rounds; memory is the daemon's at its peak\n", many, few, prints)
	growth("/import in one go", float64(small.added), float64(large.added), small.peak, large.peak)
	var failures []error
	for i, d := range small.doors {
		if err := printed(d.name, small, large, i); err != nil {
			failures = append(failures, err)
		}
	}
	fmt.Printf("\ntime for a request of REST, %d clients at once\n", restClients)
	return errors.Join(append(failures, requests(ctx, small))...)
}

// printed measures the door with number i. In each round few are printed as often
// as makes many, so that both take about as long and what else the machine does
// disturbs both alike; the round whose ratio is in the middle counts.
func printed(name string, small, large *system, i int) error {
	type round struct{ small, large float64 }
	var rounds []round
	for n := range 1 + prints {
		if n == 1 { // the first does not count
			if err := errors.Join(small.forgetPeak(), large.forgetPeak()); err != nil {
				return err
			}
		}
		a, err := small.print(i, many/few)
		if err != nil {
			return err
		}
		b, err := large.print(i, 1)
		if err != nil {
			return err
		}
		if n > 0 {
			rounds = append(rounds, round{a, b})
		}
	}
	peakA, errA := small.peakMemory()
	peakB, errB := large.peakMemory()
	if err := errors.Join(errA, errB); err != nil {
		return err
	}
	slices.SortFunc(rounds, func(x, y round) int { return cmp.Compare(x.large/x.small, y.large/y.small) })
	middle := rounds[len(rounds)/2]
	growth("print through "+name, middle.small, middle.large, peakA, peakB)
	if ratio := middle.large / middle.small; ratio > growthLimit {
		return fmt.Errorf("print through %s: %d secrets take %.2f times as long as %d, want at most %d", name, many, ratio, few, growthLimit)
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

// growth prints how time and memory grow from few secrets to many.
func growth(name string, a, b float64, peakA, peakB int64) {
	row{
		name: fmt.Sprintf("%s, %d", name, few), ours: a,
		other: fmt.Sprintf("the same, %d", many), theirs: b,
		note: fmt.Sprintf("%.0f MB and %.0f MB", float64(peakA)/1e6, float64(peakB)/1e6),
	}.print()
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

// peerPID gives the process that listens at the other end of a Unix socket.
func peerPID(fd uintptr) (int, error) {
	cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(cred.Pid), nil
}
