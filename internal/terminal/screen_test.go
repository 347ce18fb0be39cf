package terminal

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func cellsOf(text string) []cell {
	var out []cell
	for _, r := range text {
		out = append(out, cell{char: r})
	}
	return out
}

// broken gives text as a terminal shows it.
func broken(text string, columns int) string {
	var b strings.Builder
	column := 0
	for _, r := range text {
		w := cell{char: r}.width()
		if column+w > columns {
			b.WriteByte('\n')
			column = 0
		}
		b.WriteRune(r)
		column += w
	}
	rows := strings.Split(b.String(), "\n")
	for i := range rows {
		rows[i] = strings.TrimRight(rows[i], " ")
	}
	return strings.TrimRight(strings.Join(rows, "\n"), "\n")
}

// TestScreenShowsTheLine draws lines one after the other, in all places of the
// cursor, and compares what a terminal shows with what it should.
func TestScreenShowsTheLine(t *testing.T) {
	for _, columns := range []int{7, 20, 80} {
		r := rand.New(rand.NewPCG(1, uint64(columns)))
		v := newVT(t, columns, 40)
		s := screen{columns: columns}
		line := []rune("> ")
		letters := []rune("abc /=日本e\u0301")
		for step := range 3000 {
			switch n := r.IntN(10); {
			case n < 6 && len(line) < 100:
				at := 2 + r.IntN(len(line)-1)
				line = append(line[:at:at], append([]rune{letters[r.IntN(len(letters))]}, line[at:]...)...)
			case n < 8 && len(line) > 4:
				at := 2 + r.IntN(len(line)-3)
				line = append(line[:at:at], line[at+1:]...)
			case n == 8:
				line = line[:2+r.IntN(len(line)-1)]
			}
			cells := cellsOf(string(line))
			for i := range cells {
				if i > 2 && cells[i].char == 'a' && i%3 == 0 {
					cells[i].style = Menu
				}
			}
			at := r.IntN(len(cells) + 1)
			s.draw(cells, at)
			v.Write(s.out)
			s.out = s.out[:0]
			if got, want := v.String(), broken(string(line), columns); got != want {
				t.Fatalf("%q columns %d, step %d: the screen shows\n%s\nwant\n%s", string(line), columns, step, got, want)
			}
			row, column := s.place(cells, at)
			if v.pending || v.row != row || v.column != column {
				t.Fatalf("columns %d, step %d: the cursor is at %d,%d (pending %v), want %d,%d", columns, step, v.row, v.column, v.pending, row, column)
			}
		}
	}
}

// TestScreenWritesLittle checks that a key at the end of the line costs its
// character and no more.
func TestScreenWritesLittle(t *testing.T) {
	s := screen{columns: 80}
	s.draw(cellsOf("> add name="), 11)
	s.out = s.out[:0]
	s.draw(cellsOf("> add name=x"), 12)
	if string(s.out) != "x" {
		t.Errorf("it wrote %q", s.out)
	}
}

// TestDumbScreen checks that a dumb terminal is sent no sequences.
func TestDumbScreen(t *testing.T) {
	s := screen{dumb: true}
	v := newVT(t, 200, 3)
	for _, line := range []struct {
		text string
		at   int
	}{{"> abc", 5}, {"> abc", 3}, {"> aXbc", 4}, {"> bc", 2}, {"> bc", 4}, {"> ", 2}, {"> z", 3}} {
		s.draw(cellsOf(line.text), line.at)
		if strings.Contains(string(s.out), "\x1b") {
			t.Errorf("it wrote %q", s.out)
		}
		v.Write(s.out)
		s.out = s.out[:0]
		if v.String() != strings.TrimRight(line.text, " ") || v.column != line.at {
			t.Errorf("it shows %q with the cursor at %d, want %q at %d", v, v.column, line.text, line.at)
		}
	}
}

// TestScreenResize makes the window wider and narrower under a line.
func TestScreenResize(t *testing.T) {
	s := screen{columns: 40}
	v := newVT(t, 40, 5)
	text := "[admin@gopptp] > " + strings.Repeat("x", 13)
	s.draw(cellsOf(text), len(text))
	v.Write(s.out)
	s.out = s.out[:0]
	for _, columns := range []int{35, 60, 31} {
		w := newVT(t, columns, 5) // the text fits, so that it stays where it is
		w.Write([]byte(text))
		s.resize(columns)
		s.draw(cellsOf(text+"y"), len(text)+1)
		w.Write(s.out)
		s.out = s.out[:0]
		if got, want := w.String(), broken(text+"y", columns); got != want {
			t.Errorf("%d columns: %q, want %q", columns, got, want)
		}
		s.draw(cellsOf(text), len(text))
		s.out = s.out[:0]
	}
}
