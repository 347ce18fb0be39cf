package tree_test

import (
	"testing"

	"gopptp/internal/tree"
)

// TestLastFullUser tries in every way to be left without anybody who may change the
// users.
func TestLastFullUser(t *testing.T) {
	b := newBench(t)
	if _, err := b.FirstUser(func() (string, error) { return "p", nil }); err != nil {
		t.Fatal(err)
	}
	b.must("/user/group/add", nil, "name=half", "policy=read,write,ssh")
	b.must("/user/group/add", nil, "name=chiefs", "policy=read,write,policy,ssh")
	b.must("/user/add", nil, "name=u", "group=half", "password=p")
	refused := func(command string, of []string, values ...string) {
		t.Helper()
		const want = "failure: there must be at least one user with full access rights"
		if _, err := b.do(tree.Admin(), command, of, values...); err == nil || err.Error() != want {
			t.Errorf("%s %v %v: %v", command, of, values, err)
		}
	}
	refused("/user/remove", items("admin"))
	refused("/user/remove", items("u", "admin"))
	refused("/user/disable", items("admin"))
	refused("/user/set", items("admin"), "group=half")
	refused("/user/group/set", items("full"), "policy=read,write")

	b.must("/user/set", items("u"), "group=chiefs")
	refused("/user/remove", items("u", "admin"))
	b.must("/user/remove", items("admin"))
	refused("/user/group/set", items("chiefs"), "policy=read,write,ssh")
	b.must("/user/group/set", items("full"), "policy=read,write")
	b.must("/user/set", items("u"), "comment=the last")
}
