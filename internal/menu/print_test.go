package menu

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// firstRow gives the line of the first row in detail.
func firstRow(t *testing.T, m *Menu, rows []*Row) string {
	t.Helper()
	var b bytes.Buffer
	if err := (Printer{Layout: Detail}).Print(&b, m, rows); err != nil {
		t.Fatal(err)
	}
	return strings.Split(b.String(), "\n")[1]
}

// TestPrintNeverWiderThanAsked checks wrapping at every width: no line but one
// of a single property is longer.
func TestPrintNeverWiderThanAsked(t *testing.T) {
	m := example().At("/things/thing")
	r := m.Defaults(1)
	r.Put("name", "a name that is long")
	r.Put("site", "10.0.0.1")
	for width := 1; width < 120; width++ {
		var b bytes.Buffer
		if err := (Printer{Layout: Detail, Width: width}).Print(&b, m, []*Row{r}); err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(b.String(), "\n")[1:] {
			if len(line) > width && strings.Count(line, "=") > 1 {
				t.Errorf("width %d, line %d is %q", width, i, line)
			}
		}
	}
}

// TestPrintEscapes checks that no layout lets a terminal obey what a peer wrote.
func TestPrintEscapes(t *testing.T) {
	m := example().At("/things/thing")
	r := m.Defaults(1)
	r.Put("name", "\x1b]0;owned\a")
	r.Put(Comment, "a\nb\x1b[2J")
	for layout := Table; layout <= Lines; layout++ {
		var b bytes.Buffer
		if err := (Printer{Layout: layout}).Print(&b, m, []*Row{r}); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(b.String(), "\x1b\a") {
			t.Errorf("layout %d prints %q", layout, b.String())
		}
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestPrintReportsWriteError(t *testing.T) {
	m := example().At("/things/thing")
	if err := (Printer{}).Print(brokenPipe{}, m, []*Row{m.Defaults(1)}); err == nil {
		t.Error("no error")
	}
}

// TestValueListBlocks checks that rows stand side by side as far as the terminal
// has room, and all of them where there is none.
func TestValueListBlocks(t *testing.T) {
	m := tableMenu()
	rows := things(m, "name=first actual-mtu=1450", "name=second", "name=third rx-byte=1296625", "name="+strings.Repeat("n", 40))
	for width, want := range map[int]string{
		0: `        name: first  second  third    ` + strings.Repeat("n", 40) + `
  actual-mtu: 1450
      topics:                servers
`,
		30: `        name: first  second
  actual-mtu: 1450
      topics:

        name: third
  actual-mtu:
      topics: servers

        name: ` + strings.Repeat("n", 40) + `
  actual-mtu:
      topics:
`,
	} {
		rows[2].Put("topics", "servers")
		var b bytes.Buffer
		p := Printer{Layout: ValueList, Width: width, Proplist: []string{"name", "actual-mtu", "topics"}}
		if err := p.Print(&b, m, rows); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Errorf("width %d:\n%s\nwant\n%s", width, &b, want)
		}
	}
}

// TestPrinterOfRequest checks what each word of print asks for.
func TestPrinterOfRequest(t *testing.T) {
	m := tableMenu()
	for _, tt := range []struct {
		args map[string]string
		want Printer
		err  string
	}{
		{map[string]string{}, Printer{}, ""},
		{map[string]string{"brief": ""}, Printer{Layout: Table}, ""},
		{map[string]string{"detail": "", "show-ids": ""}, Printer{Layout: Detail, ShowIDs: true}, ""},
		{map[string]string{"stats": ""}, Printer{Stats: true}, ""},
		{map[string]string{"stats": "", "terse": ""}, Printer{Layout: Terse, Stats: true}, ""},
		{map[string]string{"stats-detail": ""}, Printer{Layout: Detail, Stats: true}, ""},
		{map[string]string{"proplist": "na,.id,rx"}, Printer{ShowIDs: true, Proplist: []string{"name", "rx-byte"}}, ""},
		{map[string]string{"detail": "", "terse": ""}, Printer{}, "only one of brief, detail, terse and value-list can be given"},
		{map[string]string{"proplist": "d"}, Printer{}, "ambiguous value of proplist, more than one possible value matches input"},
		{map[string]string{"proplist": "name,"}, Printer{}, "input does not match any value of proplist"},
	} {
		got, err := (&Request{Menu: m, Args: tt.args}).Printer()
		if err != nil {
			if err.Error() != tt.err {
				t.Errorf("%v: %v, want %s", tt.args, err, tt.err)
			}
			continue
		}
		if diff := cmp.Diff(tt.want, got); tt.err != "" || diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.args, diff)
		}
	}
}

// FuzzPrint prints any text in every form at every width: nothing that a terminal
// could obey comes out, and a table with a first column that fits is no wider than
// the terminal.
func FuzzPrint(f *testing.F) {
	f.Add("office", "head office", uint8(80), uint8(Table))
	f.Add("\x1b[2J", "a\nb", uint8(1), uint8(Detail))
	f.Add("ü€😀\xff", "", uint8(0), uint8(ValueList))
	f.Add(strings.Repeat("long ", 50), "\u2028", uint8(40), uint8(Terse))
	m := tableMenu()
	f.Fuzz(func(t *testing.T, name, text string, width, layout uint8) {
		rows := things(m, "uptime=1w2d rx-byte=123456789 actual-mtu=1450", "topics=ppp,debug disabled=true")
		for _, r := range rows {
			r.Put("name", name)
			r.Put(Comment, text)
			r.Put("empty", text)
		}
		var b strings.Builder
		if err := (Printer{Layout: Layout(layout % 6), Width: int(width)}).Print(&b, m, rows); err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(b.String(), "\n") {
			if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("line %d is %q", i, line)
			}
			first := max(utf8.RuneCountInString(Clean(name)), len("1450")) // or the column after it, if it is empty
			if fits := int(width) >= len("0  X  ")+first; Layout(layout%6) == Table && fits && i > 1 && !strings.HasPrefix(line, ";;; ") && utf8.RuneCountInString(line) > int(width) {
				t.Errorf("width %d, line %d is %q", width, i, line)
			}
		}
	})
}
