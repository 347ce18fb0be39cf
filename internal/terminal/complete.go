package terminal

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"gopptp/internal/menu"
)

// complete completes the word before the cursor. If that can become several, it
// adds what they have in common; again then shows them.
func (t *Terminal) complete(ctx context.Context, shell Shell, again bool) error {
	text := t.source + t.line.before()
	found, start := shell.Complete(t.source+string(t.line.text), len(text))
	if len(found) == 0 || start < len(t.source) || start > len(text) {
		t.bell()
		return nil
	}
	word := text[start:]
	if len(found) == 1 {
		t.replace(word, found[0].Text, found[0].After)
		return nil
	}
	common := found[0].Text
	for _, c := range found[1:] {
		for !strings.HasPrefix(c.Text, common) {
			_, size := utf8.DecodeLastRuneInString(common)
			common = common[:len(common)-size]
		}
	}
	switch {
	case len(common) > len(word) && strings.HasPrefix(common, word):
		t.replace(word, common, "")
	case again:
		return t.list(ctx, shell, found)
	default:
		t.bell()
	}
	t.listed = true
	return nil
}

// replace puts text in place of the word before the cursor, and after behind it
// unless that is there.
func (t *Terminal) replace(word, text, after string) {
	t.line.cut(t.line.pos-utf8.RuneCountInString(word), t.line.pos)
	t.line.insert([]rune(text)...)
	if n := utf8.RuneCountInString(after); strings.HasPrefix(string(t.line.text[t.line.pos:]), after) {
		t.line.pos += n
	} else {
		t.line.insert([]rune(after)...)
	}
}

// style is how a completion looks in a list.
func style(k menu.CompletionKind) Style {
	switch k {
	case menu.CompleteMenu:
		return Menu
	case menu.CompleteCommand:
		return Command
	case menu.CompleteArgument:
		return Argument
	}
	return Plain
}

// show prints something below the line, which is drawn again after it.
func (t *Terminal) show(ctx context.Context, shell Shell, body func(context.Context, *Output) error) error {
	t.draw(shell)
	t.screen.leave()
	if err := t.flush(); err != nil {
		return err
	}
	err := t.command(ctx, func(ctx context.Context, out *Output) error {
		out.page(ctx)
		if err := body(ctx, out); !errors.Is(err, errQuit) {
			return err
		}
		return nil
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	t.refresh(shell)
	return err
}

// gap is the number of blanks between the columns of a list.
const gap = 2

// list shows the completions in columns.
func (t *Terminal) list(ctx context.Context, shell Shell, found []menu.Completion) error {
	return t.show(ctx, shell, func(_ context.Context, out *Output) error {
		columns, _ := out.Size()
		widest := 0
		for _, c := range found {
			widest = max(widest, utf8.RuneCountInString(c.Text))
		}
		perRow := max(1, columns/(widest+gap))
		for i, c := range found {
			end := strings.Repeat(" ", gap+widest-utf8.RuneCountInString(c.Text))
			if i%perRow == perRow-1 || i == len(found)-1 {
				end = "\n"
			}
			if err := out.styled(style(c.Kind), c.Text); err != nil {
				return err
			}
			if _, err := out.Write([]byte(end)); err != nil {
				return err
			}
		}
		return nil
	})
}

// help shows what can stand where the cursor is, one a line.
func (t *Terminal) help(ctx context.Context, shell Shell) error {
	text := t.source + t.line.before()
	found := shell.HelpAt(t.source+string(t.line.text), len(text))
	if len(found) == 0 {
		t.bell()
		return nil
	}
	return t.show(ctx, shell, func(_ context.Context, out *Output) error {
		for _, c := range found {
			if err := out.styled(style(c.Kind), c.Text); err != nil {
				return err
			}
			end := "\n"
			if c.Help != "" {
				end = " -- " + c.Help + "\n"
			}
			if _, err := out.Write([]byte(end)); err != nil {
				return err
			}
		}
		return nil
	})
}
