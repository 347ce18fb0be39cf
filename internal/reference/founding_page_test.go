package reference

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

const (
	top          = "../.."
	foundingPage = top + "/docs/founding-page.md"
)

var (
	namedMenu = regexp.MustCompile("^#+ .*`(/[a-z/-]+)`$")
	// A test, and perhaps a subtest.
	namedTest = regexp.MustCompile("`([a-z0-9/]+): (Test\\w+)`(?: \"([^\"]+)\")?")
	namedFile = regexp.MustCompile("`((?:docs|internal|ppp|pptp|test)/[a-zA-Z0-9_./-]+|README\\.md)`")
)

// cells splits a row of a table; it gives nothing for other lines, and for the line
// below a table's titles.
func cells(line string) []string {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "| ") {
		return nil
	}
	all := strings.Split(strings.Trim(line, "|"), "|")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// TestFoundingPage holds docs/founding-page.md to the tests, files, properties and
// defaults that there are.
func TestFoundingPage(t *testing.T) {
	b, err := os.ReadFile(foundingPage)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	sources := map[string]string{} // the tests of a package
	tests := 0
	for _, m := range namedTest.FindAllStringSubmatch(text, -1) {
		dir, name, sub := m[1], m[2], m[3]
		if _, read := sources[dir]; !read {
			sources[dir] = testsOf(t, dir)
		}
		tests++
		if !strings.Contains(sources[dir], "\nfunc "+name+"(t *testing.T) {") {
			t.Errorf("%s has no %s", dir, name)
		} else if sub != "" && !strings.Contains(sources[dir], sub+`"`) {
			t.Errorf("%s: %s has no subtest %q", dir, name, sub)
		}
	}
	files := namedFile.FindAllStringSubmatch(text, -1)
	for _, m := range files {
		if _, err := os.Stat(filepath.Join(top, m[1])); err != nil {
			t.Error(err)
		}
	}

	menus := newTree(t)
	rows := map[string]map[string]string{} // defaults by menu and property
	var at string
	sentences := 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			at = ""
			if m := namedMenu.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
				at = m[1]
				rows[at] = map[string]string{}
			}
			continue
		}
		row := cells(line)
		if len(row) == 0 || row[len(row)-1] == "proof" {
			continue
		}
		sentences++
		proof := row[len(row)-1]
		if !namedTest.MatchString(proof) && !namedFile.MatchString(proof) {
			t.Errorf("%q has no proof", row[0])
		}
		if len(row) == 4 {
			rows[at][strings.Trim(row[0], "`")] = strings.Trim(row[1], "`")
		}
	}
	for _, path := range []string{"/interface/pptp-client", "/interface/pptp-server", "/interface/pptp-server/server"} {
		m := menus.Root().At(path)
		told := rows[path]
		if told == nil {
			t.Errorf("nothing is said of %s", path)
			continue
		}
		want := defaults(t, menus, m)
		for name, value := range want {
			if got, ok := told[name]; !ok || got != value {
				t.Errorf("%s: the default of %s is told as %q, and is %q", path, name, got, value)
			}
		}
		for name := range told {
			if _, ok := want[name]; !ok {
				t.Errorf("%s has no property %s", path, name)
			}
		}
	}
	if tests < 100 || len(files) < 20 || sentences < 60 {
		t.Errorf("only %d tests, %d files and %d rows were seen: the test is blind", tests, len(files), sentences)
	}
}

// testsOf gives the test files of a package.
func testsOf(t *testing.T, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(top, dir, "*_test.go"))
	if err != nil || len(names) == 0 {
		t.Errorf("%s has no tests: %v", dir, err)
	}
	var all strings.Builder
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

// defaults gives what each property of a new row is, as the page would write it.
func defaults(t *testing.T, menus *tree.Tree, m *menu.Menu) map[string]string {
	t.Helper()
	run := func(command string, items []string, args map[string]string, values ...menu.Assignment) string {
		t.Helper()
		out, err := menus.Execute(t.Context(), tree.Admin(), &menu.Request{Menu: m, Command: m.Command(command), Items: items, Args: args, Values: values}, nil)
		if err != nil || len(out) != 1 {
			t.Fatalf("%s/%s: %q, %v", m.Path(), command, out, err)
		}
		return out[0]
	}
	var item []string
	if !m.Singleton {
		var values []menu.Assignment
		for _, p := range m.Properties {
			if p.Required {
				values = append(values, menu.Assignment{Name: p.Name, Value: "x"})
			}
		}
		item = []string{run("add", nil, map[string]string{}, values...)}
	}
	all := map[string]string{}
	for _, p := range m.Properties {
		switch {
		case p.Required:
			all[p.Name] = "must be given"
		case p.ReadOnly:
			all[p.Name] = "read-only"
		default:
			// The row of default-route-distance has it though it is not shown.
			value := p.Default
			if p.Absent == nil {
				value = run("get", item, map[string]string{"value-name": p.Name})
			}
			switch value {
			case "":
				value = `""`
			case menu.True:
				value = "yes"
			case menu.False:
				value = "no"
			}
			all[p.Name] = value
		}
	}
	return all
}

// TestFoundingExamples compares the examples of docs/founding-page.md, word by word,
// with what a console answers.
func TestFoundingExamples(t *testing.T) {
	page, err := os.ReadFile(foundingPage)
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile(top + "/internal/console/testdata/page.txt")
	if err != nil {
		t.Fatal(err)
	}
	words := func(text string) string {
		return strings.Join(strings.Fields(strings.ReplaceAll(text, "admin@MikroTik", "admin@gopptp")), " ")
	}
	_, answers, _ := strings.Cut(string(golden), "----------\n")
	parts := strings.Split(string(page), "```\n")
	seen := 0
	for i := 1; i < len(parts); i += 2 {
		seen++
		if example := words(parts[i]); !strings.Contains(words(answers), example) {
			t.Errorf("the console does not answer as\n%s", parts[i])
		}
	}
	if seen != 2 {
		t.Errorf("%d examples were seen", seen)
	}
}
