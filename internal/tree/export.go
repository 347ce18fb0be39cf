package tree

import (
	"context"
	"slices"
	"strings"
	"time"

	"gopptp/internal/export"
	"gopptp/internal/menu"
	"gopptp/internal/progress"
)

// offerExport gives the command export to m if anything at it or below it is
// stored, and reports that.
func (t *Tree) offerExport(m *menu.Menu) bool {
	b := t.tables[m.Path()]
	offered := b != nil && !b.private
	for _, c := range m.Children {
		offered = t.offerExport(c) || offered
	}
	if offered {
		m.Commands = append(m.Commands, menu.Export(b != nil && !m.Singleton))
		slices.SortStableFunc(m.Commands, func(a, b *menu.Command) int { return strings.Compare(a.Name, b.Name) })
	}
	return offered
}

// Configured gives the stored rows of a menu with references by name; it makes
// the tree the source of an export, together with Builtin.
func (t *Tree) Configured(m *menu.Menu) []*menu.Row {
	b := t.tables[m.Path()]
	if b == nil || b.private {
		return nil
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	rows := make([]*menu.Row, len(b.order))
	for i, id := range b.order {
		rows[i] = t.shown(b.stored[id])
	}
	return rows
}

// Builtin gives a row that exists in every system as it is in a new one.
func (t *Tree) Builtin(m *menu.Menu, id menu.ID) *menu.Row {
	b := t.tables[m.Path()]
	if b == nil || b.initial == nil {
		return nil
	}
	for _, r := range b.initial(m) {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// scriptSuffix ends the name of an exported file.
const scriptSuffix = ".rsc"

// export gives the configuration of a menu and all below it, as lines or into a
// file.
func (t *Tree) export(ctx context.Context, u User, r *menu.Request, emit Emit) error {
	has := func(word string) bool {
		_, given := r.Args[word]
		return given
	}
	if has("compact") && has("verbose") {
		return menu.Errorf(menu.BadArgument, "only one of compact and verbose can be given")
	}
	if has("hide-sensitive") && has("show-sensitive") {
		return menu.Errorf(menu.BadArgument, "only one of hide-sensitive and show-sensitive can be given")
	}
	var where menu.Filter
	if r.Filter != nil { // it sees what the user sees, as that of print does
		where = func(row *menu.Row) bool { return r.Filter(u.masked(row.Clone())) }
	}
	lines := append(export.Header(time.Now(), t.version), export.Lines(t.root, r.Menu, t, export.Options{
		Verbose: has("verbose"), Terse: has("terse"), Where: where,
		Sensitive: has("show-sensitive") && u.May(menu.Sensitive), Progress: progress.Of(ctx),
	})...)
	if has("file") {
		return t.writeFile(u, withSuffix(r.Args["file"], scriptSuffix), []byte(strings.Join(lines, "\n")+"\n"), false)
	}
	return emit(lineRows(r.Command.Output, lines))
}

// lineRows gives lines of text as rows of the answer of export and import.
func lineRows(output *menu.Menu, lines []string) []*menu.Row {
	rows := make([]*menu.Row, len(lines))
	for i, line := range lines {
		rows[i] = output.NewRow(menu.ID(i))
		rows[i].Put("line", line)
	}
	return rows
}

// withSuffix gives a file's name with the ending that its kind has.
func withSuffix(name, suffix string) string { return strings.TrimSuffix(name, suffix) + suffix }
