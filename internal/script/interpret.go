package script

import (
	"context"
	"strings"

	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// Interpret runs the scripts that are imported; it is the tree's Interpreter.
func Interpret(ctx context.Context, t *tree.Tree, u tree.User, s tree.Script) error {
	if s.Check {
		_, err := menu.Parse(s.Source, t.Root(), t.Root())
		return err
	}
	return Run(ctx, Env{Tree: t, User: u, Out: s.Out, Trace: s.Trace}, s.Source)
}

// commands carries out the commands of the whole script, and tells Trace of each
// before it runs.
func (r run) commands(s *menu.Script) (value Value, err error) {
	if r.env.Trace == nil {
		return r.script(s)
	}
	for i, c := range s.Calls {
		end := len(s.Source)
		if i+1 < len(s.Calls) {
			end = int(s.Calls[i+1].Pos)
		}
		line, _ := c.Pos.Locate(s.Source)
		r.env.Trace(line, command(s.Source[c.Pos:end]))
		one := *s
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
