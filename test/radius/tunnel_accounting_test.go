package radius

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopptp/test/rig"
)

// A record is a packet in the server's detail file.
type record map[string]string

// records are those of a user, or all if it is empty, in the order in which they
// arrived. What was sent twice is there once.
func (s *server) records(t *testing.T, user string) (list []record) {
	t.Helper()
	detail, err := os.ReadFile(filepath.Join(s.dir, "detail"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for packet := range strings.SplitSeq(string(detail), "\n\n") {
		r := record{}
		for line := range strings.Lines(packet) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), " = "); ok {
				r[name] = strings.Trim(value, `"`)
			}
		}
		key := fmt.Sprint(r["Acct-Session-Id"], r["Acct-Status-Type"], r["Acct-Session-Time"], r["Event-Timestamp"])
		if len(r) == 0 || user != "" && r["User-Name"] != user || seen[key] {
			continue
		}
		seen[key] = true
		list = append(list, r)
	}
	return list
}

// statuses are the kinds of records.
func statuses(list []record) (words []string) {
	for _, r := range list {
		words = append(words, r["Acct-Status-Type"])
	}
	return words
}

// stopped waits for the end of a user's session in the server's records, and gives
// it.
func (m *machine) stopped(f *server, user string) (stop record) {
	m.t.Helper()
	m.Until(user+" is accounted", func() bool {
		list := f.records(m.t, user)
		if len(list) > 0 {
			stop = list[len(list)-1]
		}
		return stop["Acct-Status-Type"] == "Stop"
	})
	return stop
}

// TestRequiresRootTunnelAccounting compares what the server is told of sessions
// with what was true of them, whatever they end by.
func TestRequiresRootTunnelAccounting(t *testing.T) {
	t.Parallel()
	users := ""
	for n, user := range []string{"user", "admin", "lost", "session", "idle", "traffic"} {
		users += fmt.Sprintf("%s\tCleartext-Password := \"%s\"\n\tFramed-IP-Address = 10.20.30.%d, Class = \"c-%s\"", user, password, n+1, user)
		users += map[string]string{
			"user": ", Class += \"second\", Acct-Interim-Interval = 2", "session": ", Session-Timeout = 3", "idle": ", Idle-Timeout = 2", "traffic": ", Mikrotik-Recv-Limit = 3000",
		}[user] + "\n"
	}
	server, client, f := newTunnels(t, users)
	lost := newMachine(t, "lost")
	lostCable(t, server, lost)
	lost.Start()
	server.On("/ppp/secret/add name=local password=here remote-address=10.20.31.1")

	ids := map[string]string{}
	known := func(user string) {
		t.Helper()
		server.Until(user+" is active", func() bool { return server.On("/ppp/active/print count-only where name="+user) == "1\n" })
		ids[user] = strings.TrimPrefix(server.get("/ppp/active", user, "session-id"), "0x")
	}
	lost.On("/interface/pptp-client/add name=lost disabled=no connect-to=192.168.52.2 user=lost password=" + password)
	for _, user := range []string{"session", "idle", "user", "admin", "traffic"} {
		client.dial(user, user)
		known(user)
	}
	lost.Connected("lost")
	known("lost")
	client.add("local", "local", "here")
	client.Connected("local")
	known("local")
	began := time.Now()

	client.ping("user", 20, 500)
	client.ping("admin", 5, 100)
	_, _ = client.TryRun("ping", "-q", "-c", "5", "-s", "1000", "-i", "0.01", "-W", "1", "-I", "traffic", "10.0.0.1")
	server.Until("an interim update", func() bool { return slices.Contains(statuses(f.records(t, "user")), "Interim-Update") })
	client.ping("user", 10, 500)
	octets, packets := server.get("/ppp/active", "user", "bytes"), server.get("/ppp/active", "user", "packets")
	iface := server.get("/interface", "<pptp-user>", "tx-byte") + "/" + server.get("/interface", "<pptp-user>", "rx-byte")
	client.On("/interface/pptp-client/disable user")
	up := time.Since(began)
	server.On("/ppp/active/remove [find name=admin]")
	lost.Kill()
	for user, reason := range map[string]string{"session": "session timeout", "idle": "idle timeout", "traffic": "traffic limit reached"} {
		server.Logs(`<pptp-` + user + `>: terminating\.\.\. - ` + reason)
	}
	client.On("/interface/pptp-client/disable [find]")

	for user, cause := range map[string]string{
		"user": "User-Request", "admin": "Admin-Reset", "lost": "Lost-Carrier", "session": "Session-Timeout", "idle": "Idle-Timeout",
		"traffic": "NAS-Request", "local": "User-Request",
	} {
		var list []record
		server.Until(user+" is accounted", func() bool {
			list = nil
			for _, r := range f.records(t, user) {
				if r["Acct-Session-Id"] == ids[user] {
					list = append(list, r)
				}
			}
			return len(list) > 0 && list[len(list)-1]["Acct-Status-Type"] == "Stop"
		})
		words := statuses(list)
		start, stop := list[0], list[len(list)-1]
		if words[0] != "Start" || slices.Contains(words[1:], "Start") || slices.Contains(words[:len(words)-1], "Stop") {
			t.Errorf("%s: %q", user, words)
		}
		if stop["Acct-Terminate-Cause"] != cause {
			t.Errorf("%s ended by %s, want %s", user, stop["Acct-Terminate-Cause"], cause)
		}
		authentic, class := "RADIUS", fmt.Sprintf("0x%x", "c-"+user)
		if user == "local" {
			authentic, class = "Local", ""
		}
		if user == "user" {
			class = fmt.Sprintf("0x%x", "second") // the last one of the two in the packet
		}
		for _, r := range []record{start, stop} {
			if r["Acct-Authentic"] != authentic || r["Class"] != class || r["Framed-IP-Address"] == "" || r["NAS-Identifier"] != "router" {
				t.Errorf("%s: %v", user, r)
			}
		}
		if user == "lost" {
			continue
		}
		if stop["Calling-Station-Id"] != rig.ClientAddress || stop["Called-Station-Id"] != rig.ServerAddress {
			t.Errorf("%s: %v", user, stop)
		}
	}
	stop := server.stopped(f, "user")
	if got := stop["Acct-Output-Octets"] + "/" + stop["Acct-Input-Octets"]; got != octets || got != iface {
		t.Errorf("octets: %s, /ppp/active showed %s, /interface %s", got, octets, iface)
	}
	if got := stop["Acct-Output-Packets"] + "/" + stop["Acct-Input-Packets"]; got != packets || packets != "30/30" {
		t.Errorf("packets: %s, print stats showed %s", got, packets)
	}
	seconds, err := strconv.Atoi(stop["Acct-Session-Time"])
	if took := int(up.Seconds()); err != nil || seconds < took || seconds > took+4 {
		t.Errorf("the session lasted %v, and the server was told %s", up, stop["Acct-Session-Time"])
	}
	for _, r := range f.records(t, "user") {
		if r["Acct-Status-Type"] == "Interim-Update" && (r["Acct-Input-Octets"] == "0" || r["Acct-Session-Time"] == "0") {
			t.Errorf("the update says %v", r)
		}
	}
	if n := len(f.records(t, "admin")); n != 2 {
		t.Errorf("without an interval there are %d records", n)
	}
	if first := f.records(t, "")[0]; first["Acct-Status-Type"] != "Accounting-On" {
		t.Errorf("the first record is %v", first)
	}

	// Without accounting there is none.
	server.On("/ppp/aaa/set accounting=no")
	before := len(f.records(t, "admin"))
	client.On("/interface/pptp-client/enable admin")
	client.Connected("admin")
	client.On("/interface/pptp-client/disable admin")
	server.sessions(0)
	server.On("/ppp/aaa/set accounting=yes")
	client.dial("last", "admin")
	client.On("/interface/pptp-client/disable last")
	server.Until("the next session", func() bool { return len(f.records(t, "admin")) == before+2 })
}

// TestRequiresRootTunnelOutage ends a session while the server is not there, and
// has the program die: the server hears of it in the right order.
func TestRequiresRootTunnelOutage(t *testing.T) {
	t.Parallel()
	server, client, f := newTunnels(t, fmt.Sprintf("u\tCleartext-Password := \"%s\"\n\tFramed-IP-Address = 10.20.30.1\n", password))
	server.On("/radius/set 0 timeout=100ms")
	client.dial("u", "u")
	server.Until("the start", func() bool { return len(f.records(t, "u")) == 1 })
	client.ping("u", 10, 100)
	f.stop()
	client.On("/interface/pptp-client/disable u")
	server.sessions(0)
	server.Until("a record without an answer", func() bool { return server.Monitor("/radius/monitor 0")["timeouts"] != "0" })
	server.Kill()
	server.Start()
	server.Logs(`radius,info \d accounting records? of an earlier run wait`)
	time.Sleep(time.Second)
	f.start(t)
	client.On("/interface/pptp-client/enable u")
	client.Connected("u")
	server.Until("all arrives", func() bool { return len(f.records(t, "u")) == 3 })
	got := strings.Join(statuses(f.records(t, "")), " ")
	if want := "Accounting-On Start Stop Accounting-On Start"; got != want {
		t.Errorf("arrived: %s, want %s", got, want)
	}
	// Who ends in good order tells of all sessions, and of itself last.
	server.Stop()
	got = strings.Join(statuses(f.records(t, "")), " ")
	if want := "Accounting-On Start Stop Accounting-On Start Stop Accounting-Off"; got != want {
		t.Errorf("arrived: %s, want %s", got, want)
	}
	list := f.records(t, "u")
	if cause := list[len(list)-1]["Acct-Terminate-Cause"]; cause != "Admin-Reboot" {
		t.Errorf("the end of the program is %s", cause)
	}
	if delay, err := strconv.Atoi(list[1]["Acct-Delay-Time"]); err != nil || delay < 1 || list[1]["Acct-Input-Packets"] != "10" {
		t.Errorf("the stop says %v", list[1])
	}
	if list[2]["Acct-Session-Id"] == list[0]["Acct-Session-Id"] {
		t.Errorf("session id %s comes twice", list[0]["Acct-Session-Id"])
	}
}
