package terminal

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Edit lets the person change a text of several lines on the whole screen. saved is
// false if they want it as it was. The text is at most MaxText octets.
func (o *Output) Edit(ctx context.Context, text string) (changed string, saved bool, err error) {
	if o.dumb {
		return "", false, ErrNobody
	}
	err = o.with(ctx, func(ctx context.Context, t *Terminal) error {
		e := newEditor(text)
		saved, err = t.compose(ctx, e)
		changed = e.text()
		return err
	})
	o.row = 0
	return changed, saved, err
}

// An editor is a text that is edited on the whole screen. Places are in characters,
// from zero.
type editor struct {
	lines    [][]rune
	row, col int
	wish     int    // the column that the cursor had before shorter lines
	octets   int    // of the text
	taken    []rune // the line that was cut last
	has      bool   // there is one

	// What is shown.
	columns, rows int
	top           int // the first line
	left          int // the first column
	shown         []string
}

func newEditor(text string) *editor {
	e := &editor{octets: len(text)}
	for line := range strings.SplitSeq(text, "\n") {
		e.lines = append(e.lines, []rune(line))
	}
	return e
}

// text gives the whole text.
func (e *editor) text() string {
	lines := make([]string, len(e.lines))
	for i, line := range e.lines {
		lines[i] = string(line)
	}
	return strings.Join(lines, "\n")
}

// The window of a terminal that does not tell how large it is.
const (
	usualColumns = 80
	usualRows    = 24
)

// compose runs an editor until the person saves or gives up.
func (t *Terminal) compose(ctx context.Context, e *editor) (saved bool, err error) {
	defer func() {
		t.screen.wipe()
		if failed := t.flush(); err == nil {
			err = failed
		}
	}()
	for {
		e.resize(t.size())
		for len(t.keys) > 0 {
			k := t.keys[0]
			t.keys = t.keys[1:]
			switch {
			case k == keyPasteBegin, k == keyPasteEnd:
				t.pasting = k == keyPasteBegin
			case k == ctrlC:
				t.pasting = false
				return false, nil
			case k == ctrlO && !t.pasting:
				return true, nil
			case k == keyRedraw && !t.pasting, k == ctrlL && !t.pasting:
				e.shown = nil
			case t.pasting && !k.printable() && k != keyTab && k != keyEnter && k != keyLF:
				t.bell()
			case !e.press(k):
				t.bell()
			}
		}
		t.screen.out = e.draw(t.screen.out)
		if err := t.flush(); err != nil {
			return false, err
		}
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case b := <-t.typed:
			t.keys = append(t.keys, t.decode(b)...)
		case <-t.resized:
		case <-t.hungUp:
			return false, nil
		}
	}
}

// resize takes the size of the window.
func (e *editor) resize(columns, rows int) {
	if columns <= 0 || rows <= 0 {
		columns, rows = usualColumns, usualRows
	}
	if columns != e.columns || rows != e.rows {
		e.columns, e.rows, e.shown = columns, rows, nil
	}
}

// page is how many lines of the text the window shows: the last row is the status.
func (e *editor) page() int { return max(1, e.rows-1) }

// press does what a key means; false says that it does nothing.
func (e *editor) press(k key) bool {
	line := e.lines[e.row]
	switch k {
	case keyUp, ctrlP:
		return e.climb(-1)
	case keyDown, ctrlN:
		return e.climb(1)
	case keyPageUp:
		return e.climb(-e.page())
	case keyPageDown:
		return e.climb(e.page())
	case keyEnter, keyLF:
		if e.octets >= MaxText {
			return false
		}
		e.lines[e.row] = slices.Clone(line[:e.col])
		e.lines = slices.Insert(e.lines, e.row+1, slices.Clone(line[e.col:]))
		e.octets++
		e.row, e.col = e.row+1, 0
	case keyLeft, ctrlB:
		if e.col > 0 || e.row == 0 {
			return e.inline(k)
		}
		e.row--
		e.col = len(e.lines[e.row])
	case keyRight, ctrlF:
		if e.col < len(line) || e.row == len(e.lines)-1 {
			return e.inline(k)
		}
		e.row, e.col = e.row+1, 0
	case backspace, ctrlH:
		if e.col > 0 {
			return e.inline(k)
		}
		if e.row == 0 {
			return false
		}
		e.row--
		e.col = len(e.lines[e.row])
		e.join()
	case keyDelete, ctrlD:
		if e.col < len(line) {
			return e.inline(k)
		}
		if e.row == len(e.lines)-1 {
			return false
		}
		e.join()
	case ctrlK:
		e.cut()
	case ctrlY:
		if !e.has || e.octets+len(string(e.taken))+1 > MaxText {
			return false
		}
		e.lines = slices.Insert(e.lines, e.row, slices.Clone(e.taken))
		e.octets += len(string(e.taken)) + 1
		e.row, e.col = e.row+1, 0
	default:
		return e.inline(k)
	}
	e.wish = e.col
	return true
}

// climb goes some lines down, or up if n is negative.
func (e *editor) climb(n int) bool {
	row := min(max(e.row+n, 0), len(e.lines)-1)
	if row == e.row {
		return false
	}
	e.row, e.col = row, min(e.wish, len(e.lines[row]))
	return true
}

// join appends the next line to this one.
func (e *editor) join() {
	e.lines[e.row] = slices.Concat(e.lines[e.row], e.lines[e.row+1])
	e.lines = slices.Delete(e.lines, e.row+1, e.row+2)
	e.octets--
}

// cut takes the line away; an only line becomes empty.
func (e *editor) cut() {
	e.taken, e.has = e.lines[e.row], true
	e.octets -= len(string(e.taken))
	if len(e.lines) == 1 {
		e.lines[0] = nil
	} else {
		e.lines = slices.Delete(e.lines, e.row, e.row+1)
		e.octets--
		e.row = min(e.row, len(e.lines)-1)
	}
	e.col = 0
}

// inline does what a key means inside one line, as for a command.
func (e *editor) inline(k key) bool {
	l := line{e.lines[e.row], e.col}
	before := len(string(l.text))
	switch {
	case l.edit(k):
	case !k.printable() && k != keyTab, e.octets+utf8.RuneLen(rune(k)) > MaxText:
		return false
	default:
		l.insert(rune(k))
	}
	e.octets += len(string(l.text)) - before
	e.lines[e.row], e.col = l.text, l.pos
	e.wish = e.col
	return true
}

// editorHelp stands in the last row.
const editorHelp = "C-c quit C-o save&quit C-k cut line C-y paste F5 repaint"

// editorTab is how wide a tab is shown.
const editorTab = 4

// spread gives a line as the columns show it: each character with its column.
func spread(line []rune) (cells []cell, columns []int) {
	at := 0
	for _, r := range line {
		n := 1
		if r == '\t' {
			n = editorTab - at%editorTab
		}
		for range n {
			c := cell{char: visible(r)}
			cells, columns = append(cells, c), append(columns, at)
			at += c.width()
		}
	}
	return cells, columns
}

// column gives the column of the cursor.
func (e *editor) column() int {
	at := 0
	for _, r := range e.lines[e.row][:e.col] {
		if r == '\t' {
			at += editorTab - at%editorTab
		} else {
			at += cell{char: visible(r)}.width()
		}
	}
	return at
}

// view gives the part of a line that the window shows. A wide character that is cut
// at an edge becomes blanks.
func (e *editor) view(line []rune) string {
	var b strings.Builder
	cells, columns := spread(line)
	at := 0 // columns written
	for i, c := range cells {
		from := columns[i] - e.left
		to := from + c.width()
		switch {
		case to < 0, to == 0 && c.width() > 0: // before the window
		case from < 0: // half of it
			b.WriteString(strings.Repeat(" ", to))
			at = to
		case to > e.columns:
			b.WriteString(strings.Repeat(" ", e.columns-at))
			return b.String()
		case c.width() == 0 && at == 0: // a mark whose letter is not shown
		default:
			b.WriteRune(c.char)
			at = to
		}
	}
	return b.String()
}

// status is the last row.
func (e *editor) status() string {
	place := " line " + strconv.Itoa(e.row+1) + " of " + strconv.Itoa(len(e.lines)) + " column " + strconv.Itoa(e.col+1)
	text := editorHelp + place
	return text[:min(len(text), max(0, e.columns-1))]
}

// draw appends what brings the screen to what it should show.
func (e *editor) draw(out []byte) []byte {
	column := e.column()
	e.top = min(max(e.top, e.row-e.page()+1), e.row)
	if column < e.left || column >= e.left+e.columns {
		e.left = max(0, column-e.columns/2)
	}
	rows := make([]string, 0, e.rows)
	for i := e.top; i < min(e.top+e.page(), len(e.lines)); i++ {
		rows = append(rows, e.view(e.lines[i]))
	}
	for len(rows) < e.page() {
		rows = append(rows, "")
	}
	if e.rows > 1 {
		rows = append(rows, e.status())
	}
	if e.shown == nil {
		out = append(out, "\x1b[H\x1b[2J"...)
		e.shown = make([]string, len(rows))
	}
	for i, row := range rows {
		if row == e.shown[i] {
			continue
		}
		out = position(out, i, 0)
		out = append(out, row...)
		if !full(row, e.columns) { // or the cursor stands on the last character
			out = append(out, "\x1b[K"...)
		}
	}
	e.shown = rows
	return position(out, e.row-e.top, column-e.left)
}

// full reports whether a text fills a row.
func full(row string, columns int) bool {
	n := 0
	for _, r := range row {
		n += cell{char: r}.width()
	}
	return n >= columns
}

// position moves the cursor to a place of the screen.
func position(out []byte, row, column int) []byte {
	out = append(out, "\x1b["...)
	out = strconv.AppendInt(out, int64(row+1), 10)
	out = append(out, ';')
	out = strconv.AppendInt(out, int64(column+1), 10)
	return append(out, 'H')
}
