package menu

import (
	"bufio"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// DefaultWidth is the width where there is no terminal: the one at which the
// examples of RouterOS's manual wrap.
const DefaultWidth = 110

// A Printer writes rows as print shows them.
type Printer struct {
	Layout   Layout
	Stats    bool
	ShowIDs  bool
	Proplist []string // names of properties to show; empty for all
	Width    int      // of the terminal; 0 for DefaultWidth
	Now      time.Time
	Bare     bool // rows that go on with an earlier print: no legend and no headers
	First    int  // number of the first row
}

// Print writes rows of m in the printer's layout.
func (p Printer) Print(w io.Writer, m *Menu, rows []*Row) error {
	b := bufio.NewWriter(w)
	if p.Width == 0 {
		p.Width = DefaultWidth
	}
	layout := p.Layout
	if layout == Default {
		layout = m.Layout
	}
	if p.Stats {
		layout = Table
	}
	switch {
	case layout == ValueList || m.Singleton:
		p.valueList(b, m, rows)
	case layout == Detail:
		p.detail(b, m, rows)
	case layout == Terse:
		p.terse(b, m, rows)
	case layout == Lines:
		p.lines(b, m, rows)
	default:
		p.table(b, m, rows)
	}
	return b.Flush()
}

// properties are the ones to show, in order.
func (p Printer) properties(m *Menu) []*Property {
	var out []*Property
	for _, name := range p.Proplist {
		if q := m.Property(name); q != nil {
			out = append(out, q)
		}
	}
	if len(p.Proplist) > 0 {
		return out
	}
	for i := range m.Properties {
		q := &m.Properties[i]
		if q.Name != Comment && !m.isFlag(q.Name) && (!q.Stat || p.Stats) {
			out = append(out, q)
		}
	}
	return out
}

// isFlag reports whether a property is shown by a letter.
func (m *Menu) isFlag(name string) bool {
	for _, f := range m.Flags {
		if f.Property == name {
			return true
		}
	}
	return false
}

// shown gives a value to print, unless the property is absent or keeps quiet.
func (p Printer) shown(r *Row, q *Property) (string, bool) {
	text, ok := r.Lookup(q.Name)
	if !ok || len(p.Proplist) == 0 && q.Quiet != "" && text == q.Quiet {
		return "", false
	}
	return q.Type.Text(text), true
}

// letters are the row's flags, with a blank for each that is not set.
func (m *Menu) letters(r *Row, flags []Flag) string {
	b := make([]byte, len(flags))
	for i, f := range flags {
		b[i] = ' '
		if r.Is(f.Property) {
			b[i] = f.Letter
		}
	}
	return string(b)
}

// legend is the line that explains the flags.
func legend(b *bufio.Writer, flags []Flag) {
	if len(flags) == 0 {
		return
	}
	b.WriteString("Flags: ")
	for i, f := range flags {
		switch {
		case i > 0 && f.Or:
			b.WriteString(", ")
		case i > 0:
			b.WriteString("; ")
		}
		b.WriteByte(f.Letter)
		b.WriteString(" - " + f.Name)
	}
}

// number is what the row is called in its line.
func (p Printer) number(i int, r *Row) string {
	if p.ShowIDs {
		return r.ID.String()
	}
	return strconv.Itoa(p.First + i)
}

// numberWidth is the width of the widest number, and least at the least.
func (p Printer) numberWidth(rows []*Row, least int) int {
	if p.ShowIDs {
		for _, r := range rows {
			least = max(least, len(r.ID.String()))
		}
		return least
	}
	return max(least, len(strconv.Itoa(p.First+len(rows)-1)))
}

// comment gives the row's comment, if its menu has them.
func comment(r *Row) string {
	if r.Menu.Property(Comment) == nil {
		return ""
	}
	return r.Get(Comment)
}

// lines writes the values of each row, one row a line.
func (p Printer) lines(b *bufio.Writer, m *Menu, rows []*Row) {
	properties := p.properties(m)
	for _, r := range rows {
		for i, q := range properties {
			text, _ := p.shown(r, q)
			if t, ok := q.Type.(DateTime); ok && !p.Now.IsZero() {
				text = t.short(text, p.Now)
			}
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(Clean(text))
		}
		b.WriteByte('\n')
	}
}

// AsValue gives rows as one text: .id=*1;name=x;… one after the other.
func AsValue(m *Menu, rows []*Row, proplist []string) string {
	var b strings.Builder
	sep := func() {
		if b.Len() > 0 {
			b.WriteByte(';')
		}
	}
	p := Printer{Proplist: proplist}
	for _, r := range rows {
		if !m.Singleton {
			sep()
			b.WriteString(IDKey + "=" + r.ID.String())
		}
		var properties []*Property
		if len(proplist) > 0 {
			properties = p.properties(m)
		} else {
			for i := range m.Properties {
				properties = append(properties, &m.Properties[i])
			}
		}
		for _, q := range properties {
			if text, ok := r.Lookup(q.Name); ok && (q.Name != Comment || text != "") {
				sep()
				b.WriteString(q.Name + "=" + text)
			}
		}
	}
	return b.String()
}

// width is the number of cells that text takes.
func width(s string) int { return utf8.RuneCountInString(s) }

// pad writes text in n cells.
func pad(b *bufio.Writer, text string, n int, right bool) {
	blanks := n - width(text)
	if !right {
		b.WriteString(text)
	}
	for range blanks {
		b.WriteByte(' ')
	}
	if right {
		b.WriteString(text)
	}
}
