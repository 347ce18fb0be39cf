package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// top is the root of the tree, seen from here.
const top = "../.."

// A page is a text of the documentation.
type page struct {
	name   string // below top
	blocks []block
	prose  string // all outside of blocks
	text   string
}

// A block is what stands between fences, or is indented by four blanks or a tab.
type block struct {
	line  int    // of the page, from 1
	info  string // what follows the opening fence
	lines []string
}

// pages reads the README and all of docs but the reference, which is generated and has
// tests of its own.
func pages(t *testing.T) []page {
	t.Helper()
	names, err := filepath.Glob(top + "/docs/*.md")
	if err != nil || len(names) < 20 {
		t.Fatalf("%d pages, %v: the test is blind", len(names), err)
	}
	var all []page
	for _, name := range append(names, top+"/README.md") {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rel, err := filepath.Rel(top, name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, read(rel, string(b)))
	}
	return all
}

// read divides a page.
func read(name, text string) page {
	p := page{name: name, text: text}
	var prose strings.Builder
	var open *block // a fenced one
	indented := false
	blank := true // the line before was
	for n, line := range strings.Split(text, "\n") {
		fence, info, isFence := "", "", false
		if fence, isFence = strings.CutPrefix(strings.TrimSpace(line), "```"); isFence {
			info = fence
		}
		_, deep := strings.CutPrefix(line, "    ")
		deep = deep || strings.HasPrefix(line, "\t")
		switch {
		case isFence && open == nil:
			p.blocks = append(p.blocks, block{line: n + 1, info: info})
			open = &p.blocks[len(p.blocks)-1]
		case isFence:
			open = nil
		case open != nil:
			open.lines = append(open.lines, line)
		case deep && (blank || indented):
			if !indented {
				p.blocks = append(p.blocks, block{line: n + 1})
			}
			indented = true
			last := &p.blocks[len(p.blocks)-1]
			last.lines = append(last.lines, strings.TrimSpace(line))
		default:
			indented = false
			prose.WriteString(line + "\n")
		}
		blank = strings.TrimSpace(line) == ""
	}
	p.prose = prose.String()
	return p
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
)

// anchor is what a heading is called in links, as GitHub makes it.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		case r == ' ':
			return '-'
		}
		return -1
	}, heading)
}

// TestLinks: what a page links to is there, with its heading.
func TestLinks(t *testing.T) {
	seen := 0
	for _, p := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(p.prose, -1) {
			target := m[1]
			if strings.HasPrefix(target, "https://") || strings.HasPrefix(target, "http://") {
				continue
			}
			seen++
			file, section, _ := strings.Cut(target, "#")
			path := filepath.Join(top, filepath.Dir(p.name), file)
			if file == "" {
				path = filepath.Join(top, p.name)
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Errorf("%s links to %s: %v", p.name, target, err)
				continue
			}
			if section == "" || info.IsDir() {
				continue
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, h := range heading.FindAllStringSubmatch(string(b), -1) {
				found = found || anchor(h[1]) == section
			}
			if !found {
				t.Errorf("%s links to %s, which has no such heading", p.name, target)
			}
		}
	}
	if seen < 60 {
		t.Errorf("only %d links were seen: the test is blind", seen)
	}
}

// TestIndex: docs/README.md leads to every page.
func TestIndex(t *testing.T) {
	b, err := os.ReadFile(top + "/docs/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages(t) {
		name, below := strings.CutPrefix(p.name, "docs/")
		if below && name != "README.md" && !strings.Contains(string(b), "]("+name+")") {
			t.Errorf("docs/README.md has no link to %s", name)
		}
	}
}

// named is a test that a page names, and its package.
var named = regexp.MustCompile("`([a-z0-9/]+): ((?:Test|Fuzz)\\w+)`")

// TestNamedTests: the tests that pages name as proofs are there.
func TestNamedTests(t *testing.T) {
	seen := 0
	for _, p := range pages(t) {
		for _, m := range named.FindAllStringSubmatch(p.prose, -1) {
			seen++
			files, err := filepath.Glob(filepath.Join(top, m[1], "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, file := range files {
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				found = found || strings.Contains(string(b), "\nfunc "+m[2]+"(")
			}
			if !found {
				t.Errorf("%s names %s of %s, which is not there", p.name, m[2], m[1])
			}
		}
	}
	if seen < 150 {
		t.Errorf("only %d tests are named: the test is blind", seen)
	}
}
