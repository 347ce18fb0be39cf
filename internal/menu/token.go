package menu

import "strings"

// A tokenKind is a class of tokens. Single characters that stand for themselves
// are their own kind.
type tokenKind uint8

const (
	tokenEOF      tokenKind        = iota
	tokenWord                      // without quotes
	tokenString                    // text is what the quotes hold, without escapes
	tokenLive                      // the quote that opens a string with something to evaluate
	tokenAssign                    // the = directly after a word
	tokenOperator                  // of an expression
	tokenEnd      = tokenKind(';') // also the end of a line
)

type token struct {
	kind tokenKind
	text string
	pos  Pos
}

// A mode is what the parser expects next: the same characters are other tokens
// in a command, in a value and in an expression.
type mode uint8

const (
	inCommand  mode = iota // words end at =
	inValue                // words may hold =
	inOperator             // an expression, where an operator may come
	inOperand              // an expression, where an operand must come
	inSum                  // an expression with arithmetic, where an operator may come
	inTerm                 // an expression with arithmetic, where an operand must come
)

// A lexer cuts source into tokens. It never fails to advance but at the end.
type lexer struct {
	src string
	off int
}

// special ends a word in every mode.
const special = " \t\r\n;[](){}\"\\$"

// operators end a word of an expression.
const operators = "=!<>~&|"

// sumOperators are the characters that begin an operator of arithmetic.
const sumOperators = operators + "+-*/%^.,"

// operatorTexts are all operators, the longer ones first.
var operatorTexts = []string{
	"!=", "<=", ">=", "<<", ">>", "&&", "||", "->", "=", "<", ">", "~", "!", "&", "|", "^", "+", "-", "*", "/", "%", ".", ",",
}

func (l *lexer) errAt(pos Pos, kind Kind, text string) *Error {
	line, column := pos.Locate(l.src)
	return &Error{Kind: kind, Text: text, Line: line, Column: column}
}

func (l *lexer) syntax(pos Pos) *Error { return l.errAt(pos, Syntax, "syntax error") }

// blank skips blanks and continued lines.
func (l *lexer) blank() {
	for l.off < len(l.src) {
		switch c := l.src[l.off]; {
		case c == ' ' || c == '\t' || c == '\r':
			l.off++
		case c == '\\' && l.newline(l.off+1) > 0:
			l.off = l.newline(l.off + 1)
		default:
			return
		}
	}
}

// lines skips blanks and ends of lines, which mean nothing in parentheses and
// arrays.
func (l *lexer) lines() {
	for l.off < len(l.src) && l.src[l.off] == '\n' {
		l.off++
		l.blank()
	}
}

// newline gives the place after the end of line at i, or 0 if there is none.
func (l *lexer) newline(i int) int {
	if i < len(l.src) && l.src[i] == '\r' {
		i++
	}
	if i < len(l.src) && l.src[i] == '\n' {
		return i + 1
	}
	return 0
}

// skip moves to the start of the next command, over ends and comments.
func (l *lexer) skip() {
	for {
		l.blank()
		switch {
		case l.off == len(l.src):
			return
		case l.src[l.off] == ';' || l.src[l.off] == '\n':
			l.off++
		case l.src[l.off] == '#':
			if end := strings.IndexByte(l.src[l.off:], '\n'); end >= 0 {
				l.off += end
			} else {
				l.off = len(l.src)
			}
		default:
			return
		}
	}
}

// peek gives the next token without taking it.
func (l *lexer) peek(m mode) (token, error) {
	off := l.off
	t, err := l.next(m)
	l.off = off
	return t, err
}

// next takes the next token.
func (l *lexer) next(m mode) (token, error) {
	l.blank()
	if m == inSum || m == inTerm {
		l.lines()
	}
	t := token{pos: Pos(l.off)}
	if l.off == len(l.src) {
		return t, nil
	}
	switch c := l.src[l.off]; {
	case c == ';' || c == '\n':
		t.kind = tokenEnd
		l.off++
	case strings.IndexByte("[](){}", c) >= 0:
		t.kind = tokenKind(c)
		l.off++
	case c == '"':
		text, live, err := l.quoted()
		if err != nil {
			return t, err
		}
		t.kind, t.text = tokenString, text
		if live {
			t.kind = tokenLive
		}
	case c == '$':
		t.kind = '$'
		l.off++
	case strings.IndexByte(special, c) >= 0: // a backslash
		return t, l.syntax(t.pos)
	case m == inCommand && c == '=':
		if l.off == 0 || strings.IndexByte(special, l.src[l.off-1]) >= 0 {
			return t, l.syntax(t.pos)
		}
		t.kind = tokenAssign
		l.off++
	case m == inOperator && strings.IndexByte(operators, c) >= 0, m == inOperand && c == '!':
		t.kind = tokenOperator
		t.text = l.operator()
		if t.text == "" {
			return t, l.syntax(t.pos)
		}
	case m == inSum && strings.IndexByte(sumOperators, c) >= 0, m == inTerm && strings.IndexByte("!-~", c) >= 0:
		t.kind = tokenOperator
		t.text = l.operator()
	case m == inTerm || m == inSum:
		t.kind, t.text = tokenWord, l.term()
		if t.text == "" {
			return t, l.syntax(t.pos)
		}
	case m == inOperand && c != '<' && strings.IndexByte(operators, c) >= 0:
		return t, l.syntax(t.pos)
	default:
		t.kind = tokenWord
		t.text = l.word(m)
	}
	return t, nil
}

// named reports whether = follows without a blank.
func (l *lexer) named() bool { return l.off < len(l.src) && l.src[l.off] == '=' }

// operator takes the longest operator, or gives "".
func (l *lexer) operator() string {
	for _, op := range operatorTexts {
		if strings.HasPrefix(l.src[l.off:], op) {
			l.off += len(op)
			return op
		}
	}
	return ""
}

// word takes a word of at least one character.
func (l *lexer) word(m mode) string {
	start := l.off
	ends := special
	switch m {
	case inCommand:
		ends += "="
	case inOperator, inOperand:
		ends += operators
		// The name of a dynamic interface, <pptp-user>, needs no quotes where no
		// operator can stand.
		if l.src[l.off] == '<' {
			if n := strings.IndexAny(l.src[l.off:], special+">"); n > 0 && l.src[l.off+n] == '>' {
				l.off += n
			}
			l.off++
		}
	}
	if n := strings.IndexAny(l.src[l.off:], ends); n >= 0 {
		l.off += n
	} else {
		l.off = len(l.src)
	}
	return l.src[start:l.off]
}

// escapes are the characters after a backslash in quotes, with what they mean.
var escapes = map[byte]byte{
	'"': '"', '\\': '\\', '$': '$', '?': '?', 'n': '\n', 'r': '\r', 't': '\t',
	'_': ' ', 'a': '\a', 'b': '\b', 'f': '\f', 'v': '\v',
}

// quoted takes a string. When something in it has to be evaluated, live is true
// and only the quote that opens it is taken.
func (l *lexer) quoted() (text string, live bool, err error) {
	l.off++
	start := l.off
	var b strings.Builder
	for {
		switch end, err := l.run(&b); {
		case err != nil:
			return "", false, err
		case end == '$':
			l.off = start
			return "", true, nil
		default:
			return b.String(), false, nil
		}
	}
}

// run takes the text of a string up to its end, a quote, which it takes, or up
// to a $ that begins a variable, an expression or a command, which it leaves.
func (l *lexer) run(b *strings.Builder) (end byte, err error) {
	for l.off < len(l.src) {
		c := l.src[l.off]
		if c == '$' && l.live(l.off+1) {
			return c, nil
		}
		l.off++
		switch c {
		case '"':
			return c, nil
		case '\\':
			if after := l.newline(l.off); after > 0 {
				l.off = after + len(l.src[after:]) - len(strings.TrimLeft(l.src[after:], " \t"))
				continue
			}
			out, ok := l.escape()
			if !ok {
				return 0, l.syntax(Pos(l.off))
			}
			b.WriteByte(out)
		default:
			b.WriteByte(c)
		}
	}
	return 0, l.syntax(Pos(len(l.src)))
}

// live reports whether what stands at i after a $ can be evaluated; otherwise
// the $ is one, as at the end of a regular expression.
func (l *lexer) live(i int) bool {
	return i < len(l.src) && (nameByte(l.src[i]) || l.src[i] == '(' || l.src[i] == '[')
}

// nameByte reports whether c may stand in the name of a variable; other names
// need quotes.
func nameByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// variable takes the name after a $, that may stand in quotes.
func (l *lexer) variable() (string, error) {
	if l.off < len(l.src) && l.src[l.off] == '"' {
		pos := Pos(l.off)
		name, live, err := l.quoted()
		if err == nil && (live || name == "") {
			err = l.syntax(pos)
		}
		return name, err
	}
	start := l.off
	for l.off < len(l.src) && nameByte(l.src[l.off]) {
		l.off++
	}
	if l.off == start {
		return "", l.syntax(Pos(l.off))
	}
	return l.src[start:l.off], nil
}

// escape takes what follows a backslash.
func (l *lexer) escape() (byte, bool) {
	if l.off == len(l.src) {
		return 0, false
	}
	if c, ok := escapes[l.src[l.off]]; ok {
		l.off++
		return c, true
	}
	if l.off+2 > len(l.src) {
		return 0, false
	}
	const hex = "0123456789ABCDEF"
	high, low := strings.IndexByte(hex, l.src[l.off]), strings.IndexByte(hex, l.src[l.off+1])
	if high < 0 || low < 0 {
		return 0, false
	}
	l.off += 2
	return byte(high<<4 | low), true
}
