package tree_test

import (
	"net/netip"
	"testing"

	"gopptp/internal/login"
	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// TestOrigin checks that the log says who made a change, through which door and
// from where, and which script did it for them.
func TestOrigin(t *testing.T) {
	b := newBench(t)
	b.must("/user/add", nil, "name=u", "group=full", "password=p")
	last := func(when, want string) {
		t.Helper()
		entries := b.log.Entries()
		if got := entries[len(entries)-1].Message; got != want {
			t.Errorf("%s: the log says %q, want %q", when, got, want)
		}
	}
	b.must("/ppp/secret/add", nil, "name=a")
	last("root at the machine", "ppp secret <a> added by console:admin")

	for door, want := range map[login.Door]string{
		login.DoorSSH: "ssh:u@192.0.2.7", login.DoorAPI: "api:u@192.0.2.7", login.DoorRESTAPI: "rest-api:u@192.0.2.7",
	} {
		in, leave, err := b.Gate().Login(t.Context(), login.Attempt{Door: door, From: netip.MustParseAddr("::ffff:192.0.2.7"), Name: "u", Password: "p"})
		if err != nil {
			t.Fatal(err)
		}
		u := tree.Visitor(in)
		change := func(u tree.User) {
			t.Helper()
			m := b.Root().At("/ppp/secret")
			q := &menu.Request{Menu: m, Command: m.Command("set"), Items: items("a"), Values: []menu.Assignment{{Name: "comment", Value: "x"}}}
			if _, err := b.Execute(t.Context(), u, q, nil); err != nil {
				t.Fatal(err)
			}
		}
		change(u)
		last(string(door), "ppp secret <a> changed by "+want)
		change(u.Running("nightly"))
		last("a script over "+string(door), "ppp secret <a> changed by "+want+"/script:nightly")
		alone, err := b.Alone(u)
		if err != nil {
			t.Fatal(err)
		}
		leave()
		change(alone)
		last("what goes on after "+string(door), "ppp secret <a> changed by "+want)
	}
}
