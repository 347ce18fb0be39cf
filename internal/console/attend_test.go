package console

import (
	"context"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"gopptp/internal/golden"
)

// A keyboard is gopptp console in a pseudo-terminal.
type keyboard struct {
	*testing.T
	*golden.World
	socket string
	master *os.File
	out    syncBuffer
	done   chan error
	lose   func() // the connection
}

// sit runs gopptp console in a pseudo-terminal of a size.
func sit(t *testing.T, rows, columns uint16) *keyboard {
	t.Helper()
	socket, w := serveWorld(t)
	return sitAt(t, socket, w, rows, columns)
}

// sitAt is sit for a daemon that is there.
func sitAt(t *testing.T, socket string, w *golden.World, rows, columns uint16) *keyboard {
	t.Helper()
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	master, tty, err := pty.Open()
	if err != nil {
		t.Skipf("there is no pseudo-terminal here: %v", err)
	}
	t.Cleanup(func() { tty.Close(); master.Close() })
	if err := pty.Setsize(master, &pty.Winsize{Rows: rows, Cols: columns}); err != nil {
		t.Fatal(err)
	}
	before, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	k := &keyboard{T: t, World: w, socket: socket, master: master, done: make(chan error, 1)}
	go io.Copy(&k.out, master) // ends when the master is closed
	ctx, cancel := context.WithCancel(t.Context())
	k.lose = cancel
	go func() { k.done <- Interactive(ctx, socket, tty, tty) }()
	t.Cleanup(func() {
		cancel()
		if err := <-k.done; err != nil {
			t.Errorf("Interactive: %v", err)
		}
		after, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
		if err != nil || *after != *before {
			t.Errorf("the terminal was left in another state: %v", err)
		}
	})
	k.sees("[admin@" + w.Tree.Identity() + "] > ")
	return k
}

func (k *keyboard) types(keys string) {
	k.Helper()
	if _, err := io.WriteString(k.master, keys); err != nil {
		k.Fatal(err)
	}
}

// sees waits until the output ends with text.
func (k *keyboard) sees(text string) {
	k.Helper()
	defer func() {
		if k.Failed() {
			k.Logf("the screen was sent %q", k.out.String())
		}
	}()
	eventually(k.T, "the screen ends with "+text, func() bool { return strings.HasSuffix(k.out.String(), text) })
}

// TestConsoleKeys types, completes, goes back in the history, interrupts and
// leaves.
func TestConsoleKeys(t *testing.T) {
	k := sit(t, 24, 80)
	k.types("/ppp/sec\t")
	k.sees("] > /ppp/secret/")
	k.types("add na\t")
	k.sees("/ppp/secret/add name=")
	k.types("bob\r")
	k.sees("name=bob\r\n[admin@gopptp] > ")
	k.types("/ppp/secret\r")
	k.sees("[admin@gopptp] /ppp/secret> ")
	k.types("get bo\t")
	k.sees("get bob ")
	k.types("\x15:put [get bob name]\r")
	k.sees("bob\r\n[admin@gopptp] /ppp/secret> ")
	k.types("..\r/\r:put one\r")
	k.sees("one\r\n[admin@gopptp] > ")
	k.types("\x1b[A")
	k.sees("> :put one")
	k.types("\r")
	k.sees("one\r\n[admin@gopptp] > ")
	k.types("/ppp/act?")
	k.sees("[admin@gopptp] > /ppp/act")
	k.types("\x03")
	k.sees("/ppp/act\r\n[admin@gopptp] > ")
	k.types(":put {\r")
	k.sees("{... ")
	k.types("1}\r")
	k.sees("1\r\n[admin@gopptp] > ")
	k.types("/interface/pptp-client/add connect-to=a user=u\r/interface/pptp-client/monitor 0\r")
	eventually(t, "a frame", func() bool { return strings.Contains(k.out.String(), "status: disabled") })
	k.types("\x03")
	k.sees("interrupted\r\n[admin@gopptp] > ")
	k.types("/quit\r")
	if err := <-k.done; err != nil {
		t.Error(err)
	}
	k.done <- nil
}

// TestConsolePages makes the window small, pages, and makes it large.
func TestConsolePages(t *testing.T) {
	k := sit(t, 6, 60)
	k.types(":for i from=1 to=9 do={/ppp/secret/add name=\"user$i\"}\r")
	k.sees("\r\n[admin@gopptp] > ")
	k.types("/ppp/secret/print\r")
	k.sees("-- [Q quit|D dump|down]")
	k.types(" ")
	eventually(t, "the second screen", func() bool { return strings.Count(k.out.String(), "-- [Q quit|D dump|down]") == 2 })
	k.types("q")
	k.sees("\r\x1b[K[admin@gopptp] > ")
	if err := pty.Setsize(k.master, &pty.Winsize{Rows: 40, Cols: 120}); err != nil {
		t.Fatal(err)
	}
	// The kernel tells the foreground process of the terminal, which a test is not.
	if err := syscall.Kill(os.Getpid(), unix.SIGWINCH); err != nil {
		t.Fatal(err)
	}
	// The new size takes a while to arrive; until then a print still pages.
	pages := func() int { return strings.Count(k.out.String(), "-- [Q quit|D dump|down]") }
	whole := func() bool { return strings.Contains(k.out.String(), "user9") }
	for range 100 {
		before := pages()
		k.types("/ppp/secret/print\r")
		eventually(t, "an answer", func() bool { return whole() || pages() > before })
		if whole() {
			break
		}
		k.types("q")
		time.Sleep(20 * time.Millisecond)
	}
	if !whole() {
		t.Error("the large window pages")
	}
	k.types("\x04")
	if err := <-k.done; err != nil {
		t.Error(err)
	}
	k.done <- nil
}

// TestConsoleEndsWithContext checks that a signal ends the console, and leaves the
// terminal as it was.
func TestConsoleEndsWithContext(t *testing.T) {
	k := sit(t, 24, 80)
	k.types("not finis")
	k.sees("not finis")
	// The test's cleanup cancels, waits and looks at the terminal.
}

func TestOpen(t *testing.T) {
	for in, want := range map[string]string{
		"":                         "",
		"/ppp/secret/print":        "",
		":put {":                   "{",
		":put {1;[":                "[",
		":put (1":                  "(",
		`:put "a`:                  `"`,
		`:put "a\"`:                `"`,
		`:put "a\\"`:               "",
		`:put "$[`:                 "[",
		`:put "$[get "x"]`:         `"`,
		`:put "$[get "x"]"`:        "",
		`:put "[{("`:               "",
		":put a \\":                `\`,
		":put a \\\n b":            "",
		"# it's { a remark":        "",
		":put x; # {":              "",
		":put x#{":                 "{",
		":put {\n# }\n":            "{",
		":put ]":                   "",
		":put (]":                  "",
		":put {\n:put [get x];\n}": "",
	} {
		if got := open(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// FuzzOpen checks that no text is too strange, and that what is whole stays so
// when a line ends.
func FuzzOpen(f *testing.F) {
	f.Add(`:put "$[get "x"]" {`)
	f.Add("# {\n\\")
	f.Fuzz(func(t *testing.T, text string) {
		if got := open(text); len(got) > 1 || got == "" && open(text+"\n") != "" {
			t.Errorf("%q: %q, then %q", text, got, open(text+"\n"))
		}
	})
}
