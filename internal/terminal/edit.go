package terminal

import (
	"context"
	"strings"
	"unicode/utf8"

	"gopptp/internal/menu"
)

// An outcome is what a key did to the editing of a line.
type outcome uint8

const (
	editing   outcome = iota
	entered           // the line is finished
	abandoned         // Ctrl-C
	left              // Ctrl-D on an empty line
)

// read reads a command: one line, or more while something in it is open. It gives
// an empty text if there is none, and ErrLeave when the person leaves.
func (t *Terminal) read(ctx context.Context, shell Shell) (string, error) {
	t.source = ""
	prompt := shell.Prompt()
	for {
		result, err := t.edit(ctx, shell, prompt)
		text := t.source + string(t.line.text)
		switch {
		case err != nil:
			return "", err
		case result == left:
			return "", ErrLeave
		case result == abandoned:
			return "", nil
		}
		open := shell.Open(text)
		if open == "" || len(text) >= MaxText {
			if strings.TrimSpace(text) == "" {
				text = ""
			}
			return text, nil
		}
		t.source = text + "\n"
		prompt = open + "... "
	}
}

// edit lets the person edit one line.
func (t *Terminal) edit(ctx context.Context, shell Shell, prompt string) (outcome, error) {
	t.entry = entry{prompt: prompt, source: t.source, asked: t.asked}
	t.history.at = len(t.history.texts)
	t.screen.forget()
	t.screen.columns, _ = t.size()
	for waiting := len(t.notices); waiting > 0; waiting-- { // since the prompt was last there
		t.notice(shell, <-t.notices)
	}
	for {
		for len(t.keys) > 0 {
			k := t.keys[0]
			t.keys = t.keys[1:]
			result, err := t.press(ctx, shell, k)
			if err != nil {
				return 0, err
			}
			if result != editing {
				t.line.pos = len(t.line.text)
				t.search = nil
				t.draw(shell)
				t.screen.leave()
				return result, t.flush()
			}
		}
		t.draw(shell)
		if err := t.flush(); err != nil {
			return 0, err
		}
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case b := <-t.typed:
			t.keys = append(t.keys, t.decode(b)...)
		case <-t.resized:
			columns, _ := t.size()
			t.screen.resize(columns)
		case text := <-t.notices:
			t.notice(shell, text)
		case <-t.hungUp:
			t.screen.leave()
			_ = t.flush()
			return left, nil
		}
	}
}

// press does what a key means.
func (t *Terminal) press(ctx context.Context, shell Shell, k key) (outcome, error) {
	if result, done := t.paste(k); done {
		return result, nil
	}
	if t.search != nil && t.searching(k) {
		return editing, nil
	}
	listed := t.listed
	t.listed = false
	if t.asked != nil {
		return t.answer(ctx, k, listed)
	}
	switch k {
	case keyEnter, keyLF:
		return entered, nil
	case ctrlC:
		return abandoned, nil
	case ctrlD:
		if len(t.line.text) == 0 && t.source == "" {
			return left, nil
		}
	case keyTab:
		return editing, t.complete(ctx, shell, listed)
	case keyHelp:
		return editing, t.help(ctx, shell)
	case '?':
		if !shell.Quoted(t.source+t.line.before(), len(t.source)+len(t.line.before())) {
			return editing, t.help(ctx, shell)
		}
	case keyUp, ctrlP:
		if text, ok := t.history.older(string(t.line.text)); ok {
			t.line.set(text)
		} else {
			t.bell()
		}
		return editing, nil
	case keyDown, ctrlN:
		if text, ok := t.history.newer(); ok {
			t.line.set(text)
		} else {
			t.bell()
		}
		return editing, nil
	case keySearch, ctrlR:
		t.search = &search{at: len(t.history.texts)}
		return editing, nil
	case keyRedraw, ctrlL:
		t.screen.wipe()
		return editing, nil
	case keySafeMode, ctrlX:
		return editing, t.safeMode(ctx, shell)
	}
	if !t.line.edit(k) {
		t.put(k)
	}
	return editing, nil
}

// put puts a character into the line.
func (t *Terminal) put(k key) {
	if !k.printable() && k != keyTab || len(t.line.text) >= maxLine {
		t.bell()
		return
	}
	t.line.insert(rune(k))
}

// paste does what a key means in a text that is pasted: it is a character, or the
// end of a line; done says that it was one of those.
func (t *Terminal) paste(k key) (result outcome, done bool) {
	switch {
	case k == keyPasteBegin:
		t.pasting, t.search = true, nil
	case k == keyPasteEnd, k == ctrlC:
		t.pasting = false
		return editing, k == keyPasteEnd
	case !t.pasting:
		return editing, false
	case t.asked != nil && t.asked.Keys != "": // that is no answer
		t.bell()
	case k == keyEnter, k == keyLF:
		return entered, true
	default:
		t.put(k)
	}
	return editing, true
}

// safeMode takes safe mode or releases it; the line that is being typed stays.
func (t *Terminal) safeMode(ctx context.Context, shell Shell) error {
	return t.show(ctx, shell, func(ctx context.Context, out *Output) error {
		err := shell.SafeMode(ctx, out)
		if err == nil {
			return nil
		}
		return out.styled(Error, err.Error()+"\n")
	})
}

// notice shows a line above the one that is being typed.
func (t *Terminal) notice(shell Shell, text string) {
	t.screen.erase()
	t.screen.out = append(t.screen.out, menu.Clean(text)+"\r\n"...)
	t.refresh(shell)
}

// refresh asks for the prompt again: what was done or told may have changed it.
func (t *Terminal) refresh(shell Shell) {
	if t.source == "" && t.asked == nil {
		t.prompt = shell.Prompt()
	}
}

// maxLine bounds one line in characters, so that it stays below MaxText in octets.
const maxLine = MaxText / utf8.UTFMax

// bell says that a key did nothing.
func (t *Terminal) bell() { t.screen.out = append(t.screen.out, '\a') }

// maxPainted is the length up to which a line is coloured, in octets: a longer one
// is a script that was pasted, and to understand it at each key takes too long.
const maxPainted = 2048

// draw shows the prompt and the line.
func (t *Terminal) draw(shell Shell) {
	prompt := t.prompt
	if t.search != nil {
		prompt = "(search)`" + string(t.search.what) + "': "
	}
	var cells []cell
	for _, r := range prompt {
		cells = append(cells, cell{char: visible(r)})
	}
	if t.asked != nil && t.asked.Secret {
		t.screen.draw(cells, len(cells))
		return
	}
	at := len(cells) + t.line.pos
	var styles []Style
	text := string(t.line.text)
	if t.colours && t.asked == nil && len(t.source)+len(text) <= maxPainted {
		if styles = shell.Paint(t.source + text); len(styles) > 0 {
			styles = styles[len(t.source):]
		}
	}
	for i, r := range text {
		c := cell{char: visible(r)}
		if i < len(styles) {
			c.style = styles[i]
		}
		cells = append(cells, c)
	}
	t.screen.draw(cells, at)
}

// visible gives a character that takes the place of r on the screen; a text of
// the history may have several lines.
func visible(r rune) rune {
	switch {
	case r == '\n':
		return '↵'
	case r == '\t': // pasted
		return ' '
	case unsafe(r):
		return '?'
	}
	return r
}

// A search goes through the history for what is typed.
type search struct {
	what []rune
	at   int // the place that was found
}

// searching does what a key means during a search; false ends the search, and the
// key means what it always means.
func (t *Terminal) searching(k key) bool {
	from := t.search.at
	switch {
	case k == ctrlG:
		t.search = nil
		return true
	case k == keySearch, k == ctrlR: // the one before
	case k == backspace, k == ctrlH:
		t.search.what = t.search.what[:max(0, len(t.search.what)-1)]
		from = len(t.history.texts)
	case k.printable():
		t.search.what = append(t.search.what, rune(k))
		from = min(from+1, len(t.history.texts)) // the one found may still fit
	default:
		t.search = nil
		return false
	}
	if text, at, ok := t.history.find(string(t.search.what), from); ok {
		t.search.at = at
		t.line.set(text)
	} else {
		t.bell()
	}
	return true
}
