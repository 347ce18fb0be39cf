package tunnel

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"gopptp/test/rig"
)

// enough matches a print with two records at least: the stranger may call again.
var enough = regexp.MustCompile(`written: ([2-9]|\d\d)`)

// A call is a record as its reader sees it.
type call struct {
	Record, Side, User, Authentication, Authority, Encoding, Reason, Cause, Why, Interface, Service string

	Outer   string `json:"outer-address"`
	Local   string `json:"local-address"`
	Remote  string `json:"remote-address"`
	Caller  string `json:"caller-id"`
	Called  string `json:"called-id"`
	Session string `json:"session-id"`

	MTU, MRU                        int
	Began, Authenticated, Up, Ended time.Time
	Seconds                         float64
	Traffic                         map[string]uint64
}

// calls reads the records of a file in the data directory.
func (r *machine) calls(name string) (out []call) {
	r.t.Helper()
	text := r.ReadFile("data/records/" + name)
	if strings.Contains(text, `"p"`) {
		r.t.Errorf("a password is in %s", text)
	}
	for line := range strings.Lines(text) {
		var c call
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			r.t.Fatalf("%q: %v", line, err)
		}
		out = append(out, c)
	}
	return out
}

// TestRequiresRootRecords: both ends of a session write what it was, the server also
// who was refused; what was written outlives a daemon that is killed.
func TestRequiresRootRecords(t *testing.T) {
	t.Parallel()
	server, client := newPair(t)
	server.On("/ppp/secret/add name=u password=p local-address=10.0.0.1 remote-address=10.0.0.5")
	client.dial("u", "u")
	if !client.pings("10.0.0.1") {
		t.Error("the tunnel carries nothing")
	}
	id := server.On(":put [/ppp/active/get [find name=u] session-id]")
	client.On("/interface/pptp-client/remove u")
	server.Logs("<pptp-u>: disconnected")
	client.add("stranger", "stranger")
	server.Logs("user stranger authentication failed")
	client.On("/interface/pptp-client/remove stranger")
	server.Until("the refusal is recorded", func() bool { return enough.MatchString(server.On("/ppp/records/print")) })
	rig.Shows(t, server.On("/ppp/records/print"), "data/records/sessions.jsonl", "data/records/refused.jsonl", "omitted: 0", "lost: 0")
	server.Kill()

	sessions, refused := server.calls("sessions.jsonl"), server.calls("refused.jsonl")
	if len(sessions) != 1 || len(refused) == 0 {
		t.Fatalf("sessions %+v, refused %+v", sessions, refused)
	}
	s := sessions[0]
	if "0x"+s.Session != strings.TrimSpace(id) || s.Began.After(s.Authenticated) || s.Authenticated.After(s.Up) || s.Up.After(s.Ended) || s.Traffic["rx-packets"] < 1 || s.Traffic["tx-bytes"] < 84 {
		t.Errorf("session %+v of %s", s, id)
	}
	if d := s.Ended.Sub(s.Began).Seconds(); s.Seconds < d-0.01 || s.Seconds > d+0.01 || s.MTU == 0 || s.MRU == 0 {
		t.Errorf("session %+v", s)
	}
	s.Session, s.Traffic, s.Seconds, s.MTU, s.MRU, s.Began, s.Authenticated, s.Up, s.Ended = "", nil, 0, 0, 0, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	want := call{
		Record: "session", Side: "server", User: "u", Authentication: "mschap2", Authority: "secret", Encoding: "MPPE128 stateless",
		Reason: "hungup", Cause: "peer-request", Interface: "<pptp-u>", Service: "pptp",
		Outer: "192.168.51.3", Local: "10.0.0.1", Remote: "10.0.0.5", Caller: "192.168.51.3", Called: rig.ServerAddress,
	}
	if a, b := describe(t, s), describe(t, want); a != b {
		t.Errorf("session\n got %s\nwant %s", a, b)
	}
	if r := refused[0]; r.Record != "refused" || r.User != "stranger" || r.Caller != "192.168.51.3" || r.Why == "" || !r.Authenticated.IsZero() || r.Traffic != nil {
		t.Errorf("refused %+v", r)
	}

	ours := client.calls("sessions.jsonl")
	if len(ours) != 1 || ours[0].Side != "client" || ours[0].User != "u" || ours[0].Interface != "u" || ours[0].Outer != rig.ServerAddress ||
		ours[0].Local != "10.0.0.5" || ours[0].Authority != "" || ours[0].Authentication != "mschap2" || ours[0].Reason != "administrator request" {
		t.Errorf("the client's %+v", ours)
	}
	if failed := client.calls("refused.jsonl"); len(failed) == 0 || failed[0].Record != "failed" || failed[0].User != "stranger" || failed[0].Reason == "" {
		t.Errorf("the client's refusal %+v", failed)
	}
}

// describe is a call as text.
func describe(t *testing.T, c call) string {
	t.Helper()
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
