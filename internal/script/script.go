package script

import (
	"context"
	"errors"
	"io"
	"strings"

	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// An Env is what a script runs in.
type Env struct {
	Tree *tree.Tree
	User tree.User
	Vars map[string]Value // local variables that are there from the start
	Out  io.Writer        // what it prints; nil for nowhere
	Name string           // what :jobname gives

	Globals *Globals                // nil for those of the tree's scripts
	At      *menu.Menu              // where commands are looked for; nil for the root
	Enter   func(*menu.Menu)        // told when a command enters a menu; nil for nobody
	Numbers map[*menu.Menu][]string // ids by their number in the last print of a menu; nil where there is no person
	Width   int                     // of the terminal in characters; 0 if there is none
	Pager   Pager                   // the zero value where nothing is held back

	Person *Person // who is asked for what a command lacks; nil for nobody

	Trace func(line int, command string) // told of each command before it runs; nil for nobody
}

// Run parses source as a whole and carries it out, up to the first error. When it
// returns, the changes that it made are on the disk; several in one script get
// there together. An error is a *menu.Error in RouterOS's words, or one of Out.
func Run(ctx context.Context, env Env, source string) error {
	return runSource(ctx, env, source, strings.Contains(strings.TrimSpace(source), "\n"))
}

// runSource is Run. An error of a menu's command tells its place if the source is not
// what a person just typed: a script.
func runSource(ctx context.Context, env Env, source string, script bool) error {
	env = env.withDefaults()
	parsed, err := menu.Parse(source, env.Tree.Root(), env.At)
	if err != nil {
		return err
	}
	return conduct(ctx, env, parsed, script)
}

// runCode carries out code that is a value, like a script.
func runCode(ctx context.Context, env Env, code Value) error {
	return conduct(ctx, env.withDefaults(), code.code, true)
}

func (env Env) withDefaults() Env {
	if env.At == nil {
		env.At = env.Tree.Root()
	}
	if env.Out == nil {
		env.Out = io.Discard
	}
	if env.Globals == nil {
		env.Globals = GlobalsOf(env.Tree)
	}
	return env
}

// conduct carries out what was parsed.
func conduct(ctx context.Context, env Env, parsed *menu.Script, script bool) (err error) {
	if !single(parsed) {
		inner, end := env.Tree.Batch(ctx)
		defer func() {
			if failed := end(); failed != nil {
				err = failed
			}
		}()
		ctx, env.Out = inner, after{env.Out, end}
	}
	in := &interp{env: env}
	r := run{interp: in, ctx: context.WithValue(ctx, caller{}, &in.env), scope: newScope(nil, true)}
	for name, v := range env.Vars {
		if err := r.declare(name, v); err != nil {
			return err
		}
	}
	_, err = r.commands(parsed)
	var back *returned
	var failed *failure
	switch {
	case errors.As(err, &back):
		return nil
	case errors.As(err, &failed) && script && !strings.HasPrefix(failed.err.Text, scriptError):
		return menu.Errorf(failed.err.Kind, scriptError+"%s (%s; line %d)", failed.err.Text, failed.path, failed.line)
	case errors.As(err, &failed):
		return failed.err
	}
	return err
}

// scriptError is how the error of a script begins, be it the script's own or that
// of one that it ran.
const scriptError = "Script Error: "

// single reports whether a script is one command of a menu, which is on the disk
// or was not carried out.
func single(s *menu.Script) bool {
	return len(s.Calls) == 1 && s.Calls[0].Command != nil && !s.Calls[0].Global
}

// An after writes what a script prints when the changes before are on the disk:
// nobody reads that something was done which a failure could take back.
type after struct {
	out  io.Writer
	sync func() error
}

func (w after) Write(b []byte) (int, error) {
	if err := w.sync(); err != nil {
		return 0, err
	}
	return w.out.Write(b)
}

// A failure is an error of a menu's command, which does not tell a place itself.
type failure struct {
	err  *menu.Error
	path string
	line int
}

func (f *failure) Error() string { return f.err.Error() }

// Unwrap gives the error itself.
func (f *failure) Unwrap() error { return f.err }

// A returned unwinds to the function whose value it is.
type returned struct{ value Value }

func (*returned) Error() string { return "return outside of a function" }

// maxCalls bounds functions that call functions, so that they cannot exhaust the
// stack.
const maxCalls = 100

// An interp carries out one script.
type interp struct {
	env   Env
	calls int // functions that have not returned
	used  int // octets in local variables, about
}

// A run is a place in a script: the scope it sees.
type run struct {
	*interp
	ctx   context.Context
	scope *scope
	src   string // what positions are in

	bracket bool // the value of the command is taken: [command]
}

// at makes an error at a place of the source, unless it tells one.
func (r run) at(pos menu.Pos, err error) error {
	var e *menu.Error
	if !errors.As(err, &e) || e.Line != 0 {
		return err
	}
	placed := *e
	placed.Line, placed.Column = pos.Locate(r.src)
	return &placed
}

// script carries out commands; the value is that of the last.
func (r run) script(s *menu.Script) (value Value, err error) {
	r.src = s.Source
	for _, c := range s.Calls {
		if err := r.interrupted(); err != nil {
			return Value{}, err
		}
		if value, err = r.call(c); err != nil {
			return Value{}, err
		}
	}
	return value, nil
}

// interrupted gives the error of a script whose time is over.
func (r run) interrupted() error {
	if r.ctx.Err() != nil {
		return menu.Errorf(menu.Interrupted, "interrupted")
	}
	return nil
}

// block carries out commands in a scope of their own, with variables.
func (r run) block(s *menu.Script, vars ...pair) (Value, error) {
	r.scope, r.bracket = newScope(r.scope, false), false
	defer r.leave()
	for _, v := range vars {
		if err := r.declare(v.key, v.value); err != nil {
			return Value{}, err
		}
	}
	return r.script(s)
}

// call carries out a command.
func (r run) call(c *menu.Call) (Value, error) {
	switch {
	case c.Enters():
		if r.env.Enter != nil && r.scope.outermost() {
			r.env.Enter(c.Menu)
		}
		return Value{}, nil
	case c.Block != nil:
		return r.block(c.Block)
	case c.Callee != nil:
		return r.function(c)
	case c.Global:
		return r.global(c)
	}
	v, err := r.command(c)
	var e *menu.Error
	if errors.As(err, &e) && e.Line == 0 && e.Kind != menu.Interrupted {
		line, _ := c.Pos.Locate(r.src)
		return v, &failure{err: e, path: strings.TrimSuffix(c.Menu.Path(), "/") + "/" + c.Command.Name, line: line}
	}
	return v, err
}

// function calls a function of the script.
func (r run) function(c *menu.Call) (Value, error) {
	f, err := r.evaluate(c.Callee)
	if err != nil {
		return Value{}, err
	}
	if _, command := c.Callee.(*menu.Substitution); command && f.kind != Code && len(c.Args) == 0 {
		return f, nil // [a command] that stands alone
	}
	if f.kind != Code {
		name := nouns[f.kind]
		if v, ok := c.Callee.(*menu.Variable); ok {
			name = v.Name
		}
		return Value{}, r.at(c.Pos, menu.Errorf(menu.BadCommand, "bad command name %s", menu.Clean(name)))
	}
	vars := make([]pair, len(c.Args))
	for i, a := range c.Args {
		v, err := r.evaluate(a.Value)
		if err != nil {
			return Value{}, err
		}
		vars[i] = pair{a.Name, v}
	}
	return r.invoke(c.Pos, f, vars)
}

// invoke runs code as a function: it sees its arguments, and no variable of its
// caller.
func (r run) invoke(pos menu.Pos, f Value, vars []pair) (Value, error) {
	if r.calls == maxCalls {
		return Value{}, r.at(pos, menu.Errorf(menu.Refused, "functions call too deep"))
	}
	r.calls++
	defer func() { r.calls-- }()
	r.scope, r.bracket = newScope(nil, false), false
	defer r.leave()
	for _, v := range vars {
		if err := r.declare(v.key, v.value); err != nil {
			return Value{}, err
		}
	}
	return result(r.script(f.code))
}

// result is the value of commands that may have said :return.
func result(v Value, err error) (Value, error) {
	var back *returned
	if errors.As(err, &back) {
		return back.value, nil
	}
	return v, err
}
