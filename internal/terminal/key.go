package terminal

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// A key is a character, a control character, or one of the keys below.
type key rune

// The keys that are no characters.
const (
	keyUp key = -1 - iota
	keyDown
	keyLeft
	keyRight
	keyWordLeft
	keyWordRight
	keyHome
	keyEnd
	keyDelete
	keyDeleteWordLeft
	keyDeleteWordRight
	keyPageUp
	keyPageDown
	keyHelp
	keySearch
	keySafeMode
	keyRedraw
	keyPasteBegin // what follows was pasted, up to keyPasteEnd
	keyPasteEnd
	keyUnknown // a sequence that means nothing here
)

// The control characters that mean something.
const (
	ctrlA     key = 1
	ctrlB     key = 2
	ctrlC     key = 3
	ctrlD     key = 4
	ctrlE     key = 5
	ctrlF     key = 6
	ctrlG     key = 7
	ctrlH     key = 8
	keyTab    key = 9
	keyLF     key = 10
	ctrlK     key = 11
	ctrlL     key = 12
	keyEnter  key = 13
	ctrlN     key = 14
	ctrlO     key = 15
	ctrlP     key = 16
	ctrlR     key = 18
	ctrlU     key = 21
	ctrlW     key = 23
	ctrlX     key = 24
	ctrlY     key = 25
	keyEscape key = 27
	backspace key = 127
)

// printable reports whether the key puts a character into the line.
func (k key) printable() bool {
	return k >= ' ' && (unicode.IsPrint(rune(k)) || unicode.IsMark(rune(k)))
}

// A decoder makes keys of what a terminal sends: UTF-8 and the sequences of
// ECMA-48, section 5.4, as xterm, rxvt, screen and the Linux console use them for
// their keys. It takes octets one by one, so that nothing depends on how they
// were cut into packets.
type decoder struct {
	state   decoderState
	params  []byte // of a control sequence
	partial []byte // of a character
	afterCR bool
}

type decoderState uint8

const (
	ground decoderState = iota
	escape              // after ESC
	csi                 // after ESC [
	linux               // after ESC [ [, a function key of the Linux console
	ss3                 // after ESC O
)

// maxParams bounds a control sequence; the longest key has six.
const maxParams = 16

// next takes an octet; ok says that it completed a key.
func (d *decoder) next(b byte) (k key, ok bool) {
	if b < ' ' {
		// A control character ends whatever came before, so that Ctrl-C always
		// works.
		d.state, d.partial = ground, d.partial[:0]
	}
	switch d.state {
	case escape:
		return d.escape(b)
	case csi:
		return d.csi(b)
	case linux:
		d.state = ground
		return functionKey(b - 'A'), true
	case ss3:
		d.state = ground
		if b >= 'P' && b <= 'T' {
			return functionKey(b - 'P'), true
		}
		return cursorKey(b, false), true
	}
	afterCR := d.afterCR
	d.afterCR = b == '\r'
	switch {
	case b == byte(keyEscape):
		d.state = escape
		return 0, false
	case b == '\n' && afterCR: // one end of line, not two
		return 0, false
	case b < utf8.RuneSelf:
		d.partial = d.partial[:0]
		return key(b), true
	}
	d.partial = append(d.partial, b)
	if !utf8.FullRune(d.partial) {
		return 0, false
	}
	r, _ := utf8.DecodeRune(d.partial)
	d.partial = d.partial[:0]
	if r == utf8.RuneError {
		return keyUnknown, true
	}
	return key(r), true
}

func (d *decoder) escape(b byte) (key, bool) {
	d.state = ground
	switch b {
	case '[':
		d.state, d.params = csi, d.params[:0]
		return 0, false
	case 'O':
		d.state = ss3
		return 0, false
	case 'b':
		return keyWordLeft, true
	case 'f':
		return keyWordRight, true
	case 'd':
		return keyDeleteWordRight, true
	case byte(backspace):
		return keyDeleteWordLeft, true
	}
	return keyUnknown, true
}

func (d *decoder) csi(b byte) (key, bool) {
	switch {
	case b == '[' && len(d.params) == 0:
		d.state = linux
		return 0, false
	case b < '@': // a parameter or an intermediate octet
		if len(d.params) < maxParams {
			d.params = append(d.params, b)
		}
		return 0, false
	}
	d.state = ground
	if b > '~' {
		return keyUnknown, true
	}
	number, modifier, _ := bytes.Cut(d.params, []byte(";"))
	if b != '~' {
		if b == 'P' || b == 'R' || b == 'S' { // F1, F3 and F4 with a modifier
			return functionKey(b - 'P'), true
		}
		return cursorKey(b, len(modifier) > 0), true
	}
	switch string(number) {
	case "1", "7":
		return keyHome, true
	case "3":
		return keyDelete, true
	case "4", "8":
		return keyEnd, true
	case "5":
		return keyPageUp, true
	case "6":
		return keyPageDown, true
	case "11":
		return functionKey(0), true
	case "13":
		return functionKey(2), true
	case "14":
		return functionKey(3), true
	case "15":
		return functionKey(4), true
	case "200":
		return keyPasteBegin, true
	case "201":
		return keyPasteEnd, true
	}
	return keyUnknown, true
}

// cursorKey gives the key of a final octet; with Ctrl or Alt the arrows jump.
func cursorKey(b byte, modified bool) key {
	switch b {
	case 'A':
		return keyUp
	case 'B':
		return keyDown
	case 'C':
		if modified {
			return keyWordRight
		}
		return keyRight
	case 'D':
		if modified {
			return keyWordLeft
		}
		return keyLeft
	case 'H':
		return keyHome
	case 'F':
		return keyEnd
	}
	return keyUnknown
}

// functionKey gives the meaning of F1 (zero), F2 and so on.
func functionKey(n byte) key {
	switch n {
	case 0:
		return keyHelp
	case 2:
		return keySearch
	case 3:
		return keySafeMode
	case 4:
		return keyRedraw
	}
	return keyUnknown
}
