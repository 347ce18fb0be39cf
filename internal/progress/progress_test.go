package progress

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"
)

func TestStep(t *testing.T) {
	for want, s := range map[string]Step{
		"import: 1200 of 5000 lines, 24%": {What: "import", Unit: "lines", Done: 1200, Total: 5000},
		"import: 0 of 3 lines, 0%":        {What: "import", Unit: "lines", Total: 3},
		"export: 3 of 3 items, 100%":      {What: "export", Unit: "items", Done: 5, Total: 3},
		"bench: 7 rounds":                 {What: "bench", Unit: "rounds", Done: 7},
	} {
		if got := s.String(); got != want {
			t.Errorf("%+v: %q", s, got)
		}
	}
}

// TestSeldom tells a step each millisecond: none for work that is soon done, and then
// five in a second.
func TestSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []int
		f := Seldom(func(s Step) { told = append(told, s.Done) })
		for i := range 2500 {
			if f(Step{Done: i}); i < int(Patience.Milliseconds()) && len(told) > 0 {
				t.Fatalf("told of %v", told)
			}
			time.Sleep(time.Millisecond)
		}
		if n := len(told); n < 9 || n > 11 {
			t.Errorf("told %d times: %v", n, told)
		}
	})
}

func TestContext(t *testing.T) {
	if Of(t.Context()) != nil {
		t.Error("somebody is told")
	}
	done := 0
	Of(With(t.Context(), func(s Step) { done = s.Done }))(Step{Done: 3})
	if done != 3 {
		t.Errorf("told of %d", done)
	}
}

// TestLine draws on a pseudo-terminal that is narrow.
func TestLine(t *testing.T) {
	t.Setenv("TERM", "xterm")
	person, program, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer person.Close()
	defer program.Close()
	if err := pty.Setsize(program, &pty.Winsize{Rows: 24, Cols: 10}); err != nil {
		t.Fatal(err)
	}
	l := On(program)
	l.Clear() // of which there is nothing
	l.Show("0123456789abc")
	l.Show("short")
	l.Clear()
	l.Clear()
	const want = Erase + "012345678" + Erase + "short" + Erase
	got := make([]byte, len(want))
	if _, err := io.ReadFull(person, got); err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
	t.Setenv("TERM", "dumb")
	if On(program) != nil {
		t.Error("a terminal that can only print has a line")
	}
}

// TestNoTerminal: what programs read stays as it is.
func TestNoTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, w := range []any{f, new(bytes.Buffer), nil} {
		l := On(w)
		if l != nil {
			t.Errorf("%T has a line", w)
		}
		l.Show("x")
		l.Clear()
	}
	if text, err := os.ReadFile(f.Name()); err != nil || len(text) > 0 {
		t.Errorf("%q, %v", text, err)
	}
}

func TestDraw(t *testing.T) {
	long := strings.Repeat("x", 200)
	for columns, want := range map[int]int{0: 79, -1: 79, 1: 0, 40: 39, 500: 200} {
		if got := len(Draw(long, columns)) - len(Erase); got != want {
			t.Errorf("%d columns: %d", columns, got)
		}
	}
}
