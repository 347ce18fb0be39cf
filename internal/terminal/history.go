package terminal

import "strings"

// The bounds of a session's history: so many commands, and so many octets in
// all, since one command may be a script.
const (
	maxHistory      = 500
	maxHistoryBytes = 1 << 20
)

// A history is what was typed in one session, oldest first.
type history struct {
	texts []string
	size  int
	at    int    // which one is shown; len(texts) for the one being typed
	typed string // what was being typed when the first was shown
}

// add appends a text, unless it repeats the last one.
func (h *history) add(text string) {
	if n := len(h.texts); n == 0 || h.texts[n-1] != text {
		h.texts = append(h.texts, text)
		h.size += len(text)
	}
	for len(h.texts) > maxHistory || len(h.texts) > 1 && h.size > maxHistoryBytes {
		h.size -= len(h.texts[0])
		h.texts = h.texts[1:]
	}
	h.at = len(h.texts)
}

// older gives the text before the one shown; now is what the line holds.
func (h *history) older(now string) (string, bool) {
	if h.at == 0 {
		return "", false
	}
	if h.at == len(h.texts) {
		h.typed = now
	}
	h.at--
	return h.texts[h.at], true
}

// newer gives the text after the one shown, at last what was being typed.
func (h *history) newer() (string, bool) {
	if h.at >= len(h.texts) {
		return "", false
	}
	h.at++
	if h.at == len(h.texts) {
		return h.typed, true
	}
	return h.texts[h.at], true
}

// find gives the newest text before the place that holds what, and its place.
func (h *history) find(what string, before int) (text string, at int, ok bool) {
	for i := min(before, len(h.texts)) - 1; i >= 0; i-- {
		if strings.Contains(h.texts[i], what) {
			return h.texts[i], i, true
		}
	}
	return "", 0, false
}
