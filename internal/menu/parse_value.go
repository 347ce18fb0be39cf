package menu

import "strings"

// argument reads the value of the argument name of c, in the form that the
// argument wants: code, the name of a variable, or a value.
func (p *parser) argument(c *Call, name string) (Expr, error) {
	t, err := p.peek(inValue)
	if err != nil {
		return nil, err
	}
	a := c.Command.Arg(name)
	if !c.Global {
		// In the commands of menus, braces hold text: the source of a script. Items
		// are the exception.
		if t.kind == '{' && name != Numbers {
			p.off = int(t.pos)
			return p.raw()
		}
		e, err := p.value(c.Menu)
		if err != nil {
			return nil, err
		}
		if name == Numbers || a != nil && a.Item {
			return e, p.ids(e)
		}
		return e, nil
	}
	switch a.Type.(type) {
	case block:
		if t.kind == '{' {
			p.off = int(t.pos) + 1
			b, err := p.block(t.pos, c.Menu)
			if err != nil {
				return nil, err
			}
			return b, p.separated()
		}
	case variable:
		return p.place(c.Menu)
	}
	return p.value(c.Menu)
}

// ids checks that what a word with items calls an id can be one.
func (p *parser) ids(e Expr) error {
	l, ok := e.(*Literal)
	if !ok || l.Quoted {
		return nil
	}
	at := l.Pos
	for item := range strings.SplitSeq(l.Text, ",") {
		if _, _, err := ParseID(item); err != nil {
			return p.errAt(at, Syntax, "expected item id")
		}
		at += Pos(len(item) + len(","))
	}
	return nil
}

// value reads a value: a word, a string, a variable, an array, [a command] or
// (an expression). Commands in brackets belong to the menu of the command they
// are given to.
func (p *parser) value(at *Menu) (Expr, error) {
	t, err := p.next(inValue)
	if err != nil {
		return nil, err
	}
	e, err := p.primary(t, at)
	if err != nil {
		return nil, err
	}
	return e, p.separated()
}

// separated checks that something ends the value before: what touches it would
// be part of it in no reader's eyes.
func (p *parser) separated() error {
	if p.off < len(p.src) && strings.IndexByte(" \t\r\n;])}\\", p.src[p.off]) < 0 {
		return p.syntax(Pos(p.off))
	}
	return nil
}

// primary reads the rest of the value that begins with t.
func (p *parser) primary(t token, at *Menu) (Expr, error) {
	switch t.kind {
	case tokenWord, tokenString:
		return &Literal{Pos: t.pos, Text: t.text, Quoted: t.kind == tokenString}, nil
	case tokenLive:
		return p.joined(t.pos, at)
	case '$':
		name, err := p.variable()
		return &Variable{Pos: t.pos, Name: name}, err
	case '[':
		return p.substitution(t.pos, at)
	case '(':
		return p.paren(t.pos, nil, at)
	case '{':
		return p.array(t.pos, at)
	}
	return nil, p.syntax(t.pos)
}

// joined reads a string with parts to evaluate, whose first quote was taken.
func (p *parser) joined(pos Pos, at *Menu) (Expr, error) {
	j := &Joined{Pos: pos}
	for {
		var b strings.Builder
		start := Pos(p.off)
		end, err := p.run(&b)
		if err != nil {
			return nil, err
		}
		if b.Len() > 0 {
			j.Parts = append(j.Parts, &Literal{Pos: start, Text: b.String(), Quoted: true})
		}
		if end == '"' {
			return j, nil
		}
		t := token{kind: '$', pos: Pos(p.off)}
		p.off++
		if c := p.src[p.off]; c == '(' || c == '[' {
			t.kind = tokenKind(c)
			p.off++
		}
		part, err := p.primary(t, at)
		if err != nil {
			return nil, err
		}
		j.Parts = append(j.Parts, part)
	}
}

// block reads {commands}, whose brace was taken.
func (p *parser) block(pos Pos, at *Menu) (*Block, error) {
	if err := p.deeper(pos); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	s, err := p.script(at, '}')
	if err != nil {
		return nil, err
	}
	return &Block{Pos: pos, Script: s}, nil
}

// array reads {elements}, whose brace was taken.
func (p *parser) array(pos Pos, at *Menu) (Expr, error) {
	if err := p.deeper(pos); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	a := &Array{Pos: pos}
	for {
		p.skip()
		t, err := p.next(inCommand)
		if err != nil {
			return nil, err
		}
		if t.kind == '}' {
			return a, nil
		}
		e := Element{}
		if e.Value, err = p.primary(t, at); err != nil {
			return nil, err
		}
		if p.named() {
			p.off++
			e.Key = e.Value
			if t, err = p.next(inValue); err != nil {
				return nil, err
			}
			if e.Value, err = p.primary(t, at); err != nil {
				return nil, err
			}
		}
		a.Elements = append(a.Elements, e)
		if t, err = p.peek(inCommand); err != nil {
			return nil, err
		}
		if t.kind != tokenEnd && t.kind != '}' {
			return nil, p.syntax(t.pos)
		}
	}
}

// raw reads {text} as text. Quotes and remarks may hold braces.
func (p *parser) raw() (Expr, error) {
	pos := Pos(p.off)
	depth, start := 0, true // start: a command may begin, or a remark
	for ; p.off < len(p.src); p.off++ {
		switch c := p.src[p.off]; c {
		case '"':
			n := closing(p.src[p.off:])
			if n == 0 {
				return nil, p.syntax(Pos(len(p.src)))
			}
			p.off += n
			start = false
		case '\\':
			p.off++
		case '#':
			if n := strings.IndexByte(p.src[p.off:], '\n'); start && n > 0 {
				p.off += n
			}
		case '{', ';', '\n':
			start = true
			if c == '{' {
				depth++
			}
		case ' ', '\t', '\r':
		case '}':
			if depth--; depth == 0 {
				p.off++
				return &Literal{Pos: pos, Text: p.src[int(pos)+1 : p.off-1], Quoted: true}, p.separated()
			}
			start = false
		default:
			start = false
		}
	}
	p.off = len(p.src)
	return nil, p.syntax(Pos(len(p.src)))
}

// place reads what :set and its like give a value to: the name of a variable,
// or, in parentheses, an element of an array.
func (p *parser) place(at *Menu) (Expr, error) {
	t, err := p.next(inCommand)
	if err != nil {
		return nil, err
	}
	switch t.kind {
	case tokenString:
		if t.text == "" {
			return nil, p.syntax(t.pos)
		}
	case tokenWord:
		for i := range len(t.text) {
			if !nameByte(t.text[i]) && t.text[i] != ',' {
				return nil, p.syntax(t.pos + Pos(i))
			}
		}
	case '(':
		e, err := p.paren(t.pos, nil, at)
		if err != nil {
			return nil, err
		}
		for x := e; ; {
			switch y := x.(type) {
			case *Variable:
				return e, p.separated()
			case *Binary:
				if y.Op == "->" {
					x = y.Left
					continue
				}
			}
			return nil, p.syntax(t.pos)
		}
	default:
		return nil, p.syntax(t.pos)
	}
	return &Literal{Pos: t.pos, Text: t.text, Quoted: true}, p.separated()
}

// callee reads the function that is called: $f or ($a->"f").
func (p *parser) callee(t token, at *Menu) (Expr, error) {
	e, err := p.primary(t, at)
	if err != nil {
		return nil, err
	}
	return e, p.separated()
}

// actuals reads the arguments of a function up to the end of the command.
func (p *parser) actuals(c *Call) error {
	count := 0
	for {
		t, err := p.peek(inCommand)
		if err != nil {
			return err
		}
		switch t.kind {
		case tokenEOF, tokenEnd, ']', '}':
			return nil
		case tokenWord:
			if _, err := p.next(inCommand); err != nil {
				return err
			}
			if p.named() {
				p.off++
				if p.valueless() {
					return p.extra(t.pos)
				}
				value, err := p.value(c.Menu)
				if err != nil {
					return err
				}
				if err := p.add(c, Argument{Pos: t.pos, Name: t.text, Value: value}); err != nil {
					return err
				}
				continue
			}
			p.off = int(t.pos)
		case tokenString, tokenLive, '[', '(', '$', '{':
		default:
			return p.syntax(t.pos)
		}
		value, err := p.value(c.Menu)
		if err != nil {
			return err
		}
		count++
		if err := p.add(c, Argument{Pos: t.pos, Name: ordinal(count), Value: value}); err != nil {
			return err
		}
	}
}
