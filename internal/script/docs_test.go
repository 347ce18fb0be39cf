package script_test

import (
	"os"
	"strings"
	"testing"

	"gopptp/internal/menu"
	"gopptp/internal/script"
	"gopptp/internal/tree"
)

// TestDocs runs the conversations of docs/scripting.md in one session.
func TestDocs(t *testing.T) {
	b, err := os.ReadFile("../../docs/scripting.md")
	if err != nil {
		t.Fatal(err)
	}
	s := newSystem(t)
	at, asked := s.menus.Root(), 0
	var got, want strings.Builder
	inside := false
	for line := range strings.Lines(string(b)) {
		command, typed := strings.CutPrefix(line, "> ")
		switch {
		case line == "```\n":
			inside = !inside
		case !inside:
		case typed:
			asked++
			want.WriteString(line)
			got.WriteString(line)
			env := script.Env{Tree: s.menus, User: tree.Admin(), Out: &got, At: at, Enter: func(m *menu.Menu) { at = m }}
			if err := script.Run(t.Context(), env, command); err != nil {
				got.WriteString(err.Error() + "\n")
			}
		default:
			want.WriteString(line)
		}
	}
	if asked < 15 {
		t.Errorf("only %d lines are typed: the test is blind", asked)
	}
	if got.String() != want.String() {
		t.Errorf("the answers are\n%s", got.String())
	}
}
