package migrate

import (
	"slices"
	"strings"
	"testing"
)

// lines reads all words, those of a line together.
func lines(src string) (out [][]string) {
	s := newScanner(src)
	for {
		w, ok := s.next()
		if !ok {
			return out
		}
		line := []string{w.text}
		for _, r := range s.rest() {
			line = append(line, r.text)
		}
		out = append(out, line)
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      string // words with | between them, lines with ;
	}{
		{"plain", "a b\tc\n\n  d\n", "a|b|c;d"},
		{"comments", "# all\na # rest\nb#c d\n#", "a;b"},
		{"quotes", `"a b" 'c "d' e"f g"h ""` + "\n", `a b|c "d|ef gh|`},
		{"hash within quotes", `"a # b" '#'`, "a # b|#"},
		{"escapes", `\"a\' \# \\ a\ b \s\t.\n`, "\"a'|#|\\|a b| \t.\n"},
		{"escapes within quotes", `"\"" '\'' "\\"`, `"|'|\`},
		{"numbers", `\x41\x4a5 \1011 \7x \x \xg`, "AJ5|A1|\ax|\x00|\x00g"},
		{"continued", "a b\\\nc \\\n d\ne", "a|bc|d;e"},
		{"continued at the start", "\\\na\n", "a"},
		{"open quote", "\"a b\nc", "a b\nc"},
		{"backslash at the end", `a\`, "a"},
		{"nothing", " \n\t\n# x", ""},
		{"carriage returns", "a b\r\nc\r\n", "a|b;c"},
		{"not UTF-8", "\xff\xfe b", "\xff\xfe|b"},
	} {
		var got []string
		for _, l := range lines(c.src) {
			got = append(got, strings.Join(l, "|"))
		}
		if text := strings.Join(got, ";"); text != c.want {
			t.Errorf("%s: got %q, want %q", c.name, text, c.want)
		}
	}
	if w := lines(strings.Repeat("x", 2*maxWord)); len(w) != 1 || len(w[0][0]) != maxWord {
		t.Errorf("a long word has %d octets", len(w[0][0]))
	}
}

// TestWordLines checks the numbers of lines, which continued ones and quotes span.
func TestWordLines(t *testing.T) {
	s := newScanner("a\n\nb\\\nb c\n'd\nd' e\nf")
	var got []int
	for {
		w, ok := s.next()
		if !ok {
			break
		}
		got = append(got, w.line)
	}
	if want := []int{1, 3, 4, 5, 6, 7}; !slices.Equal(got, want) {
		t.Errorf("lines %v, want %v", got, want)
	}
}

func TestAccelWords(t *testing.T) {
	for src, want := range map[string]string{
		`ann * pass *`:             "ann|*|pass|*",
		"\t\"a b\"\t'c'  d":        "a b|c|d",
		`"say \"hi\"" 'it\'s' \\x`: `say "hi"|it's|\\x`,
		`"open`:                    "open",
		`"open\`:                   `open\`,
		`''`:                       "",
		``:                         "",
	} {
		if got := strings.Join(accelWords(src), "|"); got != want {
			t.Errorf("%q: got %q, want %q", src, got, want)
		}
	}
}
