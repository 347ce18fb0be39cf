package menu

import (
	"strings"
	"testing"
)

// words are the texts of completions, with what is added after each.
func words(found []Completion) string {
	var out []string
	for _, c := range found {
		out = append(out, c.Text+c.After)
	}
	return strings.Join(out, "|")
}

func exampleNames(path string) []string {
	if path == "/things/thing" {
		return []string{"alpha", "alps", "b c"}
	}
	return nil
}

func TestComplete(t *testing.T) {
	root := example()
	for _, tt := range []struct {
		at, src, want string
		start         int
	}{
		{"/", "", "things ", 0},
		{"/", "/", "things/", 1},
		{"/", "/th", "things/", 1},
		{"/", "/things/", "thing/", 8},
		{"/", "th ", "thing ", 3},
		{"/", "/things/thing/a", "add ", 14},
		{"/", "/things/thing/add", "add ", 14},
		{"/things/thing", "re", "remove ", 0},
		{"/things/thing", ".. th", "thing ", 3},
		{"/things/thing", "add ", "age=|comment=|copy-from=|disabled=|name=|site=|size=", 4},
		{"/things/thing", "add na", "name=", 4},
		{"/things/thing", "add name=x ", "age=|comment=|copy-from=|disabled=|site=|size=", 11},
		{"/things/thing", "add name=\"x y\" si", "site=|size=", 15},
		{"/things/thing", "add name=[:put x] size=3 a", "age=", 25},
		{"/things/thing", "add disabled=", "no |yes ", 13},
		{"/things/thing", "add disabled=y", "yes ", 13},
		{"/things/thing", "add dis=y", "yes ", 8},
		{"/things/thing", "add copy-from=al", "alpha |alps ", 14},
		{"/things/thing", "add foo=", "", 8},
		{"/things/thing", "set ", "\"b c\" |age=|alpha |alps |comment=|disabled=|name=|numbers=|site=|size=", 4},
		{"/things/thing", "set al", "alpha |alps ", 4},
		{"/things/thing", "set alpha,al", "alpha |alps ", 10},
		{"/things/thing", "set \"b", "\"b c\" ", 4},
		{"/things/thing", "set alpha !", "site ", 11},
		{"/things/thing", "set alpha s", "site=|size=", 10},
		{"/things/thing", "set [fi", "find ", 5},
		{"/things/thing", "set [find name=x] si", "site=|size=", 18},
		{"/things/thing", "set [find na", "name=", 10},
		{"/things/thing", "set [find name=alph", "alpha ", 15},
		{"/things/thing", "find disabled=n", "no ", 14},
		{"/things/thing", "get alpha si", "site |size ", 10},
		{"/things/thing", "print de", "detail ", 6},
		{"/things/thing", "print detail where run", "running=", 19},
		{"/things/thing", "print where running=y", "yes ", 20},
		{"/things/thing", "print where running an", "and ", 20},
		{"/things/thing", "print proplist=name,si", "site |size ", 20},
		{"/", ":pu", ":put ", 0},
		{"/", ":put [/things/thing/get al", "alpha |alps ", 24},
		{"/", "/things/thing; fi", "find ", 15},
		{"/", "/things/thing\nfi", "find ", 14},
		{"/", "# /th", "", 5},
		{"/", "/foo/", "", 0},
		{"/", "/things/thing/print where (na", "", 27},
	} {
		at := root
		if tt.at != "/" {
			at = root.At(tt.at)
		}
		found, start := Complete(tt.src, len(tt.src), root, at, exampleNames)
		if got := words(found); got != tt.want || len(found) > 0 && start != tt.start {
			t.Errorf("Complete(%q) in %s: %s from %d, want %s from %d", tt.src, tt.at, got, start, tt.want, tt.start)
		}
	}
}

// TestCompleteInside checks that only what stands in front of the cursor counts.
func TestCompleteInside(t *testing.T) {
	root := example()
	found, start := Complete("/things/th name=x", 10, root, root, nil)
	if got := words(found); got != "thing/" || start != 8 {
		t.Errorf("%s from %d", got, start)
	}
}

func TestHelpAt(t *testing.T) {
	root := example()
	at := root.At("/things/thing")
	for src, want := range map[string]string{
		"print d":       "detail",
		"add disabled=": "disabled|no|yes",
		"add name=":     "name",
		"set ":          "numbers|\"b c\"|age|alpha|alps|comment|disabled|name|numbers|site|size",
		"find name=":    "name|\"b c\"|alpha|alps",
	} {
		var got []string
		for _, c := range HelpAt(src, len(src), root, at, exampleNames) {
			got = append(got, c.Text)
		}
		if strings.Join(got, "|") != want {
			t.Errorf("HelpAt(%q): %q, want %q", src, got, want)
		}
	}
}

func FuzzComplete(f *testing.F) {
	for _, s := range []string{"/things/thing/add name=\"a", "set [find name=x] si", "print where (", ":put [", "# x\n/th", "a\\\nb", "set \"b\",!"} {
		f.Add(s, len(s))
	}
	root := example()
	f.Fuzz(func(t *testing.T, src string, pos int) {
		for _, at := range []*Menu{root, root.At("/things/thing")} {
			_, start := Complete(src, pos, root, at, exampleNames)
			if start < 0 || start > len(src) {
				t.Fatalf("Complete(%q, %d) starts at %d", src, pos, start)
			}
			HelpAt(src, pos, root, at, exampleNames)
		}
	})
}
