package radius

import (
	"bytes"
	"flag"
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

	"gopptp/internal/host/hosttest"
)

const (
	// soon is how long anything may take that needs no clock, on a busy machine.
	soon = 15 * time.Second
	// look is how often a test looks again.
	look = 50 * time.Millisecond
)

// program is the gopptp under test; empty if there are no privileges for it.
var program string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		if os.Geteuid() != 0 {
			return m.Run() // without the tunnels
		}
		// Most of these tests wait most of the time.
		if err := flag.Set("test.parallel", "8"); err != nil {
			panic(err)
		}
		dir, err := os.MkdirTemp("", "gopptp-radius-")
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
	t    *testing.T
	name string
	dir  string
	args []string // more of them for the daemon
	cmd  *exec.Cmd

	mu  sync.Mutex
	log bytes.Buffer // guarded by mu
}

func newMachine(t *testing.T, name string) *machine {
	t.Helper()
	m := &machine{Namespace: hosttest.New(t), t: t, name: name, dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(m.dir, "resolv.conf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return m
}

// start runs the daemon until it answers. The end of the test stops it.
func (m *machine) start() {
	m.t.Helper()
	file := func(name string) string { return filepath.Join(m.dir, name) }
	args := []string{"run", "--data", file("data"), "--socket", file("socket"), "--resolv-conf", file("resolv.conf")}
	m.cmd = exec.Command(program, append(args, m.args...)...)
	m.cmd.Stderr = m
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	m.Do(func() {
		if err := m.cmd.Start(); err != nil {
			m.t.Fatal(err)
		}
	})
	cmd := m.cmd
	m.t.Cleanup(func() {
		if m.cmd == cmd {
			m.stop()
		}
		if m.t.Failed() {
			m.t.Logf("the log of %s:\n%s", m.name, m.logged())
		}
	})
	m.until("the daemon answers", func() bool {
		_, err := m.try("/system/identity/print")
		return err == nil
	})
}

// stop ends the daemon in good order.
func (m *machine) stop() {
	m.t.Helper()
	const limit = 8 * time.Second // it says 2, and 1.5 for RADIUS; a busy machine gets some more
	timer := time.AfterFunc(limit, func() { _ = m.cmd.Process.Kill() })
	defer timer.Stop()
	_ = m.cmd.Process.Signal(syscall.SIGTERM)
	if err := m.cmd.Wait(); err != nil {
		m.t.Errorf("%s did not end well: %v", m.name, err)
	}
	m.cmd = nil
}

// kill ends the daemon as a power cut would.
func (m *machine) kill() {
	m.t.Helper()
	_ = m.cmd.Process.Kill()
	_ = m.cmd.Wait()
	m.cmd = nil
}

// Write takes the log of the daemon.
func (m *machine) Write(b []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.log.Write(b)
}

// logged is what the daemon has logged so far.
func (m *machine) logged() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.log.String()
}

// logs waits for a line of the log that matches.
func (m *machine) logs(pattern string) {
	m.t.Helper()
	wanted := regexp.MustCompile(pattern)
	m.until("log "+pattern, func() bool { return wanted.MatchString(m.logged()) })
}

// try runs console commands and gives what they printed.
func (m *machine) try(commands ...string) (string, error) {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(m.t.Context(), program, append([]string{"exec", "--socket", filepath.Join(m.dir, "socket")}, commands...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w: %s%s", m.name, err, out.String(), errs.String())
	}
	return out.String(), nil
}

// on runs console commands that must succeed.
func (m *machine) on(commands ...string) string {
	m.t.Helper()
	out, err := m.try(commands...)
	if err != nil {
		m.t.Fatalf("%q: %v", commands, err)
	}
	return out
}

// get gives one property of an item.
func (m *machine) get(menu, item, property string) string {
	m.t.Helper()
	return strings.TrimSpace(m.on(fmt.Sprintf(`:put [%s/get [find name="%s"] %s]`, menu, item, property)))
}

// monitor gives what a monitor shows now.
func (m *machine) monitor(command string) map[string]string {
	m.t.Helper()
	values := map[string]string{}
	for line := range strings.Lines(m.on(command + " once")) {
		if key, value, ok := strings.Cut(line, ":"); ok {
			values[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return values
}

// tryRun runs a program in the namespace.
func (m *machine) tryRun(stdin, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(m.t.Context(), name, args...)
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &out
	var err error
	m.Do(func() { err = cmd.Start() })
	if err == nil {
		err = cmd.Wait()
	}
	return out.String(), err
}

// run runs a program in the namespace, which must succeed.
func (m *machine) run(name string, args ...string) string {
	m.t.Helper()
	out, err := m.tryRun("", name, args...)
	if err != nil {
		m.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// until waits for something that must come soon.
func (m *machine) until(what string, ok func() bool) {
	m.t.Helper()
	for end := time.Now().Add(soon); !ok(); time.Sleep(look) {
		if time.Now().After(end) {
			m.t.Fatalf("%s: not within %v: %s", m.name, soon, what)
		}
	}
}

// sessions waits until the server has so many.
func (m *machine) sessions(n int) {
	m.t.Helper()
	m.until(fmt.Sprint(n, " sessions"), func() bool { return m.on("/ppp/active/print count-only") == fmt.Sprintln(n) })
}

// add adds a client; dial waits until it is connected.
func (m *machine) add(name, user, secret string, options ...string) {
	m.t.Helper()
	m.on(fmt.Sprintf(`/interface/pptp-client/add disabled=no connect-to=%s name=%s user="%s" password=%s %s`,
		serverAddress, name, strings.ReplaceAll(user, `\`, `\\`), secret, strings.Join(options, " ")))
}

func (m *machine) dial(name, user string, options ...string) {
	m.t.Helper()
	m.add(name, user, password, options...)
	m.connected(name)
}

func (m *machine) connected(name string) {
	m.t.Helper()
	m.until(name+" is connected", func() bool {
		return m.monitor("/interface/pptp-client/monitor " + name)["status"] == "connected"
	})
}

// The networks of a test.
const (
	serverAddress = "192.168.51.2"
	clientAddress = "192.168.51.3"
)

// newTunnels makes a server that knows a FreeRADIUS on its loopback, and a
// client, all running.
func newTunnels(t *testing.T, users string) (server, client *machine, f *server) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for network namespaces")
	}
	need(t, daemonName)
	server, client = newMachine(t, "server"), newMachine(t, "client")
	hosttest.Cable(t, 1500,
		hosttest.Port{In: server.Namespace, Name: "wan", Prefix: netip.MustParsePrefix(serverAddress + "/24")},
		hosttest.Port{In: client.Namespace, Name: "wan", Prefix: netip.MustParsePrefix(clientAddress + "/24")})
	server.Do(func() { f = newServer(t) })
	f.in = server.Do
	f.write(t, "users", []byte(users))
	f.start(t)
	server.start()
	client.start()
	server.on(
		"/system/identity/set name=router",
		"/ppp/profile/set default-encryption local-address=10.0.0.1",
		fmt.Sprintf("/radius/add service=ppp address=127.0.0.1 secret=%s authentication-port=%d accounting-port=%d", secret, f.auth, f.acct),
		"/ppp/aaa/set use-radius=yes",
		"/interface/pptp-server/server/set enabled=yes authentication=pap,chap,mschap1,mschap2",
	)
	return server, client, f
}

// shows checks that a text has each of the words, in this order.
func shows(t *testing.T, out string, words ...string) {
	t.Helper()
	rest := out
	for _, w := range words {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			t.Errorf("no %q in its place in:\n%s", w, out)
			return
		}
		rest = after
	}
}

// lostCable plugs another client into the server.
func lostCable(t *testing.T, server, client *machine) {
	t.Helper()
	hosttest.Cable(t, 1500,
		hosttest.Port{In: server.Namespace, Name: "wan2", Prefix: netip.MustParsePrefix("192.168.52.2/24")},
		hosttest.Port{In: client.Namespace, Name: "wan", Prefix: netip.MustParsePrefix("192.168.52.3/24")})
}
