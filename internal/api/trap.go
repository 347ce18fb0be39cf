package api

import (
	"errors"

	"gopptp/internal/menu"
)

// A category says to a program what kind of trap it got.
type category string

// The categories that occur here; RouterOS also knows TTY failure (6) and a value
// of :return (7).
const (
	categoryMissing     category = "0" // item or command
	categoryArgument    category = "1"
	categoryInterrupted category = "2"
	categoryScript      category = "3"
	categoryGeneral     category = "4"
	categoryAPI         category = "5"
	categoryNone        category = ""
)

// categories gives the category of each kind of error.
var categories = map[menu.Kind]category{
	menu.Internal:    categoryGeneral,
	menu.Syntax:      categoryScript,
	menu.BadCommand:  categoryMissing,
	menu.BadArgument: categoryArgument,
	menu.NotFound:    categoryMissing,
	menu.Refused:     categoryGeneral,
	menu.Forbidden:   categoryGeneral,
	menu.Interrupted: categoryInterrupted,
}

// A trap is an error as the API tells it.
type trap struct {
	category category
	message  string
}

func (t *trap) Error() string { return "api: " + t.message }

// trapOf gives the trap for an error of the tree. There is no place of an error
// in a sentence, so that of a line is left out.
func trapOf(err error) *trap {
	var t *trap
	if errors.As(err, &t) {
		return t
	}
	var e *menu.Error
	if !errors.As(err, &e) {
		return &trap{categoryGeneral, "action failed (6)"}
	}
	t = &trap{categories[e.Kind], e.Text}
	if e.Kind == menu.NotFound {
		t.message += " (4)" // as the API alone says it
	}
	return t
}

// errTooMany is the trap for a command that finds no place.
var errTooMany = &trap{categoryAPI, "too many commands"}

// maxNamed is how much of a wrong word a trap repeats, in octets.
const maxNamed = 64

// unknown is the trap for an argument that a command does not take.
func unknown(name string) *trap {
	return &trap{categoryArgument, "unknown parameter " + menu.Clean(name[:min(len(name), maxNamed)])}
}
