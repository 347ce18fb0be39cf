package tree

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"gopptp/internal/menu"
	"gopptp/internal/progress"
)

// A Script is a script to run.
type Script struct {
	Name   string // by which /system/script/job shows it; empty for one that is not shown
	Source string
	Out    io.Writer // what it prints; nil to print where the command that runs it does
	// Trace is told of each command before it runs; nil for nobody.
	Trace func(line int, command string)
}

// A Job is a script that runs.
type Job struct {
	ID          uint64
	Script      string // its name; empty for one without
	Owner       string
	Started     time.Time
	Interactive bool // it is a command of somebody who waits for it
}

// A Variable is a global variable of the scripts.
type Variable struct {
	ID                uint64
	Name, Value, User string
}

// An Interpreter runs scripts on behalf of users. It stands above the tree, which
// is given one.
type Interpreter interface {
	// Attach tells the interpreter the tree that it is given to, before any other
	// call.
	Attach(t *Tree)
	// Run runs a script to its end.
	Run(ctx context.Context, u User, s Script) error
	// Check gives what is wrong in a script that is only read, in the order of its
	// lines.
	Check(source string) []*menu.Error

	// Jobs gives the scripts that run, the oldest first; StopJob ends one, and
	// reports whether there was one.
	Jobs() []Job
	StopJob(id uint64) bool
	// Variables gives the global variables by name; RemoveVariable removes one, and
	// reports whether there was one.
	Variables() []Variable
	RemoveVariable(id uint64) bool
}

// Interpreter gives what runs scripts; nil if nothing does.
func (t *Tree) Interpreter() Interpreter { return t.interpret }

// errNoScripts says that nothing runs scripts.
func errNoScripts() error { return menu.Errorf(menu.Refused, "failure: this system runs no scripts") }

// maxImport bounds a file to import in octets: room for 100,000 secrets.
const maxImport = 16 << 20

// maxNested bounds scripts that import scripts, which may be themselves.
const maxNested = 8

// nested is the key under which a context has how many imports are under way.
type nested struct{}

// importFile runs a script from a file.
func (t *Tree) importFile(ctx context.Context, u User, r *menu.Request, emit Emit) error {
	name, given := r.Args["file-name"]
	if !given {
		return menu.Missing("file-name")
	}
	if t.interpret == nil || t.files == nil {
		return errNoScripts()
	}
	depth, _ := ctx.Value(nested{}).(int)
	if depth == maxNested {
		return menu.Errorf(menu.Refused, "failure: scripts import each other too deep")
	}
	ctx = context.WithValue(ctx, nested{}, depth+1)
	source, err := t.readFile(name)
	if err != nil {
		return err
	}
	lines := strings.SplitAfter(source, "\n")
	if text, given := r.Args["from-line"]; given {
		first, _ := strconv.Atoi(text) // Execute brought it to its canonical form
		if first > len(lines) {
			return menu.Errorf(menu.BadArgument, "value of from-line out of range (1..%d)", len(lines))
		}
		// The lines before become empty, so that errors tell those of the file.
		source = strings.Repeat("\n", first-1) + strings.Join(lines[first-1:], "")
	}
	out := &transcript{}
	out.line("Opening script file " + name)
	// place repeats the line that an error is about.
	place := func(e *menu.Error) {
		if e.Line > 0 && e.Line <= len(lines) {
			out.line(strings.TrimRight(lines[e.Line-1], "\r\n"))
		}
	}
	if _, check := r.Args["dry-run"]; check {
		wrong := t.interpret.Check(source)
		for i, e := range wrong {
			place(e)
			if i+1 < len(wrong) {
				out.line(e.Error())
			} else {
				err = e
			}
		}
		if err == nil {
			out.line("Script file checked, nothing was changed")
		}
	} else {
		s := Script{Source: source, Out: out}
		tell, verbose := progress.Of(ctx), r.Args["verbose"] == menu.True
		total := len(lines)
		if lines[total-1] == "" {
			total-- // the last one ended with its line
		}
		if tell != nil || verbose {
			s.Trace = func(line int, command string) {
				if tell != nil {
					tell(progress.Step{What: "import", Unit: "lines", Done: line - 1, Total: total})
				}
				if verbose {
					out.line("#line " + strconv.Itoa(line) + "\n" + command)
				}
			}
		}
		ctx, end := t.Batch(ctx)
		err = t.interpret.Run(ctx, u, s)
		if failed := end(); failed != nil {
			err = failed
		}
		var e *menu.Error
		switch {
		case errors.As(err, &e):
			place(e)
		case err == nil:
			out.line("Script file loaded and executed successfully")
		}
	}
	if failed := emit(out.rows(r.Command.Output)); failed != nil {
		return failed
	}
	return err
}

// readFile gives the contents of a file of the system.
func (t *Tree) readFile(name string) (string, error) {
	f, err := t.files.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", menu.Errorf(menu.BadArgument, "input does not match any value of file-name")
	case err != nil:
		return "", menu.Errorf(menu.Refused, "failure: cannot read the file")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxImport+1))
	switch {
	case err != nil:
		return "", menu.Errorf(menu.Refused, "failure: cannot read the file")
	case len(b) > maxImport:
		return "", menu.Errorf(menu.Refused, "failure: the file is larger than %d octets", maxImport)
	}
	return string(b), nil
}

// maxTranscript bounds what is kept of the output of an import, in octets.
const maxTranscript = 4 << 20

// A transcript is what an import prints.
type transcript struct{ text []byte }

// Write keeps what fits.
func (t *transcript) Write(b []byte) (int, error) {
	t.text = append(t.text, b[:min(len(b), max(0, maxTranscript-len(t.text)))]...)
	return len(b), nil
}

// line writes a line of its own. It always has room.
func (t *transcript) line(text string) {
	if n := len(t.text); n > 0 && t.text[n-1] != '\n' {
		t.text = append(t.text, '\n')
	}
	t.text = append(t.text, text+"\n"...)
}

// rows gives the lines.
func (t *transcript) rows(output *menu.Menu) []*menu.Row {
	return lineRows(output, strings.Split(strings.TrimSuffix(string(t.text), "\n"), "\n"))
}
