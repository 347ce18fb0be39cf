package tree_test

import (
	"strings"
	"testing"
	"time"

	"gopptp/internal/menu"
	"gopptp/internal/session"
	"gopptp/internal/tree"
)

// TestLinks checks what /interface remembers of tunnels that came and went, and
// that counters begin again at zero.
func TestLinks(t *testing.T) {
	b := newBench(t)
	id := b.must("/interface/pptp-client/add", nil, "name=out", "connect-to=a@main", "user=u", "max-mtu=1400")[0]
	number, _, err := menu.ParseID(id)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.must("/interface/pptp-client/get", items("out"), "value-name=connect-to")[0]; got != "a@main" {
		t.Errorf("connect-to is %s", got)
	}
	if told := strings.Join(b.engine.Calls(), " "); !strings.Contains(told, "ConnectTo:a ") {
		t.Errorf("the engine was told %s", told)
	}
	want := func(when string, values ...string) {
		t.Helper()
		got := ";" + b.must("/interface/get", items("out"))[0] + ";"
		for _, v := range values {
			if !strings.Contains(got, ";"+v+";") {
				t.Errorf("%s: %s, without %s", when, got, v)
			}
		}
	}
	want("before", "mtu=1400", "link-downs=0", "rx-byte=0")

	up := time.Date(2026, 11, 23, 8, 0, 0, 0, time.Local)
	s := session.Status{ID: 7, Client: uint64(number), Running: true, MTU: 1396, ConnectedAt: up, Traffic: session.Traffic{RxBytes: 100, TxDrops: 3}}
	b.engine.SetClient(uint64(number), s)
	b.LinkChanged(s, up, true)
	want("up", "mtu=1396", "actual-mtu=1396", "last-link-up-time=2026-11-23 08:00:00", "link-downs=0", "rx-byte=100")
	b.must("/interface/reset-counters", items("out"))
	want("after the reset", "rx-byte=0", "tx-drop=0")
	s.Traffic.RxBytes = 130
	b.engine.SetClient(uint64(number), s)
	want("later", "rx-byte=30")

	b.LinkChanged(s, up.Add(time.Minute), false)
	b.engine.SetClient(uint64(number), session.Status{Client: uint64(number)})
	want("down", "mtu=1400", "last-link-up-time=2026-11-23 08:00:00", "last-link-down-time=2026-11-23 08:01:00", "link-downs=1", "rx-byte=0")
	s.ID, s.Traffic.RxBytes = 8, 5
	b.engine.SetClient(uint64(number), s)
	want("again", "rx-byte=5")

	for _, wrong := range []string{"a@", "@main", "1.2.3@main"} {
		if _, err := b.do(tree.Admin(), "/interface/pptp-client/set", items("out"), "connect-to="+wrong); err == nil || err.Error() != "invalid value for argument connect-to" {
			t.Errorf("connect-to=%s: %v", wrong, err)
		}
	}
}

// TestActiveComment checks that who is connected has the comment of the secret that
// let them in.
func TestActiveComment(t *testing.T) {
	b := newBench(t)
	b.must("/ppp/secret/add", nil, "name=u", "service=any", "comment=any")
	b.must("/ppp/secret/add", nil, "name=u", "service=l2tp", "comment=l2tp")
	b.engine.SetSessions(session.Status{ID: 1, User: "u", Running: true}, session.Status{ID: 2, User: "u", Running: true, Radius: true})
	want := func(want string) {
		t.Helper()
		got := ""
		for _, id := range b.must("/ppp/active/find", nil) {
			row := b.must("/ppp/active/get", items(id))[0]
			if i := strings.Index(row, "comment="); i >= 0 {
				got += strings.SplitN(row[i:], ";", 2)[0]
			}
		}
		if got != want {
			t.Errorf("comments: %q, want %q", got, want)
		}
	}
	want("comment=any")
	b.must("/ppp/secret/add", nil, "name=u", "service=pptp", "comment=pptp")
	want("comment=pptp")
}
