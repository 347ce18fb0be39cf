package rig

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"gopptp/internal/host/hosttest"
)

// The addresses of Plug.
const (
	ServerAddress = "192.168.51.2"
	ClientAddress = "192.168.51.3"
)

// FastPathVariable is of the environment: if it is set, all daemons of machines that have
// a wan use the fast path there, in its driver.
const FastPathVariable = "GOPPTP_TEST_FAST_PATH"

// stopLimit is how long a daemon may take to end: it says 2, and a busy machine gets
// some more.
const stopLimit = 5 * time.Second

// A Machine is a gopptp in a network namespace of its own.
type Machine struct {
	*hosttest.Namespace
	Name      string
	Args      []string      // more of them for the daemon
	Through   []string      // a program and its arguments that runs the daemon, whose command is added to them; may be empty
	StopLimit time.Duration // how long the daemon may take to end

	t   *testing.T
	dir string
	cmd *exec.Cmd // nil when the daemon does not run
	log Output
}

// New makes a namespace without a daemon, whose resolv.conf is the text.
func New(t *testing.T, name, resolv string) *Machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for network namespaces")
	}
	m := &Machine{Namespace: hosttest.New(t), Name: name, StopLimit: stopLimit, t: t, dir: t.TempDir()}
	m.WriteFile("resolv.conf", resolv)
	return m
}

// Plug connects a server and a client, by a cable whose ends are named wan.
func Plug(t *testing.T, server, client *Machine) {
	t.Helper()
	hosttest.Cable(t, 1500,
		hosttest.Port{In: server.Namespace, Name: "wan", Prefix: netip.MustParsePrefix(ServerAddress + "/24")},
		hosttest.Port{In: client.Namespace, Name: "wan", Prefix: netip.MustParsePrefix(ClientAddress + "/24")})
}

// PlugSwitch connects them as Plug does, with a switch in between, and gives the switch and
// its port to the server. A packet socket hears there what passes, which at the ends it
// does not where they use the fast path.
func PlugSwitch(t *testing.T, server, client *Machine) (in *hosttest.Namespace, port string) {
	t.Helper()
	in = hosttest.New(t)
	if err := in.Handle.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "switch"}}); err != nil {
		t.Fatal(err)
	}
	in.Up("switch")
	for _, side := range []struct {
		m             *Machine
		port, address string
	}{{server, "to-server", ServerAddress}, {client, "to-client", ClientAddress}} {
		hosttest.Cable(t, 1500,
			hosttest.Port{In: side.m.Namespace, Name: "wan", Prefix: netip.MustParsePrefix(side.address + "/24")},
			hosttest.Port{In: in, Name: side.port})
		if err := in.Handle.LinkSetMaster(in.Link(side.port), in.Link("switch")); err != nil {
			t.Fatal(err)
		}
	}
	return in, "to-server"
}

// File is the path of a file of the machine's.
func (m *Machine) File(name string) string { return filepath.Join(m.dir, name) }

// WriteFile writes a file of the machine's.
func (m *Machine) WriteFile(name, text string) {
	m.t.Helper()
	if err := os.WriteFile(m.File(name), []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// ReadFile reads a file of the machine's.
func (m *Machine) ReadFile(name string) string {
	m.t.Helper()
	b, err := os.ReadFile(m.File(name))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b)
}

// Start runs the daemon until it answers. The end of the test stops it.
func (m *Machine) Start() {
	m.t.Helper()
	var args []string
	args = append(args, m.Through...)
	args = append(args, program, "run", "--data", m.File("data"), "--socket", m.File("socket"), "--resolv-conf", m.File("resolv.conf"))
	args = append(args, m.Args...)
	if _, err := m.Handle.LinkByName("wan"); err == nil && os.Getenv(FastPathVariable) != "" {
		args = append(args, "--fast-path", "wan:driver")
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = &m.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	m.Do(func() {
		if err := cmd.Start(); err != nil {
			m.t.Fatal(err)
		}
	})
	m.cmd = cmd
	m.t.Cleanup(func() {
		if m.cmd == cmd {
			m.Stop()
		}
		if m.t.Failed() {
			m.t.Logf("the log of %s:\n%s", m.Name, m.Logged())
		}
	})
	m.Until("the daemon answers", func() bool {
		_, err := m.Try("/system/identity/print")
		return err == nil
	})
}

// Stop ends the daemon in good order.
func (m *Machine) Stop() {
	m.t.Helper()
	timer := time.AfterFunc(m.StopLimit, func() { _ = m.cmd.Process.Kill() })
	defer timer.Stop()
	_ = m.cmd.Process.Signal(syscall.SIGTERM)
	if err := m.cmd.Wait(); err != nil {
		m.t.Errorf("%s did not end well: %v", m.Name, err)
	}
	m.cmd = nil
}

// Kill ends the daemon as a power cut would.
func (m *Machine) Kill() {
	m.t.Helper()
	_ = m.cmd.Process.Kill()
	_ = m.cmd.Wait()
	m.cmd = nil
}

// PID is the process of the daemon, or of what it runs Through.
func (m *Machine) PID() int { return m.cmd.Process.Pid }

// Logged is what the daemon has logged so far.
func (m *Machine) Logged() string { return m.log.Text() }

// Logs waits for a line of the log that matches.
func (m *Machine) Logs(pattern string) {
	m.t.Helper()
	wanted := regexp.MustCompile(pattern)
	m.Until("log "+pattern, func() bool { return wanted.MatchString(m.Logged()) })
}

// Try runs console commands and gives what they printed.
func (m *Machine) Try(commands ...string) (string, error) {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(m.t.Context(), program, append([]string{"exec", "--socket", m.File("socket")}, commands...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w: %s%s", m.Name, err, out.String(), errs.String())
	}
	return out.String(), nil
}

// On runs console commands that must succeed.
func (m *Machine) On(commands ...string) string {
	m.t.Helper()
	out, err := m.Try(commands...)
	if err != nil {
		m.t.Fatalf("%q: %v", commands, err)
	}
	return out
}

// Monitor gives what a monitor shows now.
func (m *Machine) Monitor(command string) map[string]string {
	m.t.Helper()
	values := map[string]string{}
	for line := range strings.Lines(m.On(command + " once")) {
		if key, value, ok := strings.Cut(line, ":"); ok {
			values[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return values
}

// Client gives what the monitor of a client shows.
func (m *Machine) Client(name string) map[string]string {
	m.t.Helper()
	return m.Monitor(`/interface/pptp-client/monitor "` + name + `"`)
}

// Connected waits until a client is.
func (m *Machine) Connected(name string) {
	m.t.Helper()
	m.Until(name+" is connected", func() bool { return m.Client(name)["status"] == "connected" })
}

// Run runs a program in the namespace, which must succeed.
func (m *Machine) Run(name string, args ...string) string {
	m.t.Helper()
	out, err := m.TryRun(name, args...)
	if err != nil {
		m.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// TryRun runs a program in the namespace.
func (m *Machine) TryRun(name string, args ...string) (string, error) {
	return m.Feed("", name, args...)
}

// Feed runs a program in the namespace that reads the text.
func (m *Machine) Feed(text, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), &out, &out
	var err error
	m.Do(func() { err = cmd.Start() })
	if err == nil {
		err = cmd.Wait()
	}
	return out.String(), err
}

// Gopptp runs the gopptp under test in the namespace, with a program in front that runs
// it if any is given, and gives what it printed on standard output.
func (m *Machine) Gopptp(through []string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	args = append(append(append([]string(nil), through...), program), args...)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	var err error
	var out Output
	cmd.Stdout = &out
	m.Do(func() { err = cmd.Start() })
	if err == nil {
		err = cmd.Wait()
	}
	return out.Text(), err
}

// Until waits for something that must come soon.
func (m *Machine) Until(what string, ok func() bool) {
	m.t.Helper()
	m.Within(Soon, what, ok)
}

// Within waits for something, and says how long it took.
func (m *Machine) Within(limit time.Duration, what string, ok func() bool) time.Duration {
	m.t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > limit {
			m.t.Fatalf("%s: not within %v: %s", m.Name, limit, what)
		}
		time.Sleep(Look)
	}
	return time.Since(began)
}

// An Output takes what a program prints while a test reads it.
type Output struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

// Write takes more.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

// Text is all so far.
func (o *Output) Text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
