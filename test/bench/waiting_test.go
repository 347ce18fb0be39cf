package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"gopptp/internal/progress"
)

// TestWaiting measures at a pseudo-terminal: which group and round it is stands in a
// line that is gone when something is printed.
func TestWaiting(t *testing.T) {
	t.Setenv("TERM", "xterm")
	person, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer person.Close()
	screen := make(chan string)
	go func() {
		b, _ := io.ReadAll(person) // it ends with an error when the terminal is closed
		screen <- string(b)
	}()
	s := waiting{progress.On(tty)}
	out := s.before(tty)
	err = s.show(t.Context(), "group 1 of 2: tunnel", func(ctx context.Context) error {
		turn(ctx, 1, 5)
		time.Sleep(progress.Every * 3 / 2)
		fmt.Fprintln(out, "a row")
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	tty.Close()
	if got := <-screen; !strings.HasPrefix(got, progress.Erase+"group 1 of 2: tunnel, round 2 of 5, 0 s") || !strings.HasSuffix(got, progress.Erase+"a row\r\n") {
		t.Errorf("%q", got)
	}

	// Where there is no terminal, there are only the rows.
	var plain bytes.Buffer
	s = waiting{progress.On(&plain)}
	err = s.show(t.Context(), "x", func(ctx context.Context) error {
		turn(ctx, 0, 1)
		_, err := fmt.Fprint(s.before(&plain), "a row\n")
		return err
	})
	if err != nil || plain.String() != "a row\n" {
		t.Errorf("%q, %v", &plain, err)
	}
}
