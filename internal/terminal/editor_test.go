package terminal

import (
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"
)

// TestEditor types keys into a text.
func TestEditor(t *testing.T) {
	for name, tt := range map[string]struct{ text, keys, want string }{
		"nothing":          {"", "", ""},
		"typed":            {"", "ab\rc", "ab\nc"},
		"end of the text":  {"a|b", "\x1b[B\x05x\x1b[B", "a\nbx"},
		"split":            {"ab|c", "\x1b[C\r", "a\nb\nc"},
		"join backwards":   {"ab|c", "\x1b[B\x7f", "abc"},
		"join forwards":    {"ab|c", "\x05\x1b[3~", "abc"},
		"over the edges":   {"ab|c", "\x05\x1b[Cx\x1b[D\x1b[Dy", "aby\nxc"},
		"wished column":    {"abc||abc", "\x05\x1b[B\x1b[Bx", "abc\n\nabcx"},
		"cut and paste":    {"a|b|c", "\x0b\x1b[B\x19\x19", "b\na\na\nc"},
		"cut the only":     {"abc", "\x0bx", "x"},
		"nothing to paste": {"a", "\x19", "a"},
		"words":            {"one two", "\x1b[1;5C!\x1bd", "one!"},
		"characters":       {"日本|é", "\x1b[Cx\x1b[By", "日x本\néy"},
		"pages":            {strings.Repeat("x|", 30), "\x1b[6~\x1b[6~a\x1b[5~b", strings.Repeat("x\n", 11) + "xb\n" + strings.Repeat("x\n", 10) + "ax\n" + strings.Repeat("x\n", 7)},
		"pasted":           {"", "\x1b[200~a?\tb\rc\x0f\x1b[A\x1b[201~d", "a?\tb\ncd"},
		"tab":              {"", "\tx", "\tx"},
		"CR and LF":        {"", "a\r\nb", "a\nb"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got string
				s := sit(t, Config{Columns: 60, Rows: 12})
				s.shell.edited = &got
				s.press("edit "+tt.text+"\r", tt.keys, "\x0f")
				if got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				s.shows(prompt)
				s.leave()
			})
		})
	}
}

func TestEditorScreen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, Config{Columns: 20, Rows: 5})
		s.press("edit one|^tab|a日本語日本語日本語日本語|b|c|d\r")
		want := func(rows ...string) {
			t.Helper()
			if got := s.screenText(); got != strings.Join(rows, "\n") {
				t.Errorf("the screen shows\n%s\nwant\n%s", got, strings.Join(rows, "\n"))
			}
		}
		const status = "C-c quit C-o save&q"
		want("one", "    tab", "a日本語日本語日本語", "b", status)
		s.press("\x1b[B\x1b[B\x05") // to the end of the long line
		want("", "", "本語日本語", "", status)
		s.press("\x01")
		want("one", "    tab", "a日本語日本語日本語", "b", status)
		s.press("\x1b[6~")
		want("a日本語日本語日本語", "b", "c", "d", status)
		s.screen.columns, s.screen.rows = 30, 3
		s.screen.grid = s.screen.grid[:3]
		for i := range s.screen.grid {
			s.screen.grid[i] = make([]string, 30)
		}
		s.Resize(30, 3)
		synctest.Wait()
		want("c", "d", "C-c quit C-o save&quit C-k cu")
		s.press("\x0c", "x")
		want("c", "xd", "C-c quit C-o save&quit C-k cu")
		s.press("\x03")
		s.shows("語日本語日本語日本語\\nb\\nc\\nxd", `"`, prompt)
		s.leave()
	})
}

// TestEditorLeaves ends the session while a text is edited.
func TestEditorLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := "never"
		s := sit(t, Config{})
		s.shell.edited = &got
		s.press("edit a\r", "b")
		if err := s.leave(); err != nil {
			t.Error(err)
		}
		if got != "never" {
			t.Errorf("%q was saved", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, Config{Columns: 60, Rows: 12, Dumb: true})
		s.press("edit a\r")
		s.shows("terminal: nobody can be asked", prompt)
		s.leave()
	})
}

// TestEditorIsBounded fills an editor.
func TestEditorIsBounded(t *testing.T) {
	e := newEditor(strings.Repeat("x", MaxText-1))
	e.resize(80, 24)
	if e.press('é') || !e.press('e') || e.press('e') || e.press(keyEnter) || e.press(ctrlY) {
		t.Error("it takes too much")
	}
	if n := len(e.text()); n != MaxText || e.octets != n {
		t.Errorf("%d octets, and it counts %d", n, e.octets)
	}
}

// FuzzEditor presses any keys: the editor counts its octets, stays in its bounds
// and draws what a terminal can show.
func FuzzEditor(f *testing.F) {
	f.Add("a\nb\tc\n日本", "\x1b[Bx\r\x7f\x0b\x19\x1b[6~\x05", uint8(20), uint8(5))
	f.Add("", "\x0b\x0b\x19\x1b[3~\x15\x1bd", uint8(1), uint8(1))
	f.Fuzz(func(t *testing.T, text, keys string, columns, rows uint8) {
		if !utf8.ValidString(text) || len(text) > 4096 || len(keys) > 512 { // each key draws
			return
		}
		e := newEditor(text)
		screen := newVT(t, max(2, int(columns)), max(1, int(rows)))
		e.resize(max(2, int(columns)), max(1, int(rows)))
		var d decoder
		for i := range len(keys) {
			if k, ok := d.next(keys[i]); ok {
				e.press(k)
				screen.Write(e.draw(nil))
			}
		}
		if n := len(e.text()); n != e.octets {
			t.Errorf("%d octets, and it counts %d", n, e.octets)
		}
		if e.row >= len(e.lines) || e.col > len(e.lines[e.row]) || strings.Contains(string(e.lines[e.row]), "\n") {
			t.Errorf("the cursor is at %d, %d", e.row, e.col)
		}
	})
}
