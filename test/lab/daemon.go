package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// startLimit is how long gopptp may take until it answers on its socket.
	startLimit = 10 * time.Second
	// stopLimit is how long gopptp may take to end after SIGTERM: it has 2 s
	// to tell its peers, and a busy machine gets some more.
	stopLimit = 4 * time.Second
)

// A LogLine is one line of gopptp's log, as it writes it to its standard error.
type LogLine struct {
	Arrived time.Time // when we read it
	Topics  string    // pptp,ppp,info
	Message string
}

func (l LogLine) String() string { return l.Topics + " " + l.Message }

// Has reports whether topic is among the line's topics.
func (l LogLine) Has(topic string) bool {
	return slices.Contains(strings.Split(l.Topics, ","), topic)
}

// logLine is how a line of the log looks: time, topics, message.
var logLine = regexp.MustCompile(`^\d\d:\d\d:\d\d ([a-z0-9,-]+) (.*)$`)

// A Daemon is a running gopptp in a lab's namespace.
type Daemon struct {
	lab    *Lab
	binary string
	socket string
	cmd    *exec.Cmd
	ended  chan error
	over   bool           // Stop or Kill was called; owned by their caller
	read   sync.WaitGroup // the reader of standard error

	mu   sync.Mutex
	log  []LogLine // guarded by mu
	rest []string  // lines that are not of the log; guarded by mu
}

// Start runs gopptp in the lab's namespace, with its data and socket in a
// directory called name in l.Dir: the same name after a stop continues the same
// configuration. more are flags for it.
func (l *Lab) Start(ctx context.Context, binary, name string, more ...string) (*Daemon, error) {
	dir := filepath.Join(l.Dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	d := &Daemon{lab: l, binary: binary, socket: filepath.Join(dir, "socket"), ended: make(chan error, 1)}
	d.cmd = l.command(append([]string{binary, "run", "--data", filepath.Join(dir, "data"), "--socket", d.socket}, more...)...)
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	d.read.Go(func() { d.readLog(stderr) })
	go func() {
		d.read.Wait() // before Wait, which closes the pipe
		d.ended <- d.cmd.Wait()
	}()
	l.onClose(func() { d.Stop() })
	up := WaitFor(ctx, startLimit, func() bool {
		_, err := d.Exec(ctx, "/system/identity/print")
		return err == nil
	})
	if !up {
		err := d.Stop()
		return nil, fmt.Errorf("lab: gopptp does not answer on its socket: %v\n%s", err, d.Transcript())
	}
	return d, nil
}

func (d *Daemon) readLog(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		d.mu.Lock()
		if m := logLine.FindStringSubmatch(lines.Text()); m != nil {
			d.log = append(d.log, LogLine{Arrived: time.Now(), Topics: m[1], Message: m[2]})
		} else {
			d.rest = append(d.rest, lines.Text())
		}
		d.mu.Unlock()
	}
}

// Exec runs console commands by gopptp exec and gives what they printed.
func (d *Daemon) Exec(ctx context.Context, commands ...string) (string, error) {
	return run(ctx, d.binary, append([]string{"exec", "--socket", d.socket}, commands...)...)
}

// Log gives the lines of the log from number from on, the first being 0.
func (d *Daemon) Log(from int) []LogLine {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.log[min(from, len(d.log)):])
}

// Mark is the number of the log's next line: what happens from now on is in
// Log(mark).
func (d *Daemon) Mark() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.log)
}

// Transcript is all that gopptp wrote to its standard error, for a report of
// what went wrong.
func (d *Daemon) Transcript() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var b strings.Builder
	for _, l := range d.log {
		fmt.Fprintf(&b, "%s %s\n", l.Arrived.Format("15:04:05.000"), l)
	}
	for _, l := range d.rest {
		fmt.Fprintf(&b, "(not a line of the log) %s\n", l)
	}
	return b.String()
}

// WaitLog waits until a line from number from on matches the pattern, and gives
// it.
func (d *Daemon) WaitLog(ctx context.Context, from int, limit time.Duration, pattern string) (LogLine, error) {
	wanted := regexp.MustCompile(pattern)
	var found LogLine
	ok := WaitFor(ctx, limit, func() bool {
		lines := d.Log(from)
		i := slices.IndexFunc(lines, func(l LogLine) bool { return wanted.MatchString(l.Message) })
		if i >= 0 {
			found = lines[i]
		}
		return i >= 0
	})
	if !ok {
		return LogLine{}, fmt.Errorf("lab: no line %q in the log within %v", pattern, limit)
	}
	return found, nil
}

// Stop ends gopptp with SIGTERM and gives its exit status as an error, or an
// error when it had to be killed. Again it does nothing.
func (d *Daemon) Stop() error {
	if d.over {
		return nil
	}
	d.over = true
	return end(d.cmd, d.ended, stopLimit)
}

// Kill ends gopptp with SIGKILL, as a crash or a power cut would.
func (d *Daemon) Kill() error {
	d.over = true
	if err := d.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	var exit *exec.ExitError
	if err := <-d.ended; !errors.As(err, &exit) {
		return fmt.Errorf("lab: gopptp ended by itself: %v", err)
	}
	return nil
}
