package menu

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// String is text. Text that is not UTF-8 is refused: MS-CHAP needs Unicode
// characters, and JSON cannot carry anything else.
type String struct {
	plain
	Min, Max int  // octets; a Max of zero is MaxText
	Line     bool // no control characters: a name
}

// MaxText is the longest text in octets: a script of RouterOS's size.
const MaxText = 65535

// CommentText is what a comment may be.
var CommentText = String{Max: 1024}

// Parse accepts text within the bounds.
func (t String) Parse(name, text string, _ Resolver) (string, error) {
	most := t.Max
	if most == 0 {
		most = MaxText
	}
	if len(text) < t.Min || len(text) > most || !utf8.ValidString(text) || t.Line && strings.ContainsFunc(text, unicode.IsControl) {
		return "", errInvalid(name)
	}
	return text, nil
}

// quoted marks the types that print in quotes.
func (String) quoted() {}

// Quote writes text as the console reads it, in quotes and with escapes.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range s {
		switch {
		case r == '"' || r == '\\' || r == '$':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		default:
			writeRune(&b, s, i, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Clean makes text fit for a terminal: a name may come from a peer.
func Clean(s string) string {
	if isPlain(s) { // nearly all of what is printed
		return s
	}
	var b strings.Builder
	for i, r := range s {
		writeRune(&b, s, i, r)
	}
	return b.String()
}

// isPlain reports whether text is nothing but characters of ASCII that can be seen.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// writeRune writes the character at i of s, octet by octet in hexadecimal if a
// terminal could obey it or if it is not UTF-8.
func writeRune(b *strings.Builder, s string, i int, r rune) {
	size := utf8.RuneLen(r)
	if r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)) {
		size = 1
	} else if unicode.IsPrint(r) {
		b.WriteRune(r)
		return
	}
	for _, c := range []byte(s[i : i+size]) {
		fmt.Fprintf(b, `\%02X`, c)
	}
}
