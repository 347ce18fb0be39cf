package export

import (
	"strings"
	"unicode/utf8"

	"gopptp/internal/menu"
)

// A word is a part of a command: a lone word, or an argument with its value as
// it is to be read.
type word struct {
	name   string
	value  string
	assign bool
}

// plain are the characters that a value needs no quotes for.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.,:/@"

// bare writes a text without quotes if it can be read so.
func bare(text string) string {
	if text == "" || strings.Trim(text, plain) != "" || strings.ContainsAny(text[:1], "-,:/@") {
		return menu.Quote(text)
	}
	return text
}

// value writes a canonical value in the console's words.
func value(p *menu.Property, canonical string) string { return bare(p.Type.Text(canonical)) }

// join writes a command in one line.
func join(words []word) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w.name)
		if w.assign {
			b.WriteByte('=')
		}
		b.WriteString(w.value)
	}
	return b.String()
}

const (
	// columns is where a line ends, as RouterOS has it.
	columns = 80
	// indent begins a continued line.
	indent = "    "
)

// A folder breaks a command into lines.
type folder struct {
	lines []string
	line  strings.Builder
	width int // of line in characters
}

// write adds text to the line.
func (f *folder) write(text string) {
	f.line.WriteString(text)
	f.width += utf8.RuneCountInString(text)
}

// fits reports whether text, and what says that the line goes on, have room.
func (f *folder) fits(text string) bool {
	const goesOn = 2 // " \"
	return f.width+utf8.RuneCountInString(text)+goesOn <= columns
}

// fold ends the line and begins the next.
func (f *folder) fold(end string) {
	f.write(end)
	f.lines = append(f.lines, f.line.String())
	f.line.Reset()
	f.width = 0
	f.write(indent)
}

// wrap writes a command in lines of at most 80 characters where it can: only a
// text in quotes can be cut.
func wrap(words []word) []string {
	var f folder
	for i, w := range words {
		head := w.name
		if w.assign {
			head += "="
		}
		switch {
		case i > 0 && f.fits(" "+head):
			f.write(" ")
		case i > 0:
			f.fold(` \`)
		}
		f.write(head)
		switch {
		case w.value == "" || f.fits(w.value):
			f.write(w.value)
		case w.value[0] == '"' && utf8.RuneCountInString(w.value) > columns-len(indent)-2:
			f.cut(w.value)
		default:
			f.fold(`\`)
			f.write(w.value)
		}
	}
	return append(f.lines, f.line.String())
}

// cut writes a text in quotes over several lines. The blanks at the beginning of
// a continued line do not count, so one that belongs to the text is written \_.
func (f *folder) cut(quoted string) {
	for quoted != "" {
		n := unit(quoted)
		piece := quoted[:n]
		quoted = quoted[n:]
		if !f.fits(piece) {
			f.fold(`\`)
			if piece == " " {
				piece = `\_`
			}
		}
		f.write(piece)
	}
}

// unit gives the length of the first character or escape of a text in quotes.
func unit(s string) int {
	if s[0] != '\\' || len(s) < 2 {
		_, n := utf8.DecodeRuneInString(s)
		return n
	}
	if strings.IndexByte("0123456789ABCDEF", s[1]) >= 0 {
		return min(3, len(s))
	}
	return 2
}
