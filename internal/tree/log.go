package tree

import (
	"gopptp/internal/menu"
)

// A logMenu is /log.
type logMenu struct {
	menu *menu.Menu
	tree *Tree
}

func (t *Tree) newLog() *logMenu {
	write := func(name string) *menu.Command {
		return &menu.Command{
			Name: name, Help: "Write an entry", Policy: menu.Write,
			Args: []menu.Arg{{Name: "message", Type: menu.String{}, Help: "text of the entry"}}, Unnamed: []string{"message"},
		}
	}
	return &logMenu{tree: t, menu: &menu.Menu{
		Name: "log", Help: "System log", Layout: menu.Lines,
		Properties: []menu.Property{
			{Name: "time", Type: menu.DateTime{}, ReadOnly: true, Help: "When it happened"},
			{Name: "topics", Type: menu.Words(), ReadOnly: true, Help: "What it is about"},
			{Name: "message", Type: menu.String{}, ReadOnly: true, Help: "What happened"},
		},
		Commands: []*menu.Command{
			write("debug"), write("error"), menu.Find(), menu.Get(false), write("info"), menu.Print(false, false), write("warning"),
		},
	}}
}

func (l *logMenu) rows() []*menu.Row {
	entries := l.tree.journal.Entries()
	rows := make([]*menu.Row, 0, len(entries))
	for _, e := range entries {
		message, shown := l.tree.logging.Shown(e)
		if !shown {
			continue
		}
		r := l.menu.NewRow(menu.ID(e.ID))
		r.Put("time", menu.FormatDateTime(e.Time))
		r.Put("topics", e.Topics)
		r.Put("message", message)
		rows = append(rows, r)
	}
	return rows
}

func (l *logMenu) item(text string) (*menu.Row, error) { return pick(l.rows(), text) }

// write puts an entry into the log, on behalf of a person or a script.
func (t *Tree) write(r *menu.Request) error {
	message, given := r.Args["message"]
	if !given {
		return menu.Missing("message")
	}
	t.journal.Addf("script,"+r.Command.Name, "%s", message)
	return nil
}
