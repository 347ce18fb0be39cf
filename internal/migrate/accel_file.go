package migrate

import (
	"strings"
)

// A setting is a line of accel-ppp.conf.
type setting struct {
	at         place
	section    string
	key, value string
	raw        string // the whole line
	nested     bool   // within braces
}

// shown is what a comment may show of a setting whose value is known to be no secret.
func (s setting) shown() string { return "[" + s.section + "] " + s.raw }

// keyed shows a setting without its value, which may be a secret. What stands alone may
// be one too, such as the end of a line that was broken.
func (s setting) keyed() string {
	if s.value == "" {
		return "[" + s.section + "]"
	}
	key, _, _ := strings.Cut(s.key, ",")
	return "[" + s.section + "] " + key + "=…"
}

// An accelReader reads accel-ppp.conf and what it includes.
type accelReader struct {
	*importer
	settings []setting
	section  string
	depth    int // of braces
	open     []string
}

// file reads a file (accel-ppp.conf(5)): sections in brackets, and in them names,
// with values or without. A comment has its line to itself.
func (r *accelReader) file(name, text string) {
	r.open = append(r.open, name)
	defer func() { r.open = r.open[:len(r.open)-1] }()
	n := 0
	for line := range strings.Lines(text) {
		n++
		at := place{name, n}
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case strings.HasPrefix(line, "$include"):
			r.include(at, strings.TrimSpace(strings.TrimPrefix(line, "$include")))
		case line[0] == '[':
			section, _, ok := strings.Cut(line[1:], "]")
			if !ok {
				r.lost(at, "", "a section without its closing bracket: what follows may stand in the wrong one")
				continue
			}
			r.section, r.depth = section, 0
		case line == "}":
			r.depth = max(0, r.depth-1)
		case r.section == "":
			r.lost(at, "", "a setting outside of all sections")
		default:
			r.setting(at, line)
		}
	}
}

// setting reads a line of a section.
func (r *accelReader) setting(at place, line string) {
	s := setting{at: at, section: r.section, raw: line, nested: r.depth > 0}
	end := strings.IndexAny(line, " \t=")
	if end < 0 {
		s.key = line
		r.settings = append(r.settings, s)
		return
	}
	s.key = line[:end]
	rest := strings.TrimLeft(line[end:], " \t")
	if rest != "" && (rest[0] == '=' || rest[0] == ',') {
		s.value = strings.TrimLeft(rest[1:], " \t")
	}
	if other, ok := strings.CutPrefix(s.value, "${"); ok {
		other, _, _ = strings.Cut(other, "}")
		s.value = ""
		for _, t := range r.settings {
			if t.section == s.section && t.key == other {
				s.value = t.value
				break
			}
		}
	}
	if value, ok := strings.CutSuffix(s.value, "{"); ok {
		s.value = strings.TrimRight(value, " \t")
		r.depth++
	}
	r.settings = append(r.settings, s)
}

// include reads a file that another one names.
func (r *accelReader) include(at place, name string) {
	for _, open := range r.open {
		if open == name {
			r.lost(at, "", "the file includes itself")
			return
		}
	}
	text, err := r.load(name)
	if err != nil {
		r.lost(at, "$include "+name, why(err))
		return
	}
	r.file(name, text)
}
