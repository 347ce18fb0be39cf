package menu

import (
	"bufio"
	"strings"
)

// detail writes every property as name=value, wrapped at the terminal's width
// and indented to the first property.
func (p Printer) detail(b *bufio.Writer, m *Menu, rows []*Row) {
	if len(m.Flags) > 0 {
		var head strings.Builder
		legend(&head, m.Flags)
		head.WriteString(" \n")
		p.above(b, head.String())
	}
	edge := p.Width
	if edge == 0 {
		edge = DefaultWidth
	}
	properties := p.properties(m)
	number := p.numberWidth(rows, headWidth)
	for i, r := range rows {
		indent := p.head(b, m, i, r, number)
		at := indent
		if text := comment(r); text != "" {
			b.WriteString(";;; " + Clean(text) + "\n")
			pad(b, "", indent, false)
		}
		for _, q := range properties {
			text, ok := p.shown(r, q)
			if !ok {
				continue
			}
			word := q.Name + "=" + quoteFor(q, text) + " "
			if at > indent && at+width(word) > edge {
				b.WriteByte('\n')
				pad(b, "", indent, false)
				at = indent
			}
			b.WriteString(word)
			at += width(word)
		}
		b.WriteByte('\n')
	}
}

// headWidth is the least width of a row's number in detail and terse.
const headWidth = 2

// head writes the row's number in the width for numbers and its flags, and gives
// the width they take.
func (p Printer) head(b *bufio.Writer, m *Menu, i int, r *Row, number int) int {
	pad(b, p.number(i, r), number, true)
	b.WriteByte(' ')
	if len(m.Flags) == 0 {
		return number + 1
	}
	m.letters(b, r, m.Flags)
	b.WriteByte(' ')
	return number + len(m.Flags) + 2
}

// quoteFor writes a value as detail does: text in quotes, all other values
// without, unless they could be set but not read back.
func quoteFor(q *Property, text string) string {
	if _, ok := q.Type.(interface{ quoted() }); ok || text == "" || !q.ReadOnly && strings.ContainsAny(text, special) {
		return Quote(text)
	}
	return Clean(text)
}

// terse writes each row on one line.
func (p Printer) terse(b *bufio.Writer, m *Menu, rows []*Row) {
	properties := p.properties(m)
	number := p.numberWidth(rows, headWidth)
	for i, r := range rows {
		p.head(b, m, i, r, number)
		if text := comment(r); text != "" {
			b.WriteString(Comment + "=" + Clean(text) + " ")
		}
		for _, q := range properties {
			if text, ok := p.shown(r, q); ok {
				b.WriteString(q.Name + "=" + Clean(text) + " ")
			}
		}
		b.WriteByte('\n')
	}
}

// margin is how far the longest key is indented.
const margin = 2

// valueList writes a line for each property, with its key right-aligned and a
// column for each row: the form of singletons and of monitor. Rows that have no
// room beside the others in the terminal, if there is one, follow in blocks of
// their own.
func (p Printer) valueList(b *bufio.Writer, m *Menu, rows []*Row) {
	var properties []*Property
	keys := 0
	for _, q := range p.properties(m) {
		for _, r := range rows {
			if _, ok := p.shown(r, q); ok {
				properties = append(properties, q)
				keys = max(keys, margin+len(q.Name)+len(": "))
				break
			}
		}
	}
	for first := true; len(rows) > 0; first = false {
		var widths []int
		total := keys
		for _, r := range rows {
			widest := 0
			for _, q := range properties {
				widest = max(widest, width(p.cell(r, q)))
			}
			if p.Width > 0 && len(widths) > 0 && total+widest > p.Width {
				break
			}
			widths = append(widths, widest)
			total += widest + len(gap)
		}
		if !first {
			b.WriteByte('\n')
		}
		p.values(b, properties, keys, rows[:len(widths)], widths)
		rows = rows[len(widths):]
	}
}

// values writes a block of a value list.
func (p Printer) values(b *bufio.Writer, properties []*Property, keys int, rows []*Row, widths []int) {
	for _, q := range properties {
		pad(b, q.Name, keys-len(": "), true)
		b.WriteByte(':')
		blanks := 1 // owed before the next value, so that no line ends in blanks
		for i, r := range rows {
			text := p.cell(r, q)
			if text != "" {
				pad(b, "", blanks, false)
				b.WriteString(text)
				blanks = 0
			}
			blanks += widths[i] - width(text) + len(gap)
		}
		b.WriteByte('\n')
	}
}
