package radius

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gopptp/internal/journal"
	"gopptp/internal/radius"
	"gopptp/test/rig"
)

// accounting is open and running; stop ends it and its client, as the end of the
// program would.
func accounting(t *testing.T, dir string, rows ...radius.Server) (a *radius.Accounting, stop func()) {
	t.Helper()
	log := journal.New(nil, false)
	c := radius.NewClient(log)
	c.SetIdentity("router")
	c.Configure(rows)
	a, err := radius.OpenAccounting(dir, c, log)
	if err != nil {
		t.Fatal(err)
	}
	stopClient := run(t, c.Run)
	stopAccounting := run(t, a.Run)
	closed := false
	stop = func() {
		stopAccounting()
		stopClient()
		if !closed {
			closed = true
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	return a, stop
}

func drain(t *testing.T, a *radius.Accounting) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	if err := a.Drain(ctx); err != nil {
		t.Fatalf("%d records are left: %v", a.Waiting(), err)
	}
}

func add(t *testing.T, a *radius.Accounting, r radius.Record) {
	t.Helper()
	if err := a.Add(r); err != nil {
		t.Fatal(err)
	}
}

// TestClientFreeRADIUSAccounting has a session accounted while the server is not
// there, over a restart of this program, and reads in the server's database and
// in its log of packets what has arrived.
func TestClientFreeRADIUSAccounting(t *testing.T) {
	s := newServer(t)
	rig.Need(t, "sqlite3")
	row := s.row(1)
	row.Timeout = 50 * time.Millisecond // the server is not there at first
	dir := t.TempDir()
	a, stop := accounting(t, dir, row)
	session := radius.Session{User: "plain", ID: a.NewSessionID(), Port: 3, Calling: "192.0.2.7", Called: "192.0.2.1"}
	began := time.Now().Add(-time.Hour)
	record := radius.Record{Session: session, Address: netip.MustParseAddr("10.0.0.9"), Class: [][]byte{[]byte("c1"), []byte("c2")}}
	if err := a.On(); err != nil {
		t.Fatal(err)
	}
	start := record
	start.Status, start.At = radius.Start, began
	add(t, a, start)
	interim := record
	interim.Status, interim.At = radius.Interim, began.Add(20*time.Minute)
	interim.Usage = radius.Usage{Time: 20 * time.Minute, InputOctets: 1000, OutputOctets: 5 << 32, InputPackets: 10, OutputPackets: 20}
	add(t, a, interim)
	time.Sleep(300 * time.Millisecond) // some of it is on its way in vain
	stop()

	a, stop = accounting(t, dir, row)
	if a.Waiting() != 3 {
		t.Fatalf("%d records are left of 3", a.Waiting())
	}
	if id := a.NewSessionID(); id == session.ID {
		t.Errorf("session id %s comes twice", id)
	}
	end := record
	end.Status, end.At, end.Cause = radius.Stop, began.Add(time.Hour), radius.IdleTimeout
	end.Usage = radius.Usage{Time: time.Hour, InputOctets: 7<<32 + 1234, OutputOctets: 9<<32 + 4321, InputPackets: 100, OutputPackets: 200}
	add(t, a, end)
	s.start(t)
	drain(t, a)
	if err := a.Off(); err != nil {
		t.Fatal(err)
	}
	drain(t, a)
	if a.Lost() != 0 {
		t.Errorf("%d records are lost", a.Lost())
	}
	stop()

	got := s.sql(t, "SELECT id, user, nas, stop - start, updates, address, time, input, output, cause, authentic FROM session")
	want := fmt.Sprintf("%s|plain|router|3600|1|10.0.0.9|3600|%d|%d|Idle-Timeout|RADIUS", session.ID, end.Usage.InputOctets, end.Usage.OutputOctets)
	if got != want {
		t.Errorf("the database has\n%s, not\n%s", got, want)
	}
	detail, err := os.ReadFile(filepath.Join(s.dir, "detail"))
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for packet := range strings.SplitSeq(strings.TrimSpace(string(detail)), "\n\n") {
		for _, status := range []string{"Accounting-On", "Start", "Interim-Update", "Stop", "Accounting-Off"} {
			if strings.Contains(packet, "Acct-Status-Type = "+status+"\n") {
				order = append(order, status)
			}
		}
		if strings.Contains(packet, "= Stop\n") {
			for _, line := range []string{
				"Acct-Input-Octets = 1234", "Acct-Input-Gigawords = 7", "Acct-Output-Octets = 4321", "Acct-Output-Gigawords = 9",
				"Acct-Input-Packets = 100", "Acct-Output-Packets = 200", "Class = 0x6331", "Class = 0x6332", "NAS-Identifier = \"router\"",
				"Service-Type = Framed-User", "Framed-Protocol = PPP", "NAS-Port = 3", "NAS-Port-Type = Virtual", "Acct-Session-Time = 3600",
			} {
				if !strings.Contains(packet, "\t"+line+"\n") {
					t.Errorf("no %s in\n%s", line, packet)
				}
			}
		}
		if strings.Contains(packet, "= Start\n") && !strings.Contains(packet, "Acct-Delay-Time = 360") {
			t.Errorf("no delay in\n%s", packet)
		}
	}
	if got := fmt.Sprint(order); got != "[Accounting-On Start Interim-Update Stop Accounting-Off]" {
		t.Errorf("arrived: %s", got)
	}
}

// TestClientFreeRADIUSBack stops the server under load and starts it again:
// every session has its start and its stop there.
func TestClientFreeRADIUSBack(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	rig.Need(t, "sqlite3")
	row := s.row(1)
	row.Timeout = 200 * time.Millisecond
	s.start(t)
	a, _ := accounting(t, t.TempDir(), row)
	const sessions = 60
	for i := range sessions {
		if i == sessions/3 {
			s.stop()
		}
		if i == 2*sessions/3 {
			s.start(t)
		}
		r := radius.Record{Status: radius.Start, Session: radius.Session{User: fmt.Sprint("u", i), ID: a.NewSessionID()}}
		add(t, a, r)
		r.Status, r.Cause = radius.Stop, radius.UserRequest
		add(t, a, r)
	}
	drain(t, a)
	got := s.sql(t, "SELECT count(*), count(DISTINCT user) FROM session WHERE stop IS NOT NULL AND cause = 'User-Request'")
	if got != fmt.Sprintf("%d|%d", sessions, sessions) {
		t.Errorf("the database has %s", got)
	}
}
