package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gopptp/internal/golden"
	"gopptp/internal/journal"
	"gopptp/internal/tree"
)

// serve answers on a socket until the test ends.
func serve(t *testing.T) (socket string, menus *tree.Tree) {
	t.Helper()
	socket, w := serveWorld(t)
	return socket, w.Tree
}

// serveWorld answers on a socket, and carries out the rules of the log, until the test
// ends.
func serveWorld(t *testing.T) (socket string, w *golden.World) {
	t.Helper()
	w = golden.NewWorld(t)
	// A path of t.TempDir may be longer than a socket's may be.
	dir, err := os.MkdirTemp("", "gopptp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	var log sync.WaitGroup
	log.Go(func() { w.Tree.Logging().Run(ctx, w.Journal, nil) })
	go func() { done <- Serve(ctx, l, w.Tree, w.Journal) }()
	t.Cleanup(func() {
		cancel()
		log.Wait()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve: %v", err)
		}
	})
	return socket, w
}

// syncBuffer is a buffer that one goroutine reads while another writes.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// TestExecPage types the founding page's client commands through the socket. The
// page's sample is compared word by word.
func TestExecPage(t *testing.T) {
	socket, _ := serve(t)
	var out, errOut bytes.Buffer
	status := Exec(t.Context(), socket, []string{
		"/interface/pptp-client/add connect-to=192.168.62.2 disabled=no name=pptp-out1 password=StrongPass user=MT-User",
		"/interface/pptp-client/print",
	}, &out, &errOut)
	if status != 0 || errOut.Len() > 0 {
		t.Fatalf("status %d, %s", status, &errOut)
	}
	const page = `Flags: X - disabled; R - running
0 name="pptp-out1" max-mtu=1450 max-mru=1450 mrru=disabled connect-to=192.168.62.2 user="MT-User"
password="StrongPass" profile=default-encryption keepalive-timeout=60 add-default-route=no
dial-on-demand=no allow=pap,chap,mschap1,mschap2`
	if got, want := strings.Join(strings.Fields(out.String()), " "), strings.Join(strings.Fields(page), " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestExecStopsAtTheFirstFailure(t *testing.T) {
	socket, menus := serve(t)
	var out, errOut bytes.Buffer
	status := Exec(t.Context(), socket, []string{"/system/identity", "set name=one", "set nme=two", "set name=three"}, &out, &errOut)
	if status != 1 || errOut.String() != "expected end of command (line 1 column 5)\n" || out.Len() > 0 {
		t.Errorf("status %d, %q, %q", status, &out, &errOut)
	}
	if menus.Identity() != "one" {
		t.Errorf("the identity is %s", menus.Identity())
	}
}

func TestExecWithoutDaemon(t *testing.T) {
	dir := t.TempDir()
	stale := filepath.Join(dir, "stale")
	l, err := net.Listen("unix", stale)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	for _, socket := range []string{filepath.Join(dir, "none"), stale} {
		var out, errOut bytes.Buffer
		status := Exec(t.Context(), socket, []string{"/"}, &out, &errOut)
		if status != 2 || !strings.Contains(errOut.String(), "start one with gopptp run") || !strings.Contains(errOut.String(), socket) {
			t.Errorf("status %d, %s", status, &errOut)
		}
	}
}

// TestExecCancel ends the context of a command that would never end.
func TestExecCancel(t *testing.T) {
	socket, _ := serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, errOut syncBuffer
	status := make(chan int)
	go func() {
		status <- Exec(ctx, socket, []string{
			"/interface/pptp-client/add connect-to=a user=u", "/interface/pptp-client/monitor 0 interval=20ms", "/system/identity/set name=never",
		}, &out, &errOut)
	}()
	eventually(t, "two frames", func() bool { return strings.Count(out.String(), "status: disabled") >= 2 })
	cancel()
	if s := <-status; s != 1 || errOut.String() != "interrupted\n" {
		t.Errorf("status %d, %q", s, errOut.String())
	}
}

// TestClientThatLeaves checks that a command of a client that is gone ends.
func TestClientThatLeaves(t *testing.T) {
	socket, menus := serve(t)
	if err := NewSession(menus, tree.Admin()).Run(t.Context(), "/interface/pptp-client/add connect-to=a user=u", io.Discard); err != nil {
		t.Fatal(err)
	}
	c, err := dial(t.Context(), socket)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.to.Encode(request{Line: "/interface/pptp-client/monitor 0 interval=5s"}); err != nil {
		t.Fatal(err)
	}
	c.from.Scan() // it runs
	c.close()
	// The test's cleanup waits for Serve, which waits for the command.
}

// TestManyClients lets clients run commands at once.
func TestManyClients(t *testing.T) {
	const clients = 20
	socket, menus := serve(t)
	var all sync.WaitGroup
	for n := range clients {
		all.Go(func() {
			var out, errOut bytes.Buffer
			name := fmt.Sprintf("u%d", n)
			if Exec(t.Context(), socket, []string{"/ppp/secret/add name=" + name, ":put [/ppp/secret/get " + name + " name]"}, &out, &errOut) != 0 || out.String() != name+"\n" {
				t.Errorf("%q, %q", &out, &errOut)
			}
		})
	}
	all.Wait()
	var out bytes.Buffer
	if err := NewSession(menus, tree.Admin()).Run(t.Context(), "/ppp/secret/print count-only", &out); err != nil || out.String() != "20\n" {
		t.Errorf("%v, %s", err, &out)
	}
}

// TestLargeOutput prints more than a reply carries.
func TestLargeOutput(t *testing.T) {
	socket, _ := serve(t)
	text := strings.Repeat("0123456789abcde\n", 10000)
	var out, errOut bytes.Buffer
	line := `:put "` + strings.ReplaceAll(text, "\n", `\n`) + `"`
	if status := Exec(t.Context(), socket, []string{line}, &out, &errOut); status != 0 || out.String() != text+"\n" {
		t.Errorf("status %d, %d octets, %s", status, out.Len(), &errOut)
	}
}

// TestBadRequests checks that what is no request hurts nobody but its sender.
func TestBadRequests(t *testing.T) {
	socket, _ := serve(t)
	long, err := json.Marshal(request{Line: strings.Repeat("x", MaxLine+1)})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ send, want string }{
		"no JSON":       {"hello\n", ""},
		"long line":     {string(long) + "\n", `"error":"line too long"`},
		"endless":       {strings.Repeat("x", maxFrame+1), ""},
		"cancel":        {`{"cancel":true}` + "\n" + `{"line":":put x"}` + "\n", `"out":"eAo="`},
		"unknown field": {`{"line":":put x","colour":1}` + "\n", `"out":"eAo="`},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("unix", socket)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			var got []byte
			read := make(chan struct{})
			go func() {
				defer close(read)
				b := make([]byte, 4096)
				for !bytes.Contains(got, []byte(tt.want)) || tt.want == "" {
					n, err := conn.Read(b)
					got = append(got, b[:n]...)
					if err != nil {
						return
					}
				}
			}()
			_, _ = io.WriteString(conn, tt.send) // the daemon may close in the middle
			<-read
			if !bytes.Contains(got, []byte(tt.want)) || strings.Count(string(got), "\n") > 3 {
				t.Errorf("the answer is %q, want %q in it", got, tt.want)
			}
		})
	}
	var out, errOut bytes.Buffer
	if Exec(t.Context(), socket, []string{":put fine"}, &out, &errOut) != 0 || out.String() != "fine\n" {
		t.Errorf("%q, %q", &out, &errOut)
	}
}

// TestInteractive types lines at the prompt.
func TestInteractive(t *testing.T) {
	socket, _ := serve(t)
	for in, want := range map[string]string{
		"/ppp/secret\nfoo\nadd name=u\nprint terse\n": "[admin@gopptp] > [admin@gopptp] /ppp/secret> bad command name foo (line 1 column 1)\n" +
			"[admin@gopptp] /ppp/secret> [admin@gopptp] /ppp/secret>  0   name=u service=any caller-id= password= profile=default ipv6-routes= limit-bytes-in=0 limit-bytes-out=0 last-logged-out=1970-01-01 00:00:00 last-caller-id= last-disconnect-reason= \n" +
			"[admin@gopptp] /ppp/secret> \n",
		":put x\nquit\n:put y\n": "[admin@gopptp] > x\n[admin@gopptp] > ",
	} {
		var out bytes.Buffer
		if err := Interactive(t.Context(), socket, strings.NewReader(in), &out); err != nil || out.String() != want {
			t.Errorf("%v, got %q, want %q", err, &out, want)
		}
	}
}

// TestInteractiveInterrupt presses Ctrl-C: the command ends and the prompt comes
// back.
func TestInteractiveInterrupt(t *testing.T) {
	socket, _ := serve(t)
	in, typed := io.Pipe()
	var out syncBuffer
	done := make(chan error)
	go func() { done <- Interactive(t.Context(), socket, in, &out) }()
	io.WriteString(typed, "/interface/pptp-client\nadd connect-to=a user=u\nmonitor 0\n")
	eventually(t, "a frame", func() bool { return strings.Contains(out.String(), "status: disabled") })
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a prompt", func() bool {
		return strings.HasSuffix(out.String(), "interrupted\n[admin@gopptp] /interface/pptp-client> ")
	})
	typed.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestDaemonStops checks that a client is told when the daemon goes away.
func TestDaemonStops(t *testing.T) {
	menus, _ := newTree(t)
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("the end")
	done := make(chan error)
	go func() { done <- Serve(ctx, l, menus, journal.New(nil, false)) }()
	c, err := dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	cancel(cause)
	if err := <-done; !errors.Is(err, cause) {
		t.Errorf("Serve: %v", err)
	}
	if _, err := c.run(t.Context(), ":put x", 0, io.Discard); err == nil {
		t.Error("a command of a stopped daemon has no error")
	}
}

func TestAllowed(t *testing.T) {
	if !allowed(0) || !allowed(uint32(os.Geteuid())) || allowed(uint32(os.Geteuid())+54321) {
		t.Error("the wrong users are let in")
	}
}

// TestOnlyUnixSockets checks that a peer without credentials is refused.
func TestOnlyUnixSockets(t *testing.T) {
	menus, _ := newTree(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- Serve(ctx, l, menus, journal.New(nil, false)) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if b, err := io.ReadAll(conn); len(b) > 0 || err != nil && os.IsTimeout(err) {
		t.Errorf("it was answered %q, %v", b, err)
	}
	cancel()
	<-done
}
