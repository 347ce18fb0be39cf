package tree

import (
	"path/filepath"
	"testing"
	"time"

	"gopptp/internal/journal"
	"gopptp/internal/menu"
	"gopptp/internal/store"
	"gopptp/internal/tree/treetest"
)

// TestLastSession: what is known of a user's last session is shown, is no part of
// the configuration, outlives a restart, and goes with the secret.
func TestLastSession(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	var db *store.Store
	open := func() *Tree {
		t.Helper()
		var err error
		if db, _, err = store.Open(path); err != nil {
			t.Fatal(err)
		}
		tr, err := New(db, &treetest.Engine{}, journal.New(nil, false))
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	last := func(tr *Tree, item string) [3]string {
		t.Helper()
		r, err := tr.tables[secretPath].item(item)
		if err != nil {
			t.Fatal(err)
		}
		return [3]string{r.Get("last-logged-out"), r.Get("last-caller-id"), r.Get("last-disconnect-reason")}
	}
	tr := open()
	add := tr.root.At(secretPath).Command("add")
	ids := map[string]uint64{}
	for _, name := range []string{"u", "v"} {
		out, err := tr.Execute(t.Context(), Admin(), &menu.Request{Menu: tr.root.At(secretPath), Command: add, Args: map[string]string{},
			Values: []menu.Assignment{{Name: "name", Value: name}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		id, _, _ := menu.ParseID(out[0])
		ids[name] = uint64(id)
	}
	if got := last(tr, "u"); got != [3]string{neverConnected, "", ""} {
		t.Errorf("before: %q", got)
	}
	at := time.Date(2026, 11, 23, 8, 9, 10, 0, time.Local)
	tr.SessionEnded(ids["u"], at, "192.168.51.3", "idle-timeout")
	tr.SessionEnded(99, at, "192.168.51.3", "idle-timeout") // of a secret that is gone
	want := [3]string{"2026-11-23 08:09:10", "192.168.51.3", "idle-timeout"}
	if got := last(tr, "u"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := last(tr, "v"); got != [3]string{neverConnected, "", ""} {
		t.Errorf("another: %q", got)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	tr = open()
	if got := last(tr, "u"); got != want {
		t.Errorf("after a restart: %q, want %q", got, want)
	}
	remove := tr.root.At(secretPath).Command("remove")
	if _, err := tr.Execute(t.Context(), Admin(), &menu.Request{Menu: tr.root.At(secretPath), Command: remove, Items: []string{"u"}, Args: map[string]string{}}, nil); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	tr = open()
	defer db.Close()
	if n := len(tr.last.rows); n != 0 {
		t.Errorf("%d are known after the secret was removed", n)
	}
}
