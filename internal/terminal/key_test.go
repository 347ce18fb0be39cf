package terminal

import (
	"slices"
	"strings"
	"testing"
)

func TestDecoder(t *testing.T) {
	for in, want := range map[string][]key{
		"a":                            {'a'},
		"é日":                           {'é', '日'},
		"\r":                           {keyEnter},
		"\r\n\n":                       {keyEnter, keyLF},
		"\t\x7f\x03\x04":               {keyTab, backspace, ctrlC, ctrlD},
		"\x1b[A\x1b[B\x1b[C\x1b[D":     {keyUp, keyDown, keyRight, keyLeft},
		"\x1bOA\x1bOB\x1bOH\x1bOF":     {keyUp, keyDown, keyHome, keyEnd},
		"\x1b[1;5C\x1b[1;5D\x1bb\x1bf": {keyWordRight, keyWordLeft, keyWordLeft, keyWordRight},
		"\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[7~\x1b[8~":   {keyHome, keyEnd, keyHome, keyEnd, keyHome, keyEnd},
		"\x1b[3~\x1b[6~\x1b[5~":                      {keyDelete, keyPageDown, keyPageUp},
		"\x1bOP\x1b[11~\x1b[[A\x1b[15~\x1b[[E\x1bOR": {keyHelp, keyHelp, keyHelp, keyRedraw, keyRedraw, keySearch},
		"\x1bd\x1b\x7f":                              {keyDeleteWordRight, keyDeleteWordLeft},
		"\x1b\x03":                                   {ctrlC}, // whatever came before
		"\x1b[12\x03x":                               {ctrlC, 'x'},
		"\x1bO\x03":                                  {ctrlC},
		"\xe6\x97\x03":                               {ctrlC},
		"\xffa":                                      {keyUnknown, 'a'},
		"\x1b[" + strings.Repeat("1;", 1000) + "Rx": {keySearch, 'x'},
		"\x1b\x1b[A": {keyUp},
	} {
		var d decoder
		var got []key
		for _, b := range []byte(in) {
			if k, ok := d.next(b); ok {
				got = append(got, k)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

// FuzzDecoder feeds noise: it never fails, remembers little, and Ctrl-C works
// after it.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte("\x1b[1;5C\x1bOP\xe6\x97\xa5\r\n\x1b[[A"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var d decoder
		n := 0
		for _, b := range in {
			if _, ok := d.next(b); ok {
				n++
			}
		}
		if n > len(in) || cap(d.params) > 2*maxParams || len(d.partial) > 4 {
			t.Errorf("%d keys of %d octets, %d, %d", n, len(in), cap(d.params), len(d.partial))
		}
		if k, ok := d.next(3); !ok || k != ctrlC {
			t.Errorf("Ctrl-C is %v, %v", k, ok)
		}
	})
}

func TestLineEdit(t *testing.T) {
	for _, tt := range []struct {
		text string
		pos  int
		keys []key
		want string
		at   int
	}{
		{"abc", 3, []key{keyLeft, keyLeft, backspace}, "bc", 0},
		{"abc", 0, []key{keyLeft, keyDelete}, "bc", 0},
		{"abc", 3, []key{keyRight, keyDelete, ctrlD}, "abc", 3},
		{"abc", 1, []key{ctrlD}, "ac", 1},
		{"/ppp/secret/add name=x", 22, []key{ctrlW}, "/ppp/secret/add name=", 21},
		{"/ppp/secret/add name=x", 22, []key{ctrlW, ctrlW}, "/ppp/secret/add ", 16},
		{"/ppp/secret", 0, []key{keyWordRight}, "/ppp/secret", 4},
		{"/ppp/secret", 11, []key{keyWordLeft}, "/ppp/secret", 5},
		{"abc def", 4, []key{keyDeleteWordRight}, "abc ", 4},
		{"abc def", 4, []key{ctrlU}, "def", 0},
		{"abc def", 4, []key{ctrlK}, "abc ", 4},
		{"abc", 1, []key{keyEnd}, "abc", 3},
		{"abc", 1, []key{ctrlA, ctrlF, ctrlF, ctrlB, ctrlE, ctrlH}, "ab", 2},
	} {
		l := line{text: []rune(tt.text), pos: tt.pos}
		for _, k := range tt.keys {
			if !l.edit(k) {
				t.Errorf("%v is no key for a line", k)
			}
		}
		if string(l.text) != tt.want || l.pos != tt.at {
			t.Errorf("%q, %v: %q at %d, want %q at %d", tt.text, tt.keys, string(l.text), l.pos, tt.want, tt.at)
		}
	}
	if (&line{}).edit('x') {
		t.Error("a letter is edited")
	}
}

func TestHistory(t *testing.T) {
	var h history
	for _, text := range []string{"one", "two", "two", "three"} {
		h.add(text)
	}
	var got []string
	for text, ok := h.older("typed"); ok; text, ok = h.older("?") {
		got = append(got, text)
	}
	for text, ok := h.newer(); ok; text, ok = h.newer() {
		got = append(got, text)
	}
	if want := "three two one two three typed"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
	if text, at, ok := h.find("t", 2); !ok || text != "two" || at != 1 {
		t.Errorf("%s at %d, %v", text, at, ok)
	}
	for i := range 2 * maxHistory {
		h.add(strings.Repeat("x", i))
	}
	if len(h.texts) > maxHistory || h.size > maxHistoryBytes {
		t.Errorf("%d texts of %d octets", len(h.texts), h.size)
	}
	h.add(strings.Repeat("y", 2*maxHistoryBytes))
	if len(h.texts) != 1 {
		t.Errorf("%d texts beside a long one", len(h.texts))
	}
}
