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

	"golang.org/x/sys/unix"

	"gopptp/internal/accept"
	"gopptp/internal/journal"
	"gopptp/internal/login"
	"gopptp/internal/menu"
	"gopptp/internal/progress"
	"gopptp/internal/terminal"
	"gopptp/internal/tree"
)

// Serve answers the clients of a Unix socket until ctx ends, which it returns as
// the cause, or until the listener fails. It closes the listener, and returns
// after the last client. Only root and the daemon's own user are let in, and may
// do everything.
func Serve(ctx context.Context, l net.Listener, t *tree.Tree, j *journal.Journal) error {
	refused := map[uint32]bool{} // users who were told of in the log
	return accept.Serve(ctx, l, func(conn net.Conn) accept.Handler {
		uid, err := peerUser(conn)
		if err == nil && allowed(uid) {
			return func(ctx context.Context) { serveClient(ctx, conn, t) }
		}
		if err == nil && !refused[uid] {
			refused[uid] = true
			j.Addf("system,error,critical", "login failure for user with id %d via local", uid)
		}
		return nil
	})
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
	script   []byte // what comes before the line
	request
}

// serveClient runs the lines of one client. It ends with the connection or with
// ctx.
func serveClient(ctx context.Context, conn net.Conn, t *tree.Tree) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
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
		if err := runJob(next, t, session, to); err != nil {
			done.Error = err.Error()
		}
		done.Prompt = session.Prompt()
		if to.Encode(done) != nil {
			return
		}
	}
}

// runJob runs one line of a client, or a session in a window. Only the latter is
// somebody who logs in, for /user/active and for the log: programs run gopptp exec
// many times a minute, and what they change is in the log by itself.
func runJob(j job, t *tree.Tree, s *Session, to *json.Encoder) error {
	defer j.cancel()
	if j.terminal != nil {
		u, leave, err := t.Gate().Login(j.ctx, login.Attempt{Door: login.DoorLocal, Name: tree.Admin().Name, End: j.cancel})
		if err != nil {
			return err
		}
		defer leave()
		return NewSession(t, tree.Visitor(u)).Interact(j.ctx, j.terminal)
	}
	switch {
	case len(j.Line) > MaxLine:
		return menu.Errorf(menu.Syntax, "line too long")
	case len(j.script) > MaxScript:
		return menu.Errorf(menu.Syntax, "script too long")
	}
	s.Width = j.Width
	ctx := j.ctx
	if j.Progress {
		ctx = progress.With(ctx, progress.Seldom(func(s progress.Step) {
			_ = to.Encode(reply{Progress: s.String()}) // what is lost is lost for the answer too
		}))
	}
	return s.Run(ctx, string(j.script)+j.Line, outputWriter{to})
}

// readRequests hands lines to jobs and cancels them, and keys to the window, until
// the connection or ctx ends. What is no request ends the connection.
func readRequests(ctx context.Context, from *bufio.Scanner, to *json.Encoder, jobs chan<- job) {
	last := job{cancel: func() {}}
	var script []byte // of which the end is to come
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
		case r.Part != nil:
			if len(script) <= MaxScript { // or runJob refuses it anyhow
				script = append(script, r.Part...)
			}
			continue
		case r.Terminal != nil:
			window = r.Terminal.newTerminal(outputWriter{to})
		}
		last = job{request: r, terminal: window, script: script}
		script = nil
		last.ctx, last.cancel = context.WithCancel(ctx) // runJob releases it, or the end of ctx
		select {
		case jobs <- last:
		case <-ctx.Done():
			return
		}
	}
}
