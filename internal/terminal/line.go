package terminal

import "slices"

// A line is what is being typed, with the place of the cursor in it.
type line struct {
	text []rune
	pos  int
}

func (l *line) set(text string) {
	l.text = []rune(text)
	l.pos = len(l.text)
}

// before gives the text in front of the cursor.
func (l *line) before() string { return string(l.text[:l.pos]) }

func (l *line) insert(text ...rune) {
	l.text = slices.Insert(l.text, l.pos, text...)
	l.pos += len(text)
}

// cut takes away the text from one place to another, and leaves the cursor there.
func (l *line) cut(from, to int) {
	l.text = slices.Delete(l.text, from, to)
	l.pos = from
}

// wordLeft is the start of the word before the cursor, wordRight the end of the
// one after it. What separates words is what separates them in a command.
func (l *line) wordLeft() int {
	i := l.pos
	for i > 0 && separates(l.text[i-1]) {
		i--
	}
	for i > 0 && !separates(l.text[i-1]) {
		i--
	}
	return i
}

func (l *line) wordRight() int {
	i := l.pos
	for i < len(l.text) && separates(l.text[i]) {
		i++
	}
	for i < len(l.text) && !separates(l.text[i]) {
		i++
	}
	return i
}

func separates(r rune) bool {
	switch r {
	case ' ', '/', '=', ',', ';', '"', '[', ']', '(', ')', '{', '}':
		return true
	}
	return false
}

// edit does what a key means inside a line; it reports whether the key was one of
// those.
func (l *line) edit(k key) bool {
	switch k {
	case keyLeft, ctrlB:
		l.pos = max(0, l.pos-1)
	case keyRight, ctrlF:
		l.pos = min(len(l.text), l.pos+1)
	case keyWordLeft:
		l.pos = l.wordLeft()
	case keyWordRight:
		l.pos = l.wordRight()
	case keyHome, ctrlA:
		l.pos = 0
	case keyEnd, ctrlE:
		l.pos = len(l.text)
	case backspace, ctrlH:
		l.cut(max(0, l.pos-1), l.pos)
	case keyDelete, ctrlD:
		l.cut(l.pos, min(len(l.text), l.pos+1))
	case keyDeleteWordLeft, ctrlW:
		l.cut(l.wordLeft(), l.pos)
	case keyDeleteWordRight:
		l.cut(l.pos, l.wordRight())
	case ctrlU:
		l.cut(0, l.pos)
	case ctrlK:
		l.cut(l.pos, len(l.text))
	default:
		return false
	}
	return true
}
