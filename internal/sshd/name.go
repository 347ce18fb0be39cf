package sshd

import "strings"

// Parameters are what a user name may have behind a plus, as RouterOS reads it:
// admin+ct80w.
type parameters struct {
	noColours     bool // c
	dumb          bool // e
	columns, rows int  // <n>w, <n>h; 0 for what the client says
}

// maxColumns bounds a width or height in a name; a larger one is no number.
const maxColumns = 65535

// splitName takes the parameters off a user name. What does not read as
// parameters belongs to the name.
func splitName(s string) (name string, p parameters) {
	i := strings.LastIndexByte(s, '+')
	if i < 0 {
		return s, p
	}
	p, ok := parseParameters(s[i+1:])
	if !ok {
		return s, parameters{}
	}
	return s[:i], p
}

func parseParameters(s string) (p parameters, ok bool) {
	n, digits := 0, false
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			if n = n*10 + int(c-'0'); n > maxColumns {
				return p, false
			}
			digits = true
			continue
		case digits && c == 'w':
			p.columns = n
		case digits && c == 'h':
			p.rows = n
		case digits:
			return p, false
		case c == 'c':
			p.noColours = true
		case c == 'e':
			p.dumb = true
		case c == 't': // no terminal detection: there is none
		default:
			return p, false
		}
		n, digits = 0, false
	}
	return p, s != "" && !digits
}
