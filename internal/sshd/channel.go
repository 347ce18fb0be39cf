package sshd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"

	"golang.org/x/crypto/ssh"

	"gopptp/internal/console"
	"gopptp/internal/terminal"
)

// A ptyRequest is the request for a terminal (RFC 4254, section 6.2).
type ptyRequest struct {
	Term          string
	Columns, Rows uint32
	Width, Height uint32 // in pixels
	Modes         string
}

// A windowChange says that the window has another size (RFC 4254, section 6.7).
type windowChange struct {
	Columns, Rows uint32
	Width, Height uint32
}

// An execRequest is the request to run a command (RFC 4254, section 6.5).
type execRequest struct{ Command string }

// A signalRequest delivers a signal (RFC 4254, section 6.9).
type signalRequest struct{ Name string }

// An exitStatus says how a command ended (RFC 4254, section 6.10).
type exitStatus struct{ Status uint32 }

// A session is one channel of a client. Its fields belong to serveChannel until
// the command or the shell begins.
type session struct {
	*client
	ssh.Channel
	cancel   context.CancelFunc
	pty      *ptyRequest
	terminal *terminal.Terminal // nil unless a person sits there
	started  bool
}

// serveChannel answers the requests of a session (RFC 4254, section 6). It ends
// with the channel.
func (c *client) serveChannel(ctx context.Context, opening ssh.NewChannel) {
	accepted, requests, err := opening.Accept()
	if err != nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &session{client: c, Channel: accepted, cancel: cancel}
	var all sync.WaitGroup
	defer all.Wait()
	defer s.Close()
	defer cancel()
	for r := range requests {
		granted, run := s.request(r)
		if r.WantReply {
			_ = r.Reply(granted, nil) // if it is lost, so is the connection
		}
		if run == nil {
			continue
		}
		all.Go(func() {
			status := exitStatus{}
			if run(ctx, &all) != nil {
				status.Status = 1
			}
			_, _ = s.SendRequest("exit-status", false, ssh.Marshal(status))
			s.Close() // the client closes it too, which ends the requests
		})
	}
}

// request judges a request. run is what begins with it, if anything does.
func (s *session) request(r *ssh.Request) (granted bool, run func(context.Context, *sync.WaitGroup) error) {
	switch r.Type {
	case "pty-req":
		var p ptyRequest
		if s.started || ssh.Unmarshal(r.Payload, &p) != nil {
			return false, nil
		}
		s.pty = &p
		return true, nil
	case "window-change":
		var w windowChange
		if s.terminal == nil || ssh.Unmarshal(r.Payload, &w) != nil {
			return false, nil
		}
		s.terminal.Resize(s.size(w.Columns, w.Rows))
		return true, nil
	case "signal":
		var signal signalRequest
		if s.terminal != nil || ssh.Unmarshal(r.Payload, &signal) != nil || signal.Name != "INT" {
			return false, nil
		}
		s.cancel()
		return true, nil
	case "exec":
		var e execRequest
		if s.started || ssh.Unmarshal(r.Payload, &e) != nil {
			return false, nil
		}
		s.started = true
		return true, func(ctx context.Context, all *sync.WaitGroup) error { return s.exec(ctx, all, e.Command) }
	case "shell":
		if s.started {
			return false, nil
		}
		s.started = true
		if s.pty == nil {
			return true, s.lines
		}
		columns, rows := s.size(s.pty.Columns, s.pty.Rows)
		dumb := s.parameters.dumb || s.pty.Term == "dumb"
		s.terminal = terminal.New(s, terminal.Config{Columns: columns, Rows: rows, Colours: !s.parameters.noColours, Dumb: dumb})
		return true, s.shell
	}
	return false, nil // env, subsystem, agent and X11 forwarding
}

// size gives the size of the window: the client's, unless the name says another.
func (s *session) size(columns, rows uint32) (int, int) {
	c, r := int(min(columns, maxColumns)), int(min(rows, maxColumns))
	if s.parameters.columns > 0 {
		c = s.parameters.columns
	}
	if s.parameters.rows > 0 {
		r = s.parameters.rows
	}
	return c, r
}

// shell serves a person at a terminal.
func (s *session) shell(ctx context.Context, all *sync.WaitGroup) error {
	all.Go(func() { // ends with the channel, or with the session's next key
		defer s.terminal.HangUp()
		_, _ = io.Copy(typist{s.terminal}, s)
	})
	err := console.NewSession(s.cfg.Tree, s.treeUser()).Interact(ctx, s.terminal)
	if err == nil {
		err = context.Cause(ctx)
	}
	return err
}

// A typist types what is written to it.
type typist struct{ *terminal.Terminal }

func (t typist) Write(b []byte) (int, error) {
	if err := t.Type(b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// output is what a command prints to that nobody edits lines for.
func (s *session) output() *terminal.Output {
	newline := "\n"
	if s.pty != nil {
		newline = "\r\n"
	}
	return terminal.NewOutput(s, newline)
}

// console makes a session of the console that is as wide as the window.
func (s *session) console() *console.Session {
	c := console.NewSession(s.cfg.Tree, s.treeUser())
	var columns uint32
	if s.pty != nil {
		columns = s.pty.Columns
	}
	c.Width, _ = s.size(columns, 0)
	return c
}

// exec runs one command. What went wrong is told where its output goes, as
// RouterOS does.
func (s *session) exec(serving context.Context, all *sync.WaitGroup, command string) error {
	ctx, cancel := context.WithCancel(serving)
	defer cancel()
	all.Go(func() { // ends with the channel
		b := make([]byte, 64)
		for {
			n, err := s.Read(b)
			if err != nil {
				return
			}
			if s.pty != nil && bytes.IndexByte(b[:n], ctrlC) >= 0 {
				cancel()
			}
		}
	})
	out := s.output()
	err := s.console().Run(ctx, command, out)
	if err != nil {
		fmt.Fprintln(out, err)
	}
	_ = out.End()
	if err == nil {
		err = context.Cause(serving) // a monitor that the server's end cut short has not ended well
	}
	return err
}

// ctrlC is what a terminal sends for Ctrl-C.
const ctrlC = 3

// lines runs the commands that come without a terminal: ssh host < file.
func (s *session) lines(ctx context.Context, _ *sync.WaitGroup) error {
	out := s.output()
	err := s.console().RunLines(ctx, s, out)
	_ = out.End()
	return err
}
