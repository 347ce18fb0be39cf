package rest

import (
	"errors"
	"net/http"
	"strconv"

	"gopptp/internal/menu"
)

// statusOf maps what went wrong in the tree to what HTTP says of it.
var statusOf = map[menu.Kind]int{
	menu.Internal:    http.StatusInternalServerError,
	menu.Syntax:      http.StatusBadRequest,
	menu.BadCommand:  http.StatusBadRequest,
	menu.BadArgument: http.StatusBadRequest,
	menu.NotFound:    http.StatusNotFound,
	menu.Refused:     http.StatusBadRequest,
	menu.Forbidden:   http.StatusForbidden,
	menu.Interrupted: http.StatusBadRequest,
}

// A problem is an answer that is an error.
type problem struct {
	status int
	detail string // empty for a body without one
}

func (p *problem) Error() string { return "rest: " + strconv.Itoa(p.status) + " " + p.detail }

// sessionClosed is what a command is answered that took too long.
const sessionClosed = "Session closed"

// The problems that are this door's own.
var (
	errUnauthorized = &problem{http.StatusUnauthorized, ""}
	errMethod       = &problem{http.StatusNotImplemented, ""}
	errNotFound     = &problem{http.StatusNotFound, ""}
	errTooLarge     = &problem{http.StatusRequestEntityTooLarge, "request is too large"}
	errForeign      = &problem{http.StatusForbidden, "request comes from another site"}
	errStopping     = &problem{http.StatusServiceUnavailable, sessionClosed}
	errNoCommand    = &problem{http.StatusBadRequest, "no such command"}
	errNoResource   = &problem{http.StatusBadRequest, "missing or invalid resource identifier"}
	errQuery        = &problem{http.StatusBadRequest, "invalid query"}
	errJSON         = &problem{http.StatusBadRequest, "invalid JSON"}
)

// unsupported is the answer to a method whose command the menu does not have.
func unsupported(command string) *problem {
	return &problem{http.StatusNotAcceptable, "no such command or directory (" + command + ")"}
}

// maxNamed is how much of a wrong name an answer repeats, in octets.
const maxNamed = 64

// unknown is the answer to a name that the command does not take.
func unknown(name string) *problem {
	return &problem{http.StatusBadRequest, "unknown parameter " + menu.Clean(name[:min(len(name), maxNamed)])}
}

// problemOf gives the answer for an error.
func problemOf(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	var e *menu.Error
	switch {
	case !errors.As(err, &e):
		return &problem{http.StatusInternalServerError, ""}
	case e.Kind == menu.NotFound:
		return errNotFound
	case e.Kind == menu.Interrupted:
		return &problem{statusOf[e.Kind], sessionClosed}
	}
	return &problem{statusOf[e.Kind], e.Error()}
}

// body is the JSON of the problem.
func (p *problem) body() []byte {
	b := []byte{'{'}
	if p.detail != "" {
		b = append(b, `"detail":`...)
		b = append(appendString(b, p.detail), ',')
	}
	b = append(b, `"error":`...)
	b = strconv.AppendInt(b, int64(p.status), 10)
	b = append(b, `,"message":`...)
	return append(appendString(b, http.StatusText(p.status)), '}')
}
