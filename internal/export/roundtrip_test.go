package export_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gopptp/internal/console"
	"gopptp/internal/golden"
	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// newTree makes a tree over an empty store.
func newTree(t testing.TB) *tree.Tree {
	t.Helper()
	return golden.NewWorld(t).Tree
}

// stored lists the menus that keep rows.
func stored(m *menu.Menu) []*menu.Menu {
	var out []*menu.Menu
	if m.Command("add") != nil || m.Command("set") != nil {
		out = append(out, m)
	}
	for _, c := range m.Children {
		out = append(out, stored(c)...)
	}
	return out
}

// hard are texts that a script can be made to misread.
var hard = []string{
	"", " ", "two words", " blank in front", "blank behind ", `"`, `\`, `\\"`, "$x", "$[:put 1]", "a\nb", "\r\n", "\t",
	"ü€😀", "\u00a0", "a=b", "[find]", "{", "}", "(1)", ";", "# no comment", "*1", "<pptp-x>", "-1", "!", "no", "0012",
	"1d", "10.0.0.1", "\x01\x7f", `\_`, `\n`, "%41", "?", "'", "`", "~^.*$", "a,b", ":put x", "/ppp", "..", "->", "\u2028",
	strings.Repeat("long ", 60), strings.Repeat(`\"$`, 70), strings.Repeat("ü", 120), strings.Repeat(" ", 250),
	":local x 1\r\n:if ($x = 1) do={ :log info \"it is $x\" }\n",
}

// candidates are texts of which at least one is a value of each type.
var candidates = []string{
	"yes", "no", "0", "1", "2", "7", "240", "512", "1400", "10.0.0.1", "10.1.2.3,10.4.5.6", "1d", "10m", "2001:db8::/64", "host.example",
	"default", "required", "pap", "mschap1,mschap2", "chap", "pptp", "any", "10.0.0.0/8", "192.168.0.2-192.168.0.9", "info", "exclusively",
}

// random gives a value that p may have, and false if it finds none.
func random(r *rand.Rand, src *tree.Tree, p *menu.Property, n int) (string, bool) {
	if p.Name == "name" && r.IntN(2) > 0 {
		return fmt.Sprintf("n%d %s", n, hard[r.IntN(len(hard))]), true
	}
	if ref, ok := p.Type.(menu.Reference); ok {
		target := src.Root().At(ref.Path)
		if target == nil || ref.Address && r.IntN(2) > 0 {
			return fmt.Sprintf("10.0.0.%d", r.IntN(256)), ref.Address
		}
		rows := src.Configured(target)
		if len(rows) == 0 {
			return "", false
		}
		return rows[r.IntN(len(rows))].Get(target.NameKey), true
	}
	for range 200 {
		text := candidates[r.IntN(len(candidates))]
		if r.IntN(2) > 0 {
			text = hard[r.IntN(len(hard))] + hard[r.IntN(len(hard))]
		}
		if _, err := p.Type.Parse(p.Name, text, nil); err == nil {
			return text, true
		}
	}
	return "", false
}

// fill gives most settable properties of m a random value.
func fill(r *rand.Rand, src *tree.Tree, m *menu.Menu, n int) []menu.Assignment {
	var out []menu.Assignment
	for i := range m.Properties {
		p := &m.Properties[i]
		if !p.Settable() || !p.Required && r.IntN(4) == 0 {
			continue
		}
		if text, ok := random(r, src, p, n); ok {
			out = append(out, menu.Assignment{Name: p.Name, Value: text})
		}
	}
	return out
}

// configure puts random rows into every menu, and gives how many were taken.
func configure(t *testing.T, r *rand.Rand, src *tree.Tree) (taken map[string]int) {
	taken = map[string]int{}
	run := func(m *menu.Menu, q *menu.Request) {
		q.Menu = m
		if q.Args == nil {
			q.Args = map[string]string{}
		}
		if _, err := src.Execute(t.Context(), tree.Admin(), q, func([]*menu.Row) error { return nil }); err == nil {
			taken[m.Path()]++
		}
	}
	all := stored(src.Root())
	// What is referred to comes first.
	slices.SortStableFunc(all, func(a, b *menu.Menu) int { return references(a) - references(b) })
	for _, m := range all {
		switch set, add := m.Command("set"), m.Command("add"); {
		case m.Singleton:
			run(m, &menu.Request{Command: set, Values: fill(r, src, m, 0)})
		case add != nil:
			for n := range 6 {
				run(m, &menu.Request{Command: add, Values: fill(r, src, m, n)})
				if taken[m.Path()] > 0 && len(src.Configured(m)) == 0 {
					break // it is kept out of exports
				}
			}
			// Rows may refer to later ones of their own menu, and to themselves.
			for _, row := range src.Configured(m) {
				if set != nil && r.IntN(3) == 0 {
					run(m, &menu.Request{Command: set, Items: []string{row.ID.String()}, Values: fill(r, src, m, 200+int(row.ID%10))})
				}
			}
			if rows := src.Configured(m); m.Ordered && len(rows) > 0 {
				for range 4 {
					id := func() string { return rows[r.IntN(len(rows))].ID.String() }
					run(m, &menu.Request{Command: m.Command("move"), Items: []string{id()}, Args: map[string]string{menu.Destination: id()}})
				}
			}
			fallthrough
		default:
			for _, row := range src.Configured(m) {
				if set != nil && src.Builtin(m, row.ID) != nil {
					run(m, &menu.Request{Command: set, Items: []string{row.ID.String()}, Values: fill(r, src, m, 100+int(row.ID%10))})
				}
			}
		}
	}
	return taken
}

// references counts the properties of m that refer to other menus.
func references(m *menu.Menu) (n int) {
	for i := range m.Properties {
		if _, ok := m.Properties[i].Type.(menu.Reference); ok {
			n++
		}
	}
	return n
}

// dump writes all rows without the ids of those that were added.
func dump(src *tree.Tree) string {
	var b strings.Builder
	for _, m := range stored(src.Root()) {
		fmt.Fprintln(&b, m.Path())
		for _, r := range src.Configured(m) {
			if src.Builtin(m, r.ID) != nil {
				fmt.Fprint(&b, r.ID)
			}
			for i := range m.Properties {
				p := &m.Properties[i]
				if text, there := r.Lookup(p.Name); there && p.Settable() {
					fmt.Fprintf(&b, " %s=%q", p.Name, text)
				}
			}
			fmt.Fprintln(&b)
		}
	}
	return b.String()
}

// exported gives what a command of the console prints.
func exported(t testing.TB, src *tree.Tree, command string) string {
	t.Helper()
	var out bytes.Buffer
	if err := console.NewSession(src, tree.Admin()).Run(t.Context(), command, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestRoundTrip exports systems that are configured at random, and finds the same
// in an empty one that the export was run in.
func TestRoundTrip(t *testing.T) {
	const systems = 4
	added, moved := map[string]bool{}, false
	for _, form := range []string{"", " verbose", " terse", " verbose terse"} {
		t.Run("export"+strings.ReplaceAll(form, " ", "-"), func(t *testing.T) {
			for seed := range uint64(systems) {
				r := rand.New(rand.NewPCG(seed, 1))
				src := newTree(t)
				configure(t, r, src)
				for _, m := range stored(src.Root()) {
					rows := src.Configured(m)
					added[m.Path()] = added[m.Path()] || rows == nil || m.Command("add") == nil || // it is kept out of exports
						slices.ContainsFunc(rows, func(row *menu.Row) bool { return src.Builtin(m, row.ID) == nil })
					moved = moved || m.Ordered && !slices.IsSortedFunc(rows, func(a, b *menu.Row) int { return int(a.ID) - int(b.ID) })
				}
				text := exported(t, src, "/export show-sensitive"+form)
				dst := newTree(t)
				if err := console.NewSession(dst, tree.Admin()).Run(context.Background(), text, io.Discard); err != nil {
					t.Fatalf("seed %d: %v in\n%s", seed, err, text)
				}
				if diff := cmp.Diff(dump(src), dump(dst)); diff != "" {
					t.Fatalf("seed %d: (-exported +imported):\n%s\n%s", seed, diff, text)
				}
			}
		})
	}
	for path, ok := range added {
		if !ok {
			t.Errorf("nothing was ever added to %s: the test is blind", path)
		}
	}
	if !moved {
		t.Error("nothing was ever moved")
	}
}
