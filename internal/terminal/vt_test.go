package terminal

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// A vt is as much of a VT100 as this package uses, with a screen of a fixed size.
type vt struct {
	t             *testing.T
	columns, rows int
	grid          [][]string
	row, column   int
	pending       bool // the last column was written: the next character wraps
	style         string
	styles        map[string]string // text in each colour
	bells         int
	rest          []byte
	marks         bool // what is pasted is marked
}

func newVT(t *testing.T, columns, rows int) *vt {
	v := &vt{t: t, columns: columns, rows: rows, styles: map[string]string{}}
	for range rows {
		v.grid = append(v.grid, make([]string, columns))
	}
	return v
}

func (v *vt) newline() {
	if v.row++; v.row == v.rows {
		v.grid = append(v.grid[1:], make([]string, v.columns))
		v.row--
	}
}

// Write shows b.
func (v *vt) Write(b []byte) (int, error) {
	n := len(b)
	b = append(v.rest, b...)
	v.rest = nil
	for len(b) > 0 {
		switch c := b[0]; {
		case c == '\r':
			v.column, v.pending = 0, false
		case c == '\n':
			v.newline()
			v.pending = false
		case c == '\b':
			if v.column > 0 {
				v.column--
			}
			v.pending = false
		case c == '\a':
			v.bells++
		case c == 0x1b:
			end := 2
			for end < len(b) && b[end] < '@' {
				end++
			}
			if end >= len(b) {
				v.rest = append([]byte(nil), b...)
				return n, nil
			}
			if b[1] != '[' {
				v.t.Errorf("the terminal was sent %q", b[:end+1])
			}
			v.control(string(b[2:end]), b[end])
			b = b[end+1:]
			continue
		case c < ' ' || c == 0x7f:
			v.t.Errorf("the terminal was sent %q", c)
		default:
			if !utf8.FullRune(b) {
				v.rest = append([]byte(nil), b...)
				return n, nil
			}
			r, size := utf8.DecodeRune(b)
			v.put(r)
			b = b[size:]
			continue
		}
		b = b[1:]
	}
	return n, nil
}

func (v *vt) put(r rune) {
	w := cell{char: r}.width()
	if v.style != "" {
		v.styles[v.style] += string(r)
	}
	if w == 0 {
		at := v.column - 1
		if v.pending {
			at = v.column
		}
		if at > 0 && v.grid[v.row][at] == "" { // the second half of a wide one
			at--
		}
		v.grid[v.row][max(0, at)] += string(r)
		return
	}
	if v.pending || v.column+w > v.columns {
		v.newline()
		v.column, v.pending = 0, false
	}
	v.grid[v.row][v.column] = string(r)
	if w == 2 {
		v.grid[v.row][v.column+1] = ""
	}
	v.column += w
	if v.column >= v.columns {
		v.column, v.pending = v.columns-1, true
	}
}

func (v *vt) control(params string, final byte) {
	n, err := strconv.Atoi(params)
	if err != nil || n == 0 {
		n = 1
	}
	if final != 'm' {
		v.pending = false
	}
	switch final {
	case 'A':
		v.row = max(0, v.row-n)
	case 'B':
		v.row = min(v.rows-1, v.row+n)
	case 'C':
		v.column = min(v.columns-1, v.column+n)
	case 'D':
		v.column = max(0, v.column-n)
	case 'H':
		v.row, v.column = 0, 0
		if row, column, both := strings.Cut(params, ";"); both {
			r, _ := strconv.Atoi(row)
			c, _ := strconv.Atoi(column)
			if r < 1 || r > v.rows || c < 1 || c > v.columns {
				v.t.Errorf("the cursor was sent to %s in %d rows of %d", params, v.rows, v.columns)
				return
			}
			v.row, v.column = r-1, c-1
		}
	case 'h', 'l':
		if params != "?2004" {
			v.t.Errorf("the terminal was sent ESC [ %s %c", params, final)
		}
		v.marks = final == 'h'
	case 'K':
		clear(v.grid[v.row][v.column:])
	case 'J':
		if params == "2" {
			for _, row := range v.grid {
				clear(row)
			}
			return
		}
		clear(v.grid[v.row][v.column:])
		for _, row := range v.grid[v.row+1:] {
			clear(row)
		}
	case 'm':
		v.style = strings.TrimPrefix(params, "0")
	default:
		v.t.Errorf("the terminal was sent ESC [ %s %c", params, final)
	}
}

// String gives what the screen shows, without blanks at the ends.
func (v *vt) String() string {
	var rows []string
	for _, row := range v.grid {
		var b strings.Builder
		for i := 0; i < len(row); i++ {
			if row[i] == "" {
				b.WriteByte(' ')
				continue
			}
			b.WriteString(row[i])
			if r, _ := utf8.DecodeRuneInString(row[i]); (cell{char: r}).width() == 2 {
				i++
			}
		}
		rows = append(rows, strings.TrimRight(b.String(), " "))
	}
	return strings.TrimRight(strings.Join(rows, "\n"), "\n")
}
