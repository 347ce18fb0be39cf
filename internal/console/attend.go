package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"gopptp/internal/terminal"
)

// A window is a terminal at the client's end. The first one of a connection
// begins a session in it; those after it tell a new size.
type window struct {
	Columns int  `json:"columns"`
	Rows    int  `json:"rows"`
	Colours bool `json:"colours,omitempty"`
	Dumb    bool `json:"dumb,omitempty"`
}

// newTerminal makes the daemon's end of a window.
func (w window) newTerminal(out outputWriter) *terminal.Terminal {
	return terminal.New(out, terminal.Config{Columns: w.Columns, Rows: w.Rows, Colours: w.Colours, Dumb: w.Dumb})
}

// windowOf describes the terminal that f is.
func windowOf(f *os.File) window {
	kind := os.Getenv("TERM")
	w := window{Colours: os.Getenv("NO_COLOR") == "", Dumb: kind == "" || kind == "dumb"}
	if columns, rows, err := term.GetSize(int(f.Fd())); err == nil {
		w.Columns, w.Rows = columns, rows
	}
	return w
}

// asTerminal gives the file that f is, if it is a terminal.
func asTerminal(f any) (*os.File, bool) {
	file, ok := f.(*os.File)
	return file, ok && term.IsTerminal(int(file.Fd()))
}

// attend lets the person at a terminal type to the daemon, which edits the line:
// each key goes there, and what it writes goes to the screen.
func (c *client) attend(ctx context.Context, in, out *os.File) (err error) {
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return fmt.Errorf("cannot take the terminal: %w", err)
	}
	defer func() { err = errors.Join(err, term.Restore(int(in.Fd()), before)) }()
	stop := context.AfterFunc(ctx, func() { c.conn.Close() })
	defer stop()

	resizes := make(chan os.Signal, 1)
	signal.Notify(resizes, unix.SIGWINCH)
	defer signal.Stop(resizes)
	keys := make(chan []byte)
	over := make(chan struct{})
	wake, wakeUp, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("cannot take the terminal: %w", err)
	}
	defer wake.Close()
	var all sync.WaitGroup
	defer all.Wait()
	defer wakeUp.Close()
	defer close(over)
	all.Go(func() { readKeys(in, wake, keys, over) })
	all.Go(func() { c.sendKeys(out, keys, resizes, over) })

	_, err = c.receive(out)
	if err != nil && !windowOf(out).Dumb {
		_, _ = io.WriteString(out, terminal.NoPasteMarks) // the daemon had no time to
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// sendKeys sends what is typed, and the size of the window when it changes.
func (c *client) sendKeys(out *os.File, keys <-chan []byte, resizes <-chan os.Signal, over <-chan struct{}) {
	w := windowOf(out)
	err := c.to.Encode(request{Terminal: &w})
	for err == nil {
		select {
		case b, more := <-keys:
			if !more { // the terminal is gone
				c.conn.Close()
				return
			}
			err = c.to.Encode(request{Keys: b})
		case <-resizes:
			w = windowOf(out)
			err = c.to.Encode(request{Terminal: &w})
		case <-over:
			return
		}
	}
	c.conn.Close() // receive says that the daemon is lost
}

// readKeys reads a terminal until it is gone or wake is closed.
func readKeys(in, wake *os.File, keys chan<- []byte, over <-chan struct{}) {
	defer close(keys)
	fds := []unix.PollFd{{Fd: int32(in.Fd()), Events: unix.POLLIN}, {Fd: int32(wake.Fd())}}
	for {
		if _, err := unix.Poll(fds, -1); errors.Is(err, unix.EINTR) {
			continue
		} else if err != nil || fds[1].Revents != 0 {
			return
		}
		b := make([]byte, 4096)
		n, err := in.Read(b)
		if err != nil || n == 0 {
			return
		}
		select {
		case keys <- b[:n]:
		case <-over:
			return
		}
	}
}
