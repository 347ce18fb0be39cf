// Package safety has only tests: that a change which was acknowledged is there,
// whoever else changes something at the same time and however the daemon ends.
package safety

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gopptp/internal/console"
	"gopptp/internal/journal"
	"gopptp/internal/menu"
	"gopptp/internal/store"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
)

// open makes a tree over the database at path; done closes the database.
func open(t *testing.T, path string) (menus *tree.Tree, done func()) {
	t.Helper()
	db, warnings, err := store.Open(path)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	menus, err = tree.New(db, &treetest.Engine{}, journal.New(nil, false))
	if err != nil {
		t.Fatal(err)
	}
	return menus, func() { db.Close() }
}

// A door carries out a command line in one of the ways into the tree.
type door func(line string) error

// byConsole is the command line.
func byConsole(t *testing.T, menus *tree.Tree) door {
	s := console.NewSession(menus, tree.Admin())
	return func(line string) error { return s.Run(t.Context(), line, &bytes.Buffer{}) }
}

// byProgram asks the tree as REST and the binary API do: the words of the line
// are the path, the command and the values.
func byProgram(t *testing.T, menus *tree.Tree) door {
	return func(line string) error {
		q := &menu.Request{Menu: menus.Root(), Args: map[string]string{}}
		for word := range strings.FieldsSeq(line) {
			name, value, assigned := strings.Cut(word, "=")
			switch {
			case assigned:
				q.Values = append(q.Values, menu.Assignment{Name: name, Value: value})
			case q.Command != nil:
				q.Items = []string{word}
			case q.Menu.Command(word) != nil:
				q.Command = q.Menu.Command(word)
			default:
				q.Menu = q.Menu.At(word)
			}
		}
		_, err := menus.Execute(t.Context(), tree.Admin(), q, nil)
		return err
	}
}

// secrets gives the comments of all secrets by name.
func secrets(menus *tree.Tree) map[string]string {
	out := map[string]string{}
	for _, r := range menus.Configured(menus.Root().At("ppp/secret")) {
		out[r.Get("name")] = r.Get(menu.Comment)
	}
	return out
}

// TestTenWriters lets ten writers add, change and remove at once. Nothing of it
// is lost, neither in the running system nor after a restart, and what all of
// them change has one of their values.
func TestTenWriters(t *testing.T) {
	const writers, rows = 10, 20
	path := filepath.Join(t.TempDir(), "db")
	menus, done := open(t, path)
	if err := byConsole(t, menus)("/ppp/secret/add name=shared"); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	var failed sync.Map
	var all sync.WaitGroup
	for w := range writers {
		run := byConsole(t, menus)
		if w%2 == 1 {
			run = byProgram(t, menus)
		}
		for i := range rows {
			if i%3 != 0 {
				want[fmt.Sprintf("w%d-%d", w, i)] = fmt.Sprintf("of-%d", w)
			}
		}
		all.Go(func() {
			for i := range rows {
				name := fmt.Sprintf("w%d-%d", w, i)
				lines := []string{
					"ppp secret add name=" + name,
					fmt.Sprintf("ppp secret set %s comment=of-%d", name, w),
					fmt.Sprintf("ppp secret set shared comment=of-%d", w),
				}
				if i%3 == 0 {
					lines = append(lines, "ppp secret remove "+name)
				}
				for _, line := range lines {
					if err := run(line); err != nil {
						failed.Store(line, err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	failed.Range(func(line, err any) bool {
		t.Errorf("%s: %v", line, err)
		return true
	})
	check := func(when string, menus *tree.Tree) {
		got := secrets(menus)
		shared := got["shared"]
		delete(got, "shared")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
		if !slices.ContainsFunc(slices.Collect(numbers(writers)), func(w int) bool { return shared == fmt.Sprintf("of-%d", w) }) {
			t.Errorf("%s: what all changed is %q", when, shared)
		}
	}
	check("at the end", menus)
	done()
	menus, done = open(t, path)
	defer done()
	check("after a restart", menus)
}

// numbers gives 0 to n-1.
func numbers(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// TestOneNameForTen lets ten writers add the same name at once: one may.
func TestOneNameForTen(t *testing.T) {
	menus, done := open(t, filepath.Join(t.TempDir(), "db"))
	defer done()
	for n := range 20 {
		var mu sync.Mutex
		var added int
		var all sync.WaitGroup
		for range 10 {
			run := byConsole(t, menus)
			all.Go(func() {
				if run(fmt.Sprintf("/ppp secret add name=n%d", n)) == nil {
					mu.Lock()
					defer mu.Unlock()
					added++
				}
			})
		}
		all.Wait()
		if added != 1 {
			t.Errorf("the name n%d was added %d times", n, added)
		}
	}
	if got := len(secrets(menus)); got != 20 {
		t.Errorf("%d secrets, want 20", got)
	}
}
