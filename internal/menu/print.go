package menu

import (
	"bufio"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// DefaultWidth is where detail wraps if there is no terminal: as the examples of
// RouterOS's manual do.
const DefaultWidth = 110

// A Printer writes rows as print shows them.
type Printer struct {
	Layout   Layout
	Stats    bool
	ShowIDs  bool
	Proplist []string // names of properties to show; empty for all
	Width    int      // of the terminal; 0 for none
	Now      time.Time
	Sheet    *Sheet // what the rows are added to; nil for nothing
}

// A Sheet is a print that goes on: later rows keep the columns of earlier ones
// and have numbers of their own.
type Sheet struct {
	Rows    []*Row     // all that are there now, for which there must be room
	Numbers map[ID]int // what each row is called
	head    string     // what was last written above rows
}

// printSize is how much of a print is written at a time, in octets: a long one
// that goes to another process should wake it seldom.
const printSize = 32 << 10

// Print writes rows of m in the printer's layout.
func (p Printer) Print(w io.Writer, m *Menu, rows []*Row) error {
	b := bufio.NewWriterSize(w, printSize)
	layout := p.Layout
	switch {
	case layout == Default && p.Stats:
		layout = Table
	case layout == Default:
		layout = m.Layout
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

// cell is the value of a property as a table shows it, fit for a terminal:
// counters in groups of three digits.
func (p Printer) cell(r *Row, q *Property) string {
	text, _ := p.shown(r, q)
	if _, ok := q.Type.(Int); ok && q.Stat {
		return group(text)
	}
	return Clean(text)
}

// group writes a number in groups of three digits: 1 296 625.
func group(digits string) string {
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// letters writes the row's flags, with a blank for each that is not set.
func (m *Menu) letters(b builder, r *Row, flags []Flag) {
	for _, f := range flags {
		letter := byte(' ')
		if r.Is(f.Property) {
			letter = f.Letter
		}
		_ = b.WriteByte(letter)
	}
}

// above writes what stands above rows, unless it stands there already.
func (p Printer) above(b *bufio.Writer, head string) {
	if p.Sheet != nil {
		if p.Sheet.head == head {
			return
		}
		p.Sheet.head = head
	}
	b.WriteString(head)
}

// room gives the rows that columns are made for, of which rows are printed.
func (p Printer) room(rows []*Row) []*Row {
	if p.Sheet != nil {
		return p.Sheet.Rows
	}
	return rows
}

// legend is the line that explains the flags.
func legend(b *strings.Builder, flags []Flag) {
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
	if p.Sheet != nil {
		i = p.Sheet.Numbers[r.ID]
	}
	return strconv.Itoa(i)
}

// numberWidth is the width of the widest number, and least at the least.
func (p Printer) numberWidth(rows []*Row, least int) int {
	if !p.ShowIDs && p.Sheet == nil {
		return max(least, len(strconv.Itoa(len(rows)-1)))
	}
	for i, r := range p.room(rows) {
		least = max(least, len(p.number(i, r)))
	}
	return least
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

// A builder is what rows are written to.
type builder interface {
	io.ByteWriter
	io.StringWriter
}

// pad writes text in n cells.
func pad(b builder, text string, n int, right bool) {
	blanks := n - width(text)
	if !right {
		_, _ = b.WriteString(text)
	}
	for range blanks {
		_ = b.WriteByte(' ')
	}
	if right {
		_, _ = b.WriteString(text)
	}
}
