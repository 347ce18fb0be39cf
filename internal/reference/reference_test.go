package reference

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopptp/internal/journal"
	"gopptp/internal/menu"
	"gopptp/internal/store"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
)

var update = flag.Bool("update", false, "rewrite docs/reference")

const directory = "../../docs/reference"

// newRoot gives the menus of a new system.
func newRoot(t *testing.T) *menu.Menu {
	t.Helper()
	return newTree(t).Root()
}

// newTree gives the tree of a new system.
func newTree(t *testing.T) *tree.Tree {
	t.Helper()
	db, _, err := store.Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	menus, err := tree.New(db, &treetest.Engine{}, journal.New(nil, false))
	if err != nil {
		t.Fatal(err)
	}
	return menus
}

// TestReference fails when docs/reference is not what the declarations say.
func TestReference(t *testing.T) {
	pages := Pages(newRoot(t))
	if len(pages) < 8 {
		t.Fatalf("only %d pages", len(pages))
	}
	if *update {
		if err := os.MkdirAll(directory, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range pages {
			if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := os.ReadDir(directory)
	if err != nil {
		t.Fatalf("%v: run make docs", err)
	}
	for _, f := range files {
		if _, ok := pages[f.Name()]; ok {
			continue
		}
		if !*update {
			t.Errorf("%s is about no menu: run make docs", f.Name())
		} else if err := os.Remove(filepath.Join(directory, f.Name())); err != nil {
			t.Error(err)
		}
	}
	for name, text := range pages {
		if b, err := os.ReadFile(filepath.Join(directory, name)); err != nil || string(b) != text {
			t.Errorf("%s is stale: run make docs", name)
		}
	}
}

// TestDeclarationsSpeak fails for what the reference could say nothing about.
func TestDeclarationsSpeak(t *testing.T) {
	var visit func(m *menu.Menu)
	visit = func(m *menu.Menu) {
		if m.Help == "" && m.Path() != "/" {
			t.Errorf("%s has no help", m.Path())
		}
		for i := range m.Properties {
			p := &m.Properties[i]
			if p.Help == "" {
				t.Errorf("%s: %s has no help", m.Path(), p.Name)
			}
			if text := describe(p.Type); text == "" || text == "word" && p.Settable() {
				t.Errorf("%s: the type of %s, %T, has no Describe", m.Path(), p.Name, p.Type)
			}
			if p.Kept && p.ReadOnly {
				t.Errorf("%s: %s is computed, so it cannot be kept only", m.Path(), p.Name)
			}
		}
		for _, c := range m.Commands {
			if c.Help == "" {
				t.Errorf("%s: %s has no help", m.Path(), c.Name)
			}
		}
		for _, c := range m.Children {
			visit(c)
		}
	}
	visit(newRoot(t))
}

// TestPage checks what a page says of each kind of property.
func TestPage(t *testing.T) {
	root := menu.Root(nil, &menu.Menu{
		Name: "thing", Help: "Things", NameKey: "name", Caution: "Sharp",
		Flags: []menu.Flag{{Letter: '*', Name: "on", Property: "on"}},
		Properties: []menu.Property{
			{Name: "name", Type: menu.String{Min: 1, Max: 9}, Required: true, Help: "Name"},
			{Name: "size", Type: menu.Int{Min: 1, Max: 5, Word: "none"}, Default: "3", Kept: true, Help: "Size"},
			{Name: "secret", Type: menu.String{}, Sensitive: true, Help: "Secret"},
			{Name: "by", Type: menu.Words("a", "b"), Optional: true, Help: "By | way"},
			{Name: "like", Type: menu.Reference{Path: "/thing"}, Default: "*0", Help: "Like"},
			{Name: "on", Type: menu.Bool{}, ReadOnly: true, Help: "On"},
		},
		Commands: []*menu.Command{menu.Add(), menu.Print(false, false)},
	})
	got := Pages(root)["thing.md"]
	for _, want := range []string{
		"# /thing\n\nThings.\n", "> **Caution:** Sharp.\n",
		"| `name` | text of 1 to 9 octets | must be given | Name |\n",
		"| `size` | number from 1 to 5, or none | `3` | Size. *Kept only* |\n",
		"| `secret` | text of at most 65535 octets | \"\" | Secret. Shown only to users with the policy `sensitive`, exported only with `show-sensitive` |\n",
		"| `by` | one of a, b | none | By \\| way |\n",
		"| `like` | name of an item of /thing | item `*0` of /thing | Like |\n",
		"## Read-only properties\n\n| property | value | meaning |\n|---|---|---|\n| `on` | yes or no | On |\n",
		"| `*` | on | `on` |\n",
		"| `add` | `copy-from=` properties | Create a new item | write |\n",
		"`terse` `value-list` `without-paging` `where` expression | Print values | read |\n",
	} {
		want = strings.ReplaceAll(want, `| "" |`, "| `\"\"` |")
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}
