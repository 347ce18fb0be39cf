package export

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"gopptp/internal/menu"
	"gopptp/internal/progress"
)

// A Source has the configuration.
type Source interface {
	// Configured gives the stored rows of a menu with references by name, in the
	// order in which they are to be made; nil for a menu that stores none.
	Configured(m *menu.Menu) []*menu.Row
	// Builtin gives a row that exists in every system as it is in a new one, or
	// nil if the row with the id was added.
	Builtin(m *menu.Menu, id menu.ID) *menu.Row
}

// Options choose what is written and how.
type Options struct {
	Verbose   bool // all values rather than those that differ from the default
	Terse     bool // each line complete in itself, with its path
	Sensitive bool // passwords too

	// Where chooses rows of the menu that is exported, without what is below it;
	// nil for all of both.
	Where menu.Filter

	// Progress is told how far the export is; nil for nobody.
	Progress progress.Func
}

// Header is the beginning of an export. Programs cut the date off by the words
// "by RouterOS", and expect the software id below it.
func Header(now time.Time, version string) []string {
	return []string{"# " + now.Format("2006-01-02 15:04:05") + " by RouterOS " + version, "# software id = ", "#"}
}

// Lines gives the configuration of the menu at and of all below it, in an order
// in which nothing is referred to before it is made.
func Lines(root, at *menu.Menu, source Source, o Options) []string {
	w := &writer{
		Options: o, root: root, source: source,
		rows: map[*menu.Menu][]*menu.Row{}, names: map[*menu.Menu]map[menu.ID]string{},
		scope: map[*menu.Menu]bool{}, done: map[*menu.Menu]bool{},
	}
	w.menus(at)
	return w.out
}

// A writer is one export.
type writer struct {
	Options
	root   *menu.Menu
	source Source
	rows   map[*menu.Menu][]*menu.Row // what the source gave
	names  map[*menu.Menu]map[menu.ID]string
	scope  map[*menu.Menu]bool // what is to be written
	done   map[*menu.Menu]bool // what was written, or is being
	out    []string
	items  int // that were looked at
}

// looked tells, now and then, how many items were looked at: what follows of each is
// as fast for all.
func (w *writer) looked() {
	if w.items++; w.Progress != nil && w.items%lookedEvery == 0 {
		w.Progress(progress.Step{What: "export", Unit: "items", Done: w.items})
	}
}

// lookedEvery is how many items are looked at between two times that this is told.
const lookedEvery = 256

// configured asks the source once.
func (w *writer) configured(m *menu.Menu) []*menu.Row {
	rows, known := w.rows[m]
	if !known {
		rows = w.source.Configured(m)
		w.rows[m] = rows
	}
	return rows
}

// menus writes all menus from at downwards: first those whose items others name,
// then the rest, by path. A menu whose items name those of a later one waits for
// it.
func (w *writer) menus(at *menu.Menu) {
	all := list(w.root)
	named := map[*menu.Menu]bool{}
	for _, m := range all {
		named[m] = named[m] || m.Sequence != ""
		for _, target := range w.targets(m) {
			named[target] = true
		}
	}
	slices.SortStableFunc(all, func(a, b *menu.Menu) int {
		if named[a] != named[b] {
			if named[a] {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Path(), b.Path())
	})
	within := list(at)
	if w.Where != nil {
		within = within[:1]
	}
	for _, m := range within {
		w.scope[m] = true
	}
	for _, m := range all {
		w.menu(m)
	}
}

// list gives m and all menus below it.
func list(m *menu.Menu) []*menu.Menu {
	out := []*menu.Menu{m}
	for _, c := range m.Children {
		out = append(out, list(c)...)
	}
	return out
}

// targets gives the menus that the properties of m refer to.
func (w *writer) targets(m *menu.Menu) []*menu.Menu {
	var out []*menu.Menu
	for i := range m.Properties {
		if ref, ok := m.Properties[i].Type.(menu.Reference); ok {
			if target := w.root.At(ref.Path); target != nil {
				out = append(out, target)
			}
		}
	}
	return out
}

// menu writes a menu, and before it those that it refers to.
func (w *writer) menu(m *menu.Menu) {
	if !w.scope[m] || w.done[m] {
		return
	}
	w.done[m] = true
	for _, target := range w.targets(m) {
		w.menu(target)
	}
	lines := w.commands(m)
	if len(lines) == 0 {
		return
	}
	path := "/" + strings.ReplaceAll(m.Path()[1:], "/", " ")
	if !w.Terse {
		w.out = append(w.out, path)
	}
	if m.Caution != "" {
		w.out = append(w.out, "# "+m.Caution)
	}
	for _, words := range lines {
		if w.Terse {
			w.out = append(w.out, path+" "+join(words))
		} else {
			w.out = append(w.out, wrap(words)...)
		}
	}
}

// commands gives what makes the rows of m: first what changes rows that always
// exist, since a row may have been given the name that one of them had; last what
// refers to a row of m that is made later than the one that refers.
func (w *writer) commands(m *menu.Menu) [][]word {
	var changed, added, late [][]word
	made := map[string]bool{}
	for _, r := range w.configured(m) {
		w.looked()
		if w.Where != nil && !w.Where(r) {
			continue
		}
		before := w.source.Builtin(m, r.ID)
		var self []word
		args := w.arguments(r, before)
		switch {
		case m.Singleton:
			if args = w.arguments(r, m.Defaults(r.ID)); len(args) > 0 {
				changed = append(changed, append([]word{{name: "set"}}, args...))
			}
			continue
		case before != nil:
			if args, self = split(r, args, nil); len(args) > 0 {
				changed = append(changed, append([]word{{name: "set"}, {name: item(before)}}, args...))
			}
		default:
			args, self = split(r, args, made)
			added = append(added, append([]word{{name: "add"}}, args...))
		}
		if m.NameKey == "" {
			continue
		}
		name := r.Get(m.NameKey)
		made[name] = true
		if len(self) > 0 {
			late = append(late, append([]word{{name: "set"}, {name: menu.Quote(name)}}, self...))
		}
	}
	return slices.Concat(changed, added, late)
}

// split takes from args what refers to a row of r's own menu that is not made.
func split(r *menu.Row, args []word, made map[string]bool) (now, late []word) {
	for _, a := range args {
		p := r.Menu.Property(strings.TrimPrefix(a.name, "!"))
		ref, ok := p.Type.(menu.Reference)
		if ok && a.assign && ref.Path == r.Menu.Path() && !made[r.Get(p.Name)] {
			late = append(late, a)
		} else {
			now = append(now, a)
		}
	}
	return now, late
}

// item names a row that always exists: by its name if that cannot change.
func item(r *menu.Row) string {
	if key := r.Menu.NameKey; key != "" && r.Menu.Property(key).ReadOnly {
		return bare(r.Get(key))
	}
	return r.ID.String()
}

// arguments gives the values of r by name. Those that r would have anyway are
// left out unless all are asked for; before is the row that is changed, or nil
// for a new one.
func (w *writer) arguments(r, before *menu.Row) []word {
	var out []word
	for i := range r.Menu.Properties {
		p := &r.Menu.Properties[i]
		if !p.Settable() || p.Sensitive && !w.Sensitive {
			continue
		}
		text, there := r.Lookup(p.Name)
		was, had := "", false
		switch {
		case before != nil:
			was, had = before.Lookup(p.Name)
		case !p.Optional && !p.Required:
			was, had = p.Default, true
		}
		same := there == had && (!there || text == was || text == w.name(p, was))
		switch {
		case same && (!w.Verbose || p.Name == menu.Comment && text == ""):
		case there:
			out = append(out, word{name: p.Name, value: value(p, text), assign: true})
		case p.Optional:
			out = append(out, word{name: "!" + p.Name})
		}
	}
	slices.SortFunc(out, func(a, b word) int {
		return cmp.Compare(strings.TrimPrefix(a.name, "!"), strings.TrimPrefix(b.name, "!"))
	})
	return out
}

// name gives the name of the row that a reference's canonical value stands for.
func (w *writer) name(p *menu.Property, canonical string) string {
	ref, ok := p.Type.(menu.Reference)
	if !ok {
		return canonical
	}
	id, isID, err := menu.ParseID(canonical)
	target := w.root.At(ref.Path)
	if !isID || err != nil || target == nil {
		return canonical
	}
	names, known := w.names[target]
	if !known {
		names = map[menu.ID]string{}
		for _, r := range w.configured(target) {
			names[r.ID] = r.Get(target.NameKey)
		}
		w.names[target] = names
	}
	if name, ok := names[id]; ok {
		return name
	}
	return canonical
}
