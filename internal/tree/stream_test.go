package tree_test

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"gopptp/internal/login"
	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// TestStream compares what Stream gives with what Execute does.
func TestStream(t *testing.T) {
	b := newBench(t)
	b.must("/ppp/profile/add", nil, "name=p")
	const n = 300
	for i := range n {
		b.must("/ppp/secret/add", nil, fmt.Sprintf("name=u%d", i), "profile=p", fmt.Sprintf("disabled=%v", i%2 == 0), "password=x")
	}
	show := func(r *menu.Row) string {
		return r.ID.String() + r.Get("name") + r.Get("profile") + r.Get("password")
	}
	for _, u := range []tree.User{tree.Admin(), {Name: "r", Policies: menu.Read}} {
		for _, filter := range []menu.Filter{nil, func(r *menu.Row) bool { return r.Is("disabled") }, func(*menu.Row) bool { return false }} {
			m := b.Root().At("/ppp/secret")
			q := &menu.Request{Menu: m, Command: m.Command("print"), Args: map[string]string{}, Filter: filter}
			var want, got []string
			if _, err := b.Execute(t.Context(), u, q, func(rows []*menu.Row) error {
				for _, r := range rows {
					want = append(want, show(r))
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			most := 0
			if err := b.Stream(t.Context(), u, q, func(rows []*menu.Row) error {
				most = max(most, len(rows))
				for _, r := range rows {
					got = append(got, show(r))
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: streamed %d rows, printed %d", u.Name, len(got), len(want))
			}
			if most >= n {
				t.Errorf("%d rows in one part", most)
			}
		}
	}
	m := b.Root().At("/ppp/secret")
	q := &menu.Request{Menu: m, Command: m.Command("print"), Args: map[string]string{}}
	if err := b.Stream(t.Context(), tree.User{Name: "x"}, q, nil); err == nil {
		t.Error("a user without a policy is shown rows")
	}
	full := errors.New("full")
	if err := b.Stream(t.Context(), tree.Admin(), q, func([]*menu.Row) error { return full }); !errors.Is(err, full) {
		t.Errorf("an error of emit becomes %v", err)
	}
}

// TestStreamAsksAgain takes a user's right to read away while an answer is on its way.
func TestStreamAsksAgain(t *testing.T) {
	b := newBench(t)
	b.must("/user/group/add", nil, "name=looks", "policy=read,api,sensitive")
	b.must("/user/add", nil, "name=eve", "group=looks", "password=password")
	for i := range 300 {
		b.must("/ppp/secret/add", nil, fmt.Sprintf("name=u%d", i), "password=x")
	}
	in, leave, err := b.Gate().Login(t.Context(), login.Attempt{Door: login.DoorAPI, From: netip.MustParseAddr("192.0.2.1"), Name: "eve", Password: "password"})
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	m := b.Root().At("/ppp/secret")
	q := &menu.Request{Menu: m, Command: m.Command("print"), Args: map[string]string{}}
	for _, test := range []struct {
		policy  string
		visible int // parts with a password
		parts   int
		fails   bool
	}{
		{"policy=read,api,sensitive", 3, 3, false},
		{"policy=read,api", 1, 3, false},
		{"policy=api", 1, 1, true},
	} {
		b.must("/user/group/set", items("looks"), "policy=read,api,sensitive")
		parts, visible := 0, 0
		err := b.Stream(t.Context(), tree.Visitor(in), q, func(rows []*menu.Row) error {
			if parts++; rows[0].Get("password") == "x" {
				visible++
			}
			b.must("/user/group/set", items("looks"), test.policy)
			return nil
		})
		if parts != test.parts || visible != test.visible || (err != nil) != test.fails {
			t.Errorf("%s: %d parts, %d with passwords, %v", test.policy, parts, visible, err)
		}
	}
}
