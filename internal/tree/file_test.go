package tree_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopptp/internal/journal"
	"gopptp/internal/menu"
	"gopptp/internal/store"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
)

// withFiles makes a bench whose files are in dir.
func withFiles(t *testing.T, dir string) *bench {
	t.Helper()
	db, _, err := store.Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	b := &bench{t: t, engine: &treetest.Engine{}, log: journal.New(nil, false), db: db}
	if b.Tree, err = (tree.Config{Store: db, Engine: b.engine, Journal: b.log, Files: root}).New(); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	b := withFiles(t, dir)
	get := func(name, property string) string {
		t.Helper()
		return b.must("/file/get", items(name), "value-name="+property)[0]
	}
	b.must("/ppp/export", nil, "file=backup", "show-sensitive=")
	if got := get("backup.rsc", "type"); got != "script" {
		t.Errorf("an export is %q", got)
	}
	if got := get("backup.rsc", "contents"); !strings.Contains(got, "by RouterOS") {
		t.Errorf("the export is %q", got)
	}
	id := b.must("/file/add", nil, "name=note.txt", "contents=one\ntwo")
	if got := get(id[0], "size") + " " + get("note.txt", "type"); got != "7 .txt file" {
		t.Errorf("the file is %q", got)
	}
	b.must("/file/set", id, "contents=three")
	b.must("/file/set", id, "name=other.txt")
	if text, err := os.ReadFile(filepath.Join(dir, "other.txt")); err != nil || string(text) != "three" {
		t.Errorf("the file on the disk is %q, %v", text, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "other.txt")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	for _, c := range []struct {
		command string
		items   []string
		values  []string
		want    string
	}{
		{"/file/add", nil, []string{"name=backup.rsc"}, "failure: file with such name already exists"},
		{"/file/add", nil, nil, "missing value(s) of argument(s) name"},
		{"/file/add", nil, []string{"name=../x"}, "invalid value for argument name"},
		{"/file/add", nil, []string{"name=.x"}, "invalid value for argument name"},
		{"/file/add", nil, []string{"name=x", "size=3"}, "unknown parameter size"},
		{"/file/set", items("other.txt"), []string{"name=backup.rsc"}, "failure: file with such name already exists"},
		{"/file/set", items("other.txt", "backup.rsc"), []string{"name=x"}, "failure: file with such name already exists"},
		{"/file/set", items("nosuch"), []string{"name=x"}, "no such item"},
		{"/file/remove", items("other.txt", "nosuch"), nil, "no such item"},
	} {
		if _, err := b.do(tree.Admin(), c.command, c.items, c.values...); err == nil || err.Error() != c.want {
			t.Errorf("%s %v %v: %v, want %s", c.command, c.items, c.values, err, c.want)
		}
	}
	b.must("/file/remove", items("other.txt"))
	if got := b.must("/file/find", nil); len(got) != 1 {
		t.Errorf("files left: %v", got)
	}
	reader := tree.User{Name: "r", Policies: menu.Read}
	if got, err := b.do(reader, "/file/get", items("backup.rsc"), "value-name=contents"); err != nil || got[0] != "*****" {
		t.Errorf("a reader sees %q, %v", got, err)
	}
	if _, err := b.do(reader, "/file/remove", items("backup.rsc")); err == nil {
		t.Error("a reader removed a file")
	}
}

// TestForeignFiles shows files that somebody else put there.
func TestForeignFiles(t *testing.T) {
	dir := t.TempDir()
	b := withFiles(t, dir)
	for name, text := range map[string]string{
		"a\x1b[31m\nb": "red", "binary": "a\x00b", "latin": "\xe9", "large.txt": strings.Repeat("x", 32<<10+1), "just.txt": strings.Repeat("x", 32<<10),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("outside"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	m := b.Root().At("/file")
	var names []string
	_, err := b.Execute(t.Context(), tree.Admin(), &menu.Request{Menu: m, Command: m.Command("print")}, func(rows []*menu.Row) error {
		for _, r := range rows {
			names = append(names, r.Get("name"))
			text, shown := r.Lookup("contents")
			if want := strings.Contains(r.Get("name"), "[31m") || r.Get("name") == "just.txt"; shown != want {
				t.Errorf("%s has contents of %d octets", r.Get("name"), len(text))
			}
		}
		return nil
	})
	want := []string{`a\1B[31m\0Ab`, "binary", "just.txt", "large.txt", "latin"}
	if err != nil || !slices.Equal(names, want) {
		t.Errorf("the files are %q, %v", names, err)
	}
	b.must("/file/remove", items(want[0]))
	if _, err := os.Stat(filepath.Join(dir, "a\x1b[31m\nb")); !os.IsNotExist(err) {
		t.Errorf("the file is there: %v", err)
	}
	for _, e := range b.log.Entries() {
		if strings.ContainsAny(e.Message, "\x1b\n") {
			t.Errorf("the log has %q", e.Message)
		}
	}
}

// TestNoFiles asks a system that keeps none.
func TestNoFiles(t *testing.T) {
	b := newBench(t)
	if got := b.must("/file/find", nil); len(got) != 0 {
		t.Errorf("files: %v", got)
	}
	if _, err := b.do(tree.Admin(), "/file/add", nil, "name=x"); err == nil || err.Error() != "failure: this system keeps no files" {
		t.Errorf("adding one: %v", err)
	}
}
