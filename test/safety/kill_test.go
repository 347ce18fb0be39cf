package safety

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	// kills is how often the daemon is killed.
	kills = 200
	// enough bounds the whole test: that many starts take a fifth of it on a
	// machine that does nothing else.
	enough = 60 * time.Second
	// startTime is how long a daemon may take to open its socket on a busy machine.
	startTime = 20 * time.Second
)

// A daemon is a running gopptp with a client on its socket.
type daemon struct {
	cmd  *exec.Cmd
	log  bytes.Buffer
	conn net.Conn
	from *bufio.Scanner
}

// start runs the daemon in a network namespace of its own, where raw sockets
// disturb nobody, and connects to it.
func start(t *testing.T, binary, dir string) *daemon {
	t.Helper()
	socket := filepath.Join(dir, "s")
	d := &daemon{cmd: exec.Command(binary, "run", "--data", filepath.Join(dir, "data"), "--socket", socket)}
	d.cmd.Stderr = &d.log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := d.cmd.Start(); errors.Is(err, fs.ErrPermission) {
		t.Skipf("needs root: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	for limit := time.Now().Add(startTime); ; time.Sleep(time.Millisecond) {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			d.conn = conn
			d.from = bufio.NewScanner(conn)
			d.from.Buffer(nil, 1<<20)
			if _, err = d.receive(); err == nil { // the greeting, with the prompt
				return d
			}
			conn.Close()
		}
		if time.Now().After(limit) {
			d.kill()
			t.Fatalf("the daemon does not answer: %v\n%s", err, d.log.String())
		}
	}
}

// kill ends the daemon as a power cut would, and waits until it is gone.
func (d *daemon) kill() {
	_ = d.cmd.Process.Kill()
	_ = d.cmd.Wait()
	if d.conn != nil {
		d.conn.Close()
	}
}

// run runs a line, and gives what it prints. An error says that there was no
// answer; that of the command fails the test.
func (d *daemon) run(t *testing.T, line string) (string, error) {
	if err := json.NewEncoder(d.conn).Encode(map[string]any{"line": line}); err != nil {
		return "", err
	}
	out, err := d.receive()
	var refused refusal
	if errors.As(err, &refused) {
		t.Errorf("%s: %v", line, err)
	}
	return out, err
}

// A refusal is the error of a command.
type refusal string

func (r refusal) Error() string { return string(r) }

// receive reads up to the end of an answer.
func (d *daemon) receive() (string, error) {
	var out []byte
	for d.from.Scan() {
		var r struct {
			Out   []byte
			Done  bool
			Error string
		}
		if err := json.Unmarshal(d.from.Bytes(), &r); err != nil {
			return "", err
		}
		out = append(out, r.Out...)
		switch {
		case r.Done && r.Error != "":
			return "", refusal(r.Error)
		case r.Done:
			return string(out), nil
		}
	}
	return "", fmt.Errorf("the connection ended: %w", errors.Join(d.from.Err(), net.ErrClosed))
}

// secrets asks for the comments of all secrets by name.
func (d *daemon) secrets(t *testing.T) map[string]string {
	t.Helper()
	text, err := d.run(t, "/ppp secret export terse")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "/ppp secret add "); ok {
			values := map[string]string{}
			for word := range strings.FieldsSeq(rest) {
				name, value, _ := strings.Cut(word, "=")
				values[name] = value
			}
			out[values["name"]] = values["comment"]
		}
	}
	return out
}

// change makes up the nth change: the line, and what secrets are after it.
func change(n int, before map[string]string) (line string, after map[string]string) {
	after = maps.Clone(before)
	for name := range before {
		switch { // the first that comes is as random as any
		case len(before) > 20 || n%5 == 0:
			delete(after, name)
			return "/ppp secret remove " + name, after
		case n%2 == 0:
			after[name] = fmt.Sprintf("c%d", n)
			return fmt.Sprintf("/ppp secret set %s comment=c%d", name, n), after
		}
		break
	}
	after[fmt.Sprintf("n%dx", n)] = ""
	return fmt.Sprintf("/ppp secret add name=n%dx", n), after
}

// TestRequiresRootKill kills the daemon again and again while a client changes
// something. What was acknowledged is there after the next start, and nothing
// else but perhaps the one change that was under way.
func TestRequiresRootKill(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root for raw sockets and a network namespace")
	}
	dir, err := os.MkdirTemp("", "kill") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "gopptp")
	if out, err := exec.Command("go", "build", "-o", binary, "gopptp/cmd/gopptp").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	begin := time.Now()
	known, pending := map[string]string{}, map[string]string(nil)
	n, unanswered, survived := 0, 0, 0
	for kill := range kills {
		if spent := time.Since(begin); spent > enough {
			t.Fatalf("%d kills took %v: this machine is too slow or a start takes too long", kill, spent)
		}
		d := start(t, binary, dir)
		got := d.secrets(t)
		switch {
		case cmp.Equal(got, known):
		case pending != nil && cmp.Equal(got, pending):
			survived++
			known = pending
		default:
			d.kill()
			t.Fatalf("after %d kills (-acknowledged +got):\n%s", kill, cmp.Diff(known, got))
		}
		pending = nil
		timer := time.AfterFunc(time.Duration(rand.IntN(20))*time.Millisecond, func() { d.cmd.Process.Kill() })
		for {
			n++
			line, after := change(n, known)
			if _, err := d.run(t, line); err != nil {
				pending = after
				unanswered++
				break
			}
			known = after
		}
		timer.Stop()
		d.kill()
		if t.Failed() {
			return
		}
	}
	t.Logf("%d changes, %d killed under way, of which %d were kept, in %v", n, unanswered, survived, time.Since(begin).Round(time.Second))
	if n < 2*kills {
		t.Errorf("only %d changes in %d lives: the test is blind", n, kills)
	}
}
