package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const (
	// maxPage is how large the page may become, uncompressed: xterm.js has 340 KB of
	// it, the rest of what others wrote 80, and what we wrote 140.
	maxPage = 600 << 10
	// maxLines is how long a module of ours may be.
	maxLines = 400
	// minContrast is what a text needs to be read (WCAG 2.2, success criterion 1.4.3).
	minContrast = 4.5
)

// pageTexts gives what is embedded of the page, by its path.
func pageTexts(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := fs.WalkDir(page, "page", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := page.ReadFile(name)
		texts[strings.TrimPrefix(name, "page/")] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// The ways in which a file of the page names another.
var naming = map[string]*regexp.Regexp{
	".html": regexp.MustCompile(`(?:src|href)="([^"#]+)"`),
	".js":   regexp.MustCompile(`(?:from|import)\s*\(?\s*"(\.[^"]+)"|<img src="([^"]+)"`),
	".css":  regexp.MustCompile(`url\("?([^")]+)"?\)`),
}

// named gives the files that a file names.
func named(name, text string) (files []string) {
	way := naming[path.Ext(name)]
	if way == nil {
		return nil
	}
	for _, m := range way.FindAllStringSubmatch(text, -1) {
		for _, to := range m[1:] {
			if to != "" {
				files = append(files, path.Join(path.Dir(name), to))
			}
		}
	}
	return files
}

// TestPageIsWhole checks that every file that is named is there, and that every
// file is needed by the page.
func TestPageIsWhole(t *testing.T) {
	texts := pageTexts(t)
	needed := map[string]bool{}
	for todo := []string{index}; len(todo) > 0; todo = todo[1:] {
		name := todo[0]
		if needed[name] {
			continue
		}
		needed[name] = true
		text, there := texts[name]
		if !there {
			t.Errorf("%s is named and does not exist", name)
		}
		todo = append(todo, named(name, text)...)
	}
	for name := range texts {
		if licence := strings.HasPrefix(path.Base(name), "LICENSE."); !needed[name] && !licence && path.Base(name) != "README.md" {
			t.Errorf("nothing needs %s", name)
		}
	}
}

// What the Content-Security-Policy refuses, and what could make markup or code of a
// text that a stranger chose.
var (
	forbiddenHTML = regexp.MustCompile(`(?i)<script(?:\s+type="module")?>|<script[^>]*>[^<]|<style|\sstyle=|\son\w+=|javascript:|//`)
	forbiddenJS   = regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|dangerously|document\.write|\beval\b|new Function|setAttribute\("style"|\sstyle="|(?:https?|wss?)://`)
	forbiddenCSS  = regexp.MustCompile(`@import|(?:https?:)?//`)
)

// forbidden gives what a file of ours must not hold and does, or nothing.
func forbidden(name, text string) string {
	switch path.Ext(name) {
	case ".html":
		return forbiddenHTML.FindString(strings.TrimPrefix(text, "<!doctype html>"))
	case ".js":
		return forbiddenJS.FindString(text)
	case ".css":
		return forbiddenCSS.FindString(text)
	}
	return ""
}

func TestPageHoldsNothingForbidden(t *testing.T) {
	for name, text := range pageTexts(t) {
		if strings.HasPrefix(name, "vendor/") {
			continue
		}
		if found := forbidden(name, text); found != "" {
			t.Errorf("%s has %q", name, found)
		}
		if n := strings.Count(text, "\n"); n > maxLines {
			t.Errorf("%s has %d lines", name, n)
		}
	}
}

// TestForbidden checks that the guard sees what it is for.
func TestForbidden(t *testing.T) {
	for name, texts := range map[string][]string{
		"a.html": {`<script>x</script>`, `<script type="module">`, `<script src="a.js">x</script>`, `<p style="x">`, `<style>`, `<p onclick="x">`, `<img src="//else.where">`},
		"a.js":   {`a.innerHTML = b`, `eval(x)`, `new Function("x")`, "html`<p style=\"x\">`", `fetch("https://else.where")`, `new WebSocket("wss://else.where")`},
		"a.css":  {`@import "b.css"`, `url(//else.where)`, `url("https://else.where")`},
	} {
		for _, text := range texts {
			if forbidden(name, text) == "" {
				t.Errorf("%s: %s is let through", name, text)
			}
		}
	}
	for name, text := range map[string]string{"a.html": `<script type="module" src="app.js"></script>`, "a.js": "// no words on evaluation\nlocation.protocol === \"http:\"", "a.css": "a { color: red }"} {
		if found := forbidden(name, text); found != "" {
			t.Errorf("%s: %q is refused", name, found)
		}
	}
}

// TestVendorChecksums checks that what others wrote is what README.md says it is.
func TestVendorChecksums(t *testing.T) {
	texts := pageTexts(t)
	readme := texts["vendor/README.md"]
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|.*\\(([^)]+)\\) \\| `([0-9a-f]{64})` \\|").FindAllStringSubmatch(readme, -1) {
		rows[m[1]] = m[3]
		if texts["vendor/"+m[2]] == "" {
			t.Errorf("%s: the licence %s is not there", m[1], m[2])
		}
	}
	for name, text := range texts {
		base, vendored := strings.CutPrefix(name, "vendor/")
		if !vendored || base == "README.md" || strings.HasPrefix(base, "LICENSE.") {
			continue
		}
		sum := sha256.Sum256([]byte(text))
		if got := hex.EncodeToString(sum[:]); got != rows[base] {
			t.Errorf("vendor/%s: SHA-256 %s, README.md says %q", base, got, rows[base])
		}
		delete(rows, base)
	}
	for name := range rows {
		t.Errorf("README.md tells of %s, which is not there", name)
	}
}

func TestPageSize(t *testing.T) {
	size := 0
	for name, f := range pageFiles() {
		size += len(f.content)
		if f.kind == "" {
			t.Errorf("%s has no type", name)
		}
	}
	if size > maxPage {
		t.Errorf("the page has %d octets, more than %d", size, maxPage)
	}
	t.Logf("the page has %d octets", size)
}

// themes gives the colours of the style sheet: light, dark as the system's choice,
// dark as the person's.
func themes(t *testing.T) (light, system, chosen map[string]string) {
	t.Helper()
	css := pageTexts(t)["theme.css"]
	block := func(after string) map[string]string {
		_, rest, found := strings.Cut(css, after)
		body, _, _ := strings.Cut(rest, "}")
		if !found {
			t.Fatalf("theme.css has no %s", after)
		}
		set := map[string]string{}
		for _, m := range regexp.MustCompile(`(--[\w-]+): (#[0-9a-f]{6})`).FindAllStringSubmatch(body, -1) {
			set[m[1]] = m[2]
		}
		return set
	}
	return block(":root {"), block(`:root:not([data-theme="light"]) {`), block(`:root[data-theme="dark"] {`)
}

// luminance of a colour such as #0b5fbf (WCAG 2.2, relative luminance).
func luminance(colour string) float64 {
	n, _ := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	part := func(shift uint) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestContrast checks that every text can be read on every ground that it is on.
func TestContrast(t *testing.T) {
	if got := contrast("#000000", "#ffffff"); got != 21 {
		t.Errorf("black on white is %v", got)
	}
	light, system, chosen := themes(t)
	if !maps.Equal(system, chosen) {
		t.Error("a dark system and a choice of dark look different")
	}
	pairs := []string{
		"text bg", "text panel", "text raised", "text tint", "text bad-tint", "muted bg", "muted panel", "muted raised", "muted tint",
		"accent bg", "accent panel", "accent raised", "accent tint", "accent bad-tint", "on-accent accent", "on-accent accent-strong", "ok ok-tint", "ok panel", "warn warn-tint", "warn panel", "bad bad-tint", "bad panel", "bad raised",
		"nav-text nav", "nav-muted nav", "nav-text nav-here", "rx panel", "tx panel", "count panel", "console-text console",
	}
	for name, theme := range map[string]map[string]string{"light": light, "dark": chosen} {
		theme = maps.Collect(func(yield func(string, string) bool) { // what a dark theme leaves is as in the light one
			for _, set := range []map[string]string{light, theme} {
				for k, v := range set {
					if !yield(k, v) {
						return
					}
				}
			}
		})
		for _, pair := range pairs {
			text, ground, _ := strings.Cut(pair, " ")
			a, b := theme["--"+text], theme["--"+ground]
			if got := contrast(a, b); a == "" || b == "" || got < minContrast {
				t.Errorf("%s: %s (%s) on %s (%s) has a contrast of %.2f", name, text, a, ground, b, got)
			}
		}
	}
}

// TestNamed checks that all ways of naming a file are seen.
func TestNamed(t *testing.T) {
	js := "import { a } from \"./a.js\";\nimport \"./b.js\";\nexport { c } from \"./v/c.js\";\nimport(\"./d.js\");\nhtml`<img src=\"e.svg\" />`"
	got := fmt.Sprint(named("x.js", js), named("v/x.css", `url("y.png")`), named(index, `<link href="z.css"><a href="#main">`))
	if want := "[a.js b.js v/c.js d.js e.svg] [v/y.png] [z.css]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
