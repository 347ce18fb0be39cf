package logging

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"gopptp/internal/journal"
)

// texts are messages that somebody could think of to break what reads them.
var texts = []string{
	"connected", "", " ", "é → ü", `a "b" [c] \d`, "]", "<13>1 - - - - - - x", "\ufeffx", strings.Repeat("é", 1500), "a" + strings.Repeat("é", 1500),
}

func TestRFC5424(t *testing.T) {
	at := time.Date(2026, 3, 1, 23, 5, 7, 123_456_789, time.FixedZone("", -(3*60+30)*60))
	for name, host := range map[string]string{
		"gate": "gate", "": "-", "my gate\n": "my-gate-", "wächter": "w-chter", strings.Repeat("x", 300): strings.Repeat("x", 255),
	} {
		for i, text := range texts {
			b := packet(Action{Facility: 16, Severity: -1, Format: RFC5424}, name, journal.Entry{Time: at, Topics: "pptp,ppp,error"}, text, uint32(i+1))
			if len(b) > maxPacket {
				t.Errorf("%.20q: %d octets", text, len(b))
			}
			m, err := parse(b)
			if err != nil {
				t.Errorf("%q: %v", b, err)
				continue
			}
			if m.priority != 16*8+3 || !m.time.Equal(at.Truncate(time.Microsecond)) || m.host != host || m.app != "gopptp" || m.process != strconv.Itoa(os.Getpid()) || m.kind != "pptp" {
				t.Errorf("%q: %+v", b, m)
			}
			if m.data[ownData]["topics"] != "pptp,ppp,error" || m.data["meta"]["sequenceId"] != strconv.Itoa(i+1) || len(m.data) != 2 {
				t.Errorf("%q: data %v", b, m.data)
			}
			if m.text != text && (len(b) < maxPacket-1 || !strings.HasPrefix(text, m.text)) {
				t.Errorf("%q: text %q", b, m.text)
			}
		}
	}
	_, zone, _ := bytes.Cut(packet(Action{Format: RFC5424}, "g", journal.Entry{Time: at, Topics: "x"}, "m", 1), []byte("T"))
	if !bytes.HasPrefix(zone, []byte("23:05:07.123456-03:30 g ")) {
		t.Errorf("time %q", zone)
	}
}

// FuzzRFC5424 checks that what is sent can be read, whatever is in it.
func FuzzRFC5424(f *testing.F) {
	for _, text := range texts {
		f.Add("gate", "pptp,info", text)
	}
	f.Fuzz(func(t *testing.T, name, topics, text string) {
		text = journal.Clean(text) // as each message is
		b := packet(Action{Severity: -1, Format: RFC5424}, name, journal.Entry{Time: time.Unix(0, 0), Topics: topics}, text, 1)
		if len(topics) > 1000 || !utf8.ValidString(topics) {
			return // they are ours
		}
		m, err := parse(b)
		if err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if len(b) < maxPacket-utf8.UTFMax && m.text != text {
			t.Errorf("%q came as %q", text, m.text)
		}
	})
}

func TestJSONLine(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 5000, time.UTC)
	if got := string(JSONLine(journal.Entry{Time: at, Topics: "pptp,ppp,info"}, "<pptp-ben>: connected")); got !=
		`{"time":"2026-03-01T12:00:00.000005Z","severity":"info","topics":["pptp","ppp","info"],"message":"<pptp-ben>: connected"}`+"\n" {
		t.Errorf("%s", got)
	}
	for _, text := range append(texts, "\x00\x1b\n\r\t\u2028\u202e\x7f", "\xff\xc3", `"`, `\`, "\ud7ff\U0010ffff") {
		b := JSONLine(journal.Entry{Time: at, Topics: "system,error,critical"}, text)
		var got struct {
			Time              time.Time
			Severity, Message string
			Topics            []string
		}
		if err := json.Unmarshal(b, &got); err != nil || bytes.Count(b, []byte("\n")) != 1 {
			t.Errorf("%q: %v", b, err)
		}
		if got.Message != strings.ToValidUTF8(text, "\ufffd") && got.Message != string([]rune(text)) || !got.Time.Equal(at) || got.Severity != "critical" || len(got.Topics) != 3 {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

// TestDiskJSON writes lines of JSON into a file of a name of its own.
func TestDiskJSON(t *testing.T) {
	files, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	r := New()
	r.PutAction(Action{ID: 1, Target: Disk, File: "vpn", Lines: 100, Files: 2, Format: JSON})
	r.PutRule(Rule{Topics: []string{"info"}, Action: 1, Prefix: "p"})
	j := run(t, r, files)
	until(t, "a line of JSON", func() bool {
		j.Addf("pptp,info", "said %q", "x")
		b, _ := files.ReadFile("vpn.0.jsonl")
		return bytes.Contains(b, []byte(`"topics":["pptp","info"],"message":"p: said \"x\""}`+"\n"))
	})
}

// TestLast checks that what is in the log when Run is to end is still written.
func TestLast(t *testing.T) {
	files, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	r := New()
	r.PutAction(Action{ID: 1, Target: Disk, File: "vpn", Lines: 1000, Files: 2})
	r.PutRule(Rule{Topics: []string{"info"}, Action: 1})
	j := journal.New(nil, false)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx, j, files) }()
	until(t, "the first line", func() bool {
		j.Addf("info", "first")
		_, err := files.Stat("vpn.0.txt")
		return err == nil
	})
	for range 20 {
		j.Addf("info", "more")
	}
	j.Addf("info", "last")
	cancel()
	<-done
	if b, err := files.ReadFile("vpn.0.txt"); err != nil || !bytes.HasSuffix(b, []byte("info last\n")) {
		t.Errorf("%q, %v", b, err)
	}
}

// A collector is a syslog server over TCP, which reads frames with a count of octets.
type collector struct {
	net.Listener
	t    *testing.T
	text chan string
}

func collect(t *testing.T, address string) collector {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c := collector{l, t, make(chan string, 10_000)}
	t.Cleanup(func() { l.Close() })
	return c
}

// serve reads the frames of one connection, so many at most.
func (c collector) serve(most int) {
	conn, err := c.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	for range most {
		count, err := r.ReadString(' ')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(count, " "))
		if err != nil || n < 1 || n > maxPacket || count[0] == '0' {
			c.t.Errorf("the count of octets is %q", count)
			return
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(r, b); err != nil {
			c.t.Errorf("in the middle of a message: %v", err)
			return
		}
		m, err := parse(b)
		if err != nil {
			c.t.Errorf("%q: %v", b, err)
		}
		c.text <- m.text
	}
}

// TestTCP sends to a server that breaks off, and goes on with the next connection; what
// is said meanwhile waits.
func TestTCP(t *testing.T) {
	c := collect(t, "127.0.0.1:0")
	a := Action{ID: 3, Target: Remote, TCP: true, Format: RFC5424, Severity: -1, Server: netip.MustParseAddrPort(c.Addr().String()), Source: netip.MustParseAddr("127.0.0.9")}
	s := newStream(a)
	defer s.Close()
	say := func(text string) error {
		_, err := s.Write(packet(a, "gate", journal.Entry{Time: time.Now(), Topics: "pptp,info"}, text, 1))
		return err
	}
	hear := func(want string) {
		t.Helper()
		select {
		case got := <-c.text:
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%q did not come", want)
		}
	}
	go c.serve(2)
	for _, text := range []string{"one", "two " + strings.Repeat("é", 100)} {
		if err := say(text); err != nil {
			t.Error(err)
		}
		hear(text)
	}
	c.Close()
	time.Sleep(50 * time.Millisecond) // until the end of the connection is there
	until(t, "an error about the server", func() bool { return say("late") != nil })
	again := collect(t, a.Server.String())
	again.text = c.text
	go again.serve(1 << 20)
	hear("late")
	until(t, "the end of the error", func() bool { return say("late") == nil })
	if err := say("last"); err != nil {
		t.Error(err)
	}
	s.Close()
	last := ""
	for last != "last" {
		select {
		case last = <-c.text:
		case <-time.After(5 * time.Second):
			t.Fatalf("the last was %q", last)
		}
	}
	if err := say("too late"); err == nil {
		t.Error("a closed stream takes entries")
	}
}

// TestTCPStalls checks that a server that does not read holds nobody up, and that the
// loss is told.
func TestTCPStalls(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := newStream(Action{TCP: true, Server: netip.MustParseAddrPort(l.Addr().String())})
	entry := bytes.Repeat([]byte("x"), maxPacket)
	began := time.Now()
	lost := false
	for range 20 * streamBacklog {
		if _, err := s.Write(entry); errors.Is(err, errBacklog) {
			lost = true
			break
		}
	}
	if took := time.Since(began); !lost || took > 5*time.Second {
		t.Errorf("lost %v after %v", lost, took)
	}
	began = time.Now()
	s.Close()
	if took := time.Since(began); took > 3*streamGrace {
		t.Errorf("the end took %v", took)
	}
}

// TestPlainTCP: messages of the older formats end with their line.
func TestPlainTCP(t *testing.T) {
	e := journal.Entry{Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Topics: "pptp,info"}
	for format, want := range map[Format]string{
		Plain: "<30>pptp,info m\n", BSD: "<30>2026-03-01T12:00:00Z my-gate pptp,info: m\n",
	} {
		if got := packet(Action{TCP: true, Facility: 3, Severity: -1, Format: format, ISOTime: true}, "my gate", e, "m", 1); string(got) != want {
			t.Errorf("%s: %q", format, got)
		}
	}
}

// TestNoServer: nothing is sent to the address that stands for none.
func TestNoServer(t *testing.T) {
	if _, err := open(Action{Target: Remote, Server: netip.MustParseAddrPort("0.0.0.0:514")}, nil); err == nil {
		t.Error("0.0.0.0 is taken for a server")
	}
}

// TestRsyslog sends to rsyslogd, over UDP and TCP, and reads what it understood.
func TestRsyslog(t *testing.T) {
	program, err := exec.LookPath("rsyslogd")
	if err != nil {
		t.Skip("no rsyslogd (run make setup)")
	}
	dir := t.TempDir()
	port := freePort(t)
	config, got := filepath.Join(dir, "conf"), filepath.Join(dir, "got")
	text := fmt.Sprintf(`global(workDirectory=%q)
module(load="imudp") module(load="imtcp")
input(type="imudp" address="127.0.0.1" port="%d")
input(type="imtcp" address="127.0.0.1" port="%d")
template(name="all" type="string" string="%%pri%%|%%protocol-version%%|%%timereported:::date-rfc3339%%|%%hostname%%|%%app-name%%|%%procid%%|%%msgid%%|%%structured-data%%|%%msg%%\n")
action(type="omfile" file=%q template="all")
`, dir, port, port, got)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	server := exec.Command(program, "-n", "-f", config, "-i", filepath.Join(dir, "pid"))
	server.Stdout, server.Stderr = &said, &said
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	until(t, "rsyslogd's port", func() bool {
		c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port))
		if err == nil {
			c.Close()
		}
		return err == nil
	})

	r := New()
	r.SetIdentity("gate")
	a := Action{ID: 3, Target: Remote, Server: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port)), Facility: 16, Severity: -1, Format: RFC5424}
	at := time.Date(2026, 3, 1, 12, 0, 0, 123_456_000, time.FixedZone("", 3600))
	for i, tcp := range []bool{false, true} {
		a.TCP = tcp
		o, err := open(a, nil)
		if err != nil {
			t.Fatal(err)
		}
		message := fmt.Sprintf(`é "quoted" [x] tcp=%v`, tcp)
		if _, err := o.Write(packet(a, "gate", journal.Entry{Time: at, Topics: "pptp,ppp,error"}, message, uint32(i+1))); err != nil {
			t.Error(err)
		}
		want := fmt.Sprintf(`131|1|2026-03-01T12:00:00.123456+01:00|gate|gopptp|%d|pptp|[gopptp@32473 topics="pptp,ppp,error"][meta sequenceId="%d"]|`, os.Getpid(), i+1)
		var all []byte
		until(t, want, func() bool {
			all, _ = os.ReadFile(got)
			for l := range strings.Lines(string(all)) {
				if rest, ok := strings.CutPrefix(l, want); ok && strings.TrimPrefix(rest, bom) == message+"\n" {
					return true
				}
			}
			return false
		})
		if t.Failed() {
			t.Fatalf("rsyslogd has %q and said %s", all, said.String())
		}
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	}
}

// freePort gives a port that nobody listens on, over UDP and TCP.
func freePort(t *testing.T) int {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		l.Close()
		if c, err := net.ListenPacket("udp", fmt.Sprint("127.0.0.1:", port)); err == nil {
			c.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// TestManyDeadServers: they hold up the end no longer than one does.
func TestManyDeadServers(t *testing.T) {
	r := New()
	for id := range uint64(5) {
		r.PutAction(Action{ID: id, Target: Remote, TCP: true, Server: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(freePort(t)))})
		r.PutRule(Rule{ID: id, Topics: []string{"info"}, Action: id})
	}
	j := journal.New(nil, false)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx, j, nil)
	}()
	until(t, "a line about it", func() bool {
		j.Addf("info", "x") // the router may not follow yet
		return slices.ContainsFunc(j.Entries(), func(e journal.Entry) bool { return e.Has("error") })
	})
	cancel()
	began := time.Now()
	<-done
	if took := time.Since(began); took > 2*streamGrace {
		t.Errorf("the end took %v", took)
	}
}

// TestImpatience: a connection to a server that has gone without a word ends soon.
func TestImpatience(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := newStream(Action{TCP: true, Server: netip.MustParseAddrPort(l.Addr().String())})
	defer s.Close()
	c, err := s.dialer.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		if n, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); err != nil || n != int(streamSilence.Milliseconds()) {
			t.Errorf("%d ms, %v", n, err)
		}
	}); err != nil {
		t.Error(err)
	}
}
