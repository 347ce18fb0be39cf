package sshd

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"gopptp/internal/journal"
	"gopptp/internal/login"
	"gopptp/internal/menu"
	"gopptp/internal/store"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
)

// A door is a running server that knows one user: admin, whose password is
// secret and who owns key.
type door struct {
	address string
	in      atomic.Int32 // users who came in and have not left
	key     ssh.Signer
	file    string // the key's file
	stop    func() error
}

func open(t *testing.T) *door {
	t.Helper()
	db, _, err := store.Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	menus, err := tree.New(db, &treetest.Engine{}, journal.New(nil, false))
	if err != nil {
		t.Fatal(err)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{file: filepath.Join(t.TempDir(), "id")}
	if d.key, err = ssh.NewSignerFromKey(private); err != nil {
		t.Fatal(err)
	}
	writeKey(t, d.file, private)
	host, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	enter := func(ok bool) (login.User, func(), error) {
		if !ok {
			return login.User{}, nil, login.ErrDenied
		}
		d.in.Add(1)
		return login.User{Name: "admin", Policies: menu.AllPolicies}, sync.OnceFunc(func() { d.in.Add(-1) }), nil
	}
	owns := func(name string, key []byte) bool {
		return name == "admin" && bytes.Equal(key, d.key.PublicKey().Marshal())
	}
	s := New(Config{
		Tree: menus, Knows: owns, HostKeys: []ssh.Signer{host},
		Login: func(_ context.Context, a login.Attempt) (login.User, func(), error) {
			return enter(a.Door == login.DoorSSH && a.From.IsLoopback() && a.Name == "admin" && a.Password == "secret")
		},
		LoginKey: func(_ context.Context, a login.Attempt, key []byte) (login.User, func(), error) {
			return enter(owns(a.Name, key))
		},
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.address = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	d.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := d.stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("Serve: %v", err)
		}
		if n := d.in.Load(); n != 0 {
			t.Errorf("%d users have not left", n)
		}
	})
	return d
}

// dial comes in with the password.
func (d *door) dial(t *testing.T, user, password string) (*ssh.Client, error) {
	t.Helper()
	c, err := ssh.Dial("tcp", d.address, &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.Password(password)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 20 * time.Second,
	})
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

func (d *door) session(t *testing.T, user string) *ssh.Session {
	t.Helper()
	c, err := d.dial(t, user, "secret")
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestExec(t *testing.T) {
	d := open(t)
	out, err := d.session(t, "admin+ct80w").Output("/system/identity/set name=one; :put [/system/identity/get name]")
	if err != nil || string(out) != "one\n" {
		t.Errorf("%q, %v", out, err)
	}
	out, err = d.session(t, "admin").Output("/no/such")
	var status *ssh.ExitError
	if !errors.As(err, &status) || status.ExitStatus() != 1 || string(out) != "bad command name no (line 1 column 2)\n" {
		t.Errorf("%q, %v", out, err)
	}
}

// TestLines sends commands without a terminal.
func TestLines(t *testing.T) {
	d := open(t)
	s := d.session(t, "admin")
	s.Stdin = strings.NewReader(":put one\n:put [\n:len x]\nquit\n:put never\n")
	var out bytes.Buffer
	s.Stdout = &out
	if err := errors.Join(s.Shell(), s.Wait()); err != nil || out.String() != "one\n1\n" {
		t.Errorf("%q, %v", &out, err)
	}
}

func TestWrongPassword(t *testing.T) {
	d := open(t)
	for _, user := range []string{"admin", "admin+c", "nobody"} {
		if _, err := d.dial(t, user, "wrong"); err == nil {
			t.Errorf("%s came in", user)
		}
	}
}

func TestPublicKey(t *testing.T) {
	d := open(t)
	_, other, _ := ed25519.GenerateKey(rand.Reader)
	stranger, err := ssh.NewSignerFromKey(other)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		key  ssh.Signer
		ok   bool
	}{{"admin+c", d.key, true}, {"admin", stranger, false}, {"nobody", d.key, false}} {
		c, err := ssh.Dial("tcp", d.address, &ssh.ClientConfig{
			User: tt.name, Auth: []ssh.AuthMethod{ssh.PublicKeys(tt.key)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		})
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err == nil {
			c.Close()
		}
	}
}

// TestShell types at a terminal, as a person or as ansible does.
func TestShell(t *testing.T) {
	d := open(t)
	for user, want := range map[string]string{
		"admin+cet": "\r\nhello\r\n[admin@gopptp] > ",
		"admin":     "\x1b[35m:put\x1b[0m hello\r\nhello\r\n[admin@gopptp] > ",
	} {
		s := d.session(t, user)
		if err := s.RequestPty("vt100", 24, 80, nil); err != nil {
			t.Fatal(err)
		}
		typed, err := s.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		var out syncBuffer
		s.Stdout = &out
		if err := s.Shell(); err != nil {
			t.Fatal(err)
		}
		out.wait(t, "[admin@gopptp] > ")
		io.WriteString(typed, ":put hello\r")
		out.wait(t, want)
		if err := s.WindowChange(40, 132); err != nil {
			t.Error(err)
		}
		io.WriteString(typed, "/quit\r")
		if err := s.Wait(); err != nil {
			t.Errorf("%s: %v", user, err)
		}
	}
}

// TestLostConnection loses a connection in safe mode: what was changed in it is
// taken back.
func TestLostConnection(t *testing.T) {
	d := open(t)
	c, err := d.dial(t, "admin+ce", "secret")
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	typed, err := s.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out syncBuffer
	s.Stdout = &out
	if err := errors.Join(s.RequestPty("vt100", 24, 80, nil), s.Shell()); err != nil {
		t.Fatal(err)
	}
	io.WriteString(typed, "\x18/system/identity/set name=gone\r")
	out.wait(t, "[admin@gone] <SAFE> > ")
	c.Close()
	for range 500 {
		name, err := d.session(t, "admin").Output(":put [/system/identity/get name]")
		if err != nil {
			t.Fatal(err)
		}
		if string(name) == "gopptp\n" {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the change stays")
}

// TestRefused asks for what this door does not give.
func TestRefused(t *testing.T) {
	d := open(t)
	c, err := d.dial(t, "admin", "secret")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Dial("tcp", d.address); err == nil {
		t.Error("it forwards")
	}
	if _, err := c.Listen("tcp", "127.0.0.1:0"); err == nil {
		t.Error("it listens")
	}
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RequestSubsystem("sftp"); err == nil {
		t.Error("it has SFTP")
	}
	s.Close()
	var open []*ssh.Session
	for range maxChannels {
		s, err := c.NewSession()
		if err != nil {
			break // the one above may still be closing
		}
		open = append(open, s)
	}
	if _, err := c.NewSession(); err == nil || len(open) < maxChannels-1 {
		t.Errorf("%d sessions, then %v", len(open), err)
	}
}

// TestStop checks that sessions end with the server, whatever they do, and that
// no goroutine is left.
func TestStop(t *testing.T) {
	before := runtime.NumGoroutine()
	d := open(t)
	s := d.session(t, "admin")
	if err := s.Start("/interface/pptp-client/add connect-to=a user=u; /interface/pptp-client/monitor 0"); err != nil {
		t.Fatal(err)
	}
	shell := d.session(t, "admin")
	if _, err := shell.StdinPipe(); err != nil { // without one the client hangs up at once
		t.Fatal(err)
	}
	if err := errors.Join(shell.RequestPty("vt100", 24, 80, nil), shell.Shell()); err != nil {
		t.Fatal(err)
	}
	silent, err := net.Dial("tcp", d.address)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if err := d.stop(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if s.Wait() == nil {
		t.Error("a command ended well")
	}
	if shell.Wait() == nil {
		t.Error("a shell ended well")
	}
	for range 200 {
		if runtime.NumGoroutine() <= before+2 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	b := make([]byte, 1<<16)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, b[:runtime.Stack(b, true)])
}

// TestStrangersWait checks that connections on their way in are bounded for each
// address.
func TestStrangersWait(t *testing.T) {
	d := open(t)
	for range maxPendingFrom {
		c, err := net.Dial("tcp", d.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Read(make([]byte, 1)); err != nil { // its version
			t.Fatal(err)
		}
	}
	c, err := net.Dial("tcp", d.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	if n, err := c.Read(make([]byte, 1)); n > 0 || os.IsTimeout(err) {
		t.Errorf("one more was answered: %v", err)
	}
}

// TestDebianClient runs the ssh of the machine.
func TestDebianClient(t *testing.T) {
	program, err := exec.LookPath("ssh")
	if err != nil {
		t.Skip("there is no ssh on this machine")
	}
	d := open(t)
	host, port, _ := net.SplitHostPort(d.address)
	run := func(in string, args ...string) (string, int) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, program, append([]string{
			"-F", "none", "-i", d.file, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR",
			"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-p", port, "-l", "admin+ct80w",
		}, args...)...)
		cmd.Stdin = strings.NewReader(in)
		out, err := cmd.CombinedOutput()
		if err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
	if out, status := run("", host, ":put hello"); status != 0 || out != "hello\n" {
		t.Errorf("status %d, %q", status, out)
	}
	if out, status := run("", host, "/no/such"); status != 1 || !strings.HasPrefix(out, "bad command name") {
		t.Errorf("status %d, %q", status, out)
	}
	if out, status := run(":put hello\r/quit\r", "-tt", host); status != 0 || !strings.Contains(out, "[admin@gopptp] > :put hello\r\nhello\r\n[admin@gopptp] > ") {
		t.Errorf("status %d, %q", status, out)
	}
}

// A syncBuffer is a buffer that one goroutine reads while another writes.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

// wait waits until the buffer ends with text.
func (s *syncBuffer) wait(t *testing.T, text string) {
	t.Helper()
	var got string
	for range 1000 {
		s.mu.Lock()
		got = s.b.String()
		s.mu.Unlock()
		if strings.HasSuffix(got, text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%q is not at the end of %q", text, got)
}
