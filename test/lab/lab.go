// Package lab runs gopptp beside real PPTP peers: a network namespace with a
// bridge, guests on it in which pppd, pptpd, pptp-linux and the kernel's PPTP
// run (see README.md), and gopptp itself in the namespace.
//
// It knows how to start, drive, watch and stop them; what must be true of them
// is for its users, test/interop and test/bench. Everything it makes is gone
// after Close, also when something failed before.
package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// commandLimit ends a command of ours that hangs: nothing here should take
// longer, so that a test run says what hung and cleans up.
const commandLimit = 2 * time.Minute

// Missing says what this machine lacks to run a lab, or is empty.
func Missing() string {
	if os.Geteuid() != 0 {
		return "needs root for network namespaces"
	}
	var lacking []string
	for _, program := range []string{"linux.uml", "pppd", "pptpd", "pptp", "ip", "ping", "gcc", "pgrep"} {
		if _, err := exec.LookPath(program); err != nil {
			lacking = append(lacking, program)
		}
	}
	if lacking != nil {
		return "not installed: " + strings.Join(lacking, ", ") + " (run make setup)"
	}
	return ""
}

// A Lab is a network namespace with a bridge br0 in it, and a directory that
// its guests share as /host.
type Lab struct {
	Name string // of the namespace
	Dir  string // /host of the guests

	source string   // where this package's scripts are
	filled bool     // fillHost has run
	stop   []func() // what Close undoes, last first
}

// New makes a namespace whose bridge has the address addr (192.168.51.2/24).
// source is the directory of this package.
func New(ctx context.Context, source, name, addr string) (_ *Lab, err error) {
	source, err = filepath.Abs(source)
	if err != nil {
		return nil, err
	}
	l := &Lab{Name: fmt.Sprintf("gopptp-%s-%d", name, os.Getpid()), source: source}
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	l.Dir, err = os.MkdirTemp("", l.Name+"-")
	if err != nil {
		return nil, err
	}
	l.onClose(func() { os.RemoveAll(l.Dir) })
	if _, err := run(ctx, "ip", "netns", "add", l.Name); err != nil {
		return nil, err
	}
	l.onClose(func() { run(context.Background(), "ip", "netns", "del", l.Name) })
	for _, args := range []string{
		"link set lo up",
		// With an address of its own: a bridge otherwise takes that of a port,
		// which when unplugged would still take what is for the bridge.
		"link add br0 address 02:00:00:00:00:02 type bridge",
		"link set br0 promisc on up", // so that Sniff sees what guests send each other
		"addr add " + addr + " dev br0",
	} {
		if err := l.IP(ctx, args); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// fillHost puts into /host what the guests run, before the first of them boots.
func (l *Lab) fillHost(ctx context.Context) error {
	if l.filled {
		return nil
	}
	peer, err := os.ReadFile(filepath.Join(l.source, "host", "peer"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(l.Dir, "peer"), peer, 0o755); err != nil {
		return err
	}
	for _, plugin := range []string{"kernel-pptp", "mppe-stateful"} {
		_, err := run(ctx, "gcc", "-O2", "-Wall", "-fPIC", "-shared",
			"-o", filepath.Join(l.Dir, plugin+".so"), filepath.Join(l.source, "host", plugin+".c"))
		if err != nil {
			return err
		}
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(l.Dir, "transfer"), "./transfer")
	build.Dir = l.source
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	_, err = output(build)
	l.filled = err == nil
	return err
}

// LinkName is what Link calls the interface at both ends.
const LinkName = "wan"

// Link joins the namespaces of two labs by a veth pair, whose ends have the
// addresses ours and theirs (192.168.62.1/24).
func (l *Lab) Link(ctx context.Context, other *Lab, ours, theirs string) error {
	_, err := run(ctx, "ip", "link", "add", LinkName, "netns", l.Name, "type", "veth", "peer", "name", LinkName, "netns", other.Name)
	if err != nil {
		return err
	}
	for _, end := range []struct {
		lab  *Lab
		addr string
	}{{l, ours}, {other, theirs}} {
		if err := end.lab.IP(ctx, "addr add "+end.addr+" dev "+LinkName); err != nil {
			return err
		}
		if err := end.lab.IP(ctx, "link set "+LinkName+" up"); err != nil {
			return err
		}
	}
	return nil
}

// Close undoes everything, the newest first.
func (l *Lab) Close() {
	for len(l.stop) > 0 {
		last := len(l.stop) - 1
		undo := l.stop[last]
		l.stop = l.stop[:last]
		undo()
	}
}

func (l *Lab) onClose(undo func()) { l.stop = append(l.stop, undo) }

// IP runs the ip command in the namespace.
func (l *Lab) IP(ctx context.Context, args string) error {
	_, err := run(ctx, "ip", append([]string{"-n", l.Name}, strings.Fields(args)...)...)
	return err
}

// Run runs a command in the namespace and gives what it printed.
func (l *Lab) Run(ctx context.Context, args ...string) (string, error) {
	return run(ctx, "ip", append([]string{"netns", "exec", l.Name}, args...)...)
}

// command is a long-running command in the namespace. It is in a process group
// of its own, for stop.
func (l *Lab) command(args ...string) *exec.Cmd {
	c := exec.Command("ip", append([]string{"netns", "exec", l.Name}, args...)...)
	c.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	return c
}

// Do calls fn on a thread that is in the namespace: what fn opens stays there.
func (l *Lab) Do(fn func() error) error {
	result := make(chan error, 1)
	go func() {
		// Never unlocked: the thread ends with the goroutine, so that nothing
		// else runs in the namespace.
		runtime.LockOSThread()
		result <- func() error {
			f, err := os.Open(filepath.Join("/run/netns", l.Name))
			if err != nil {
				return err
			}
			defer f.Close()
			if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("lab: enter %s: %w", l.Name, err)
			}
			return fn()
		}()
	}()
	return <-result
}

// Unplug takes a guest off the bridge: what either side sends is lost, and
// nobody is told. Plug puts it back.
func (l *Lab) Unplug(ctx context.Context, g *Guest) error {
	return l.IP(ctx, "link set "+g.tap+" nomaster")
}

// Plug undoes Unplug.
func (l *Lab) Plug(ctx context.Context, g *Guest) error {
	return l.IP(ctx, "link set "+g.tap+" master br0")
}

// run runs a command to its end and gives what it printed; the error has that
// too.
func run(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	return output(exec.CommandContext(ctx, name, args...))
}

// An ExitError is a command that ran and failed.
type ExitError struct {
	Command string
	Status  int
	Output  string
}

func (e *ExitError) Error() string {
	return fmt.Sprintf("lab: %s: status %d\n%s", e.Command, e.Status, e.Output)
}

func output(c *exec.Cmd) (string, error) {
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	c.WaitDelay = time.Second
	err := c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = &ExitError{Command: strings.Join(c.Args, " "), Status: exit.ExitCode(), Output: out.String()}
	}
	return out.String(), err
}

// end stops a process and its children: politely, and after patience for good.
// It gives the process's own exit status, or the error that it had to be
// killed.
func end(c *exec.Cmd, ended <-chan error, patience time.Duration) error {
	defer unix.Kill(-c.Process.Pid, unix.SIGKILL)
	c.Process.Signal(unix.SIGTERM)
	select {
	case err := <-ended:
		return err
	case <-time.After(patience):
		unix.Kill(-c.Process.Pid, unix.SIGKILL)
		<-ended
		return fmt.Errorf("lab: %s did not end within %v of SIGTERM", filepath.Base(c.Path), patience)
	}
}

// WaitFor calls ok every 50 ms until it says true, the limit passes or ctx ends.
func WaitFor(ctx context.Context, limit time.Duration, ok func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok() {
			return true
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ok()
		}
	}
}
