package menu

import (
	"bufio"
	"slices"
	"strings"
)

// gap is what stands between two columns.
const gap = "  "

// column is a column of a table that is being printed.
type column struct {
	property *Property
	header   string
	width    int
	data     int  // width of the widest value
	right    bool // numbers
	fitted   bool // the header was cut since the table was too wide
}

// table writes a table: a legend of the flags that occur, the names of the
// columns that have values, and a line for each row.
func (p Printer) table(b *bufio.Writer, m *Menu, rows []*Row) {
	if len(rows) == 0 {
		return
	}
	columns := p.columns(m, rows)
	var flags []Flag
	before := false // the flag before is shown as well
	for _, f := range m.Flags {
		f.Or = f.Or && before
		before = slices.ContainsFunc(rows, func(r *Row) bool { return r.Is(f.Property) })
		if before {
			flags = append(flags, f)
		}
	}
	number := p.numberWidth(rows, 1)
	p.fit(columns, number, len(flags))
	if !p.Bare {
		headers(b, columns, flags, number)
	}
	for i, r := range rows {
		if text := comment(r); text != "" {
			b.WriteString(";;; " + Clean(text) + "\n")
		}
		pad(b, p.number(i, r), number, true)
		if len(flags) > 0 {
			b.WriteString(gap + m.letters(r, flags))
		}
		for _, c := range columns {
			text, _ := p.shown(r, c.property)
			b.WriteString(gap)
			pad(b, Clean(text), c.width, c.right)
		}
		b.WriteByte('\n')
	}
}

// headers writes what stands above the rows.
func headers(b *bufio.Writer, columns []column, flags []Flag, number int) {
	if len(flags) > 0 {
		legend(b, flags)
		b.WriteByte('\n')
	}
	b.WriteString("Columns: ")
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		name := strings.ToUpper(c.property.Name)
		if c.fitted { // what is cut off is in small letters
			name = c.header + c.property.Name[len(c.header):]
		}
		b.WriteString(name)
	}
	b.WriteByte('\n')
	pad(b, "#", number, true)
	if len(flags) > 0 {
		b.WriteString(gap)
		pad(b, "", len(flags), false)
	}
	for _, c := range columns {
		b.WriteString(gap)
		pad(b, c.header, c.width, c.right)
	}
	b.WriteByte('\n')
}

// fit cuts headers to the width of what is below them, if the table would be
// wider than the terminal.
func (p Printer) fit(columns []column, number, flags int) {
	total := number
	if flags > 0 {
		total += len(gap) + flags
	}
	for _, c := range columns {
		total += len(gap) + c.width
	}
	if total <= p.Width {
		return
	}
	for i := range columns {
		c := &columns[i]
		if n := max(c.data, minHeader); n < len(c.header) {
			c.header, c.width, c.fitted = c.header[:n], n, true
		}
	}
}

// columns are those of the layout that have a value in some row.
func (p Printer) columns(m *Menu, rows []*Row) []column {
	declared := m.Columns
	if p.Stats {
		declared = m.Stats
	}
	var candidates []Column
	if len(p.Proplist) > 0 || len(declared) == 0 {
		for _, q := range p.properties(m) {
			candidates = append(candidates, Column{Property: q.Name})
		}
	} else {
		candidates = declared
	}
	var out []column
	for _, d := range candidates {
		c := column{property: m.Property(d.Property), header: strings.ToUpper(d.Property)}
		for _, r := range rows {
			text, _ := p.shown(r, c.property)
			c.width = max(c.width, width(Clean(text)))
		}
		if c.width == 0 {
			continue
		}
		c.data = c.width
		if d.Cut {
			c.header = c.header[:min(len(c.header), max(c.width, minHeader))]
		}
		c.width = max(c.width, len(c.header))
		switch c.property.Type.(type) {
		case Int:
			c.right = true
		}
		out = append(out, c)
	}
	return out
}

// minHeader is how much of a header is left at least.
const minHeader = 2
