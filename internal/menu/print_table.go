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
// columns that have values, and each row. A row takes as many lines as its
// longest list has elements.
func (p Printer) table(b *bufio.Writer, m *Menu, rows []*Row) {
	if len(rows) == 0 {
		return
	}
	room := p.room(rows)
	columns := p.columns(m, room)
	var flags []Flag
	before := false // the flag before is shown as well
	for _, f := range m.Flags {
		f.Or = f.Or && before
		before = slices.ContainsFunc(room, func(r *Row) bool { return r.Is(f.Property) })
		if before {
			flags = append(flags, f)
		}
	}
	number := p.numberWidth(rows, 1)
	left := number // what number and flags take
	if len(flags) > 0 {
		left += len(gap) + len(flags)
	}
	columns = p.fit(columns, left)
	p.above(b, headers(columns, flags, number))
	cells := make([][]string, len(columns))
	for i, r := range rows {
		if text := comment(r); text != "" {
			b.WriteString(";;; " + Clean(text) + "\n")
		}
		pad(b, p.number(i, r), number, true)
		if len(flags) > 0 {
			b.WriteString(gap)
			m.letters(b, r, flags)
		}
		lines := 1
		for j, c := range columns {
			cells[j] = p.elements(cells[j][:0], r, c.property)
			lines = max(lines, len(cells[j]))
		}
		for line := range lines {
			if line > 0 {
				pad(b, "", left, false)
			}
			for j, c := range columns {
				text := ""
				if line < len(cells[j]) {
					text = cells[j][line]
				}
				b.WriteString(gap)
				pad(b, text, c.width, c.right)
			}
			b.WriteByte('\n')
		}
	}
}

// elements appends what a cell shows, a line for each element of a list.
func (p Printer) elements(lines []string, r *Row, q *Property) []string {
	text := p.cell(r, q)
	if _, ok := q.Type.(interface{ list() }); !ok {
		return append(lines, text)
	}
	for element := range strings.SplitSeq(text, ",") {
		lines = append(lines, element)
	}
	return lines
}

// headers gives what stands above the rows.
func headers(columns []column, flags []Flag, number int) string {
	var b strings.Builder
	if len(flags) > 0 {
		legend(&b, flags)
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
	pad(&b, "#", number, true)
	if len(flags) > 0 {
		b.WriteString(gap)
		pad(&b, "", len(flags), false)
	}
	for _, c := range columns {
		b.WriteString(gap)
		pad(&b, c.header, c.width, c.right)
	}
	b.WriteByte('\n')
	return b.String()
}

// total is the width of columns that left cells stand before.
func total(columns []column, left int) int {
	for _, c := range columns {
		left += len(gap) + c.width
	}
	return left
}

// fit makes a table as narrow as the terminal, if there is one: it cuts headers to
// the width of what is below them, and then leaves out the last columns, unless
// the reader named them.
func (p Printer) fit(columns []column, left int) []column {
	if p.Width == 0 || total(columns, left) <= p.Width {
		return columns
	}
	for i := range columns {
		c := &columns[i]
		if n := max(c.data, minHeader); n < len(c.header) {
			c.header, c.width, c.fitted = c.header[:n], n, true
		}
	}
	for len(p.Proplist) == 0 && len(columns) > 1 && total(columns, left) > p.Width {
		columns = columns[:len(columns)-1]
	}
	return columns
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
	var lines []string
	for _, d := range candidates {
		c := column{property: m.Property(d.Property), header: strings.ToUpper(d.Property)}
		for _, r := range rows {
			lines = p.elements(lines[:0], r, c.property)
			for _, text := range lines {
				c.width = max(c.width, width(text))
			}
		}
		if c.width == 0 {
			continue
		}
		c.data = c.width
		if d.Cut {
			c.header = c.header[:min(len(c.header), max(c.width, minHeader))]
		}
		c.width = max(c.width, len(c.header))
		_, c.right = c.property.Type.(interface{ number() })
		out = append(out, c)
	}
	return out
}

// minHeader is how much of a header is left at least: RouterOS has
// "Columns: …, SIze, Cpu, FP" over a column of one digit.
const minHeader = 1
