package menu

import "fmt"

// A Kind says what went wrong, for doors that answer with a code.
type Kind uint8

// The kinds of errors.
const (
	Internal    Kind = iota // our own fault: a disk is full
	Syntax                  // the line cannot be parsed
	BadCommand              // no such menu or command
	BadArgument             // a value is wrong or missing
	NotFound                // no such item
	Refused                 // the operation is not possible: failure: …
	Forbidden               // the user lacks a policy
	Interrupted             // cancelled while it ran
)

// An Error is an error in RouterOS's words. It carries no package prefix, since
// it is printed to a person as it is and scripts compare it.
type Error struct {
	Kind         Kind
	Text         string
	Line, Column int // where in the source, from 1; zero when it is not about a place
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Text
	}
	return fmt.Sprintf("%s (line %d column %d)", e.Text, e.Line, e.Column)
}

// Errorf makes an error without a place.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// errMatch is the error for a word that names none of the values of name.
func errMatch(name string) *Error {
	return Errorf(BadArgument, "input does not match any value of %s", name)
}

// Ambiguous is the error for a word that begins several values of name.
func Ambiguous(name string) *Error {
	return Errorf(BadArgument, "ambiguous value of %s, more than one possible value matches input", name)
}

// errInvalid is the error for a value of name that is not of its type.
func errInvalid(name string) *Error {
	return Errorf(BadArgument, "invalid value for argument %s", name)
}

// Missing is the error for arguments that have to be given.
func Missing(names string) *Error {
	return Errorf(BadArgument, "missing value(s) of argument(s) %s", names)
}

// NoItem is the error for an item that does not exist.
func NoItem() *Error { return Errorf(NotFound, "no such item") }
