package store

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"gopptp/internal/menu"
)

// things is a menu to keep rows of.
func things() *menu.Menu {
	m := &menu.Menu{
		Name: "things", NameKey: "name",
		Properties: []menu.Property{
			{Name: "name", Type: menu.String{Min: 1}, Required: true},
			{Name: "password", Type: menu.String{}, Sensitive: true},
			{Name: "size", Type: menu.Int{Max: 99}, Default: "7"},
			{Name: "site", Type: menu.Address{}, Optional: true},
			{Name: "running", Type: menu.Bool{}, Default: menu.False, ReadOnly: true},
		},
	}
	menu.Root(nil, m)
	return m
}

func open(t testing.TB, path string) *Store {
	t.Helper()
	s, warnings, err := Open(path)
	if err != nil || warnings != nil {
		t.Fatalf("Open: %v, %v", warnings, err)
	}
	return s
}

// load gives the rows of m as text.
func load(t testing.TB, s *Store, m *menu.Menu) (rows, warnings []string) {
	t.Helper()
	loaded, warnings, err := s.Load(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range loaded {
		rows = append(rows, menu.AsValue(m, []*menu.Row{r}, nil))
	}
	return rows, warnings
}

// add commits a new row and gives its id.
func add(t testing.TB, s *Store, m *menu.Menu, name string) menu.ID {
	t.Helper()
	r := m.Defaults(s.Next(m.IDs()))
	r.Put("name", name)
	if err := s.Commit([]Change{{m, r.ID, r}}); err != nil {
		t.Fatal(err)
	}
	return r.ID
}

func TestRowsSurviveReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	m := things()
	s := open(t, path)
	r := m.Defaults(s.Next(m.IDs()))
	r.Put("name", "a \"b\" \x00 é")
	r.Put("site", "10.0.0.1")
	r.Put("running", menu.True)
	if err := s.Commit([]Change{{m, r.ID, r}}); err != nil {
		t.Fatal(err)
	}
	add(t, s, m, "second")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, path)
	defer s.Close()
	rows, warnings := load(t, s, m)
	want := []string{
		".id=*1;name=a \"b\" \x00 é;password=;size=7;site=10.0.0.1;running=false",
		".id=*2;name=second;password=;size=7;running=false",
	}
	if diff := cmp.Diff(want, rows); diff != "" || warnings != nil {
		t.Errorf("warnings %v, rows (-want +got):\n%s", warnings, diff)
	}
}

func TestIDsAreNeverReused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	m := things()
	s := open(t, path)
	add(t, s, m, "a")
	last := add(t, s, m, "b")
	if err := s.Commit([]Change{{m, last, nil}}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = open(t, path)
	defer s.Close()
	if id := add(t, s, m, "c"); id != last+1 {
		t.Errorf("id %v after %v was removed", id, last)
	}
}

func TestCommitIsAllOrNothing(t *testing.T) {
	m := things()
	s := open(t, filepath.Join(t.TempDir(), "db"))
	defer s.Close()
	if s.db.apply([]op{{m.Path(), key(1), []byte("{}")}, {"", key(2), []byte("{}")}}) == nil {
		t.Fatal("a table without a name was accepted")
	}
	if rows, warnings := load(t, s, m); rows != nil || warnings != nil {
		t.Errorf("half of a commit was kept: %v, %v", rows, warnings)
	}
}

func TestFileIsPrivateAndLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	_, _, err = Open(path)
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), path) {
		t.Errorf("a second Open: %v", err)
	}
	s.Close()
	open(t, path).Close()
}

func TestOpenReportsWhatIsNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Open: %v", err)
	}
	if _, _, err := Open(filepath.Join(path, "below")); err == nil {
		t.Error("Open below a file has no error")
	}
}

// TestWrongValuesStopNobody puts what no version of the program would write into
// the database.
func TestWrongValuesStopNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	m := things()
	s := open(t, path)
	put := func(k []byte, v string) {
		t.Helper()
		if err := s.db.apply([]op{{m.Path(), k, []byte(v)}}); err != nil {
			t.Fatal(err)
		}
	}
	put(key(1), `{"v":1,"values":{"name":"wrong","size":"1000","site":"nowhere","password":"hunter2"}}`)
	put(key(2), `{"v":1,"values":{"name":"unknown","colour":"red","running":"true"}}`)
	put(key(3), `{"v":1,"values":{"name":"","password":"hunter2"}}`)
	put(key(4), `{"v":1,"values":{}}`)
	put(key(5), `{"v":2,"values":{"name":"newer"}}`)
	put(key(6), "hunter2")
	put(key(7), `{"v":1,"values":{"name":"good"}}`)
	put([]byte("odd"), `{"v":1,"values":{"name":"odd"}}`)
	if err := s.db.apply([]op{{sequenceTable, []byte(m.IDs()), []byte("odd")}}); err != nil {
		t.Fatal(err)
	}
	s.Close()

	s, opened, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rows, warnings := load(t, s, m)
	want := []string{
		".id=*1;name=wrong;password=hunter2;size=7;running=false",
		".id=*2;name=unknown;password=;size=7;running=false",
		".id=*7;name=good;password=;size=7;running=false",
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	wantWarnings := []string{
		`"/things": last id cannot be read, that of the last row is used`,
		"/things *1: wrong value of site, its default is used",
		"/things *1: wrong value of size, its default is used",
		`/things *2: unknown property "colour" is ignored`,
		`/things *2: unknown property "running" is ignored`,
		"/things *3: wrong value of name, its default is used",
		"/things *3: row without name is ignored",
		"/things *4: row without name is ignored",
		"/things *5: row of unknown version 2 is ignored",
		"/things *6: row cannot be read and is ignored",
		"/things: row with a bad id is ignored",
	}
	if diff := cmp.Diff(wantWarnings, append(opened, warnings...)); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	if id := add(t, s, m, "new"); id != 8 {
		t.Errorf("the next id is %v, want *8", id)
	}
}

// TestBuiltinIDsAreNoSequence checks that the fixed id of a built-in row does not
// become the last one given out.
func TestBuiltinIDsAreNoSequence(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	m := things()
	s := open(t, path)
	r := m.Defaults(0xFFFFFFFE)
	r.Put("name", "built in")
	if err := s.Commit([]Change{{m, r.ID, r}}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = open(t, path)
	defer s.Close()
	load(t, s, m)
	if id := s.Next(m.IDs()); id != 1 {
		t.Errorf("the first id is %v", id)
	}
}

func FuzzDecode(f *testing.F) {
	m := things()
	r := m.Defaults(1)
	r.Put("name", "a")
	seed, err := json.Marshal(record{version, values(r)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"v":1,"values":{"name":"x","size":"-1"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		row, warnings := decode(m, 1, b)
		if row == nil && warnings == nil {
			t.Fatal("a row vanished without a warning")
		}
		if row != nil && (row.Get("name") == "" || row.Get("size") == "") {
			t.Fatalf("%q became %s", b, menu.AsValue(m, []*menu.Row{row}, nil))
		}
	})
}

func BenchmarkCommit(b *testing.B) {
	m := things()
	s := open(b, filepath.Join(b.TempDir(), "db"))
	defer s.Close()
	for b.Loop() {
		add(b, s, m, "x")
	}
}

// TestDatabaseIsReadWhole checks the door on its own: order, replacement,
// deletion.
func TestDatabaseIsReadWhole(t *testing.T) {
	db, err := openBolt(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.close()
	for _, ops := range [][]op{
		{{"t", key(256), []byte("b")}, {"t", key(1), []byte("a")}, {"u", key(1), []byte("c")}},
		{{"t", key(1), []byte("A")}, {"t", key(2), []byte("x")}},
		{{"t", key(2), nil}, {"t", key(3), nil}},
	} {
		if err := db.apply(ops); err != nil {
			t.Fatal(err)
		}
	}
	got := ""
	if err := db.scan("t", func(_, v []byte) { got += string(v) }); err != nil || got != "Ab" {
		t.Errorf("scan gives %q, %v", got, err)
	}
	if err := db.scan("nothing", func(_, _ []byte) { t.Error("a table that does not exist has a pair") }); err != nil {
		t.Error(err)
	}
}

// TestCommitAfterClose checks that a database that is gone is an error.
func TestCommitAfterClose(t *testing.T) {
	m := things()
	s := open(t, filepath.Join(t.TempDir(), "db"))
	s.Close()
	if err := s.Commit([]Change{{m, 1, nil}}); !errors.Is(err, bbolt.ErrDatabaseNotOpen) {
		t.Errorf("Commit: %v", err)
	}
	if _, _, err := s.Load(m); err == nil {
		t.Error("Load has no error")
	}
}
