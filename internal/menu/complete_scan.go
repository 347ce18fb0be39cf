package menu

import "strings"

// A piece is a word of an unfinished line.
type piece struct {
	text   string
	start  int
	value  int  // where a quoted value starts in the source; -1 for none
	opaque bool // holds brackets, so that its text says nothing
}

// A level is what a bracket holds: the words of its last command.
type level struct {
	at     *Menu
	pieces []piece
	expr   bool // parentheses: no command
}

// A completer finds out what the last word of an unfinished line is.
type completer struct {
	root    *Menu
	names   func(path string) []string
	level   level
	word    piece // the last word, that may be empty
	valueOf *Completion
}

func newCompleter(src string, pos int, root, at *Menu, names func(path string) []string) *completer {
	if names == nil {
		names = func(string) []string { return nil }
	}
	c := &completer{root: root, names: names}
	c.scan(src[:max(0, min(pos, len(src)))], at)
	return c
}

// scan cuts src into the words of the innermost command that is not finished.
func (c *completer) scan(src string, at *Menu) {
	levels := []level{{at: at}}
	var (
		word   piece
		text   []byte // of the word
		inWord bool
	)
	flush := func() {
		if inWord {
			word.text = string(text)
			top := &levels[len(levels)-1]
			top.pieces = append(top.pieces, word)
		}
		inWord = false
	}
	begin := func(i int) {
		if !inWord {
			word, text, inWord = piece{start: i, value: -1}, text[:0], true
		}
	}
	finish := func() { // a command ends: a menu that was only named is entered
		top := &levels[len(levels)-1]
		if m, command, _, ok := c.walk(top.at, top.pieces); ok && command == nil && !top.expr {
			top.at = m
		}
		top.pieces = nil
	}
	for i := 0; i < len(src); i++ {
		switch ch := src[i]; ch {
		case ' ', '\t', '\r':
			flush()
		case ';', '\n':
			flush()
			finish()
		case '#':
			if top := levels[len(levels)-1]; !inWord && len(top.pieces) == 0 {
				n := strings.IndexByte(src[i:], '\n')
				if n < 0 {
					c.level = level{expr: true} // nothing to say in a remark
					c.word = piece{start: len(src), value: -1}
					return
				}
				i += n - 1
				continue
			}
			begin(i)
			text = append(text, ch)
		case '"':
			begin(i)
			word.value = i
			l := lexer{src: src, off: i}
			quoted, live, err := l.quoted()
			if n := closing(src[i:]); live && n > 0 {
				word.opaque = true
				i += n
				break
			}
			if err != nil || live { // not closed: all that is left belongs to it
				text = append(text, strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(src[i+1:])...)
				i = len(src)
				break
			}
			text = append(text, quoted...)
			i = l.off - 1
		case '[', '(', '{':
			begin(i)
			word.opaque = true
			top := levels[len(levels)-1]
			inner := level{at: top.at, expr: ch == '('}
			if m, _, _, ok := c.walk(top.at, top.pieces); ok && ch == '[' {
				inner.at = m
			}
			flush()
			levels = append(levels, inner)
		case ']', ')', '}':
			flush()
			if len(levels) > 1 {
				levels = levels[:len(levels)-1]
			}
		case '\\':
			if n := (&lexer{src: src}).newline(i + 1); n > 0 {
				flush()
				i = n - 1
				continue
			}
			begin(i)
			text = append(text, ch)
		default:
			begin(i)
			text = append(text, ch)
		}
	}
	if !inWord {
		word, text = piece{start: len(src), value: -1}, nil
	}
	word.text = string(text)
	c.level, c.word = levels[len(levels)-1], word
}

// closing gives the place of the quote that ends the string at the start of s, or
// 0 if there is none.
func closing(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return 0
}

// walk resolves the words of a path as far as they go. rest are the arguments.
func (c *completer) walk(at *Menu, pieces []piece) (m *Menu, command *Command, rest []piece, ok bool) {
	m = at
	for i, w := range pieces {
		if w.opaque || w.value >= 0 {
			return m, nil, nil, false
		}
		if name, global := strings.CutPrefix(w.text, ":"); global && i == 0 {
			for _, g := range globals {
				if g.Name == name {
					return m, g, pieces[1:], true
				}
			}
			return m, nil, nil, false
		}
		if m, command, ok = c.path(m, w.text); !ok {
			return m, nil, nil, false
		}
		if command != nil {
			return m, command, pieces[i+1:], true
		}
	}
	return m, nil, nil, true
}

// path goes down the words of text, which are joined by slashes.
func (c *completer) path(m *Menu, text string) (*Menu, *Command, bool) {
	if strings.HasPrefix(text, "/") {
		m = c.root
	}
	call := &Call{Menu: m}
	p := &parser{root: c.root}
	if err := p.path(call, token{text: text}); err != nil {
		return m, nil, false
	}
	return call.Menu, call.Command, true
}
