package terminal

import (
	"slices"
	"testing"
	"testing/synctest"
)

func TestAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, Config{})
		s.press("ask numbers: \r")
		s.shows(prompt+" ask numbers:", "numbers:")
		s.press("one?\t\x1b[A\x18", "\x1b[D!\r") // no help, completion, history or safe mode
		s.shows("numbers: one!?", `answer "one!?"`, prompt)
		s.press("which one: \r", "pr\t") // but where there is something to complete
		s.shows("one: print")
		s.press("\x15p\t\t")
		s.shows(prompt+" which one:", "one: p", "print        ppp          pptp-client  pptp-server", "one: p")
		s.press("rint\r")
		s.shows("one: print", `answer "print"`, prompt)
		s.press("secret new password> \r", "abc")
		s.shows(prompt+" secret new password>", "new password>")
		s.press("\r")
		s.shows("new password>", `answer "abc"`, prompt)
		for _, keys := range []string{"\x03", "x\x03", "\x04"} {
			s.press("ask q: \r", keys)
			s.shows(`answer ""`, "interrupted", prompt)
		}
		s.press("ask q: \rahead\rsay y\r") // typed ahead
		s.shows(`answer "ahead"`, prompt+" say y", "y", prompt)
		s.press("\x1b[A\x1b[A")
		s.shows(prompt + " ask q:")
		s.press("\x15ask q: \r")
		if err := s.leave(); err != nil {
			t.Error(err)
		}
		s.shows(`answer ""`, "interrupted", prompt)
	})
	synctest.Test(t, func(t *testing.T) { // it works without control sequences
		s := sit(t, Config{Columns: 60, Rows: 12, Dumb: true})
		s.press("ask q: \r", "yes\r")
		s.shows("q: yes", `answer "yes"`, prompt)
		s.leave()
	})
	if _, err := (&Output{}).Ask(t.Context(), Question{}); err != ErrNobody {
		t.Errorf("nobody there: %v", err)
	}
}

func TestSafeModeKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, Config{})
		s.press("sa", "\x18")
		s.shows(prompt+" sa", "[Safe Mode taken]", "[admin@gopptp] <SAFE> > sa")
		s.press("y x\r")
		s.shows("x", "[admin@gopptp] <SAFE> >")
		s.press("\x1b[14~", "q", "\x1b[Ay")
		s.shows("sure? [y/n]: y", "y", prompt)
		s.press("\x18", "\x18", "\x1b[200~y\rn\x1b[201~")
		s.shows("sure? [y/n]:")
		s.press("n")
		s.press("\x18", "\x1bOS", "\x03")
		s.shows("sure? [y/n]:", "interrupted", prompt)
		s.leave()
	})
}

// TestPaste pastes what would complete, ask for help and answer questions.
func TestPaste(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, Config{})
		if !s.screen.marks {
			t.Error("the terminal was not asked to mark what is pasted")
		}
		s.press("\x1b[200~not a?\tb\x1b[A\x18\rsay c\x1b[2", "01~")
		s.shows(prompt+" not a? b", prompt+" say c")
		s.press("d\r", "int\t")
		s.shows("cd", prompt+" interface/")
		s.press("\x03", "rows 40\r") // it stops at the first page
		s.press("\x1b[200~quiet\rsay q\r\x1b[201~")
		s.shows("q", prompt)
		s.press("wait\r", "\x1b[200~say x\r", "\x03", "int\t") // what was pasted is dropped
		s.shows(prompt + " interface/")
		s.press("\x03", "ask q: \r", "\x1b[200~a?\t\r\x1b[201~")
		s.shows(`answer "a?\t"`, prompt)
		if err := s.leave(); err != nil {
			t.Error(err)
		}
		if s.screen.marks {
			t.Error("the terminal still marks what is pasted")
		}
		want := []string{"not a?\tb", "say cd", "rows 40", "quiet", "say q", "wait", "ask q: "}
		if !slices.Equal(s.shell.ran, want) {
			t.Errorf("it ran %q, want %q", s.shell.ran, want)
		}
	})
}

// TestNotify tells something while a line is typed and while a command runs.
func TestNotify(t *testing.T) {
	for _, dumb := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := sit(t, Config{Columns: 30, Rows: 12, Dumb: dumb})
			s.press("say something that is longer than a row", "\x1b[D")
			s.Notify("12:00:00 echo: \x1bfire")
			synctest.Wait()
			if !dumb {
				s.shows(`12:00:00 echo: \1Bfire`, prompt+" say something", " that is longer than a row")
			}
			s.press("\x03", "wait\r")
			s.Notify("later")
			synctest.Wait()
			s.shows("waiting")
			s.press("\x03")
			s.shows("interrupted", "later", prompt)
			for range 3 * maxNotices {
				s.Notify("many")
			}
			synctest.Wait()
			s.shows("many", prompt)
			s.leave()
			s.Notify("nobody is there")
		})
	}
}
