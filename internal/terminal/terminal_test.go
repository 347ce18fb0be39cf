package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"gopptp/internal/menu"
)

// A fake is a shell with a few commands.
type fake struct {
	ran  []string
	safe bool

	edited *string // what was saved last; nil to print it
}

func (f *fake) Prompt() string {
	if f.safe {
		return "[admin@gopptp] <SAFE> > "
	}
	return "[admin@gopptp] > "
}

func (f *fake) SafeMode(ctx context.Context, out *Output) error {
	if f.safe = !f.safe; f.safe {
		fmt.Fprintln(out, "[Safe Mode taken]")
		return nil
	}
	answer, err := out.Ask(ctx, Question{Prompt: "sure? [y/n]: ", Keys: "yn"})
	if err == nil {
		fmt.Fprintln(out, answer)
	}
	return err
}

func (f *fake) Open(text string) string {
	if strings.Count(text, "{") > strings.Count(text, "}") {
		return "{"
	}
	return ""
}

func (f *fake) Quoted(text string, at int) bool { return strings.Count(text[:at], `"`)%2 == 1 }

func (f *fake) Complete(text string, at int) ([]menu.Completion, int) {
	start := strings.LastIndexByte(text[:at], ' ') + 1
	var out []menu.Completion
	for _, c := range []menu.Completion{
		{Text: "interface", After: "/", Kind: menu.CompleteMenu, Help: "Interfaces"},
		{Text: "print", After: " ", Kind: menu.CompleteCommand, Help: "Print values"},
		{Text: "ppp", After: "/", Kind: menu.CompleteMenu, Help: "Point to Point Protocol"},
		{Text: "pptp-client", After: "/", Kind: menu.CompleteMenu},
		{Text: "pptp-server", After: "/", Kind: menu.CompleteMenu},
	} {
		if strings.HasPrefix(c.Text, text[start:at]) {
			out = append(out, c)
		}
	}
	return out, start
}

func (f *fake) HelpAt(text string, at int) []menu.Completion {
	out, _ := f.Complete(text, at)
	return out
}

func (f *fake) Paint(text string) []Style {
	styles := make([]Style, len(text))
	for i := range styles {
		if strings.HasPrefix(text, "print") && i < 5 {
			styles[i] = Command
		}
	}
	return styles
}

func (f *fake) Run(ctx context.Context, text string, out *Output) error {
	f.ran = append(f.ran, text)
	word, rest, _ := strings.Cut(text, " ")
	switch word {
	case "quit":
		return ErrLeave
	case "fail":
		return errors.New("bad command name fail (line 1 column 1)")
	case "say":
		_, err := fmt.Fprintln(out, rest)
		return err
	case "ask", "secret", "which":
		var complete func(string) []menu.Completion
		if word == "which" {
			complete = func(text string) []menu.Completion {
				found, _ := f.Complete(text, len(text))
				return found
			}
		}
		answer, err := out.Ask(ctx, Question{Prompt: rest, Secret: word == "secret", Complete: complete})
		fmt.Fprintf(out, "answer %q\n", answer)
		return err
	case "edit":
		text, saved, err := out.Edit(ctx, strings.NewReplacer("|", "\n", "^", "\t").Replace(rest))
		switch {
		case err != nil:
		case f.edited == nil:
			fmt.Fprintf(out, "saved %v %q\n", saved, text)
		case saved:
			*f.edited = text
		}
		return err
	case "wait":
		fmt.Fprintln(out, "waiting")
		<-ctx.Done()
		return errors.New("interrupted")
	case "rows":
		var n int
		fmt.Sscan(rest, &n)
		_, rows := out.Size()
		for i := range n {
			if rows > 0 && i > 0 && i%(rows-1) == 0 {
				switch answer, err := out.More(ctx); {
				case err != nil:
					return err
				case answer == Quit:
					return nil
				case answer == Dump:
					rows = 0
				}
			}
			fmt.Fprintln(out, "row", i)
		}
	}
	return nil
}

// A seat is a terminal with its screen; it lives in a bubble of synctest.
type seat struct {
	*testing.T
	*Terminal
	screen *vt
	shell  *fake
	done   chan error
}

func sit(t *testing.T, cfg Config) *seat {
	if cfg.Columns == 0 {
		cfg.Columns, cfg.Rows = 60, 12
	}
	s := &seat{T: t, screen: newVT(t, cfg.Columns, cfg.Rows), shell: &fake{}, done: make(chan error, 1)}
	s.Terminal = New(s.screen, cfg)
	go func() { s.done <- s.Serve(t.Context(), s.shell) }()
	synctest.Wait()
	return s
}

// press types keys and waits until nothing happens any more.
func (s *seat) press(keys ...string) {
	s.Helper()
	for _, k := range keys {
		if err := s.Type([]byte(k)); err != nil {
			s.Fatalf("type %q: %v", k, err)
		}
		synctest.Wait()
	}
}

// shows compares the last rows of the screen.
func (s *seat) shows(want ...string) {
	s.Helper()
	got := strings.Split(s.screen.String(), "\n")
	if tail := got[max(0, len(got)-len(want)):]; !slices.Equal(tail, want) {
		s.Errorf("the screen shows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// screenText gives what the screen shows.
func (s *seat) screenText() string { return s.screen.String() }

// leave hangs up and gives what Serve returned.
func (s *seat) leave() error {
	s.HangUp()
	return <-s.done
}

const prompt = "[admin@gopptp] >"

func TestTyping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, Config{})
		s.shows(prompt)
		s.press("say helo", "\x1b[D", "l", "\r")
		s.shows(prompt+" say hello", "hello", prompt)
		s.press("fail\r")
		s.shows(prompt+" fail", "bad command name fail (line 1 column 1)", prompt)
		s.press("  \r")
		s.shows(prompt, prompt)
		if err := s.leave(); err != nil {
			t.Error(err)
		}
		if want := []string{"say hello", "fail"}; !slices.Equal(s.shell.ran, want) {
			t.Errorf("it ran %q, want %q", s.shell.ran, want)
		}
	})
}

func TestLeaving(t *testing.T) {
	for name, keys := range map[string]string{"Ctrl-D": "\x04", "quit": "quit\r", "after another": "say x\rquit\r"} {
		synctest.Test(t, func(t *testing.T) {
			s := sit(t, Config{})
			s.press(keys)
			if err := <-s.done; err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := s.Type([]byte("x")); err != io.EOF {
				t.Errorf("%s: typing after the end: %v", name, err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // Ctrl-D leaves nothing but an empty line
		s := sit(t, Config{})
		s.press("ab", "\x1b[D", "\x04", "\x04")
		s.shows(prompt + " a")
		s.leave()
	})
}

// TestEndOfContext checks that the session ends with its cause, also while a
// command runs.
func TestEndOfContext(t *testing.T) {
	for _, keys := range []string{"", "sa", "wait\r", "rows 100\r"} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			cause := errors.New("the end")
			term := New(newVT(t, 60, 12), Config{Columns: 60, Rows: 12})
			done := make(chan error, 1)
			go func() { done <- term.Serve(ctx, &fake{}) }()
			if err := term.Type([]byte(keys)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			cancel(cause)
			if err := <-done; !errors.Is(err, cause) {
				t.Errorf("%q: %v", keys, err)
			}
		})
	}
}

// TestBrokenWriter checks that a session whose screen is gone ends.
func TestBrokenWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		term := New(w, Config{Columns: 60, Rows: 12})
		done := make(chan error, 1)
		go func() { done <- term.Serve(t.Context(), &fake{}) }()
		b := make([]byte, 100)
		if _, err := r.Read(b); err != nil {
			t.Fatal(err)
		}
		r.Close()
		_ = term.Type([]byte("say x\r"))
		if err := <-done; !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%v", err)
		}
	})
}

func TestInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, Config{})
		s.press("say no", "\x03")
		s.shows(prompt+" say no", prompt)
		s.press("wait\r", "say later\r")
		s.shows(prompt+" wait", "waiting")
		s.press("\x03") // what was typed ahead is forgotten
		s.shows(prompt+" wait", "waiting", "interrupted", prompt)
		s.leave()
		if want := []string{"wait"}; !slices.Equal(s.shell.ran, want) {
			t.Errorf("it ran %q", s.shell.ran)
		}
	})
}

// TestTypeAhead checks that what is typed while a command runs comes after it.
func TestTypeAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, Config{})
		s.press("say one\rsay two\rsay thr")
		s.shows(prompt+" say one", "one", prompt+" say two", "two", prompt+" say thr")
		s.press("ee\r")
		s.shows(prompt+" say three", "three", prompt)
		s.leave()
	})
}

func TestComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, Config{})
		s.press("i\t")
		s.shows(prompt + " interface/")
		s.press("\x15", "pptp\t") // what they have in common
		s.shows(prompt + " pptp-")
		s.press("\t")
		s.shows(prompt+" pptp-", "pptp-client  pptp-server", prompt+" pptp-")
		s.press("c\t")
		s.shows(prompt + " pptp-client/")
		s.press("\x15", "p\t")
		bells := s.screen.bells
		if bells == 0 {
			t.Error("no bell")
		}
		s.press("\t")
		s.shows(prompt+" p", "print        ppp          pptp-client  pptp-server", prompt+" p")
		s.press("\x15", "zz\t")
		if s.screen.bells != bells+1 {
			t.Error("no bell for what is no word")
		}
		s.press("\x15", "pri x", "\x1b[D\x1b[D", "\t") // the blank is there already
		s.press("y")
		s.shows(prompt + " print yx")
		s.leave()
	})
}

func TestHelp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, Config{})
		s.press("pp?")
		s.shows(prompt+" pp", "ppp -- Point to Point Protocol", "pptp-client", "pptp-server", prompt+" pp")
		s.press("\x15", "\x1bOP")
		s.shows("print -- Print values", "ppp -- Point to Point Protocol", "pptp-client", "pptp-server", prompt)
		s.press(`say "why?"`, "\r") // inside quotes it is a character
		s.shows(prompt+` say "why?"`, `"why?"`, prompt)
		s.leave()
	})
}

func TestHistoryKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, Config{})
		s.press("say one\r", "say two\r", "sa")
		s.press("\x1b[A")
		s.shows(prompt + " say two")
		s.press("\x10")
		s.shows(prompt + " say one")
		s.press("\x1b[A")
		s.shows(prompt + " say one")
		s.press("\x1b[B", "\x0e")
		s.shows(prompt + " sa")
		s.press("\x12", "one")
		s.shows("(search)`one': say one")
		s.press("\r")
		s.shows(prompt+" say one", "one", prompt)
		s.press("\x12", "say", "\x12")
		s.shows("(search)`say': say two")
		s.press("\x07", "!")
		s.shows(prompt + " say two!")
		s.leave()
	})
}

func TestContinuation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, Config{})
		s.press("say {\r", "a\r", "}\r")
		s.shows(prompt+" say {", "{... a", "{... }", "{", "a", "}", prompt)
		s.press("say {\r", "\x03", "say b\r")
		s.shows(prompt+" say {", "{...", prompt+" say b", "b", prompt)
		s.press("\x1b[A", "\x1b[A") // one entry, whose lines are shown as one
		s.shows(prompt + " say {↵a↵}")
		s.press("\r")
		s.shows("a", "}", prompt)
		s.leave()
		if s.shell.ran[0] != "say {\na\n}" || s.shell.ran[2] != s.shell.ran[0] {
			t.Errorf("it ran %q", s.shell.ran)
		}
	})
}

func TestPager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, Config{Columns: 40, Rows: 5})
		s.press("rows 100\r")
		s.shows("row 0", "row 1", "row 2", "row 3", pagerPrompt)
		s.press("x") // means nothing
		s.shows("row 3", pagerPrompt)
		s.press(" ")
		s.shows("row 4", "row 5", "row 6", "row 7", pagerPrompt)
		s.press("q")
		s.shows("row 6", "row 7", prompt)
		s.press("rows 9\r", "d")
		s.shows("row 7", "row 8", prompt)
		s.press("rows 100\r", "\x03")
		s.shows("row 3", "interrupted", prompt)
		s.press("rows 9\rsay next\r") // nobody reads
		s.shows("row 8", prompt+" say next", "next", prompt)
		s.press("rows 4\r")
		s.shows("row 3", prompt)
		s.leave()
	})
	synctest.Test(t, func(t *testing.T) { // a list of completions pages itself
		s := sit(t, Config{Columns: 40, Rows: 4})
		s.press("\x1bOP")
		s.shows("interface -- Interfaces", "print -- Print values", "ppp -- Point to Point Protocol", pagerPrompt)
		s.press("q")
		s.press("\x03")
		s.leave()
	})
	synctest.Test(t, func(t *testing.T) { // who hung up reads nothing
		s := sit(t, Config{})
		s.press("rows 100\r")
		if err := s.leave(); err != nil {
			t.Error(err)
		}
	})
}

// TestDumb checks that a dumb terminal gets no sequence and no pager.
func TestDumb(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, Config{Dumb: true, Colours: true, Columns: 40, Rows: 4})
		s.press("print", "\x1b[D", "\x1b[D", "X", "\r", "rows 5\r")
		s.shows("row 2", "row 3", "row 4", prompt)
		if len(s.screen.styles) > 0 || s.shell.ran[0] != "priXnt" {
			t.Errorf("%v, %q", s.screen.styles, s.shell.ran)
		}
		s.leave()
	})
}

func TestColours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, Config{Colours: true})
		s.press("print x")
		if got := s.screen.styles["35"]; got != "print" {
			t.Errorf("in magenta: %q", got)
		}
		s.press("\x15", "fail\r")
		if got := s.screen.styles["31"]; !strings.HasPrefix(got, "bad command name fail") {
			t.Errorf("in red: %q", got)
		}
		s.leave()
	})
}

func TestResize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, Config{Columns: 30, Rows: 6})
		s.press("say 0123456789")
		s.shows(prompt+" say 012345678", "9")
		s.Resize(60, 6)
		s.press("\r", "rows 1\r")
		if s.Terminal.screen.columns != 60 {
			t.Errorf("the line is %d columns wide", s.Terminal.screen.columns)
		}
		s.leave()
	})
}

// TestHostileOutput checks that no value reaches the terminal as a control.
func TestHostileOutput(t *testing.T) {
	for in, want := range map[string]string{
		"a\x1b[2Jb\n":          "a\\1B[2Jb\n",
		"\x07\x08\x7f\x00\r\n": "\\07\\08\\7F\\00\\0D\n",
		"\u009b2J\u202e\n":     "\\9B2J\\202E\n",
		"\xff\xe6\x97 \n":      "\\FF\\E6\\97 \n",
		"tab\tand 日本 é\n":      "tab\tand 日本 é\n",
		"no end":               "no end\n",
		"cut \xe6":             "cut \\E6\n",
		"\u2028\u2066\n":       "\\2028\\2066\n",
	} {
		for chunk := 1; chunk <= 3; chunk++ { // however it is cut
			var b strings.Builder
			o := NewOutput(&b, "\n")
			for part := range slices.Chunk([]byte(in), chunk) {
				if n, err := o.Write(part); err != nil || n != len(part) {
					t.Fatal(n, err)
				}
			}
			if err := o.End(); err != nil || b.String() != want {
				t.Errorf("%q in chunks of %d: %q, want %q", in, chunk, b.String(), want)
			}
		}
	}
}

// FuzzOutput checks that nothing but the allowed controls comes out.
func FuzzOutput(f *testing.F) {
	f.Add([]byte("a\x1b[2J\xff\u009b日\t\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var b strings.Builder
		o := NewOutput(&b, "\r\n")
		o.Write(in)
		o.End()
		for _, r := range strings.ReplaceAll(b.String(), "\r\n", "") {
			if r != '\t' && unsafe(r) {
				t.Fatalf("%q became %q", in, b.String())
			}
		}
	})
}

// FuzzTyping types noise: nothing breaks, and only what the terminal knows is
// written to it.
func FuzzTyping(f *testing.F) {
	f.Add([]byte("say x\r\x1b[A\x1b[D\x7f\t\t?\x12one\r\x03日本\x1bOP"), 20, false)
	f.Add([]byte("rows 30\r d\x0c"), 5, true)
	f.Fuzz(func(t *testing.T, in []byte, columns int, dumb bool) {
		if len(in) > 300 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			v := newVT(t, min(max(columns, 4), 200), 6)
			term := New(v, Config{Columns: v.columns, Rows: v.rows, Colours: true, Dumb: dumb})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- term.Serve(ctx, &fake{}) }()
			for part := range slices.Chunk(in, 3) {
				if term.Type(part) != nil {
					break
				}
			}
			cancel()
			<-done
		})
	})
}
