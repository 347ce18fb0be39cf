package tree

import (
	"strings"

	"gopptp/internal/menu"
)

// A removable binding is computed from things that can be ended.
type removable struct {
	*computed
	end func(id menu.ID) bool
}

// remove ends what items name, all of it or nothing if there is none of a name.
func (b removable) remove(_ User, items []string) error {
	var ids []menu.ID
	for _, text := range items {
		r, err := b.item(text)
		if err != nil {
			return err
		}
		ids = append(ids, r.ID)
	}
	for _, id := range ids {
		b.end(id) // or it ended by itself meanwhile
	}
	return nil
}

// shownAndRemoved are the commands of a removable binding.
func shownAndRemoved() []*menu.Command {
	return []*menu.Command{menu.Find(), menu.Get(false), menu.Print(false, false), menu.Remove()}
}

// newScriptJobs declares /system/script/job.
func (t *Tree) newScriptJobs() removable {
	m := &menu.Menu{
		Name: "job", Help: "Scripts that run", Noun: "script job", Layout: menu.Table,
		Columns: []menu.Column{{Property: "type"}, {Property: "script"}, {Property: "owner"}, {Property: "started"}},
		Properties: []menu.Property{
			readOnly("type", menu.Words(), "Whether it is a command that somebody waits for, or a script on its own"),
			readOnly("script", menu.String{}, "Name of the script"),
			readOnly("owner", menu.String{}, "User whose script runs; *sys is the system itself"),
			readOnly("started", menu.DateTime{}, "When it was started"),
		},
		Commands: shownAndRemoved(),
	}
	list := func() []*menu.Row {
		var rows []*menu.Row
		if t.interpret == nil {
			return nil
		}
		for _, j := range t.interpret.Jobs() {
			r := m.NewRow(menu.ID(j.ID))
			r.Put("type", "script")
			if j.Interactive {
				r.Put("type", "command")
			}
			putText(r, "script", j.Script)
			r.Put("owner", j.Owner)
			r.Put("started", menu.FormatDateTime(j.Started))
			rows = append(rows, r)
		}
		return rows
	}
	return removable{&computed{menu: m, list: list}, func(id menu.ID) bool { return t.interpret.StopJob(uint64(id)) }}
}

// newScriptEnvironment declares /system/script/environment.
func (t *Tree) newScriptEnvironment() removable {
	m := &menu.Menu{
		Name: "environment", Help: "Global variables of scripts", NameKey: "name", Noun: "script variable", Layout: menu.Table,
		Columns: []menu.Column{{Property: "name"}, {Property: "user"}, {Property: "value"}},
		Properties: []menu.Property{
			readOnly("name", menu.String{}, "Name of the variable"),
			readOnly("user", menu.String{}, "User whose script made it; *sys is the system itself"),
			readOnly("value", menu.String{}, "Its value"),
		},
		Commands: shownAndRemoved(),
	}
	list := func() []*menu.Row {
		var rows []*menu.Row
		if t.interpret == nil {
			return nil
		}
		for _, v := range t.interpret.Variables() {
			r := m.NewRow(menu.ID(v.ID))
			r.Put("name", v.Name)
			r.Put("user", v.User)
			r.Put("value", strings.ToValidUTF8(v.Value, "?")) // JSON carries no other octets
			rows = append(rows, r)
		}
		return rows
	}
	return removable{&computed{menu: m, list: list}, func(id menu.ID) bool { return t.interpret.RemoveVariable(uint64(id)) }}
}
