// Package migrate reads the configuration of other PPTP servers, pptpd with pppd and
// accel-ppp, and writes the commands that make the same here: a script for gopptp exec
// --file or for /import.
//
// What has no equivalent, and what is not understood, is said in a comment of the
// script, with its file and line; nothing is left out in silence. Secrets stand in the
// commands, where they are needed, and nowhere else.
//
// The package opens no file: it is given a function that does. It runs no command and
// changes nothing.
package migrate

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
	"unicode/utf8"

	"gopptp/internal/menu"
)

const (
	// MaxFile bounds a file, in octets: 100,000 users are some 5 MiB.
	MaxFile = 64 << 20
	// maxFiles bounds the files that a configuration refers to: ten are many, and some
	// refer to themselves.
	maxFiles = 64
	// maxShown bounds what a comment shows of a line, in octets.
	maxShown = 80
	// maxText is what a name or a password may have here, in octets.
	maxText = 255
)

// ErrTooLarge says that a file is larger than MaxFile.
var ErrTooLarge = errors.New("migrate: file too large")

// Files gives what is in a file. A file that does not exist is fs.ErrNotExist.
type Files func(name string) ([]byte, error)

// A Remark is about a line that did not become a command, or not wholly.
type Remark struct {
	File string
	Line int    // from 1; 0 for the whole file
	Text string // of the line, without secrets; may be empty
	Why  string
	// Lost says that something works differently here. Otherwise there was nothing to
	// be done.
	Lost bool
}

// String is the comment in the script.
func (r Remark) String() string {
	var b strings.Builder
	if r.Lost {
		b.WriteString("# not carried over: ")
	} else {
		b.WriteString("# nothing to do: ")
	}
	b.WriteString(menu.Clean(r.File))
	if r.Line > 0 {
		fmt.Fprintf(&b, ":%d", r.Line)
	}
	if r.Text != "" {
		b.WriteByte(' ')
		b.WriteString(menu.Quote(cut(r.Text)))
	}
	b.WriteString(": ")
	b.WriteString(menu.Clean(r.Why)) // parts of it may be the file's
	return b.String()
}

// cut shortens what a comment shows.
func cut(s string) string {
	if len(s) <= maxShown {
		return s
	}
	n := maxShown
	for n > 0 && !utf8.RuneStart(s[n]) { // it may be no UTF-8 at all
		n--
	}
	return s[:n] + "…"
}

// A Result is a configuration as it is made here.
type Result struct {
	Script  string
	Users   int
	Pools   int
	Servers int // of RADIUS
	Remarks []Remark
}

// Lost counts the remarks about what works differently here.
func (r *Result) Lost() (n int) {
	for _, m := range r.Remarks {
		if m.Lost {
			n++
		}
	}
	return n
}

// An importer collects a configuration.
type importer struct {
	read  Files
	files int // how many have been read

	base  string // name of the profile and the first pool
	from  string // the file that it began with
	names texts  // what a name may be, and a password

	pools    []pool
	profiles []profile // the first one is the base of the others
	users    []user
	radius   []server

	server, aaa, incoming, identity properties

	remarks []Remark
}

// texts are the types of names and passwords.
type texts struct{ name, password menu.String }

// A pool is a row of /ip/pool.
type pool struct {
	name  string
	spans []span
	next  string
}

// A profile is a row of /ppp/profile.
type profile struct {
	name string
	properties
}

// A user is a row of /ppp/secret.
type user struct {
	name, password string
	profile        string
	local, remote  netip.Addr
}

// A server is a row of /radius.
type server struct {
	properties
	backup bool
}

// newImporter makes an importer for a configuration that begins with a file.
func newImporter(read Files, base, from string) *importer {
	return &importer{
		read: read, base: base, from: from,
		names: texts{
			name:     menu.String{Min: 1, Max: maxText, Line: true},
			password: menu.String{Max: maxText, Line: true},
		},
		profiles: []profile{{name: base}},
	}
}

// main is the profile of all users who have no other.
func (m *importer) main() *profile { return &m.profiles[0] }

// load reads a file that may refer to others.
func (m *importer) load(name string) (string, error) {
	if m.files++; m.files > maxFiles {
		return "", errors.New("migrate: too many files refer to each other")
	}
	return m.text(name)
}

// text reads a file.
func (m *importer) text(name string) (string, error) {
	b, err := m.read(name)
	switch {
	case err != nil:
		return "", err
	case len(b) > MaxFile:
		return "", fmt.Errorf("%s: %w", name, ErrTooLarge)
	}
	return string(b), nil
}

// why says in a few words why a file cannot be read.
func why(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "the file does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "the file cannot be read: permission denied"
	case errors.Is(err, ErrTooLarge):
		return "the file is too large"
	}
	return "the file cannot be read"
}

// lost remarks that something works differently here.
func (m *importer) lost(at place, text, why string) {
	m.remarks = append(m.remarks, Remark{at.file, at.line, text, why, true})
}

// met remarks that there was nothing to be done.
func (m *importer) met(at place, text, why string) {
	m.remarks = append(m.remarks, Remark{at.file, at.line, text, why, false})
}

// A place is where something was read.
type place struct {
	file string
	line int
}

// properties are those of a row, in the order in which they were set first.
type properties []property

type property struct{ key, value string }

// set gives a property its value.
func (p *properties) set(key, value string) {
	for i := range *p {
		if (*p)[i].key == key {
			(*p)[i].value = value
			return
		}
	}
	*p = append(*p, property{key, value})
}

// get gives the value of a property, empty if it has none.
func (p properties) get(key string) string {
	for _, x := range p {
		if x.key == key {
			return x.value
		}
	}
	return ""
}
