package console

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gopptp/internal/journal"
	"gopptp/internal/menu"
	"gopptp/internal/terminal"
	"gopptp/internal/tree"
)

// acceptPause is how long to wait when the process has no file descriptor left:
// it is over when another connection ends.
const acceptPause = 100 * time.Millisecond

// Serve answers the clients of a Unix socket until ctx ends, which it returns as
// the cause, or until the listener fails. It closes the listener, and returns
// after the last client. Only root and the daemon's own user are let in, and may
// do everything.
func Serve(ctx context.Context, l net.Listener, t *tree.Tree, j *journal.Journal) error {
	var clients sync.WaitGroup
	defer clients.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	defer l.Close()
	refused := map[uint32]bool{} // users who were told of in the log
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return context.Cause(ctx)
		case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ECONNABORTED):
			select {
			case <-time.After(acceptPause):
			case <-ctx.Done():
			}
			continue
		case err != nil:
			return fmt.Errorf("console: %w", err)
		}
		uid, err := peerUser(conn)
		if err != nil || !allowed(uid) {
			if err == nil && !refused[uid] {
				refused[uid] = true
				j.Addf("system,error,critical", "login failure for user with id %d via local", uid)
			}
			conn.Close()
			continue
		}
		clients.Go(func() { serveClient(ctx, conn, t) })
	}
}

// allowed reports whether a user may use the socket.
func allowed(uid uint32) bool { return uid == 0 || int(uid) == os.Geteuid() }

// peerUser gives the user at the other end, as the kernel knows it.
func peerUser(conn net.Conn) (uint32, error) {
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return 0, errors.New("console: not a Unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("console: %w", err)
	}
	var cred *unix.Ucred
	var credErr error
	err = raw.Control(func(fd uintptr) { cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err = errors.Join(err, credErr); err != nil {
		return 0, fmt.Errorf("console: %w", err)
	}
	return cred.Uid, nil
}

// A job is a line to run, or a session in a terminal; ctx ends when the client
// cancels it.
type job struct {
	ctx      context.Context
	cancel   context.CancelFunc
	terminal *terminal.Terminal
	request
}

// serveClient runs the lines of one client. It ends with the connection or with
// ctx.
func serveClient(ctx context.Context, conn net.Conn, t *tree.Tree) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	jobs := make(chan job)
	var reader sync.WaitGroup
	defer reader.Wait()
	defer conn.Close() // ends the reader
	defer cancel()
	to := json.NewEncoder(conn)
	reader.Go(func() {
		defer cancel()
		readRequests(ctx, frames(conn), to, jobs)
	})

	session := NewSession(t, tree.Admin())
	if to.Encode(reply{Done: true, Prompt: session.Prompt()}) != nil {
		return
	}
	for {
		var next job
		select {
		case <-ctx.Done():
			return
		case next = <-jobs:
		}
		done := reply{Done: true}
		if err := runJob(next, session, to); err != nil {
			done.Error = err.Error()
		}
		done.Prompt = session.Prompt()
		if to.Encode(done) != nil {
			return
		}
	}
}

// runJob runs one line of a client.
func runJob(j job, s *Session, to *json.Encoder) error {
	defer j.cancel()
	if j.terminal != nil {
		return s.Interact(j.ctx, j.terminal)
	}
	if len(j.Line) > MaxLine {
		return menu.Errorf(menu.Syntax, "line too long")
	}
	s.Width = j.Width
	return s.Run(j.ctx, j.Line, outputWriter{to})
}

// readRequests hands lines to jobs and cancels them, and keys to the window, until the connection or ctx
// ends. What is no request ends the connection.
func readRequests(ctx context.Context, from *bufio.Scanner, to *json.Encoder, jobs chan<- job) {
	last := job{cancel: func() {}}
	var window *terminal.Terminal
	for from.Scan() {
		var r request
		if json.Unmarshal(from.Bytes(), &r) != nil {
			return
		}
		switch {
		case r.Cancel:
			last.cancel()
			continue
		case window != nil: // the connection belongs to the session in it
			if r.Terminal != nil {
				window.Resize(r.Terminal.Columns, r.Terminal.Rows)
			}
			if window.Type(r.Keys) != nil {
				return
			}
			continue
		case r.Terminal != nil:
			window = r.Terminal.newTerminal(outputWriter{to})
		}
		last = job{request: r, terminal: window}
		last.ctx, last.cancel = context.WithCancel(ctx) // runJob releases it, or the end of ctx
		select {
		case jobs <- last:
		case <-ctx.Done():
			return
		}
	}
}
