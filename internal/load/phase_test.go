package load

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"gopptp/internal/progress"
)

// TestProgress watches phases at a pseudo-terminal, where one line is drawn again and
// again, and without one.
func TestProgress(t *testing.T) {
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
	var kept, plain bytes.Buffer
	for _, r := range []*run{{Config: Config{Progress: &kept, Line: progress.On(tty)}}, {Config: Config{Progress: &plain}}} {
		done := make(chan struct{})
		time.AfterFunc(progress.Every*3/2, func() { close(done) })
		r.progress("connect", 10, func() int { return 3 }, done)
		r.wait(context.Background(), "hold", progress.Every*3/2)
	}
	tty.Close()
	// Once, or more often where the machine is busy.
	erase := regexp.QuoteMeta(progress.Erase)
	want := regexp.MustCompile("^(" + erase + "connect: 3 of 10)+" + erase + "(" + erase + "hold: -?0s left)+" + erase + "$")
	if got := <-screen; !want.MatchString(got) {
		t.Errorf("the terminal got %q", got)
	}
	for _, got := range []string{kept.String(), plain.String()} {
		if lines := strings.Split(got, "\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], "connect: 3 of 10 in ") || lines[1] != "hold: 300ms" {
			t.Errorf("told %q", got)
		}
	}
}
