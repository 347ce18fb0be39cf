package tree

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"gopptp/internal/menu"
)

// printSuffix ends the name of a file that was printed to.
const printSuffix = ".txt"

// print gives the rows that were asked for, or writes them into a file as the
// console shows them.
func (t *Tree) print(u User, r *menu.Request, rows []*menu.Row, emit Emit) error {
	name, toFile := r.Args["file"]
	_, add := r.Args["append"]
	switch {
	case add && !toFile:
		return menu.Missing("file")
	case !toFile:
		return emit(rows)
	}
	p, err := r.Printer()
	if err != nil {
		return err
	}
	p.Now = time.Now()
	var b bytes.Buffer
	if _, ok := r.Args["count-only"]; ok {
		fmt.Fprintln(&b, len(rows))
	} else if err := p.Print(&b, r.Menu, rows); err != nil {
		return err
	}
	return t.writeFile(u, withSuffix(name, printSuffix), b.Bytes(), add)
}

// fileMode lets only the daemon's user read a file: it may hold passwords.
const fileMode os.FileMode = 0o600

// writeFile makes or replaces a file of the system, or adds to its end.
func (t *Tree) writeFile(u User, name string, text []byte, add bool) error {
	if !u.May(menu.Write) {
		return menu.Errorf(menu.Forbidden, "not enough permissions (9)")
	}
	if t.files == nil {
		return menu.Errorf(menu.Refused, "failure: this system keeps no files")
	}
	how := os.O_TRUNC
	if add {
		how = os.O_APPEND
	}
	f, err := t.files.OpenFile(name, os.O_WRONLY|os.O_CREATE|how, fileMode)
	if err == nil {
		_, err = f.Write(text)
		if closed := f.Close(); err == nil {
			err = closed
		}
	}
	if err != nil {
		return menu.Errorf(menu.Internal, "failure: cannot write the file: %v", err)
	}
	return nil
}
