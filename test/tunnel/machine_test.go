package tunnel

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gopptp/internal/host/hosttest"
)

const (
	// soon is how long anything may take that needs no clock, on a busy machine.
	soon = 15 * time.Second
	// look is how often a test looks again.
	look = 50 * time.Millisecond
)

// program is the gopptp under test.
var program string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		if os.Geteuid() != 0 {
			return m.Run() // all are skipped
		}
		// Most of these tests wait most of the time.
		if err := flag.Set("test.parallel", "8"); err != nil {
			panic(err)
		}
		dir, err := os.MkdirTemp("", "gopptp-tunnel-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "gopptp")
		if out, err := exec.Command("go", "build", "-o", program, "gopptp/cmd/gopptp").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build gopptp: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// A machine is a gopptp in a network namespace of its own.
type machine struct {
	*hosttest.Namespace
	t     *testing.T
	name  string
	dir   string
	hosts string // a file to be /etc/hosts for the daemon; empty for its own
	cmd   *exec.Cmd

	mu  sync.Mutex
	log bytes.Buffer // guarded by mu
}

// newMachine makes a namespace without a daemon.
func newMachine(t *testing.T, name string) *machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for network namespaces")
	}
	r := &machine{Namespace: hosttest.New(t), t: t, name: name, dir: t.TempDir()}
	r.write("resolv.conf", "nameserver 192.0.2.53\n")
	return r
}

// file is the path of a file of the machine's.
func (r *machine) file(name string) string { return filepath.Join(r.dir, name) }

func (r *machine) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(r.file(name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *machine) read(name string) string {
	r.t.Helper()
	b, err := os.ReadFile(r.file(name))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

// start runs the daemon until it answers. The end of the test stops it.
func (r *machine) start() {
	r.t.Helper()
	args := []string{program, "run", "--data", r.file("data"), "--socket", r.file("socket"), "--resolv-conf", r.file("resolv.conf")}
	if r.hosts != "" {
		args = append([]string{"unshare", "--mount", "sh", "-c", `mount --bind "$0" /etc/hosts && exec "$@"`, r.hosts}, args...)
	}
	r.cmd = exec.Command(args[0], args[1:]...)
	r.cmd.Stderr = r
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	r.Do(func() {
		if err := r.cmd.Start(); err != nil {
			r.t.Fatal(err)
		}
	})
	cmd := r.cmd
	r.t.Cleanup(func() {
		if r.cmd == cmd {
			r.stop()
		}
		if r.t.Failed() {
			r.t.Logf("the log of %s:\n%s", r.name, r.logged())
		}
	})
	r.until("the daemon answers", func() bool {
		_, err := r.try("/system/identity/print")
		return err == nil
	})
}

// Write takes the log of the daemon.
func (r *machine) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(b)
}

// logged is what the daemon has logged so far.
func (r *machine) logged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

// stop ends the daemon in good order.
func (r *machine) stop() {
	r.t.Helper()
	const limit = 5 * time.Second // it says 2, and a busy machine gets some more
	timer := time.AfterFunc(limit, func() { _ = r.cmd.Process.Kill() })
	defer timer.Stop()
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	if err := r.cmd.Wait(); err != nil {
		r.t.Errorf("%s did not end well: %v", r.name, err)
	}
	r.cmd = nil
}

// kill ends the daemon as a power cut would.
func (r *machine) kill() {
	r.t.Helper()
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
	r.cmd = nil
}

// try runs console commands and gives what they printed.
func (r *machine) try(commands ...string) (string, error) {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(r.t.Context(), program, append([]string{"exec", "--socket", r.file("socket")}, commands...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w: %s%s", r.name, err, out.String(), errs.String())
	}
	return out.String(), nil
}

// on runs console commands that must succeed.
func (r *machine) on(commands ...string) string {
	r.t.Helper()
	out, err := r.try(commands...)
	if err != nil {
		r.t.Fatalf("%q: %v", commands, err)
	}
	return out
}

// run runs a program in the namespace, which must succeed.
func (r *machine) run(name string, args ...string) string {
	r.t.Helper()
	out, err := r.tryRun(name, args...)
	if err != nil {
		r.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// tryRun runs a program in the namespace.
func (r *machine) tryRun(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	var err error
	r.Do(func() { err = cmd.Start() })
	if err == nil {
		err = cmd.Wait()
	}
	return out.String(), err
}

// need skips the test where a program is not there.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%v; make setup installs it", err)
		}
	}
}

// answersAll reports whether an address answers each of three packets. They are asked
// one by one, since ping waits for the last answers of a series for no longer than
// two round trips, which a busy machine needs.
func (r *machine) answersAll(address string, options ...string) bool {
	r.t.Helper()
	for range 3 {
		if !r.pings(address, options...) {
			return false
		}
	}
	return true
}

// pings reports whether an address answers within two seconds.
func (r *machine) pings(address string, options ...string) bool {
	r.t.Helper()
	_, err := r.tryRun("ping", append(options, "-q", "-c", "1", "-W", "2", address)...)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatal(err)
	}
	return err == nil
}

// until waits for something that must come soon.
func (r *machine) until(what string, ok func() bool) {
	r.t.Helper()
	r.within(soon, what, ok)
}

// within waits for something, and says how long it took.
func (r *machine) within(limit time.Duration, what string, ok func() bool) time.Duration {
	r.t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > limit {
			r.t.Fatalf("%s: not within %v: %s", r.name, limit, what)
		}
		time.Sleep(look)
	}
	return time.Since(began)
}

// monitor gives what a monitor shows now.
func (r *machine) monitor(menu, item string) map[string]string {
	r.t.Helper()
	out := r.on(menu + "/monitor \"" + item + "\" once")
	values := map[string]string{}
	for line := range strings.Lines(out) {
		if key, value, ok := strings.Cut(line, ":"); ok {
			values[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return values
}

// client gives what the monitor of a client shows.
func (r *machine) client(name string) map[string]string {
	r.t.Helper()
	return r.monitor("/interface/pptp-client", name)
}

// connected waits until a client is.
func (r *machine) connected(name string) {
	r.t.Helper()
	r.until(name+" is connected", func() bool { return r.client(name)["status"] == "connected" })
}

// logs waits for a line of the log that matches.
func (r *machine) logs(pattern string) {
	r.t.Helper()
	wanted := regexp.MustCompile(pattern)
	r.until("log "+pattern, func() bool { return wanted.MatchString(r.logged()) })
}

// has reports whether a namespace has an interface.
func (r *machine) has(name string) bool {
	_, err := r.Handle.LinkByName(name)
	return err == nil
}

// The networks of a test.
const (
	serverAddress = "192.168.51.2"
	clientAddress = "192.168.51.3"
)

// newPair makes a server and a client on one cable, both running, the server
// enabled.
func newPair(t *testing.T) (server, client *machine) {
	t.Helper()
	server, client = newMachine(t, "server"), newMachine(t, "client")
	plug(t, server, client)
	server.start()
	client.start()
	server.on("/interface/pptp-server/server/set enabled=yes")
	return server, client
}

// plug connects a server and a client.
func plug(t *testing.T, server, client *machine) {
	t.Helper()
	hosttest.Cable(t, 1500,
		hosttest.Port{In: server.Namespace, Name: "wan", Prefix: netip.MustParsePrefix(serverAddress + "/24")},
		hosttest.Port{In: client.Namespace, Name: "wan", Prefix: netip.MustParsePrefix(clientAddress + "/24")})
}

// dial adds a client and waits until it is connected.
func (r *machine) dial(name, user string, options ...string) {
	r.t.Helper()
	r.add(name, user, options...)
	r.connected(name)
}

// add adds a client.
func (r *machine) add(name, user string, options ...string) {
	r.t.Helper()
	r.on("/interface/pptp-client/add disabled=no connect-to=" + serverAddress + " name=" + name + " user=" + user + " password=p " + strings.Join(options, " "))
}

// shows checks that a print has each of the words, in this order.
func shows(t *testing.T, out string, words ...string) {
	t.Helper()
	rest := out
	for _, w := range words {
		i := strings.Index(rest, w)
		if i < 0 {
			t.Errorf("no %q in its place in:\n%s", w, out)
			return
		}
		rest = rest[i+len(w):]
	}
}

// hides checks that a print has not one of the words.
func hides(t *testing.T, out string, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(out, w) {
			t.Errorf("there is %q in:\n%s", w, out)
		}
	}
}

// containsAny reports whether a text has one of the words.
func containsAny(text string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// itoa is a port as text.
func itoa(port uint16) string { return strconv.Itoa(int(port)) }

// A process runs beside a test.
type process struct {
	cmd  *exec.Cmd
	once sync.Once

	mu  sync.Mutex
	out bytes.Buffer // guarded by mu
}

// background starts a program in the namespace. The end of the test ends it.
func (r *machine) background(name string, args ...string) *process {
	r.t.Helper()
	p := &process{cmd: exec.Command(name, args...)}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	r.Do(func() {
		if err := p.cmd.Start(); err != nil {
			r.t.Fatal(err)
		}
	})
	r.t.Cleanup(p.end)
	return p
}

// Write takes what the program prints.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

// text is what the program has printed.
func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// end ends the program.
func (p *process) end() {
	p.once.Do(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
}
