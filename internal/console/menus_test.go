package console

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopptp/internal/golden"
	"gopptp/internal/menu"
)

// TestEveryMenuIsPrinted walks the tree: each menu with print has a file in
// testdata/menus that gives every argument of its print, and that shows a row in
// every form. A menu without one needs such a file: setup, the path, the lines.
func TestEveryMenuIsPrinted(t *testing.T) {
	files, err := filepath.Glob("testdata/menus/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var visit func(m *menu.Menu)
	visit = func(m *menu.Menu) {
		for _, child := range m.Children {
			visit(child)
		}
		p := m.Command("print")
		if p == nil {
			return
		}
		file := filepath.Join("testdata", "menus", strings.ReplaceAll(m.Path()[1:], "/", "-")+".txt")
		i := slices.Index(files, file)
		if i < 0 {
			t.Errorf("%s: no %s", m.Path(), file)
			return
		}
		files = slices.Delete(files, i, i+1)
		_, text := golden.Read(t, file)
		shown := shownBy(text)
		for _, form := range forms(p) {
			answer, given := shown[form]
			if !given {
				t.Errorf("%s has no line %q", file, form)
			} else if !hasRow(answer) && !slices.ContainsFunc(empty, func(at string) bool { return strings.HasPrefix(m.Path(), at) }) {
				t.Errorf("%s: %q shows no row", file, form)
			}
		}
		for _, word := range arguments(p) {
			if !strings.Contains(text, " "+word) {
				t.Errorf("%s has no line with %q", file, word)
			}
		}
	}
	w := golden.NewWorld(t)
	visit(w.Tree.Root())
	if len(files) > 0 {
		t.Errorf("no menu for %s", files)
	}
}

// empty are the menus that never have a row: those of protocols that do not run.
var empty = []string{"/ip/neighbor", "/routing/"}

// forms are the lines that show rows.
func forms(p *menu.Command) []string {
	out := []string{"print", ":put [print as-value]"}
	for _, a := range p.Args {
		switch a.Name {
		case "brief", "count-only", "detail", "show-ids", "stats", "stats-detail", "terse", "value-list":
			out = append(out, "print "+a.Name)
		}
	}
	return out
}

// arguments are the words that lines must have.
func arguments(p *menu.Command) []string {
	var out []string
	for _, a := range p.Args {
		word := a.Name
		if a.Type != nil {
			word += "="
		}
		out = append(out, word)
	}
	if p.Where != menu.NoWhere {
		out = append(out, "where")
	}
	return out
}

// shownBy gives what came of the lines, by line; of one that was given twice, the
// first.
func shownBy(text string) map[string]string {
	out := map[string]string{}
	command, first := "", false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "[admin@") {
			_, command, _ = strings.Cut(strings.TrimSpace(line), "> ")
			if _, given := out[command]; !given {
				first = true
				out[command] = ""
			} else {
				first = false
			}
			continue
		}
		if first {
			out[command] += line
		}
	}
	return out
}

// hasRow reports whether what print showed is more than what stands above rows.
func hasRow(answer string) bool {
	for line := range strings.Lines(answer) {
		line = strings.TrimSpace(line)
		if line == "" || line == "0" || strings.HasPrefix(line, "Flags:") || strings.HasPrefix(line, "Columns:") ||
			strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";;;") {
			continue
		}
		return true
	}
	return false
}
