package menu

import (
	"slices"
	"strings"
)

// maxDepth bounds brackets in brackets, so that a hostile line cannot exhaust
// the stack; no person nests deeper.
const maxDepth = 32

// Parse reads commands against the tree of root, starting in the menu at. The
// whole source is checked before anything of it can be carried out. It does not
// evaluate.
func Parse(src string, root, at *Menu) (*Script, error) {
	p := &parser{lexer: lexer{src: src}, root: root}
	return p.script(at, tokenEOF)
}

type parser struct {
	lexer
	root  *Menu
	depth int
}

// deeper counts a level of nesting; the caller undoes it with p.depth--.
func (p *parser) deeper(pos Pos) error {
	p.depth++
	if p.depth > maxDepth {
		return p.syntax(pos)
	}
	return nil
}

// script reads commands up to closing, which it takes.
func (p *parser) script(at *Menu, closing tokenKind) (*Script, error) {
	s := &Script{Source: p.src}
	for {
		p.skip()
		t, err := p.peek(inCommand)
		if err != nil {
			return nil, err
		}
		if t.kind == closing {
			_, err := p.next(inCommand)
			return s, err
		}
		c, err := p.call(at)
		if err != nil {
			return nil, err
		}
		if c.Enters() {
			at = c.Menu
		}
		s.Calls = append(s.Calls, c)
		if t, err = p.peek(inCommand); err != nil {
			return nil, err
		}
		if t.kind != tokenEnd && t.kind != closing {
			return nil, p.syntax(t.pos)
		}
	}
}

// call reads one command: the words of its path, then its arguments.
func (p *parser) call(at *Menu) (*Call, error) {
	t, err := p.next(inCommand)
	if err != nil {
		return nil, err
	}
	c := &Call{Pos: t.pos, Menu: at}
	switch t.kind {
	case tokenWord:
	case '$', '(', '[':
		if c.Callee, err = p.callee(t, at); err != nil {
			return nil, err
		}
		return c, p.actuals(c)
	case '{':
		block, err := p.block(t.pos, at)
		if err != nil {
			return nil, err
		}
		c.Block = block.Script
		return c, nil
	default:
		return nil, p.syntax(t.pos)
	}
	if name, ok := strings.CutPrefix(t.text, ":"); ok {
		var ambiguous bool
		switch c.Command, ambiguous = abbreviated(name); {
		case ambiguous:
			return nil, p.errAt(t.pos+1, BadCommand, "ambiguous command name "+name)
		case c.Command == nil:
			return nil, p.badCommand(t.pos+1, name)
		}
		c.Global = true
		return c, p.arguments(c)
	}
	if strings.HasPrefix(t.text, "/") {
		c.Menu = p.root
	}
	if err := p.path(c, t); err != nil {
		// At the root, the commands that belong to no menu need no colon.
		if g := global(strings.TrimPrefix(t.text, "/")); g != nil && c.Menu == p.root {
			c.Menu, c.Command, c.Global = at, g, true
			return c, p.arguments(c)
		}
		return nil, err
	}
	for c.Command == nil {
		if t, err = p.peek(inCommand); err != nil {
			return nil, err
		}
		switch t.kind {
		case tokenEnd, tokenEOF, ']', '}':
			return c, nil
		case tokenWord, '{':
		default:
			return nil, p.errAt(t.pos, Syntax, "expected command name")
		}
		if _, err = p.next(inCommand); err != nil {
			return nil, err
		}
		if t.kind == '{' { // commands of the menu
			block, err := p.block(t.pos, c.Menu)
			if err != nil {
				return nil, err
			}
			c.Block = block.Script
			return c, nil
		}
		if strings.HasPrefix(t.text, "/") {
			return nil, p.badCommand(t.pos, t.text)
		}
		if err := p.path(c, t); err != nil {
			return nil, err
		}
	}
	return c, p.arguments(c)
}

// maxNamed is how much of a wrong word an error repeats, in octets.
const maxNamed = 64

func (p *parser) badCommand(pos Pos, word string) *Error {
	return p.errAt(pos, BadCommand, "bad command name "+Clean(word[:min(len(word), maxNamed)]))
}

// path goes down the words of t, which are joined by slashes.
func (p *parser) path(c *Call, t token) error {
	pos := t.pos
	for word := range strings.SplitSeq(t.text, "/") {
		switch {
		case word == "":
		case c.Command != nil:
			return p.badCommand(pos, word)
		case word == "..":
			if c.Menu.parent != nil {
				c.Menu = c.Menu.parent
			}
		default:
			if err := p.descend(c, pos, word); err != nil {
				return err
			}
		}
		pos += Pos(len(word)) + 1
	}
	return nil
}

// descend finds word among the menus and commands of c.Menu.
func (p *parser) descend(c *Call, pos Pos, word string) error {
	var names []string
	for _, m := range c.Menu.Children {
		names = append(names, m.Name)
	}
	for _, m := range c.Menu.Commands {
		names = append(names, m.Name)
	}
	name, ambiguous := match(word, names)
	if ambiguous {
		return p.errAt(pos, BadCommand, "ambiguous command name "+word)
	}
	if name == "" {
		return p.badCommand(pos, word)
	}
	if i := slices.Index(names, name); i < len(c.Menu.Children) {
		c.Menu = c.Menu.Children[i]
		return nil
	}
	c.Command = c.Menu.Command(name)
	return nil
}

// whereWord begins the expression of a print.
const whereWord = "where"

// arguments reads the arguments of c up to the end of the command.
func (p *parser) arguments(c *Call) error {
	unnamed := c.Command.Unnamed
	for {
		for len(unnamed) > 0 && c.has(unnamed[0]) {
			unnamed = unnamed[1:]
		}
		if c.Command.Where == BareWhere {
			return p.where(c)
		}
		t, err := p.peek(inCommand)
		if err != nil {
			return err
		}
		switch t.kind {
		case tokenEOF, tokenEnd, ']', '}':
			return nil
		case tokenWord:
			done, err := p.wordArgument(c, &unnamed)
			if done || err != nil {
				return err
			}
		case tokenString, tokenLive, '[', '(', '$', '{':
			if len(unnamed) == 0 {
				return p.extra(t.pos)
			}
			if err := p.assign(c, t.pos, unnamed[0]); err != nil {
				return err
			}
			unnamed = unnamed[1:]
		default:
			return p.syntax(t.pos)
		}
	}
}

func (p *parser) extra(pos Pos) *Error { return p.errAt(pos, Syntax, "expected end of command") }

// wordArgument reads an argument that begins with a word: name=value, !name, a
// word that stands alone, or an unnamed value. It is done when the word was
// where.
func (p *parser) wordArgument(c *Call, unnamed *[]string) (done bool, err error) {
	t, err := p.next(inCommand)
	if err != nil {
		return false, err
	}
	if p.named() {
		p.off++
		name, err := p.argumentName(c, t)
		if err != nil {
			return false, err
		}
		if a := c.Command.Arg(name); a != nil && a.Type == nil {
			return false, p.extra(t.pos)
		}
		if p.valueless() {
			return false, p.extra(t.pos)
		}
		return false, p.assign(c, t.pos, name)
	}
	if name, ok := strings.CutPrefix(t.text, "!"); ok && c.Command.Changes {
		name, err := p.argumentName(c, token{pos: t.pos, text: name})
		if err != nil {
			return false, err
		}
		if c.Command.Arg(name) != nil {
			return false, p.extra(t.pos)
		}
		return false, p.add(c, Argument{Pos: t.pos, Name: name, Unset: true})
	}
	var words []string
	if c.Command.Where == AfterWhere {
		words = append(words, whereWord)
	}
	for _, a := range c.Command.Args {
		if a.Type == nil {
			words = append(words, a.Name)
		}
	}
	name, ambiguous := match(t.text, words)
	if len(*unnamed) > 0 && name != t.text { // an item may be called like the beginning of a word
		name, ambiguous = "", false
	}
	switch {
	case ambiguous:
		return false, p.errAt(t.pos, Syntax, "ambiguous argument name "+t.text)
	case name == whereWord:
		return true, p.where(c)
	case name != "":
		return false, p.add(c, Argument{Pos: t.pos, Name: name})
	case len(*unnamed) == 0:
		return false, p.extra(t.pos)
	}
	p.off = int(t.pos) // a value may hold what ends a word of a command
	name = (*unnamed)[0]
	*unnamed = (*unnamed)[1:]
	return false, p.assign(c, t.pos, name)
}

// valueless reports that no value touches the = before. A blank is an error, but a
// continued line is not.
func (p *parser) valueless() bool {
	return p.off == len(p.src) || strings.IndexByte(" \t\r\n;])}", p.src[p.off]) >= 0
}

// argumentName finds the full name of an argument or settable property.
func (p *parser) argumentName(c *Call, t token) (string, error) {
	var names []string
	for _, a := range c.Command.Args {
		names = append(names, a.Name)
	}
	if c.Command.Changes {
		for i := range c.Menu.Properties {
			if c.Menu.Properties[i].Settable() {
				names = append(names, c.Menu.Properties[i].Name)
			}
		}
	}
	name, ambiguous := match(t.text, names)
	if ambiguous {
		return "", p.errAt(t.pos, Syntax, "ambiguous argument name "+t.text)
	}
	if name == "" {
		return "", p.extra(t.pos)
	}
	return name, nil
}

// assign reads the value of the argument name at pos.
func (p *parser) assign(c *Call, pos Pos, name string) error {
	value, err := p.argument(c, name)
	if err != nil {
		return err
	}
	return p.add(c, Argument{Pos: pos, Name: name, Value: value})
}

// maxArguments bounds the arguments of a command, more than any menu has, so that
// looking for one that was given twice stays cheap.
const maxArguments = 256

// add appends an argument; each may be given once.
func (p *parser) add(c *Call, a Argument) error {
	if len(c.Args) == maxArguments {
		return p.extra(a.Pos)
	}
	if c.has(a.Name) {
		return p.extra(a.Pos)
	}
	c.Args = append(c.Args, a)
	return nil
}

// has reports whether an argument was given.
func (c *Call) has(name string) bool {
	return slices.ContainsFunc(c.Args, func(a Argument) bool { return a.Name == name })
}

// substitution reads [a command], whose bracket was taken.
func (p *parser) substitution(pos Pos, at *Menu) (Expr, error) {
	if err := p.deeper(pos); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	s, err := p.script(at, ']')
	if err != nil {
		return nil, err
	}
	return &Substitution{Pos: pos, Script: s}, nil
}
