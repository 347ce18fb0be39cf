package terminal

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"gopptp/internal/menu"
)

// A Shell is what is behind the prompt. Its methods are called one at a time.
// Texts may have several lines; places in them are in octets.
type Shell interface {
	// Prompt gives what to write before the next command is typed.
	Prompt() string
	// Open gives what is open at the end of a text, such as a bracket, so that
	// another line is needed; empty for nothing.
	Open(text string) string
	// Run runs a command. ErrLeave ends the session.
	Run(ctx context.Context, text string, out *Output) error
	// Complete gives what the word that ends at a place may become, and where it
	// starts.
	Complete(text string, at int) ([]menu.Completion, int)
	// HelpAt gives what can stand at a place.
	HelpAt(text string, at int) []menu.Completion
	// Quoted reports whether a place is inside quotes.
	Quoted(text string, at int) bool
	// Paint gives the style of each octet of a text, or nil for none.
	Paint(text string) []Style
	// SafeMode takes safe mode or releases it, and says which. The prompt may be
	// another one afterwards.
	SafeMode(ctx context.Context, out *Output) error
}

// ErrLeave is the error of a Shell's Run that ends the session: the person said
// quit.
var ErrLeave = errors.New("terminal: leave")

// A Config is what is known of the terminal.
type Config struct {
	Columns, Rows int  // 0 if unknown
	Colours       bool // show them
	Dumb          bool // no control sequences: no colours and no pager
}

// The bounds of what is typed.
const (
	// MaxText bounds a command in octets; it is the console's bound of a line.
	MaxText = 256 << 10
	// maxAhead is how many keys wait while a command runs. More stay with the
	// sender, so that no pasted script is lost.
	maxAhead = 64 << 10
	// maxNotices is how many notices wait until the person is at the prompt again;
	// those above are in the log.
	maxNotices = 64
	// maxSize bounds a window in columns or rows, which its owner only claims.
	maxSize = 4096
)

// A Terminal is one terminal with a person in front of it. Type, Resize, Notify
// and HangUp may be called while Serve runs. Make it with New.
type Terminal struct {
	out     io.Writer
	dumb    bool
	colours bool
	typed   chan []byte
	hungUp  chan struct{}
	hangUp  sync.Once
	over    chan struct{} // Serve has returned
	resized chan struct{}
	notices chan string
	columns atomic.Int32
	rows    atomic.Int32

	// Owned by Serve.
	decoder decoder
	keys    []key // typed, but not looked at yet
	pasting bool  // they were pasted
	screen  screen
	history history
	entry
}

// An entry is a line that is being typed, with what belongs to it.
type entry struct {
	prompt string
	line   line
	source string // the lines of an unfinished command before this one
	listed bool   // the last key was a Tab that changed nothing
	search *search
	asked  *Question // nil for a command
}

// New makes a terminal that writes to out.
func New(out io.Writer, cfg Config) *Terminal {
	t := &Terminal{
		out: out, dumb: cfg.Dumb, colours: cfg.Colours && !cfg.Dumb,
		typed: make(chan []byte), hungUp: make(chan struct{}), over: make(chan struct{}),
		resized: make(chan struct{}, 1), notices: make(chan string, maxNotices),
	}
	t.screen.dumb = cfg.Dumb
	t.Resize(cfg.Columns, cfg.Rows)
	return t
}

// Type gives what was typed. It returns when it was taken, or with io.EOF when
// the session is over. It does not retain b.
func (t *Terminal) Type(b []byte) error {
	b = append([]byte(nil), b...)
	select {
	case t.typed <- b:
		return nil
	case <-t.over:
		return io.EOF
	}
}

// HangUp says that nothing more will be typed; the session ends after what was.
func (t *Terminal) HangUp() { t.hangUp.Do(func() { close(t.hungUp) }) }

// Notify shows a line above the one that is being typed, now or when the person is
// at the prompt again. It never waits: a person far behind misses some.
func (t *Terminal) Notify(text string) {
	select {
	case t.notices <- text:
	default:
	}
}

// Resize says how large the window is.
func (t *Terminal) Resize(columns, rows int) {
	t.columns.Store(int32(min(max(columns, 0), maxSize)))
	t.rows.Store(int32(min(max(rows, 0), maxSize)))
	select {
	case t.resized <- struct{}{}:
	default: // one is under way
	}
}

// size gives the window's size.
func (t *Terminal) size() (columns, rows int) { return int(t.columns.Load()), int(t.rows.Load()) }

// flush writes what the screen has to write.
func (t *Terminal) flush() error {
	if len(t.screen.out) == 0 {
		return nil
	}
	_, err := t.out.Write(t.screen.out)
	t.screen.out = t.screen.out[:0]
	return err
}

// What asks a terminal to mark what is pasted, and not to any more (xterm's control
// sequences, bracketed paste mode).
const (
	pasteMarks   = "\x1b[?2004h"
	NoPasteMarks = "\x1b[?2004l" // also for the owner of a terminal whose session broke off
)

// Serve reads commands and gives them to the shell, until the person leaves or
// hangs up. It returns the cause when ctx ends, and what broke the writer. A write
// that blocks must be ended by the writer's owner. It may be called once.
func (t *Terminal) Serve(ctx context.Context, shell Shell) error {
	defer close(t.over)
	if !t.dumb {
		t.screen.out = append(t.screen.out, pasteMarks...)
		defer func() {
			t.screen.out = append(t.screen.out, NoPasteMarks...)
			_ = t.flush() // nobody may be there any more
		}()
	}
	for {
		text, err := t.read(ctx, shell)
		switch {
		case errors.Is(err, ErrLeave):
			return nil
		case err != nil:
			return err
		case text == "":
			continue
		}
		t.history.add(text)
		err = t.command(ctx, func(ctx context.Context, out *Output) error {
			err := shell.Run(ctx, text, out)
			if err == nil || errors.Is(err, ErrLeave) {
				return err
			}
			if err := out.End(); err != nil {
				return err
			}
			return out.styled(Error, err.Error()+"\n")
		})
		switch {
		case errors.Is(err, ErrLeave):
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		}
	}
}

// decode makes keys of what was typed.
func (t *Terminal) decode(b []byte) []key {
	var out []key
	for _, c := range b {
		if k, ok := t.decoder.next(c); ok {
			out = append(out, k)
		}
	}
	return out
}

// pagerPrompt is what stands below a full screen.
const pagerPrompt = "-- [Q quit|D dump|down]"

// command runs body, while Ctrl-C cancels it and other keys answer its questions
// or wait for what comes after. An error is body's or the writer's.
func (t *Terminal) command(ctx context.Context, body func(context.Context, *Output) error) error {
	run, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	questions := make(chan question)
	talks := make(chan talk)
	out := &Output{w: t.out, newline: "\r\n", colours: t.colours, size: t.size, talks: talks, dumb: t.dumb}
	if !t.dumb {
		out.asked = questions
	}
	done := make(chan error, 1)
	go func() { // ends with body, for which this function waits
		err := body(run, out)
		if errors.Is(context.Cause(run), errInterrupted) {
			err = nil // whoever pressed the key knows
		}
		if err == nil {
			err = out.End()
		}
		done <- err
	}()
	var asking *question
	settle := func() { // takes the prompt away, before anything else is written
		t.screen.out = append(t.screen.out, "\r\x1b[K"...)
		_ = t.flush() // what is broken for this write is broken for the command's
		asking = nil
	}
	hungUp := t.hungUp
	for {
		typed := t.typed
		if len(t.keys) >= maxAhead {
			typed = nil
		}
		select {
		case err := <-done:
			return err
		case <-hungUp:
			hungUp = nil
			if asking != nil {
				q := asking
				settle()
				q.answer <- Dump
			}
		case k := <-talks:
			k.done <- k.body(run, t)
		case q := <-questions:
			if len(t.keys) > 0 || hungUp == nil {
				q.answer <- Dump // nobody reads: what was typed is for the next prompt
				break
			}
			asking = &q
			t.screen.out = append(t.screen.out, pagerPrompt...)
			_ = t.flush()
		case b := <-typed:
			for _, k := range t.decode(b) {
				switch answer, ok := answerOf(k); {
				case k == ctrlC:
					if asking != nil {
						settle()
					}
					t.keys, t.pasting = nil, false
					cancel(errInterrupted)
				case asking != nil && k == keyPasteBegin: // what is pasted is no answer
					q := asking
					settle()
					q.answer <- Dump
					t.keys = append(t.keys, k)
				case asking == nil:
					t.keys = append(t.keys, k)
				case ok:
					q := asking
					settle()
					q.answer <- answer
				}
			}
		}
	}
}

// answerOf gives what a key answers to a pager's question.
func answerOf(k key) (answer Answer, ok bool) {
	switch k {
	case 'q', 'Q':
		return Quit, true
	case 'd', 'D':
		return Dump, true
	case ' ', keyDown, keyPageDown, keyEnter, keyLF:
		return Down, true
	}
	return 0, false
}
