package console

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/golden"
	"gopptp/internal/menu"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
)

func init() { time.Local = time.UTC } // the log's times are in the golden files

// newTree makes a tree over an empty store.
func newTree(t testing.TB) (*tree.Tree, *treetest.Engine) {
	t.Helper()
	w := golden.NewWorld(t)
	return w.Tree, w.Engine
}

// TestGolden types the lines of each file in testdata and compares what the
// terminal would show. A line with ! in front changes the world, as golden.World
// says, or how the console is used:
//
//	!width N                    the terminal has N columns
//	!user POLICY…               another user sits down, with these policies
//	!for TIME COMMAND           the command is cancelled after a time
//	!after TIME COMMAND         somebody else gives the command after a time
//	!log TIME TEXT              a text goes into the log after a time
//	!file NAME                  shows a file of the system
//	!script                     the lines up to !end are run as one script
func TestGolden(t *testing.T) {
	golden.Play(t, "*.txt", play)
	t.Run("menus", func(t *testing.T) { golden.Play(t, "menus/*.txt", play) })
}

// policies are those that !user gives.
var policies = map[string]menu.Policy{"read": menu.Read, "write": menu.Write, "sensitive": menu.Sensitive}

// play gives what a terminal shows when the lines of input are typed.
func play(t *testing.T, input string) string {
	w := golden.NewWorld(t)
	s := NewSession(w.Tree, tree.Admin())
	s.Width = menu.DefaultWidth
	var out bytes.Buffer
	run := func(ctx context.Context, shown, source string) {
		fmt.Fprintf(&out, "%s%s\n", s.Prompt(), shown)
		if err := s.Run(ctx, source, &out); err != nil {
			fmt.Fprintln(&out, err)
		}
		synctest.Wait() // for scripts on their own
	}
	// later lets the admin give a command from another place.
	later := func(d time.Duration, command string) {
		time.AfterFunc(d, func() {
			_ = NewSession(w.Tree, tree.Admin()).Run(context.Background(), command, io.Discard)
		})
	}
	var script *strings.Builder // of the lines since !script; nil outside of them
	for line := range strings.Lines(input) {
		line = strings.TrimSuffix(line, "\n")
		if script != nil && line != "!end" {
			fmt.Fprintln(script, line)
			continue
		}
		if !strings.HasPrefix(line, "!") {
			run(t.Context(), line, line)
			continue
		}
		words := strings.Fields(line)
		rest := func(n int) string { return strings.Join(words[n:], " ") }
		switch {
		case script != nil:
			run(t.Context(), "(script)", script.String())
			script = nil
		case w.Directive(t, words):
		case words[0] == "!width":
			fmt.Sscan(words[1], &s.Width)
		case words[0] == "!for":
			ctx, cancel := context.WithTimeout(t.Context(), golden.Time(t, words[1]))
			run(ctx, rest(2), rest(2))
			cancel()
		case words[0] == "!after":
			later(golden.Time(t, words[1]), rest(2))
		case words[0] == "!log":
			later(golden.Time(t, words[1]), "/log/info "+menu.Quote(rest(2)))
		case words[0] == "!file":
			b, err := w.Files.ReadFile(words[1])
			if err != nil {
				t.Error(err)
			}
			fmt.Fprintf(&out, "(file %s)\n%s", words[1], b)
		case words[0] == "!script":
			script = &strings.Builder{}
		case words[0] == "!user":
			u := tree.User{Name: "guest"}
			for _, policy := range words[1:] {
				u.Policies |= policies[policy]
			}
			s = NewSession(w.Tree, u)
		default:
			t.Fatalf("unknown directive %s", line)
		}
	}
	if broken := w.Engine.Broken(); broken != nil {
		t.Errorf("the engine was told: %v", broken)
	}
	return out.String()
}
