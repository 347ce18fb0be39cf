package logging

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gopptp/internal/journal"
)

func TestRules(t *testing.T) {
	entry := journal.Entry{Topics: "pptp,ppp,info", Message: "connected"}
	for _, c := range []struct {
		topics, prefix string
		off            bool
		want           string
		shown          bool
	}{
		{"info", "", false, "connected", true},
		{"pptp,info", "", false, "connected", true},
		{"info,ppp", "vpn", false, "vpn: connected", true},
		{"pptp,!debug", "", false, "connected", true},
		{"pptp,!ppp", "", false, "", false},
		{"error", "", false, "", false},
		{"pptp,error", "", false, "", false},
		{"pp", "", false, "", false},
		{"info", "", true, "", false},
	} {
		r := New()
		r.PutAction(Action{Target: Memory})
		r.PutRule(Rule{ID: 1, Topics: strings.Split(c.topics, ","), Prefix: c.prefix, Disabled: c.off})
		if got, shown := r.Shown(entry); got != c.want || shown != c.shown {
			t.Errorf("%s: %q, %v", c.topics, got, shown)
		}
		r.RemoveRule(1)
		if _, shown := r.Shown(entry); shown {
			t.Errorf("%s: shown without a rule", c.topics)
		}
	}
}

// run runs a router until the test ends.
func run(t *testing.T, r *Router, files *os.Root) *journal.Journal {
	t.Helper()
	j := journal.New(nil, false)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { r.Run(ctx, j, files) })
	t.Cleanup(func() { cancel(); all.Wait() })
	return j
}

// until waits for something that another goroutine does.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 500 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("in vain: %s", what)
}

// TestDisk fills files: they are gone on with after a restart, and only so many
// are kept.
func TestDisk(t *testing.T) {
	files, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	if err := files.WriteFile("vpn.0.txt", []byte("old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := New()
	r.PutAction(Action{ID: 1, Target: Disk, File: "vpn", Lines: 2, Files: 2})
	r.PutRule(Rule{Topics: []string{"info"}, Action: 1})
	j := run(t, r, files)
	read := func(name string) string {
		b, _ := files.ReadFile(name)
		return string(b)
	}
	until(t, "the first line", func() bool {
		j.Addf("pptp,info", "one") // the router may not follow yet
		time.Sleep(5 * time.Millisecond)
		return strings.Contains(read("vpn.0.txt"), "pptp,info one\n")
	})
	for _, text := range []string{"two", "three", "four", "five"} {
		j.Addf("pptp,info", "%s", text)
		j.Addf("pptp,error", "not this")
	}
	until(t, "the last line", func() bool { return strings.Contains(read("vpn.0.txt"), "five\n") })
	if _, err := files.Stat("vpn.2.txt"); err == nil {
		t.Error("too many files are kept")
	}
	both := read("vpn.1.txt") + read("vpn.0.txt")
	if strings.Contains(both, "old") || strings.Contains(both, "not this") || !strings.Contains(both, "four\n") {
		t.Errorf("the files have %q", both)
	}
}

// TestDiskFails checks that a failure is told once.
func TestDiskFails(t *testing.T) {
	r := New()
	r.PutAction(Action{ID: 1, Target: Disk, File: "x", Lines: 1, Files: 1})
	r.PutRule(Rule{Topics: []string{"!nothing"}, Action: 1})
	j := run(t, r, nil)
	until(t, "a line about it", func() bool {
		j.Addf("info", "x")
		for _, e := range j.Entries() {
			if e.Message == "logging to disk failed: this system keeps no files" {
				return true
			}
		}
		return false
	})
	time.Sleep(20 * time.Millisecond)
	told := 0
	for _, e := range j.Entries() {
		if e.Has("error") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("it was told %d times", told)
	}
}

func TestRemote(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	r := New()
	r.SetIdentity("gate")
	a := Action{ID: 3, Target: Remote, Server: netip.MustParseAddrPort(server.LocalAddr().String()), Facility: 3, Severity: -1}
	r.PutAction(a)
	r.PutRule(Rule{Topics: []string{"account"}, Action: 3})
	j := run(t, r, nil)
	receive := func(want string) {
		t.Helper()
		buf := make([]byte, 2048)
		for range 200 {
			j.Addf("system,info,account", "user admin logged in")
			_ = server.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			if n, _, err := server.ReadFrom(buf); err == nil && strings.HasPrefix(string(buf[:n]), want) && strings.HasSuffix(string(buf[:n]), "user admin logged in") {
				return
			}
		}
		t.Errorf("nothing came that begins with %q; the last was %q", want, buf[:100])
	}
	receive("<30>system,info,account user")
	a.Format, a.Facility, a.Severity = BSD, 16, 4
	r.PutAction(a)
	receive("<132>" + time.Now().Format("Jan _2 "))
}

// TestRemoteRefuses checks that a server that is not there is told once, though the
// system reports only every second packet as lost.
func TestRemoteRefuses(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := netip.MustParseAddrPort(server.LocalAddr().String())
	server.Close()
	r := New()
	r.PutAction(Action{ID: 3, Target: Remote, Server: address, Facility: 3, Severity: -1})
	r.PutRule(Rule{Topics: []string{"!nothing"}, Action: 3})
	j := run(t, r, nil)
	failures := func() (n int) {
		for _, e := range j.Entries() {
			if e.Has("error") {
				n++
			}
		}
		return n
	}
	until(t, "a line about it", func() bool {
		j.Addf("info", "x")
		return failures() > 0
	})
	for range 20 {
		j.Addf("info", "x")
		time.Sleep(2 * time.Millisecond)
	}
	if n := failures(); n != 1 {
		t.Errorf("it was told %d times", n)
	}
}

func TestSeverities(t *testing.T) {
	for topics, want := range map[string]string{
		"system,error,critical": "<26>", "pptp,error": "<27>", "system,warning": "<28>", "pptp,info": "<30>", "pptp,debug": "<31>", "x": "<30>",
	} {
		if got := packet(Action{Facility: 3, Severity: -1}, "", journal.Entry{Topics: topics}, "m", 1); string(got) != want+topics+" m" {
			t.Errorf("%s: %q", topics, got)
		}
	}
}

// TestEcho shows lines to those who are at a console, and to nobody else.
func TestEcho(t *testing.T) {
	r := New()
	r.PutAction(Action{ID: 2, Target: Echo})
	r.PutRule(Rule{ID: 1, Topics: []string{"critical"}, Action: 2})
	lines := make(chan string, 10)
	stop := r.Echo(func(line string) { lines <- line })
	j := run(t, r, nil)
	until(t, "an echo", func() bool { // Run may begin to follow a moment later
		j.Addf("system,info", "quiet")
		j.Addf("system,error,critical", "login failure for user x")
		return len(lines) > 0
	})
	line := <-lines
	if _, err := time.Parse(time.TimeOnly, line[:8]); err != nil || line[8:] != " echo: system,error,critical login failure for user x" {
		t.Errorf("%q", line)
	}
	stop()
	for len(lines) > 0 {
		<-lines
	}
	j.Addf("system,error,critical", "again")
	time.Sleep(50 * time.Millisecond)
	if len(lines) > 0 {
		t.Errorf("one who left was shown %q", <-lines)
	}
}

// TestDiskWithoutDescriptors: while the next file cannot be opened, those that there are
// stay what they are.
func TestDiskWithoutDescriptors(t *testing.T) {
	files, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	w, err := open(Action{Target: Disk, File: "vpn", Lines: 1, Files: 4}, files)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	write := func(text string) error {
		_, err := w.Write([]byte(text + "\n"))
		return err
	}
	for _, text := range []string{"one", "two", "three"} {
		if err := write(text); err != nil {
			t.Fatal(err)
		}
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: limit.Max}); err != nil {
		t.Skip(err)
	}
	for range 5 {
		if err := write("lost"); err == nil {
			t.Error("there is a descriptor")
		}
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := write("four"); err != nil {
		t.Error(err)
	}
	for i, want := range []string{"four\n", "three\n", "two\n", "one\n"} {
		if got, _ := files.ReadFile(fmt.Sprintf("vpn.%d.txt", i)); string(got) != want {
			t.Errorf("file %d has %q, want %q", i, got, want)
		}
	}
}

// TestRemovedServer: the connection of an action that is gone is closed, though nothing
// else is sent anywhere.
func TestRemovedServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := New()
	r.PutAction(Action{ID: 1, Target: Remote, TCP: true, Server: netip.MustParseAddrPort(l.Addr().String())})
	r.PutRule(Rule{Topics: []string{"info"}, Action: 1})
	j := run(t, r, nil)
	conns := make(chan net.Conn)
	go func() {
		if c, err := l.Accept(); err == nil {
			conns <- c
		}
	}()
	var c net.Conn
	until(t, "a connection", func() bool {
		j.Addf("info", "x") // the router may not follow yet
		select {
		case c = <-conns:
			return true
		case <-time.After(10 * time.Millisecond):
			return false
		}
	})
	if c == nil {
		return
	}
	defer c.Close()
	r.RemoveRule(0)
	r.RemoveAction(1)
	j.Addf("info", "nobody wants this")
	if err := c.SetReadDeadline(time.Now().Add(3 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Errorf("the connection is still there: %v", err)
	}
}

// TestNothingIsLostAtTheEnd: what was in the log when Run is told to end is delivered,
// however little time it had.
func TestNothingIsLostAtTheEnd(t *testing.T) {
	for i := range 2000 {
		r := New()
		r.PutAction(Action{ID: 1, Target: Echo})
		r.PutRule(Rule{Topics: []string{"info"}, Action: 1})
		j := journal.New(nil, false)
		ctx, cancel := context.WithCancel(t.Context())
		last := ""
		more := make(chan struct{})
		var once sync.Once
		r.Echo(func(line string) {
			last = line
			once.Do(func() { close(more) })
		})
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.Run(ctx, j, nil)
		}()
		for waits := true; waits; {
			j.Addf("info", "first")
			select {
			case <-more:
				waits = false
			case <-time.After(100 * time.Microsecond): // more at once might be more than a follower is kept
			}
		}
		for range i % 50 {
			runtime.Gosched()
		}
		j.Addf("info", "last")
		cancel()
		<-done
		if !strings.HasSuffix(last, "last") {
			t.Fatalf("run %d: the last line is %q", i, last)
		}
	}
}
