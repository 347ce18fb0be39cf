// Package progress tells somebody who waits how far long work is: a Func is told by
// whoever does the work, and a Line shows it on a terminal, in one line that is drawn
// again and again and that is gone at the end.
//
// It writes nothing unless it is told something, and nothing at all about work that is
// soon done. It starts no goroutine.
package progress

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// A Step is how far work is.
type Step struct {
	What        string // import, export
	Unit        string // lines, items
	Done, Total int    // of that unit; a Total of 0 is not known
}

// String is a step for people, such as "import: 1200 of 5000 lines, 24%".
func (s Step) String() string {
	if s.Total <= 0 {
		return fmt.Sprintf("%s: %d %s", s.What, s.Done, s.Unit)
	}
	done := min(s.Done, s.Total)
	return fmt.Sprintf("%s: %d of %d %s, %d%%", s.What, done, s.Total, s.Unit, 100*done/s.Total)
}

// A Func is told of steps, by one goroutine at a time.
type Func func(Step)

// key is that of a Func in a context.
type key struct{}

// With gives a context in which work tells f how far it is.
func With(ctx context.Context, f Func) context.Context { return context.WithValue(ctx, key{}, f) }

// Of gives whom to tell; nil for nobody.
func Of(ctx context.Context) Func {
	f, _ := ctx.Value(key{}).(Func)
	return f
}

// When work is told of: not in its beginning, since most of it is soon done, and not
// more often than people can read.
const (
	Patience = 500 * time.Millisecond
	Every    = 200 * time.Millisecond
)

// Seldom gives a Func that passes on to f what people want to see.
func Seldom(f Func) Func {
	next := time.Now().Add(Patience)
	return func(s Step) {
		if now := time.Now(); now.After(next) {
			next = now.Add(Every)
			f(s)
		}
	}
}

// A Line is the line of a terminal that progress is shown in. It is safe for concurrent
// use. A nil Line shows nothing.
type Line struct {
	mu      sync.Mutex
	w       io.Writer
	columns func() int
	drawn   bool // guarded by mu
}

// On gives a Line on the terminal that f is; nil if it is none, or one that can only
// print.
func On(f any) *Line {
	file, ok := f.(*os.File)
	if kind := os.Getenv("TERM"); !ok || kind == "" || kind == "dumb" || !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	return &Line{w: file, columns: func() int {
		columns, _, err := term.GetSize(int(file.Fd()))
		if err != nil {
			return 0
		}
		return columns
	}}
}

// Show draws the line.
func (l *Line) Show(text string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drawn = true
	_, _ = io.WriteString(l.w, Draw(text, l.columns())) // who went away sees nothing
}

// Clear takes the line away, before anything else is printed.
func (l *Line) Clear() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drawn {
		l.drawn = false
		_, _ = io.WriteString(l.w, Erase)
	}
}

// Erase takes a line of a terminal away (ECMA-48, erase in line).
const Erase = "\r\x1b[K"

// defaultColumns is how wide a terminal is of which nothing is known.
const defaultColumns = 80

// Draw is what shows a text of printable ASCII in place of the line. It leaves the last
// column free: a terminal would go to the next line there.
func Draw(text string, columns int) string {
	if columns <= 0 {
		columns = defaultColumns
	}
	return Erase + text[:min(len(text), columns-1)]
}
