package script

import (
	"strings"

	"gopptp/internal/menu"
)

// commands carries out the commands of the whole script, and tells Trace of each
// before it runs.
func (r run) commands(s *menu.Script) (value Value, err error) {
	if r.env.Trace == nil {
		return r.script(s)
	}
	line, counted := 1, 0
	one := *s
	for i, c := range s.Calls {
		end := len(s.Source)
		if i+1 < len(s.Calls) {
			end = int(s.Calls[i+1].Pos)
		}
		// Counting goes on from the command before: a file has many lines.
		line += strings.Count(s.Source[counted:c.Pos], "\n")
		counted = int(c.Pos)
		r.env.Trace(line, command(s.Source[c.Pos:end]))
		one.Calls = s.Calls[i : i+1]
		if value, err = r.script(&one); err != nil {
			return value, err
		}
	}
	return value, nil
}

// command cuts off what stands between a command and the next: ends and remarks.
func command(source string) string {
	for {
		source = strings.TrimRight(source, " \t\r\n;")
		last := strings.LastIndexByte(source, '\n') + 1
		if last == 0 || !strings.HasPrefix(strings.TrimLeft(source[last:], " \t"), "#") {
			return source
		}
		source = source[:last]
	}
}
