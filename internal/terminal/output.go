package terminal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"gopptp/internal/progress"
)

// An Output takes what a command prints. Control characters in it are escaped,
// since a value may come from a peer; only the end of a line and the tab are what
// they are. One goroutine may use it.
type Output struct {
	w       io.Writer
	newline string
	colours bool
	size    func() (columns, rows int) // of the window; 0 if unknown
	asked   chan<- question            // where the reader is asked; nil if there is none
	talks   chan<- talk                // to the person; nil if there is none
	dumb    bool
	full    func() error // called after each full screen; nil for nothing

	partial []byte // the start of a character, whose rest has not been written yet
	buf     bytes.Buffer
	column  int
	row     int  // rows since the reader was last asked
	shown   bool // the line shows how far the command is
}

// NewOutput makes an output without a pager, for a command that no person waits
// for. newline is what ends a line there.
func NewOutput(w io.Writer, newline string) *Output {
	return &Output{w: w, newline: newline, size: func() (int, int) { return 0, 0 }}
}

// Size gives the size of the window, or 0 for what is not known. There are no rows
// where nobody can be asked for More.
func (o *Output) Size() (columns, rows int) {
	columns, rows = o.size()
	if o.asked == nil {
		rows = 0
	}
	return columns, rows
}

// tabStop is the distance between the stops of a terminal.
const tabStop = 8

// Progress shows how far the command is, in place of what was shown before; nothing
// takes that away, and so does what is printed. It shows nothing where there is no
// person, or in the middle of a line.
func (o *Output) Progress(text string) {
	if o.talks == nil || o.dumb || o.column > 0 || text == "" && !o.shown {
		return
	}
	o.shown = text != ""
	columns, _ := o.size()
	o.buf.WriteString(progress.Draw(text, columns))
	_ = o.flush() // what is broken for this write is broken for the next
}

// Write prints b.
func (o *Output) Write(b []byte) (int, error) {
	o.Progress("")
	n := len(b)
	if len(o.partial) > 0 {
		b = append(o.partial, b...)
		o.partial = nil
	}
	columns, rows := o.Size()
	for len(b) > 0 {
		if !utf8.FullRune(b) {
			o.partial = bytes.Clone(b)
			break
		}
		r, size := utf8.DecodeRune(b)
		switch {
		case r == '\n':
			o.buf.WriteString(o.newline)
			o.row, o.column = o.row+1, 0
		case r == '\t':
			o.buf.WriteByte('\t')
			o.column += tabStop - o.column%tabStop
		case r == utf8.RuneError && size == 1:
			o.escaped(rune(b[0]))
		case unsafe(r):
			o.escaped(r)
		default:
			o.buf.Write(b[:size])
			o.column += cell{char: r}.width()
		}
		b = b[size:]
		if columns > 0 && o.column > columns {
			o.row, o.column = o.row+1, o.column-columns
		}
		if o.full != nil && rows > minRows && o.row >= rows-1 {
			o.row = 0
			if err := o.full(); err != nil {
				return 0, err
			}
		}
	}
	return n, o.flush()
}

// unsafe reports whether a terminal might do something else with r than show it
// where it stands.
func unsafe(r rune) bool {
	return r < ' ' || r >= 0x7F && r < 0xA0 || r == '\u2028' || r == '\u2029' ||
		r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069' // the order of writing
}

// escaped writes a character as RouterOS writes an octet that it cannot show.
func (o *Output) escaped(r rune) {
	n, _ := fmt.Fprintf(&o.buf, `\%02X`, r)
	o.column += n
}

// styled prints our own text in a style.
func (o *Output) styled(s Style, text string) error {
	if !o.colours || s == Plain {
		_, err := io.WriteString(o, text)
		return err
	}
	o.buf.WriteString(sgr[s])
	if _, err := io.WriteString(o, text); err != nil {
		return err
	}
	o.buf.WriteString(sgr[Plain])
	return o.flush()
}

func (o *Output) flush() error {
	_, err := o.buf.WriteTo(o.w)
	return err
}

// minRows is a window so low that to stop at each screen helps nobody.
const minRows = 2

// page makes the output ask the reader after each full screen, until ctx ends.
func (o *Output) page(ctx context.Context) {
	o.full = func() error {
		answer, err := o.More(ctx)
		switch {
		case err != nil:
			return err
		case answer == Quit:
			return errQuit
		case answer == Dump:
			o.full = nil
		}
		return nil
	}
}

// End writes what is left, and ends the line that was begun.
func (o *Output) End() error {
	for _, b := range o.partial {
		o.escaped(rune(b))
	}
	o.partial = nil
	if o.column > 0 {
		o.column = 0
		o.buf.WriteString(o.newline)
	}
	return o.flush()
}

// An Answer is what the reader wants after a full screen.
type Answer uint8

// The answers.
const (
	Down Answer = iota // another screen
	Dump               // all that is left
	Quit               // no more
)

// A question is a command that waits at a full screen.
type question struct{ answer chan Answer }

// The reasons why what runs ends before it is done.
var (
	errQuit        = errors.New("terminal: quit") // the reader has seen enough
	errInterrupted = errors.New("interrupted")    // Ctrl-C; said in RouterOS's word
)

// More asks the reader what to do after a full screen, and waits for the answer or
// the end of ctx.
func (o *Output) More(ctx context.Context) (Answer, error) {
	o.Progress("")
	if err := o.flush(); err != nil {
		return Quit, err
	}
	if o.asked == nil {
		return Dump, nil
	}
	q := question{answer: make(chan Answer, 1)}
	select {
	case o.asked <- q:
	case <-ctx.Done():
		return Quit, context.Cause(ctx)
	}
	select {
	case answer := <-q.answer:
		return answer, nil
	case <-ctx.Done():
		return Quit, context.Cause(ctx)
	}
}
