package terminal

import (
	"strconv"
	"unicode"
)

// A Style is how a part of a line looks.
type Style uint8

// The styles, in RouterOS's colours.
const (
	Plain    Style = iota
	Menu           // cyan
	Command        // magenta
	Argument       // green
	Error          // red
)

// sgr are the codes that choose a style (ECMA-48, section 8.3.117).
var sgr = [...]string{Plain: "\x1b[0m", Menu: "\x1b[36m", Command: "\x1b[35m", Argument: "\x1b[32m", Error: "\x1b[31m"}

// A cell is one character on the screen.
type cell struct {
	char  rune
	style Style
}

// width is how many columns the character takes.
func (c cell) width() int {
	switch {
	case c.char < 0x300:
		return 1
	case unicode.In(c.char, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case unicode.Is(wide, c.char):
		return 2
	}
	return 1
}

// wide are the blocks of characters that terminals show two columns wide (Unicode
// Standard Annex 11).
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x1100, 0x115F, 1}, {0x2E80, 0x303E, 1}, {0x3041, 0x4DBF, 1}, {0x4E00, 0xA4CF, 1}, {0xA960, 0xA97F, 1},
		{0xAC00, 0xD7A3, 1}, {0xF900, 0xFAFF, 1}, {0xFE30, 0xFE6F, 1}, {0xFF01, 0xFF60, 1}, {0xFFE0, 0xFFE6, 1},
	},
	R32: []unicode.Range32{{0x1F300, 0x1F64F, 1}, {0x1F680, 0x1F6FF, 1}, {0x1F900, 0x1F9FF, 1}, {0x20000, 0x3FFFD, 1}},
}

// A screen is the part of a terminal that the line being edited takes: it knows
// what is shown there, so that a change is written and nothing else.
type screen struct {
	columns int  // 0 where lines are never broken: a dumb terminal
	dumb    bool // there are no control sequences
	cells   []cell
	at      int    // the cell that the cursor stands on
	out     []byte // to write to the terminal
}

// place gives where a cell is, in rows and columns from the start of the line.
func (s *screen) place(cells []cell, i int) (row, column int) {
	for n, c := range cells {
		w := c.width()
		if s.columns > 0 && column+w > s.columns || n == i && w == 0 && s.columns > 0 && column == s.columns {
			row, column = row+1, 0
		}
		if n == i {
			return row, column
		}
		column += w
	}
	if s.columns > 0 && column >= s.columns { // draw moves the cursor there
		row, column = row+1, 0
	}
	return row, column
}

// draw shows cells instead of what is shown now, with the cursor on the cell at.
func (s *screen) draw(cells []cell, at int) {
	same := 0
	for same < len(cells) && same < len(s.cells) && cells[same] == s.cells[same] {
		same++
	}
	if same < len(cells) || same < len(s.cells) {
		if row, column := s.place(cells, same); same > 0 && row > 0 && column == 0 {
			same-- // the blank in front of a wide character is written with what precedes
		}
		for same > 0 && (mark(cells, same) || mark(s.cells, same)) {
			same-- // a mark is written, and wiped, with its letter
		}
		s.move(cells, same)
		_, column := s.place(cells, same)
		s.write(cells[same:], column)
		s.clear(cells, same < len(cells))
		s.cells, s.at = cells, len(cells)
	}
	s.move(cells, at)
}

// mark reports whether the cell at i takes no column of its own.
func mark(cells []cell, i int) bool { return i < len(cells) && cells[i].width() == 0 }

// write writes cells at the cursor, which is in a column.
func (s *screen) write(cells []cell, column int) {
	style := Plain
	for _, c := range cells {
		if w := c.width(); s.columns > 0 && column+w > s.columns {
			for ; column < s.columns; column++ {
				s.out = append(s.out, ' ') // where a wide character has no room
			}
			column = w
		} else {
			column += w
		}
		if c.style != style {
			style = c.style
			s.out = append(s.out, sgr[Plain]...)
			if style != Plain {
				s.out = append(s.out, sgr[style]...)
			}
		}
		s.out = append(s.out, string(c.char)...)
	}
	if style != Plain {
		s.out = append(s.out, sgr[Plain]...)
	}
}

// clear removes what is shown behind the end of cells, where the cursor is. If
// they were just written and fill the last row, it goes to the next one, since
// terminals leave the cursor behind the last column.
func (s *screen) clear(cells []cell, written bool) {
	row, column := s.place(cells, len(cells))
	oldRow, oldColumn := s.place(s.cells, len(s.cells))
	if s.dumb {
		for range oldColumn - column {
			s.out = append(s.out, ' ')
		}
		for range oldColumn - column {
			s.out = append(s.out, '\b')
		}
		return
	}
	if written && column == 0 && row > 0 {
		s.out = append(s.out, "\r\n"...)
	}
	if oldRow > row || oldRow == row && oldColumn > column {
		s.out = append(s.out, "\x1b[J"...)
	}
}

// move brings the cursor to where a cell is, or will be. What is in front of it is
// the same as now, but a wide character that will not be there may have taken the
// row after.
func (s *screen) move(cells []cell, to int) {
	row, column := s.place(s.cells, s.at)
	toRow, toColumn := s.place(cells, to)
	from := s.at
	s.at = to
	if s.dumb {
		if to > from {
			s.write(s.cells[from:to], column)
		}
		for range column - toColumn {
			s.out = append(s.out, '\b')
		}
		return
	}
	s.sequence(row-toRow, 'A')
	s.sequence(toRow-row, 'B')
	s.sequence(column-toColumn, 'D')
	s.sequence(toColumn-column, 'C')
}

// sequence moves the cursor n times, if n is more than zero.
func (s *screen) sequence(n int, final byte) {
	if n > 0 {
		s.out = append(s.out, "\x1b["...)
		if n > 1 {
			s.out = strconv.AppendInt(s.out, int64(n), 10)
		}
		s.out = append(s.out, final)
	}
}

// leave ends the line: what comes next is on a row of its own.
func (s *screen) leave() {
	s.move(s.cells, len(s.cells))
	if _, column := s.place(s.cells, len(s.cells)); column > 0 || len(s.cells) == 0 || s.dumb {
		s.out = append(s.out, "\r\n"...)
	}
	s.forget()
}

// forget says that the cursor stands at the start of a row of which nothing is
// known.
func (s *screen) forget() { s.cells, s.at = nil, 0 }

// resize takes another width. The line is forgotten and wiped off the screen; it
// assumes that the terminal broke it anew, as most do.
func (s *screen) resize(columns int) {
	if s.dumb || columns == s.columns {
		return
	}
	s.columns = columns
	s.erase()
}

// erase takes the line off the screen; the cursor stands where it began. A dumb
// terminal keeps it.
func (s *screen) erase() {
	if s.dumb {
		if len(s.cells) > 0 {
			s.leave()
		}
		return
	}
	row, _ := s.place(s.cells, s.at)
	s.out = append(s.out, '\r')
	s.sequence(row, 'A')
	s.out = append(s.out, "\x1b[J"...)
	s.forget()
}

// wipe clears the whole screen.
func (s *screen) wipe() {
	if !s.dumb {
		s.out = append(s.out, "\x1b[H\x1b[2J"...)
		s.forget()
	}
}
