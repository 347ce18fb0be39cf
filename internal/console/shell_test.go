package console

import (
	"bytes"
	"strings"
	"testing"

	"gopptp/internal/terminal"
	"gopptp/internal/tree"
)

// TestPaint writes each character's style under it.
func TestPaint(t *testing.T) {
	menus, _ := newTree(t)
	letters := map[terminal.Style]string{terminal.Plain: ".", terminal.Menu: "m", terminal.Command: "c", terminal.Argument: "a", terminal.Error: "e"}
	for in, want := range map[string]string{
		"/ppp/secret/print detail":      ".mmm.mmmmmm.ccccc.aaaaaa",
		"/ppp secret add name=x":        ".mmm.mmmmmm.ccc.aaaa..",
		"/ppp/secret/add nam=x dis=yes": ".mmm.mmmmmm.ccc.aaa...aaa....",
		"/no/such":                      ".eeeeeee",
		"/ppp/secret/add no=1":          ".mmm.mmmmmm.ccc.eeee",
		"/pp":                           ".mm",
		`"quoted`:                       ".......",
		"":                              "",
	} {
		var got strings.Builder
		for _, s := range (shell{Session: NewSession(menus, tree.Admin())}).Paint(in) {
			got.WriteString(letters[s])
		}
		if got.String() != want {
			t.Errorf("%s\n%s\n%s (want)", in, got.String(), want)
		}
	}
}

func TestRunLines(t *testing.T) {
	menus, _ := newTree(t)
	for in, want := range map[string]struct {
		out    string
		failed bool
	}{
		":put one\n:put two":         {"one\ntwo\n", false},
		":put [\n:len x]\n":          {"1\n", false},
		"foo\n:put two\n":            {"bad command name foo (line 1 column 1)\ntwo\n", false},
		":put one\nfoo\n":            {"one\nbad command name foo (line 1 column 1)\n", true},
		":put one\n/quit\n:put two":  {"one\n", false},
		":put {":                     {"syntax error (line 1 column 7)\n", true},
		strings.Repeat("x", MaxLine): {"", true},
	} {
		var out bytes.Buffer
		err := NewSession(menus, tree.Admin()).RunLines(t.Context(), strings.NewReader(in), &out)
		if out.String() != want.out || (err != nil) != want.failed {
			t.Errorf("%.40q: %.80q, %v", in, &out, err)
		}
	}
}
