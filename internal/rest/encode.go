package rest

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"gopptp/internal/menu"
)

// sectionKey numbers the replies of a command that answers again and again.
const sectionKey = ".section"

// An encoder writes rows of one menu as JSON objects whose values are all
// strings, with their keys in order.
type encoder struct {
	names []string // of properties
	ids   bool     // the rows have ids that mean something
}

// newEncoder makes an encoder for rows of m. A proplist chooses properties; the
// id is there whether it was chosen or not, as RouterOS does it.
func newEncoder(m *menu.Menu, proplist []string, ids bool) encoder {
	e := encoder{ids: ids && !m.Singleton}
	for i := range m.Properties {
		if p := &m.Properties[i]; proplist == nil || slices.Contains(proplist, p.Name) {
			e.names = append(e.names, p.Name)
		}
	}
	slices.Sort(e.names)
	return e
}

// noSection is the section of rows that are in none.
const noSection = -1

// append writes a row after b. What is absent is left out, and so is an empty
// comment.
func (e encoder) append(b []byte, r *menu.Row, section int) []byte {
	b = append(b, '{')
	start := len(b)
	pair := func(name, text string) {
		if len(b) > start {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, name...) // a word of a declaration has nothing to escape
		b = append(b, '"', ':')
		b = appendString(b, text)
	}
	if e.ids {
		pair(menu.IDKey, r.ID.String())
	}
	if section != noSection {
		pair(sectionKey, strconv.Itoa(section))
	}
	for _, name := range e.names {
		if text, there := r.Lookup(name); there && (name != menu.Comment || text != "") {
			pair(name, text)
		}
	}
	return append(b, '}')
}

// list writes rows as an array.
func (e encoder) list(rows []*menu.Row) []byte {
	// A row of a secret takes about this much; a guess too small costs a copy.
	const guess = 320
	b := make([]byte, 1, 2+guess*len(rows))
	b[0] = '['
	for i, r := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.append(b, r, noSection)
	}
	return append(b, ']')
}

// result is the answer to a command that gives a value.
func result(text string) []byte {
	return append(appendString([]byte(`{"ret":`), text), '}')
}

// appendString writes a JSON string (RFC 8259, section 7). A name may come from
// a peer, so that what is not UTF-8 becomes the replacement character.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		plain := i
		for i < len(s) && s[i] >= ' ' && s[i] < utf8.RuneSelf && s[i] != '"' && s[i] != '\\' {
			i++
		}
		b = append(b, s[plain:i]...)
		if i == len(s) {
			break
		}
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r)
			i += n
			continue
		}
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
	}
	return append(b, '"')
}
