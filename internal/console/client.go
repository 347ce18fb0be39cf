package console

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"gopptp/internal/progress"
)

// The statuses that Exec gives.
const (
	statusFailed      = 1 // a command failed
	statusUnreachable = 2 // the daemon cannot be reached, or went away
)

// cancelGrace is how long a cancelled command may take to end.
const cancelGrace = 2 * time.Second

// A client is one connection to the daemon.
type client struct {
	conn    net.Conn
	from    *bufio.Scanner
	to      *json.Encoder
	prompt  string
	stopped func() bool
	line    *progress.Line // where it is shown how far a command is; nil for nowhere
}

// dial connects to the daemon. The connection ends with ctx, after the grace
// that a cancelled command has.
func dial(ctx context.Context, socket string) (*client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("no gopptp daemon listens on %s; start one with gopptp run, or name its socket with --socket", socket)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("no permission to use %s; only root and the daemon's own user may", socket)
	case err != nil:
		return nil, fmt.Errorf("cannot reach the gopptp daemon: %w", err)
	}
	c := &client{conn: conn, from: frames(conn), to: json.NewEncoder(conn)}
	c.stopped = context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now().Add(cancelGrace)) })
	if _, err := c.receive(io.Discard); err != nil {
		c.close()
		return nil, fmt.Errorf("the gopptp daemon on %s does not let this user in, or is stopping", socket)
	}
	return c, nil
}

func (c *client) close() {
	c.stopped()
	c.conn.Close()
}

// receive copies output to out until the line is done.
func (c *client) receive(out io.Writer) (failure string, err error) {
	defer c.line.Clear()
	for c.from.Scan() {
		var r reply
		if err := json.Unmarshal(c.from.Bytes(), &r); err != nil {
			return "", fmt.Errorf("cannot understand the gopptp daemon: %w", err)
		}
		if r.Done {
			c.prompt = r.Prompt
			return r.Error, nil
		}
		if r.Progress != "" {
			c.line.Show(r.Progress)
			continue
		}
		c.line.Clear()
		if _, err := out.Write(r.Out); err != nil {
			return "", err
		}
	}
	if err := c.from.Err(); err != nil {
		return "", fmt.Errorf("lost the gopptp daemon: %w", err)
	}
	return "", errors.New("the gopptp daemon closed the connection")
}

// send sends a line, in parts if it is long or no text that JSON can carry.
func (c *client) send(line string, width int) error {
	if len(line) > maxPart || !utf8.ValidString(line) {
		for part := range slices.Chunk([]byte(line), maxPart) {
			if err := c.to.Encode(request{Part: part}); err != nil {
				return err
			}
		}
		line = ""
	}
	return c.to.Encode(request{Line: line, Width: width, Progress: c.line != nil})
}

// run runs a line. When ctx ends, the command is cancelled. An error is about
// the connection; failure is the command's.
func (c *client) run(ctx context.Context, line string, width int, out io.Writer) (failure string, err error) {
	if err := c.send(line, width); err != nil {
		return "", fmt.Errorf("lost the gopptp daemon: %w", err)
	}
	sent := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(sent)
		_ = c.to.Encode(request{Cancel: true}) // if it is lost, so is the connection
	})
	failure, err = c.receive(out)
	if !stop() {
		<-sent // the encoder must be free for the next line
	}
	return failure, err
}

// terminalWidth gives the width of the terminal that f is, or 0.
func terminalWidth(f any) int {
	file, ok := f.(*os.File)
	if !ok {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}

// Exec runs commands in the daemon, one after the other in one session, up to
// the first that fails. It gives the exit status of gopptp exec. When ctx ends,
// the running command is cancelled.
func Exec(ctx context.Context, socket string, commands []string, out, errOut io.Writer) int {
	c, err := dial(ctx, socket)
	if err != nil {
		fmt.Fprintln(errOut, err)
		return statusUnreachable
	}
	defer c.close()
	c.line = progress.On(errOut)
	for _, line := range commands {
		failure, err := c.run(ctx, line, terminalWidth(out), out)
		switch {
		case err != nil:
			fmt.Fprintln(errOut, err)
			return statusUnreachable
		case failure != "":
			fmt.Fprintln(errOut, failure)
			return statusFailed
		case ctx.Err() != nil:
			return statusFailed
		}
	}
	return 0
}

// Interactive is gopptp console. At a terminal it is the line editor of
// internal/terminal. Otherwise it runs the lines of in, with a prompt before each,
// until it ends or a line says quit; Ctrl-C cancels the running command. It
// returns an error if the daemon cannot be reached or goes away.
func Interactive(ctx context.Context, socket string, in io.Reader, out io.Writer) error {
	c, err := dial(ctx, socket)
	if err != nil {
		return err
	}
	defer c.close()
	if tty, ok := asTerminal(in); ok {
		if screen, ok := asTerminal(out); ok {
			return c.attend(ctx, tty, screen)
		}
	}
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)

	// A read of a terminal cannot be interrupted, so this goroutine ends with the
	// next line or with the program.
	lines := make(chan string)
	done := make(chan struct{})
	defer close(done)
	var readErr error
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(in)
		scanner.Buffer(nil, MaxLine)
		for scanner.Scan() {
			select {
			case lines <- scanner.Text():
			case <-done:
				return
			}
		}
		readErr = scanner.Err()
	}()
	for {
		if _, err := io.WriteString(out, c.prompt); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-interrupts:
			fmt.Fprintln(out)
		case line, more := <-lines:
			if !more {
				fmt.Fprintln(out)
				return readErr
			}
			if line == "quit" || line == "/quit" {
				return nil
			}
			failure, err := c.interruptible(ctx, interrupts, line, out)
			if err != nil {
				return err
			}
			if failure != "" {
				fmt.Fprintln(out, failure)
			}
		}
	}
}

// interruptible runs a line until it ends or a signal cancels it.
func (c *client) interruptible(ctx context.Context, interrupts <-chan os.Signal, line string, out io.Writer) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	watched := make(chan struct{})
	go func() { // ends with this function
		defer close(watched)
		select {
		case <-interrupts:
			cancel()
		case <-ended:
		}
	}()
	failure, err := c.run(ctx, line, terminalWidth(out), out)
	close(ended)
	<-watched
	cancel()
	return failure, err
}
