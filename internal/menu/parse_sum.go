package menu

import (
	"regexp"
	"strconv"
)

// ordinal is what a function calls its n-th argument without a name.
func ordinal(n int) string { return strconv.Itoa(n) }

// precedences are the operators of arithmetic; the higher binds the tighter.
var precedences = map[string]int{
	"or": 1, "||": 1, "and": 2, "&&": 2,
	"=": 3, "!=": 3, "<": 3, ">": 3, "<=": 3, ">=": 3, "~": 3, "in": 3,
	",": 4, ".": 5, "|": 6, "^": 7, "&": 8, "<<": 9, ">>": 9, "+": 10, "-": 10, "*": 11, "/": 11, "%": 11,
}

// comparing is the precedence of comparisons, of which there is one at most
// between two words that join terms.
const comparing = 3

// sum reads an expression that may calculate, up to its closing parenthesis,
// which it takes. Names in it are text.
func (p *parser) sum(at *Menu) (Expr, error) {
	e, err := p.binary(at, 1)
	if err != nil {
		return nil, err
	}
	t, err := p.next(inSum)
	if err != nil {
		return nil, err
	}
	if t.kind != ')' {
		return nil, p.syntax(t.pos)
	}
	return e, nil
}

// binary reads operands joined by operators of at least the precedence least.
func (p *parser) binary(at *Menu, least int) (Expr, error) {
	left, err := p.unary(at, least)
	if err != nil {
		return nil, err
	}
	for {
		t, err := p.peek(inSum)
		if err != nil {
			return nil, err
		}
		if t.kind != tokenOperator && t.kind != tokenWord {
			return left, nil
		}
		strength := precedences[t.text]
		if strength == 0 {
			return nil, p.syntax(t.pos)
		}
		if strength < least {
			return left, nil
		}
		if _, err := p.next(inSum); err != nil {
			return nil, err
		}
		right, err := p.binary(at, strength+1)
		if err != nil {
			return nil, err
		}
		switch {
		case strength < comparing:
			left = join(left, right, strength == 1)
		case strength == comparing:
			left = &Compare{Pos: t.pos, Op: t.text, Left: left, Right: right}
			if next, err := p.peek(inSum); err == nil && precedences[next.text] == comparing {
				return nil, p.syntax(next.pos)
			}
		default:
			left = &Binary{Pos: t.pos, Op: t.text, Left: left, Right: right}
		}
	}
}

// join makes one list of terms that are joined by the same word, so that a long
// one is not deep.
func join(left, right Expr, or bool) Expr {
	if l, ok := left.(*Logic); ok && l.Or == or {
		l.Terms = append(l.Terms, right)
		return l
	}
	return &Logic{Pos: left.Position(), Or: or, Terms: []Expr{left, right}}
}

// unary reads an operand with the operators before it and the elements taken out
// of it. least is the precedence of what surrounds it: not holds of a whole
// comparison where there can be one.
func (p *parser) unary(at *Menu, least int) (Expr, error) {
	t, err := p.next(inTerm)
	if err != nil {
		return nil, err
	}
	if t.kind == tokenOperator || t.kind == tokenWord && t.text == "not" {
		if err := p.deeper(t.pos); err != nil {
			return nil, err
		}
		defer func() { p.depth-- }()
		switch t.text {
		case "not":
			x, err := p.binary(at, max(least, comparing))
			return &Not{Pos: t.pos, X: x}, err
		case "!":
			x, err := p.unary(at, least)
			return &Not{Pos: t.pos, X: x}, err
		case "-", "~":
			x, err := p.unary(at, least)
			return &Unary{Pos: t.pos, Op: t.text, X: x}, err
		}
		return nil, p.syntax(t.pos)
	}
	e, err := p.primary(t, at)
	if err != nil {
		return nil, err
	}
	for {
		t, err := p.peek(inSum)
		if err != nil {
			return nil, err
		}
		if t.kind != tokenOperator || t.text != "->" {
			return e, nil
		}
		if _, err := p.next(inSum); err != nil {
			return nil, err
		}
		key, err := p.next(inTerm)
		if err != nil {
			return nil, err
		}
		right, err := p.primary(key, at)
		if err != nil {
			return nil, err
		}
		e = &Binary{Pos: t.pos, Op: "->", Left: e, Right: right}
	}
}

// terms are the forms of a word where arithmetic is possible: an address with or
// without a prefix, a number, a time, an item id, a name.
var terms = regexp.MustCompile(`^(?:\d+\.\d+\.\d+\.\d+(?:/\d+)?|0x[0-9a-fA-F]+|(?:\d+[wd])*\d+:\d+(?::\d+)?|(?:\d+(?:ms|us|[wdhms]))+|\d+|\*[0-9A-Fa-f]+|<[^ \t\r\n;\[\](){}"\\$>]+>|[A-Za-z_\x80-\xff][A-Za-z0-9_:\x80-\xff]*(?:-[A-Za-z0-9_:\x80-\xff]+)*)`)

// maxTerm bounds how far a word is looked for, so that the search costs nothing.
const maxTerm = 1024

// term takes a word where arithmetic is possible, or gives "".
func (l *lexer) term() string {
	word := terms.FindString(l.src[l.off:min(len(l.src), l.off+maxTerm)])
	l.off += len(word)
	return word
}
