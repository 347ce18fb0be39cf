package tree

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"

	"gopptp/internal/journal"
	"gopptp/internal/menu"
	"gopptp/internal/store"
	"gopptp/internal/tree/treetest"
)

// TestBatch checks that the changes of a batch are seen at once, that they are on
// the disk at its end or with the change of another, and not much before.
func TestBatch(t *testing.T) {
	db, _, err := store.Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	menus, err := New(db, &treetest.Engine{}, journal.New(nil, false))
	if err != nil {
		t.Fatal(err)
	}
	m := menus.Root().At("/ppp/secret")
	add := func(ctx context.Context, name string) {
		t.Helper()
		q := &menu.Request{Menu: m, Command: m.Command("add"), Values: []menu.Assignment{{Name: "name", Value: name}}}
		if _, err := menus.Execute(ctx, Admin(), q, nil); err != nil {
			t.Fatal(err)
		}
	}
	want := func(disk int) {
		t.Helper()
		if rows, _, err := db.Load(m); err != nil || len(rows) != disk {
			t.Errorf("%d rows on the disk, want %d; %v", len(rows), disk, err)
		}
	}
	add(t.Context(), "single")
	want(1)
	batch, end := menus.Batch(t.Context())
	add(batch, "a")
	if _, err := menus.Item(Admin(), m, "a"); err != nil {
		t.Errorf("nobody sees it: %v", err)
	}
	inner, endInner := menus.Batch(batch)
	add(inner, "b")
	if err := endInner(); err != nil {
		t.Error(err)
	}
	add(t.Context(), "of another")
	want(4)
	add(batch, "c")
	if err := end(); err != nil {
		t.Error(err)
	}
	want(5)
	// One row each would be on the disk after each of them.
	early := 0
	for i := range 50 {
		add(batch, "x"+strconv.Itoa(i))
		if rows, _, err := db.Load(m); err == nil && len(rows) == 6+i {
			early++
		}
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	want(55)
	if early > 25 {
		t.Errorf("%d of 50 changes waited for the disk by themselves", early)
	}
}
