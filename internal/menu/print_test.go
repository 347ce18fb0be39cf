package menu

import (
	"bytes"
	"errors"
	"strings"
	"testing"
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
