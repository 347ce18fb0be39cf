package tunnel

import (
	"errors"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"gopptp/test/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// A machine is a gopptp in a network namespace of its own.
type machine struct {
	*rig.Machine
	t *testing.T
}

// newMachine makes a namespace without a daemon.
func newMachine(t *testing.T, name string) *machine {
	t.Helper()
	return &machine{rig.New(t, name, "nameserver 192.0.2.53\n"), t}
}

// newPair makes a server and a client on one cable, both running, the server
// enabled.
func newPair(t *testing.T) (server, client *machine) {
	t.Helper()
	server, client = newMachine(t, "server"), newMachine(t, "client")
	rig.Plug(t, server.Machine, client.Machine)
	switchOn(server, client)
	return server, client
}

// newTappedPair is newPair with a tap on the cable.
func newTappedPair(t *testing.T) (server, client *machine, wire *tap) {
	t.Helper()
	server, client = newMachine(t, "server"), newMachine(t, "client")
	between, port := rig.PlugSwitch(t, server.Machine, client.Machine)
	switchOn(server, client)
	return server, client, hear(t, between, port)
}

func switchOn(server, client *machine) {
	server.t.Helper()
	server.Start()
	client.Start()
	server.On("/interface/pptp-server/server/set enabled=yes")
}

// dial adds a client and waits until it is connected.
func (r *machine) dial(name, user string, options ...string) {
	r.t.Helper()
	r.add(name, user, options...)
	r.Connected(name)
}

// add adds a client.
func (r *machine) add(name, user string, options ...string) {
	r.t.Helper()
	r.On("/interface/pptp-client/add disabled=no connect-to=" + rig.ServerAddress + " name=" + name + " user=" + user + " password=p " + strings.Join(options, " "))
}

// has reports whether a namespace has an interface.
func (r *machine) has(name string) bool {
	_, err := r.Handle.LinkByName(name)
	return err == nil
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
	_, err := r.TryRun("ping", append(options, "-q", "-c", "1", "-W", "2", address)...)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatal(err)
	}
	return err == nil
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
	rig.Output
	cmd  *exec.Cmd
	once sync.Once
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

// end ends the program.
func (p *process) end() {
	p.once.Do(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
}
