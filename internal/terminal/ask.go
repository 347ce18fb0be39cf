package terminal

import (
	"context"
	"errors"
	"strings"

	"gopptp/internal/menu"
)

// A Question is what a command asks the person for while it runs.
type Question struct {
	Prompt string
	Secret bool   // what is typed is not shown
	Keys   string // each of these characters is an answer by itself; empty for a line

	// Complete gives what a text may become; nil for nothing.
	Complete func(text string) []menu.Completion
}

// An asker is a Question as a shell that completes, and does nothing else.
type asker struct {
	Shell
	question *Question
}

// Complete gives what the text before a place may become.
func (a asker) Complete(text string, at int) ([]menu.Completion, int) {
	if a.question.Complete == nil {
		return nil, 0
	}
	return a.question.Complete(text[:at]), 0
}

// ErrNobody is the error of Ask and Edit where no person can do it.
var ErrNobody = errors.New("terminal: nobody can be asked")

// A talk is something that a command has Serve's goroutine do, which owns the keys
// and the screen.
type talk struct {
	body func(context.Context, *Terminal) error
	done chan error
}

// with has the terminal's goroutine run body.
func (o *Output) with(ctx context.Context, body func(context.Context, *Terminal) error) error {
	if o.talks == nil {
		return ErrNobody
	}
	if err := o.End(); err != nil {
		return err
	}
	k := talk{body, make(chan error, 1)}
	select {
	case o.talks <- k:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return <-k.done // body ends with the command's context
}

// Ask asks the person and gives what they typed. An answer that was typed ahead is
// taken. Ctrl-C is the error "interrupted".
func (o *Output) Ask(ctx context.Context, q Question) (answer string, err error) {
	err = o.with(ctx, func(ctx context.Context, t *Terminal) error {
		before, at := t.entry, t.history.at
		defer func() { t.entry, t.history.at = before, at }()
		t.entry = entry{asked: &q}
		result, err := t.edit(ctx, nil, q.Prompt)
		switch {
		case err != nil:
			return err
		case result != entered:
			return errInterrupted
		}
		answer = string(t.line.text)
		return nil
	})
	o.row = 0
	return answer, err
}

// answer does what a key means while a question is open.
func (t *Terminal) answer(ctx context.Context, k key, listed bool) (outcome, error) {
	switch {
	case k == ctrlC:
		return abandoned, nil
	case k == ctrlD && len(t.line.text) == 0:
		return left, nil
	case t.asked.Keys != "":
		if k < 0 || !strings.ContainsRune(t.asked.Keys, rune(k)) {
			t.bell()
			return editing, nil
		}
		t.line.set(string(rune(k)))
		return entered, nil
	case k == keyEnter, k == keyLF:
		return entered, nil
	case k == keyTab:
		return editing, t.complete(ctx, asker{question: t.asked}, listed)
	case !t.line.edit(k):
		t.put(k)
	}
	return editing, nil
}
