package console

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/creack/pty"

	"gopptp/internal/progress"
)

// slow is a script that takes long enough for somebody to be told.
const slow = ":delay 600ms\n:put done\n"

// TestExecProgress runs a script whose errors go to a pseudo-terminal: how far it is is
// shown there and then taken away, and what it prints has nothing of it.
func TestExecProgress(t *testing.T) {
	t.Setenv("TERM", "xterm")
	socket, _ := serveWorld(t)
	person, tty, err := pty.Open()
	if err != nil {
		t.Fatalf("there is no pseudo-terminal here: %v", err)
	}
	var screen syncBuffer
	go io.Copy(&screen, person) // ends when the terminal is closed
	var out bytes.Buffer
	if status := Exec(t.Context(), socket, []string{slow, "/system/identity/get name"}, &out, tty); status != 0 {
		t.Errorf("status %d", status)
	}
	if out.String() != "done\n" {
		t.Errorf("it printed %q", &out)
	}
	const want = progress.Erase + "script: 1 of 2 lines, 50%" + progress.Erase
	eventually(t, "the progress", func() bool { return screen.String() == want })

	// A command that fails tells so in a line that is free.
	if status := Exec(t.Context(), socket, []string{":delay 600ms\n:error bad\n"}, &out, tty); status != statusFailed {
		t.Errorf("status %d", status)
	}
	eventually(t, "the error", func() bool { return strings.HasSuffix(screen.String(), "50%"+progress.Erase+"bad\r\n") })
	if t.Failed() {
		t.Logf("%q", screen.String())
	}
	tty.Close()
	person.Close()
}

// TestExecWithoutTerminal: programs see nothing but the output.
func TestExecWithoutTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	socket, _ := serveWorld(t)
	var out, errs bytes.Buffer
	if status := Exec(t.Context(), socket, []string{slow}, &out, &errs); status != 0 || out.String() != "done\n" || errs.Len() > 0 {
		t.Errorf("status %d, %q, %q", status, &out, &errs)
	}
}

// TestConsoleProgress imports at a terminal that is narrow.
func TestConsoleProgress(t *testing.T) {
	k := sit(t, 24, 30)
	if err := k.Files.WriteFile("slow.rsc", []byte(slow+":delay 250ms\n:put x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	k.types("/import slow.rsc\r")
	k.sees("Script file loaded and executed successfully\r\n[admin@gopptp] > ")
	const first, last = progress.Erase + "import: 1 of 4 lines, 25%" + progress.Erase, progress.Erase + "import: 3 of 4 lines, 75%" + progress.Erase
	if out := k.out.String(); !strings.Contains(out, first) || !strings.Contains(out, last+"Opening script file slow.rsc\r\n") {
		t.Errorf("the screen was sent %q", out)
	}
}
