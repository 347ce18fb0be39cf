package migrate

import "strings"

// maxWord bounds a word, in octets, as pppd does.
const maxWord = 1024

// A word is one of a file of pppd's.
type word struct {
	text  string
	line  int
	first bool // of its line
}

// A scanner reads the words of the files that pppd reads (pppd(8)): blanks stand
// between words, a # begins a comment, quotes of both kinds keep blanks together,
// and a backslash gives the character after it another meaning, inside quotes too.
type scanner struct {
	src  string
	off  int
	line int
	// fresh says that no word of the line has been read.
	fresh bool
}

func newScanner(src string) *scanner { return &scanner{src: src, line: 1, fresh: true} }

// next gives the next word, and false at the end.
func (s *scanner) next() (w word, ok bool) {
	if !s.skip() {
		return word{}, false
	}
	w = word{line: s.line, first: s.fresh}
	s.fresh = false
	var b strings.Builder
	put := func(c byte) {
		if b.Len() < maxWord {
			b.WriteByte(c)
		}
	}
	var quote byte
	for s.off < len(s.src) {
		c := s.src[s.off]
		switch {
		case c == '\\':
			s.off++
			if c, ok := s.escape(); ok {
				put(c)
			}
			continue
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && (isSpace(c) || c == '#'):
			w.text = b.String()
			return w, true
		default:
			if c == '\n' {
				s.line++
			}
			put(c)
		}
		s.off++
	}
	w.text = b.String()
	return w, true
}

// skip goes to the next word.
func (s *scanner) skip() bool {
	for s.off < len(s.src) {
		switch c := s.src[s.off]; {
		case c == '\n':
			s.line++
			s.fresh = true
			s.off++
		case isSpace(c):
			s.off++
		case c == '#':
			end := strings.IndexByte(s.src[s.off:], '\n')
			if end < 0 {
				s.off = len(s.src)
				return false
			}
			s.off += end
		case c == '\\' && strings.HasPrefix(s.src[s.off:], "\\\n"):
			s.line++
			s.off += 2
		default:
			return true
		}
	}
	return false
}

// escape reads what follows a backslash, and gives the character that it means. A
// line that ends in a backslash goes on in the next one.
func (s *scanner) escape() (byte, bool) {
	if s.off == len(s.src) {
		return 0, false
	}
	c := s.src[s.off]
	s.off++
	switch c {
	case '\n':
		s.line++
		return 0, false
	case 'a':
		return '\a', true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 's':
		return ' ', true
	case 't':
		return '\t', true
	case 'x':
		return s.number(16, 2, 0), true
	}
	if c >= '0' && c <= '7' {
		return s.number(8, 2, c-'0'), true
	}
	return c, true
}

// number reads digits of a base, at most most of them, behind a value.
func (s *scanner) number(base byte, most int, value byte) byte {
	for ; most > 0 && s.off < len(s.src); most-- {
		d := digit(s.src[s.off])
		if d >= base {
			break
		}
		value = value*base + d
		s.off++
	}
	return value
}

// digit gives the value of a digit, 255 for what is none.
func digit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// rest reads the words that are left of the line of the last one.
func (s *scanner) rest() (words []word) {
	for {
		at := *s
		w, ok := s.next()
		if !ok {
			return words
		}
		if w.first {
			*s = at
			return words
		}
		words = append(words, w)
	}
}
