package menu

import (
	"errors"
	"strings"
)

// maxWrong bounds the errors that Check gives: nobody reads more.
const maxWrong = 100

// Check gives what is wrong in a script, in the order of its lines. After an error
// it goes on with the next line; the commands that follow in a menu that does not
// exist are not wrong themselves.
func Check(src string, root, at *Menu) []*Error {
	p := &parser{lexer: lexer{src: src}, root: root}
	var wrong []*Error
	lost := false // the menu of the next command is not known
	for len(wrong) < maxWrong {
		p.skip()
		start := p.off
		if start == len(p.src) {
			break
		}
		if lost && p.src[start] != '/' && p.src[start] != ':' {
			p.line(start)
			continue
		}
		c, err := p.command(at)
		if err == nil {
			if c.Enters() {
				at = c.Menu
			}
			if p.src[start] == '/' {
				lost = false
			}
			continue
		}
		var e *Error
		if !errors.As(err, &e) {
			break // the parser has no other errors
		}
		wrong = append(wrong, e)
		lost = lost || e.Kind == BadCommand && p.src[start] == '/'
		p.depth = 0
		p.line(max(start, p.off-1)) // what could not be read may be the end of the line
	}
	return wrong
}

// command reads a command of the whole script, and what has to follow it.
func (p *parser) command(at *Menu) (*Call, error) {
	c, err := p.call(at)
	if err != nil {
		return nil, err
	}
	t, err := p.peek(inCommand)
	if err != nil {
		return nil, err
	}
	if t.kind != tokenEnd && t.kind != tokenEOF {
		return nil, p.syntax(t.pos)
	}
	return c, nil
}

// line goes to the end of the line that at is in, which may be continued.
func (p *parser) line(at int) {
	for p.off = at; ; p.off++ {
		n := strings.IndexByte(p.src[p.off:], '\n')
		if n < 0 {
			p.off = len(p.src)
			return
		}
		p.off += n
		if !strings.HasSuffix(strings.TrimSuffix(p.src[at:p.off], "\r"), `\`) {
			return
		}
	}
}
