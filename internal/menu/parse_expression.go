package menu

// where reads the expression that selects rows of c's menu, up to the end of the
// command.
func (p *parser) where(c *Call) error {
	t, err := p.peek(inOperand)
	if err != nil {
		return err
	}
	if c.Command.Where == BareWhere && t.kind == tokenWord && t.text == whereWord {
		if _, err := p.next(inOperand); err != nil {
			return err
		}
		if t, err = p.peek(inOperand); err != nil {
			return err
		}
	}
	if ends(t) {
		return nil
	}
	c.Where, err = p.either(c.Menu, c.Menu)
	if err != nil {
		return err
	}
	if t, err = p.peek(inOperator); err != nil {
		return err
	}
	if !ends(t) {
		return p.syntax(t.pos)
	}
	return nil
}

// ends reports whether t ends an expression.
func ends(t token) bool {
	switch t.kind {
	case tokenEOF, tokenEnd, ']', ')', '}':
		return true
	}
	return false
}

// either reads terms joined by or. Names are properties of fields;
// commands in brackets belong to at.
func (p *parser) either(fields, at *Menu) (Expr, error) {
	return p.logic(true, func() (Expr, error) {
		return p.logic(false, func() (Expr, error) { return p.negation(fields, at) })
	})
}

// logic reads terms joined by or, or by and; terms without a word between them
// are joined by and.
func (p *parser) logic(or bool, term func() (Expr, error)) (Expr, error) {
	first, err := term()
	if err != nil {
		return nil, err
	}
	l := &Logic{Pos: first.Position(), Or: or, Terms: []Expr{first}}
	for {
		t, err := p.peek(inOperator)
		if err != nil {
			return nil, err
		}
		isOr := t.kind == tokenOperator && t.text == "||" || t.kind == tokenWord && t.text == "or"
		isAnd := t.kind == tokenOperator && t.text == "&&" || t.kind == tokenWord && t.text == "and"
		juxtaposed := !ends(t) && (t.kind != tokenOperator || t.text == "!")
		switch {
		case or && isOr, !or && isAnd:
			if _, err := p.next(inOperator); err != nil {
				return nil, err
			}
		case !or && !isOr && juxtaposed:
		case len(l.Terms) == 1:
			return first, nil
		default:
			return l, nil
		}
		next, err := term()
		if err != nil {
			return nil, err
		}
		l.Terms = append(l.Terms, next)
	}
}

// negation reads !term or not term, or a comparison.
func (p *parser) negation(fields, at *Menu) (Expr, error) {
	t, err := p.peek(inOperand)
	if err != nil {
		return nil, err
	}
	if t.kind == tokenOperator || t.kind == tokenWord && t.text == "not" {
		if _, err := p.next(inOperand); err != nil {
			return nil, err
		}
		if t.kind == tokenOperator && t.text != "!" {
			return nil, p.syntax(t.pos)
		}
		if err := p.deeper(t.pos); err != nil {
			return nil, err
		}
		defer func() { p.depth-- }()
		x, err := p.negation(fields, at)
		if err != nil {
			return nil, err
		}
		return &Not{Pos: t.pos, X: x}, nil
	}
	return p.comparison(fields, at)
}

// comparison reads an operand, with an operator and another one if they follow.
func (p *parser) comparison(fields, at *Menu) (Expr, error) {
	left, err := p.operand(fields, at)
	if err != nil {
		return nil, err
	}
	t, err := p.peek(inOperator)
	if err != nil {
		return nil, err
	}
	op := ""
	switch {
	case t.kind == tokenWord && t.text == "in":
		op = "in"
	case t.kind == tokenOperator:
		switch t.text {
		case "=", "!=", "<", ">", "<=", ">=", "~":
			op = t.text
		}
	}
	if op == "" {
		return left, nil
	}
	if _, err := p.next(inOperator); err != nil {
		return nil, err
	}
	right, err := p.operand(nil, at)
	if err != nil {
		return nil, err
	}
	return &Compare{Pos: t.pos, Op: op, Left: left, Right: right}, nil
}

// operand reads a word, a string, [a command] or (an expression). A word is a
// property if there are fields, and text otherwise.
func (p *parser) operand(fields, at *Menu) (Expr, error) {
	t, err := p.next(inOperand)
	if err != nil {
		return nil, err
	}
	switch t.kind {
	case '(':
		return p.paren(t.pos, fields, at)
	case tokenWord:
		if fields != nil {
			return p.field(t, fields)
		}
	}
	return p.primary(t, at)
}

// paren reads (an expression), whose parenthesis was taken. Without fields it may
// calculate.
func (p *parser) paren(pos Pos, fields, at *Menu) (Expr, error) {
	if err := p.deeper(pos); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if fields == nil {
		return p.sum(at)
	}
	e, err := p.either(fields, at)
	if err != nil {
		return nil, err
	}
	t, err := p.next(inOperator)
	if err != nil {
		return nil, err
	}
	if t.kind != ')' {
		return nil, p.syntax(t.pos)
	}
	return e, nil
}

// field finds the property that a word of an expression names.
func (p *parser) field(t token, fields *Menu) (Expr, error) {
	names := []string{IDKey}
	for i := range fields.Properties {
		names = append(names, fields.Properties[i].Name)
	}
	name, ambiguous := match(t.text, names)
	switch {
	case ambiguous:
		return nil, p.errAt(t.pos, Syntax, "ambiguous argument name "+t.text)
	case name == "":
		return nil, p.extra(t.pos)
	}
	return &Field{Pos: t.pos, Name: name}, nil
}
