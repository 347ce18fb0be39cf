package menu

import (
	"fmt"
	"strings"
)

// A Menu is the declaration of one place of the tree. It is linked once by
// Root and never changed afterwards, so that it can be shared.
type Menu struct {
	Name     string // last word of the path
	Help     string
	Children []*Menu
	Commands []*Command

	Singleton  bool       // one row of settings rather than a list of items
	Ordered    bool       // people put the items in order: it has move, and add has place-before
	Properties []Property // in the order of printing
	Flags      []Flag
	Layout     Layout   // of print without further words
	Columns    []Column // of the table; empty for all properties
	Stats      []Column // of print stats; empty if there is none
	NameKey    string   // the property that items may be called by; empty if none
	Noun       string   // what a row is called in the log: ppp secret
	Sequence   string   // menus with the same sequence share their ids; empty for the path
	Caution    string   // what export remarks before the menu's lines; empty for nothing

	parent *Menu
	index  map[string]int // place of a property in Properties
}

// A Property is a value of a menu's rows.
type Property struct {
	Name      string
	Type      Type
	Default   string // canonical
	Required  bool   // add fails without it; it has no default
	Optional  bool   // may be absent: it has no default, and !name takes it away
	ReadOnly  bool   // computed; never stored, never set
	Sensitive bool   // masked for users without the policy
	Stat      bool   // a counter: shown by print stats only
	Kept      bool   // stored, shown and exported, but nothing acts on it yet
	Quiet     string // print leaves the property out while it has this value, unless empty
	Help      string

	// Absent reports that the property does not exist in the state the row is
	// in; nil for never.
	Absent func(*Row) bool
}

// Settable reports whether add and set take the property.
func (p *Property) Settable() bool { return !p.ReadOnly }

// Runs reports whether the property changes by itself all the time: a counter, or
// how long something lasts.
func (p *Property) Runs() bool {
	_, lasts := p.Type.(Time)
	return p.Stat || p.ReadOnly && lasts
}

// A Flag is a letter that print shows while a bool property is true.
type Flag struct {
	Letter   byte
	Name     string // in the legend
	Property string
	Or       bool // excludes the flag before it, so that the legend joins them by a comma
}

// A Column is a column of a table.
type Column struct {
	Property string
	Cut      bool // the header is cut to the width of the data
}

// A Layout is a form of print.
type Layout uint8

// The layouts. Default is the menu's own.
const (
	Default Layout = iota
	Table
	Detail
	Terse
	ValueList
	Lines // values only, one row a line: /log
)

// Comment is the property that print shows in a place of its own.
const Comment = "comment"

// IDKey is the name by which expressions and programs see a row's id.
const IDKey = ".id"

// Root makes the tree of menus. It panics when a declaration contradicts
// itself, since that is a mistake in our own source.
func Root(commands []*Command, children ...*Menu) *Menu {
	root := &Menu{Commands: commands, Children: children}
	root.link(nil)
	return root
}

// Standalone links a menu that is in no tree: the replies of a monitor.
func (m *Menu) Standalone() *Menu {
	m.link(nil)
	return m
}

func (m *Menu) link(parent *Menu) {
	m.parent = parent
	if m.Ordered {
		m.order()
	}
	m.index = make(map[string]int, len(m.Properties))
	for i, p := range m.Properties {
		if _, twice := m.index[p.Name]; twice || p.Type == nil {
			panic(fmt.Sprintf("menu: %s: property %s is declared badly", m.Path(), p.Name))
		}
		m.index[p.Name] = i
	}
	need := func(name string) {
		if _, ok := m.index[name]; !ok {
			panic(fmt.Sprintf("menu: %s: no property %s", m.Path(), name))
		}
	}
	for _, f := range m.Flags {
		need(f.Property)
	}
	for _, c := range m.Columns {
		need(c.Property)
	}
	for _, c := range m.Stats {
		need(c.Property)
	}
	if m.NameKey != "" {
		need(m.NameKey)
	}
	words := map[string]bool{}
	for _, c := range m.Commands {
		if words[c.Name] {
			panic(fmt.Sprintf("menu: %s: %s is declared twice", m.Path(), c.Name))
		}
		words[c.Name] = true
	}
	for _, c := range m.Children {
		if words[c.Name] {
			panic(fmt.Sprintf("menu: %s: %s is declared twice", m.Path(), c.Name))
		}
		words[c.Name] = true
		c.link(m)
	}
}

// Path gives the menu's path: /interface/pptp-client, or / for the root.
func (m *Menu) Path() string {
	if m.parent == nil {
		return "/" + m.Name
	}
	return strings.TrimSuffix(m.parent.Path(), "/") + "/" + m.Name
}

// IDs names the sequence that the menu's ids are taken from.
func (m *Menu) IDs() string {
	if m.Sequence != "" {
		return m.Sequence
	}
	return m.Path()
}

// Property finds a property by its full name, or gives nil.
func (m *Menu) Property(name string) *Property {
	i, ok := m.index[name]
	if !ok {
		return nil
	}
	return &m.Properties[i]
}

// Command finds a command by its full name, or gives nil.
func (m *Menu) Command(name string) *Command {
	for _, c := range m.Commands {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// At finds the menu with a path as Path gives it, or gives nil.
func (m *Menu) At(path string) *Menu {
	for word := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		var next *Menu
		for _, c := range m.Children {
			if c.Name == word {
				next = c
			}
		}
		if next == nil {
			return nil
		}
		m = next
	}
	return m
}

// match finds word among names: exactly, or else as the beginning of one only.
func match(word string, names []string) (name string, ambiguous bool) {
	n := 0
	for _, s := range names {
		if s == word {
			return s, false
		}
		if word != "" && strings.HasPrefix(s, word) {
			name = s
			n++
		}
	}
	if n > 1 {
		return "", true
	}
	return name, false
}
