// Package reference writes the reference of the menus, docs/reference, from their
// declarations: a page for each menu and a list of all. What a menu does is said
// once, where it is declared.
//
// It opens no file; its test compares the pages with those in docs/reference,
// and rewrites them when it is told to (make docs).
package reference

import (
	"fmt"
	"strings"

	"gopptp/internal/menu"
)

// index is the page that lists the others.
const index = "README.md"

// notice begins each page.
const notice = "<!-- Generated from the declarations of the menus by make docs. Do not edit. -->\n\n"

// Pages gives the contents of the pages by name of file.
func Pages(root *menu.Menu) map[string]string {
	pages := map[string]string{}
	var list strings.Builder
	list.WriteString(notice + "# Reference of the menus\n\n" +
		"A page for each menu: its properties, flags and commands. A property that is *kept only* is stored, shown and\n" +
		"exported as RouterOS does, but nothing in gopptp acts on it yet.\n\n| menu | what it is |\n|---|---|\n")
	var visit func(m *menu.Menu)
	visit = func(m *menu.Menu) {
		if len(m.Commands) > 0 {
			pages[file(m)] = page(m)
			fmt.Fprintf(&list, "| [%s](%s) | %s |\n", m.Path(), file(m), cell(m.Help))
		}
		for _, c := range m.Children {
			visit(c)
		}
	}
	visit(root)
	pages[index] = list.String()
	return pages
}

// file names the page of a menu.
func file(m *menu.Menu) string {
	if name := strings.ReplaceAll(strings.Trim(m.Path(), "/"), "/", "-"); name != "" {
		return name + ".md"
	}
	return "root.md"
}

// cell makes text fit for a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`).Replace(text)
}

// code writes a word as it is typed.
func code(text string) string { return "`" + strings.ReplaceAll(text, "|", `\|`) + "`" }

// page writes the page of a menu.
func page(m *menu.Menu) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s# %s\n\n", notice, m.Path())
	if m.Help != "" {
		fmt.Fprintf(&b, "%s.\n\n", strings.TrimSuffix(m.Help, "."))
	}
	if m.Caution != "" {
		fmt.Fprintf(&b, "> **Caution:** %s.\n\n", m.Caution)
	}
	if m.Singleton {
		b.WriteString("One row of settings: `set` takes no item.\n\n")
	} else if m.NameKey != "" && len(m.Properties) > 0 {
		fmt.Fprintf(&b, "Items may be called by their %s, by their number in the last `print`, or by id.\n\n", code(m.NameKey))
	}
	var settable, computed []*menu.Property
	for i := range m.Properties {
		if p := &m.Properties[i]; p.Settable() && changes(m) {
			settable = append(settable, p)
		} else {
			computed = append(computed, p)
		}
	}
	if len(settable) > 0 {
		b.WriteString("## Properties\n\n| property | value | default | meaning |\n|---|---|---|---|\n")
		for _, p := range settable {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(p.Name), cell(describe(p.Type)), initial(m, p), meaning(p))
		}
		b.WriteByte('\n')
	}
	readOnly(&b, "## Read-only properties", computed)
	flags(&b, m)
	commands(&b, m)
	children(&b, m)
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// changes reports whether any command takes the menu's properties.
func changes(m *menu.Menu) bool {
	for _, c := range m.Commands {
		if c.Changes {
			return true
		}
	}
	return false
}

// describe says what values a type has. The test fails for a type that cannot.
func describe(t menu.Type) string {
	if d, ok := t.(menu.Describer); ok {
		return d.Describe()
	}
	return ""
}

// initial says what value a new row has.
func initial(m *menu.Menu, p *menu.Property) string {
	ref, refers := p.Type.(menu.Reference)
	_, id, err := menu.ParseID(p.Default)
	switch {
	case p.Required:
		return "must be given"
	case p.Optional:
		return "none"
	case refers && id && err == nil:
		return "item " + code(p.Default) + " of " + ref.Path
	case p.Default == "" && !m.Singleton && m.Command("add") == nil:
		return "that of the item"
	case p.Default == "" && p.Name == m.NameKey:
		return "next free name"
	case p.Default == "":
		return code(`""`)
	}
	return code(p.Type.Text(p.Default))
}

// meaning is the help of a property and what is special about it.
func meaning(p *menu.Property) string {
	s := cell(p.Help)
	if p.Sensitive {
		s += ". Shown only to users with the policy `sensitive`, exported only with `show-sensitive`"
	}
	if p.Absent != nil {
		s += ". Absent in some states"
	}
	if p.Kept {
		s += ". *Kept only*"
	}
	return s
}

// readOnly lists properties that cannot be set.
func readOnly(b *strings.Builder, title string, properties []*menu.Property) {
	if len(properties) == 0 {
		return
	}
	b.WriteString(title + "\n\n| property | value | meaning |\n|---|---|---|\n")
	for _, p := range properties {
		what := describe(p.Type)
		if _, text := p.Type.(menu.String); text {
			what = "text" // its bounds concern who writes it
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", code(p.Name), cell(what), meaning(p))
	}
	b.WriteByte('\n')
}

// flags lists the letters of print.
func flags(b *strings.Builder, m *menu.Menu) {
	if len(m.Flags) == 0 {
		return
	}
	b.WriteString("## Flags\n\n| letter | name | while this is true |\n|---|---|---|\n")
	for _, f := range m.Flags {
		fmt.Fprintf(b, "| %s | %s | %s |\n", code(string(f.Letter)), f.Name, code(f.Property))
	}
	b.WriteByte('\n')
}

// commands lists the commands and what they take.
func commands(b *strings.Builder, m *menu.Menu) {
	if len(m.Commands) == 0 {
		return
	}
	b.WriteString("## Commands\n\n| command | arguments | what it does | policies |\n|---|---|---|---|\n")
	for _, c := range m.Commands {
		var args []string
		for _, a := range c.Args {
			if a.Type == nil {
				args = append(args, code(a.Name))
			} else {
				args = append(args, code(a.Name+"="))
			}
		}
		if c.Changes {
			args = append(args, "properties")
		}
		switch c.Where {
		case menu.AfterWhere:
			args = append(args, "`where` expression")
		case menu.BareWhere:
			args = append(args, "expression")
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", code(c.Name), strings.Join(args, " "), cell(c.Help), policies(c.Policy))
	}
	b.WriteByte('\n')
	for _, c := range m.Commands {
		if c.Output == nil || !c.Output.Singleton {
			continue
		}
		var out []*menu.Property
		for i := range c.Output.Properties {
			out = append(out, &c.Output.Properties[i])
		}
		readOnly(b, "### What "+code(c.Name)+" shows", out)
	}
}

// policies names the rights that a command asks for.
func policies(p menu.Policy) string {
	var out []string
	for _, known := range []struct {
		policy menu.Policy
		name   string
	}{{menu.Read, "read"}, {menu.Write, "write"}, {menu.Test, "test"}, {menu.Sensitive, "sensitive"}, {menu.PolicyPolicy, "policy"}} {
		if p&known.policy != 0 {
			out = append(out, known.name)
		}
	}
	return strings.Join(out, ", ")
}

// children lists the menus below.
func children(b *strings.Builder, m *menu.Menu) {
	if len(m.Children) == 0 {
		return
	}
	b.WriteString("## Menus below\n\n")
	for _, c := range m.Children {
		if len(c.Commands) > 0 {
			fmt.Fprintf(b, "- [%s](%s): %s\n", c.Path(), file(c), c.Help)
		}
	}
}
