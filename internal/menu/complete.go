package menu

import (
	"slices"
	"strings"
)

// A CompletionKind is what a completion is, so that a terminal can colour it.
type CompletionKind uint8

// The kinds.
const (
	CompleteMenu CompletionKind = iota
	CompleteCommand
	CompleteArgument // a property or argument
	CompleteValue
)

// A Completion is one way to go on with a line.
type Completion struct {
	Text  string // replaces what was typed from start on
	After string // to add when there is no other: a blank, a slash or =
	Help  string
	Kind  CompletionKind
}

// Complete gives what the word that ends at pos may become, sorted, and where
// that word starts. Whatever stands in front of the word may be wrong or
// unfinished; then there are none. names gives the names of the items of the
// menu at a path; nil for none.
func Complete(src string, pos int, root, at *Menu, names func(path string) []string) (completions []Completion, start int) {
	c := newCompleter(src, pos, root, at, names)
	found := c.complete()
	word := c.word.text
	found = slices.DeleteFunc(found, func(x Completion) bool { return !strings.HasPrefix(plainText(x.Text), word) })
	slices.SortFunc(found, func(a, b Completion) int { return strings.Compare(a.Text, b.Text) })
	return slices.CompactFunc(found, func(a, b Completion) bool { return a.Text == b.Text }), c.word.start
}

// HelpAt gives what can stand at pos, each with its help: the answer to F1. When
// a value is wanted that has no list, it gives the property itself.
func HelpAt(src string, pos int, root, at *Menu, names func(path string) []string) []Completion {
	found, _ := Complete(src, pos, root, at, names)
	c := newCompleter(src, pos, root, at, nil)
	c.complete()
	if c.valueOf != nil {
		found = append([]Completion{*c.valueOf}, found...)
	}
	return found
}

// plainText is the text of a completion without the quotes it may need.
func plainText(s string) string {
	if strings.HasPrefix(s, `"`) {
		l := lexer{src: s}
		if text, live, err := l.quoted(); err == nil && !live {
			return text
		}
	}
	return s
}

// complete gives what the last word may become, and narrows the word to the part
// that is replaced.
func (c *completer) complete() []Completion {
	if c.level.expr || c.word.opaque {
		return nil
	}
	m, command, rest, ok := c.walk(c.level.at, c.level.pieces)
	switch {
	case !ok:
		return nil
	case command == nil:
		return c.paths(m)
	}
	return c.arguments(m, command, rest)
}

// cut makes the word what follows its first n octets.
func (c *completer) cut(n int) {
	c.word.text = c.word.text[n:]
	c.word.start += n
	if c.word.value >= 0 {
		c.word.start = c.word.value
	}
}

// paths gives the menus and commands that a word of a path may be.
func (c *completer) paths(m *Menu) []Completion {
	if c.word.value >= 0 {
		return nil
	}
	var out []Completion
	if strings.HasPrefix(c.word.text, ":") {
		if len(c.level.pieces) > 0 {
			return nil
		}
		for _, g := range globals {
			out = append(out, Completion{Text: ":" + g.Name, After: " ", Help: g.Help, Kind: CompleteCommand})
		}
		return out
	}
	after := " "
	if i := strings.LastIndexByte(c.word.text, '/'); i >= 0 {
		next, command, ok := c.path(m, c.word.text[:i+1])
		if !ok || command != nil {
			return nil
		}
		m, after = next, "/"
		c.cut(i + 1)
	}
	for _, child := range m.Children {
		out = append(out, Completion{Text: child.Name, After: after, Help: child.Help, Kind: CompleteMenu})
	}
	for _, command := range m.Commands {
		out = append(out, Completion{Text: command.Name, After: " ", Help: command.Help, Kind: CompleteCommand})
	}
	return out
}

// arguments gives what an argument may be. rest are the ones before it.
func (c *completer) arguments(m *Menu, command *Command, rest []piece) []Completion {
	unnamed := command.Unnamed
	given := map[string]bool{}
	inWhere := command.Where == BareWhere
	for _, w := range rest {
		name, _, named := strings.Cut(w.text, "=")
		if named && !inWhere {
			if full, ok := c.argument(m, command, name); ok {
				given[full] = true
			}
			continue
		}
		arg := command.Arg(w.text)
		switch {
		case inWhere:
		case command.Where == AfterWhere && w.text == whereWord:
			inWhere = true
		case arg != nil && arg.Type == nil && w.value < 0:
			given[w.text] = true
		case len(unnamed) > 0:
			given[unnamed[0]] = true
			unnamed = unnamed[1:]
		}
	}
	if inWhere {
		return c.whereTerm(m)
	}
	if i := strings.IndexByte(c.word.text, '='); i >= 0 && (c.word.value < 0 || c.word.value > c.word.start) {
		name, ok := c.argument(m, command, c.word.text[:i])
		if !ok {
			return nil
		}
		c.cut(i + 1)
		return c.argumentValues(m, command, name)
	}
	var out []Completion
	for len(unnamed) > 0 && given[unnamed[0]] {
		unnamed = unnamed[1:]
	}
	if len(unnamed) > 0 {
		out = c.argumentValues(m, command, unnamed[0])
	}
	if c.word.value >= 0 {
		return out
	}
	if rest, ok := strings.CutPrefix(c.word.text, "!"); ok && command.Changes {
		c.cut(len(c.word.text) - len(rest))
		c.valueOf = nil
		return c.properties(m, given, func(p *Property) bool { return p.Optional && p.Settable() }, " ")
	}
	for i := range command.Args {
		a := &command.Args[i]
		after := "="
		if a.Type == nil {
			after = " "
		}
		if !given[a.Name] {
			out = append(out, Completion{Text: a.Name, After: after, Help: a.Help, Kind: CompleteArgument})
		}
	}
	if command.Changes {
		out = append(out, c.properties(m, given, (*Property).Settable, "=")...)
	}
	if command.Where == AfterWhere {
		out = append(out, Completion{Text: whereWord, After: " ", Help: "expression that selects items", Kind: CompleteArgument})
	}
	return out
}

// properties gives the names of the properties that were not given and that
// want holds of.
func (c *completer) properties(m *Menu, given map[string]bool, want func(*Property) bool, after string) []Completion {
	var out []Completion
	for i := range m.Properties {
		if p := &m.Properties[i]; !given[p.Name] && want(p) {
			out = append(out, Completion{Text: p.Name, After: after, Help: p.Help, Kind: CompleteArgument})
		}
	}
	return out
}

// argument finds the full name of an argument or property.
func (c *completer) argument(m *Menu, command *Command, word string) (string, bool) {
	p := &parser{root: c.root}
	name, err := p.argumentName(&Call{Menu: m, Command: command}, token{text: word})
	return name, err == nil
}

// whereTerm gives what a term of an expression may be.
func (c *completer) whereTerm(m *Menu) []Completion {
	if i := strings.IndexAny(c.word.text, operators); i >= 0 {
		p := m.Property(c.word.text[:i])
		c.cut(i + len(c.word.text[i:]) - len(strings.TrimLeft(c.word.text[i:], operators)))
		if p == nil {
			return nil
		}
		if p.Name == m.NameKey {
			c.valueOf = &Completion{Text: p.Name, Help: p.Help, Kind: CompleteArgument}
			return c.items(m.Path())
		}
		return c.values(p.Name, p.Help, p.Type)
	}
	if c.word.value >= 0 {
		return nil
	}
	out := c.properties(m, nil, func(*Property) bool { return true }, "=")
	if c.level.pieces[len(c.level.pieces)-1].text != whereWord {
		for _, word := range []string{"and", "or", "not"} {
			out = append(out, Completion{Text: word, After: " ", Help: "joins terms", Kind: CompleteArgument})
		}
	}
	return out
}

// argumentValues gives the values of an argument or property of a command.
func (c *completer) argumentValues(m *Menu, command *Command, name string) []Completion {
	if a := command.Arg(name); a != nil {
		c.valueOf = &Completion{Text: a.Name, Help: a.Help, Kind: CompleteArgument}
		switch {
		case name == Numbers || name == "copy-from" || name == "from":
			return c.items(m.Path())
		case name == "value-name" || name == "proplist":
			c.list()
			return c.properties(m, nil, func(*Property) bool { return true }, " ")
		case a.Type == nil:
			return nil
		}
		return c.values(a.Name, a.Help, a.Type)
	}
	p := m.Property(name)
	return c.values(p.Name, p.Help, p.Type)
}

// list narrows the word to the last one of a list with commas.
func (c *completer) list() { c.cut(strings.LastIndexByte(c.word.text, ',') + 1) }

// items gives the names of the items of the menu at a path.
func (c *completer) items(path string) []Completion {
	c.list()
	var out []Completion
	for _, name := range c.names(path) {
		text := name
		if name == "" || strings.ContainsAny(name, special+"=,") || Clean(name) != name {
			text = Quote(name)
		}
		out = append(out, Completion{Text: text, After: " ", Kind: CompleteValue})
	}
	return out
}

// values gives the values of a type that has a list of them.
func (c *completer) values(name, help string, t Type) []Completion {
	c.valueOf = &Completion{Text: name, Help: help, Kind: CompleteArgument}
	var words []string
	switch t := t.(type) {
	case Bool:
		words = []string{"no", "yes"}
	case Enum:
		words = t.Words
	case SetOf:
		c.list()
		words = t.Words
	case Reference:
		return c.items(t.Path)
	case Int:
		words = strings.Fields(t.Word)
	case Seconds:
		words = strings.Fields(t.Word)
	}
	var out []Completion
	for _, w := range words {
		out = append(out, Completion{Text: w, After: " ", Kind: CompleteValue})
	}
	return out
}
