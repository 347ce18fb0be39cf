package console

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gopptp/internal/menu"
	"gopptp/internal/progress"
	"gopptp/internal/script"
	"gopptp/internal/terminal"
)

// Interact lets a person at a terminal use the session until they leave, hang up
// or ctx ends. Unless they say quit or have released it, what was changed in safe mode
// is taken back then.
func (s *Session) Interact(ctx context.Context, t *terminal.Terminal) error {
	defer s.unroll()
	if s.user.May(menu.Read) {
		stop := s.tree.Logging().Echo(t.Notify)
		defer stop()
	}
	return t.Serve(ctx, shell{s, t})
}

// RunLines runs the commands of in until it ends or one says quit. A command that
// fails tells so on out and does not end it; the error is that of the last.
func (s *Session) RunLines(ctx context.Context, in io.Reader, out io.Writer) error {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, MaxLine)
	var text string
	var last error
	for scanner.Scan() && ctx.Err() == nil {
		text += scanner.Text()
		if open(text) != "" && len(text) < MaxLine {
			text += "\n"
			continue
		}
		if leaves(text) {
			return last
		}
		if last = s.Run(ctx, text, out); last != nil {
			if _, err := fmt.Fprintln(out, last); err != nil {
				return err
			}
		}
		text = ""
	}
	switch {
	case scanner.Err() != nil:
		return scanner.Err()
	case strings.TrimSpace(text) != "": // it ends in the middle of a command
		last = s.Run(ctx, strings.TrimSuffix(text, "\n"), out)
		if last != nil {
			_, _ = fmt.Fprintln(out, last) // there is nothing more to say
		}
	}
	return last
}

// leaves reports whether a text says that the person wants to leave.
func leaves(text string) bool { return strings.TrimPrefix(strings.TrimSpace(text), "/") == "quit" }

// A shell is a session as a terminal sees it.
type shell struct {
	*Session
	terminal *terminal.Terminal
}

// Run carries out what was typed.
func (s shell) Run(ctx context.Context, text string, out *terminal.Output) error {
	if leaves(text) {
		s.release() // only who goes away without a word did not mean it
		return terminal.ErrLeave
	}
	s.person = &script.Person{
		Ask: func(ctx context.Context, q script.Query) (string, error) {
			out.Progress("")
			asked := terminal.Question{Prompt: q.Prompt, Secret: q.Secret}
			if q.Items != nil {
				asked.Complete = func(text string) []menu.Completion { return s.completeItem(q.Items, text) }
			}
			text, err := out.Ask(ctx, asked)
			return text, refused(err)
		},
		Edit: func(ctx context.Context, text string) (string, bool, error) {
			out.Progress("")
			text, saved, err := out.Edit(ctx, text)
			return text, saved, refused(err)
		},
	}
	var rows int
	s.Width, rows = out.Size()
	s.Pager = script.Pager{Height: rows, More: func(ctx context.Context) (script.Answer, error) {
		answer, err := out.More(ctx)
		return answers[answer], err
	}}
	defer out.Progress("")
	ctx = progress.With(ctx, progress.Seldom(func(s progress.Step) { out.Progress(s.String()) }))
	return s.Session.Run(ctx, text, out)
}

// completeItem gives what the last item of a list with commas may become.
func (s shell) completeItem(m *menu.Menu, list string) []menu.Completion {
	done := list[:strings.LastIndexByte(list, ',')+1]
	var found []menu.Completion
	for _, name := range s.names(m.Path()) {
		if text := done + name; strings.HasPrefix(text, list) {
			found = append(found, menu.Completion{Text: text})
		}
	}
	return found
}

// refused is an error of a terminal in the console's words.
func refused(err error) error {
	switch {
	case errors.Is(err, terminal.ErrNobody):
		return menu.Errorf(menu.Refused, "failure: this terminal cannot show it")
	case err != nil:
		return menu.Errorf(menu.Interrupted, "interrupted")
	}
	return nil
}

// answers are the reader's answers in the script's words.
var answers = map[terminal.Answer]script.Answer{
	terminal.Down: script.Down, terminal.Dump: script.Dump, terminal.Quit: script.Quit,
}

// Open gives what is open at the end of a text.
func (s shell) Open(text string) string { return open(text) }

// Quoted reports whether a place is inside quotes.
func (s shell) Quoted(text string, at int) bool { return open(text[:at]) == `"` }

// wordEnds are the characters before which a word of a command ends.
const wordEnds = " \t\n/=;[](){}"

// styles are what words look like.
var styles = map[menu.CompletionKind]terminal.Style{
	menu.CompleteMenu: terminal.Menu, menu.CompleteCommand: terminal.Command, menu.CompleteArgument: terminal.Argument,
}

// Paint colours the words that completion knows, and from where it cannot be
// understood the word that no completion begins with.
func (s shell) Paint(text string) []terminal.Style {
	painted := make([]terminal.Style, len(text))
	fill := func(from, to int, style terminal.Style) {
		for i := from; i < to; i++ {
			painted[i] = style
		}
	}
	wrong := -1
	if _, err := menu.Parse(text, s.tree.Root(), s.at); err != nil {
		if e, ok := err.(*menu.Error); ok && e.Line > 0 {
			wrong = offset(text, e.Line, e.Column)
		}
	}
	for end := 1; end <= len(text); end++ {
		if strings.IndexByte(wordEnds, text[end-1]) >= 0 || end < len(text) && strings.IndexByte(wordEnds, text[end]) < 0 {
			continue
		}
		// The names of items are not coloured, so they need not be looked up.
		found, start := menu.Complete(text, end, s.tree.Root(), s.at, nil)
		if start >= end {
			continue
		}
		word := text[start:end]
		i := slices.IndexFunc(found, func(c menu.Completion) bool { return c.Text == word })
		switch {
		case i >= 0:
			fill(start, end, styles[found[i].Kind])
		case len(found) == 1:
			fill(start, end, styles[found[0].Kind])
		case len(found) == 0 && wrong >= start && wrong < end:
			fill(wrong, end, terminal.Error)
		}
	}
	return painted
}

// offset gives the place of a line and a column, both from 1; a column is a
// character.
func offset(text string, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		at += strings.IndexByte(text[at:], '\n') + 1
	}
	for i := range text[at:] {
		if column--; column == 0 {
			return at + i
		}
	}
	return len(text)
}
