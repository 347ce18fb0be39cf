package tree_test

import (
	"path/filepath"
	"strings"
	"testing"

	"gopptp/internal/menu"
	"gopptp/internal/store"
	"gopptp/internal/tree"
)

// radius gives the last numbers of the servers' addresses, in their order.
func (b *bench) radius() string {
	b.t.Helper()
	var out []string
	m := b.Root().At("/radius")
	_, err := b.Execute(b.t.Context(), tree.Admin(), &menu.Request{Menu: m, Command: m.Command("print")}, func(rows []*menu.Row) error {
		for _, r := range rows {
			out = append(out, r.Get("address")[len("10.0.0."):])
		}
		return nil
	})
	if err != nil {
		b.t.Error(err)
	}
	return strings.Join(out, "")
}

func TestOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	b := start(t, path)
	for _, n := range []string{"1", "2", "3", "4"} { // *1 to *4
		b.must("/radius/add", nil, "address=10.0.0."+n)
	}
	want := func(order, when string) {
		t.Helper()
		if got := b.radius(); got != order {
			t.Errorf("%s the order is %s, want %s", when, got, order)
		}
	}
	want("1234", "at first")
	b.must("/radius/move", items("*4"), "destination=*1")
	want("4123", "with the last first")
	b.must("/radius/move", items("*4", "*2"))
	want("1342", "with two at the end")
	b.must("/radius/add", nil, "copy-from=*1", "address=10.0.0.5", "place-before=*3")
	want("15342", "with a new one")
	b.must("/radius/remove", items("*4", "*1"))
	want("532", "without two")
	b.must("/radius/disable", items("*3"))
	want("532", "with one disabled")
	for _, c := range []struct{ items, destination, want string }{
		{"*3", "*3", "failure: can not move object before itself"},
		{"*2,*5", "*5", "failure: can not move object before itself"},
		{"*9", "*5", "no such item"},
		{"*5", "*9", "no such item"},
	} {
		_, err := b.do(tree.Admin(), "/radius/move", strings.Split(c.items, ","), "destination="+c.destination)
		if err == nil || err.Error() != c.want {
			t.Errorf("move %s to %s: %v, want %s", c.items, c.destination, err, c.want)
		}
	}
	if _, err := b.do(tree.Admin(), "/radius/add", nil, "address=10.0.0.9", "place-before=*9"); err == nil {
		t.Error("a place before nothing")
	}
	if _, err := b.do(tree.User{Policies: menu.Read}, "/radius/move", items("*3")); err == nil {
		t.Error("a reader moved a server")
	}
	want("532", "after the errors")
	last := b.log.Entries()
	b.must("/radius/move", items("*2"), "destination=*5")
	want("253", "in the end")
	if e := b.log.Entries()[len(last)]; e.Message != "radius server moved by console:admin" {
		t.Errorf("the log has %q", e.Message)
	}
	b.db.Close()
	b = start(t, path)
	want("253", "after a restart")
	b.db.Close()

	// What a crash or another version could leave behind: an order that names a row
	// that is gone, and another twice, and lacks one.
	db, _, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Commit(nil, store.Order{Menu: b.Root().At("/radius"), IDs: []menu.ID{9, 3, 3, 2}}); err != nil {
		t.Fatal(err)
	}
	db.Close()
	b = start(t, path)
	defer b.db.Close()
	want("325", "of a broken order")
}
