package script

import (
	"bytes"
	"context"
	"errors"
	"io"
	"unicode/utf8"
)

// An Answer is what to do after a full screen.
type Answer uint8

// The answers.
const (
	Down Answer = iota // show another screen
	Dump               // show all that is left
	Quit               // leave out the rest
)

// A Pager holds back the output of print after each screen. Without More nothing
// is held back.
type Pager struct {
	Height int // lines of the terminal, with the one for the question
	// More asks the reader and gives the answer. An error ends the print.
	More func(ctx context.Context) (Answer, error)
}

// errQuit ends a print whose rest nobody wants.
var errQuit = errors.New("script: quit")

// paged gives the writer of a print: Out, held back by the pager.
func (r run) paged() io.Writer {
	p := r.env.Pager
	if p.More == nil || p.Height < 2 {
		return r.env.Out
	}
	return &pagedWriter{run: r, left: p.Height - 1}
}

// A pagedWriter counts the lines that a terminal shows.
type pagedWriter struct {
	run
	left int // lines before the next question; -1 for no more questions
	cell int // in the line that is being written
}

func (w *pagedWriter) Write(b []byte) (n int, err error) {
	for n < len(b) {
		if w.left == 0 {
			if err := w.ask(); err != nil {
				return n, err
			}
		}
		line := b[n:]
		end := bytes.IndexByte(line, '\n') + 1
		if end > 0 {
			line = line[:end]
		}
		w.cell += utf8.RuneCount(line)
		if end > 0 {
			if w.left > 0 {
				w.left = max(0, w.left-w.rows())
			}
			w.cell = 0
		}
		m, err := w.env.Out.Write(line)
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}

// ask asks the reader.
func (w *pagedWriter) ask() error {
	answer, err := w.env.Pager.More(w.ctx)
	switch {
	case err != nil:
		return err
	case answer == Quit:
		return errQuit
	case answer == Dump:
		w.left = -1
	default:
		w.left = w.env.Pager.Height - 1
	}
	return nil
}

// rows gives the lines of the terminal that the line takes, whose cells count its
// end as one.
func (w *pagedWriter) rows() int {
	if w.env.Width <= 0 {
		return 1
	}
	return max(1, (w.cell-2)/w.env.Width+1)
}
