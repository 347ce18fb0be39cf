package console

import (
	"path/filepath"
	"regexp"
	"testing"

	"gopptp/internal/golden"
)

// place is how an error tells where it is.
const place = ` \(line \d+ column \d+\)`

// TestErrorTexts checks that each error text of RouterOS's console is shown by a
// golden file, with its place where RouterOS tells one, or that there is a reason
// why it cannot be.
func TestErrorTexts(t *testing.T) {
	var shown string
	for _, pattern := range []string{"testdata/*.txt", "testdata/menus/*.txt"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no golden files: %v", err)
		}
		for _, file := range files {
			_, want := golden.Read(t, file)
			shown += want
		}
	}
	for _, tt := range []struct{ text, never string }{
		{text: `bad command name foo` + place},
		{text: `syntax error` + place},
		{text: `expected end of command` + place},
		{text: `expected command name` + place},
		{text: `expected item id` + place},
		{text: `no such item`},
		{text: `bad parameter once` + place, never: "of newer versions than the one this system behaves like, which says expected end of command"},
		{text: `input does not match any value of profile`},
		{text: `ambiguous value of profile, more than one possible value matches input`},
		{text: `invalid value for argument \S+`},
		{text: `value of \S+ out of range \(\d+\.\.\d+\)`},
		{text: `value of \S+ contains invalid trailing characters`},
		{text: `missing value\(s\) of argument\(s\) connect-to user`},
		{text: `failure: already have interface with such name`},
		{text: `failure: already have such entry`, never: "of menus that this system has not, as bridge ports"},
		{text: `failure: entry already exists`, never: "of menus that this system has not, as routes"},
		{text: `failure: server with such name already exists`, never: "of servers with names, as DHCP's; PPTP has one server"},
		{text: `failure: can not move object before itself`},
		{text: `failure: group has some users`},
		{text: `not enough permissions \(9\)`},
		{text: `interrupted`},
		{text: `action failed \(6\)`, never: "only of an error that no menu expects, which no line can bring about"},
		{text: `action timed out - .*`, never: "of commands to other processes of a router"},
		{text: `Script Error: .* \(/\S+; line \d+\)`},
		{text: `failure: resolve failed( \(line \d+ column \d+\))?`},
		{text: `ambiguous command name \S+` + place},
		{text: `ambiguous argument name \S+` + place},
	} {
		found := regexp.MustCompile(`(?m)^` + tt.text + `$`).MatchString(shown)
		switch {
		case !found && tt.never == "":
			t.Errorf("no golden file shows %s", tt.text)
		case found && tt.never != "":
			t.Errorf("%s is shown after all, though it was thought to be %s", tt.text, tt.never)
		}
	}
}
