package script

import (
	"fmt"

	"gopptp/internal/menu"
)

// monitor shows the state of items again and again. With as-value it is worth the
// last of it: an array by names, or a list of them for several items. With do,
// commands run after each reply, which see its values as variables.
func (r run) monitor(q *menu.Request) (Value, error) {
	var do *menu.Script
	if source, given := q.Args["do"]; given {
		parsed, err := menu.Parse(source, r.env.Tree.Root(), q.Menu)
		if err != nil {
			return Value{}, err
		}
		do = parsed
	}
	_, quiet := q.Args["as-value"]
	var last Value
	frames := 0
	_, err := r.env.Tree.Execute(r.ctx, r.env.User, q, func(rows []*menu.Row) error {
		if !quiet {
			if err := r.frame(q.Command.Output, rows, frames); err != nil {
				return err
			}
		}
		frames++
		var list []Value
		for _, row := range rows {
			v, err := record(row, nil)
			if err != nil {
				return err
			}
			list = append(list, v)
			if do != nil {
				if _, err := r.block(do, v.array.dict...); err != nil {
					return err
				}
			}
		}
		if len(list) == 1 {
			last = list[0]
			return nil
		}
		var err error
		last, err = newArray(list, nil)
		return err
	})
	if err != nil || !quiet {
		return Value{}, err
	}
	return last, nil
}

// frame prints a reply of a command that answers several times, after before
// others.
func (r run) frame(output *menu.Menu, rows []*menu.Row, before int) error {
	if before > 0 {
		if _, err := fmt.Fprintln(r.env.Out); err != nil {
			return err
		}
	}
	if output == nil {
		if len(rows) == 0 {
			return nil
		}
		output = rows[0].Menu
	}
	return menu.Printer{Width: r.env.Width}.Print(r.env.Out, output, rows)
}
