package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// What the page is told of the tree. The names are the contract with it.
type (
	menuSchema struct {
		Name       string           `json:"name"`
		Path       string           `json:"path"`
		Help       string           `json:"help"`
		Singleton  bool             `json:"singleton"`
		Ordered    bool             `json:"ordered"`
		NameKey    string           `json:"nameKey"`
		Noun       string           `json:"noun"`
		Caution    string           `json:"caution"`
		Flags      []flagSchema     `json:"flags"`
		Columns    []string         `json:"columns"` // empty for what the page thinks best
		Properties []propertySchema `json:"properties"`
		Commands   []commandSchema  `json:"commands"`
		Children   []menuSchema     `json:"children"`
	}
	flagSchema struct {
		Letter string `json:"letter"`
		Name   string `json:"name"`
		Help   string `json:"help"`
	}
	propertySchema struct {
		Name      string     `json:"name"`
		Help      string     `json:"help"`
		Default   string     `json:"default"` // as REST writes it
		Required  bool       `json:"required"`
		Optional  bool       `json:"optional"`
		ReadOnly  bool       `json:"readOnly"`
		Sensitive bool       `json:"sensitive"`
		Stat      bool       `json:"stat"`
		Kept      bool       `json:"kept"`
		Type      typeSchema `json:"type"`
	}
	typeSchema struct {
		Kind     menu.FormKind `json:"kind"`
		Describe string        `json:"describe"`
		Choices  []string      `json:"choices,omitempty"`
		Min      *float64      `json:"min,omitempty"`
		Max      *float64      `json:"max,omitempty"`
		Menu     string        `json:"menu,omitempty"`
	}
	commandSchema struct {
		Name    string      `json:"name"`
		Help    string      `json:"help"`
		Allowed bool        `json:"allowed"`
		Kind    commandKind `json:"kind"`
		Args    []argSchema `json:"args"`
	}
	argSchema struct {
		Name     string      `json:"name"`
		Help     string      `json:"help"`
		Required bool        `json:"required"`
		Type     *typeSchema `json:"type,omitempty"` // none for a word that stands alone
	}
)

// A commandKind says what a page makes of a command.
type commandKind string

// The kinds.
const (
	kindShow    commandKind = "show"    // the table is it: print, find, get
	kindEdit    commandKind = "edit"    // the forms are it: add, set, remove, enable, …
	kindMonitor commandKind = "monitor" // answers again and again
	kindConsole commandKind = "console" // has a place of its own: export, import, edit
	kindAct     commandKind = "act"     // a button
)

// commandKinds are those of the commands that many menus have; what is not here is
// an act, or a monitor if it takes once.
var commandKinds = map[string]commandKind{
	"print": kindShow, "find": kindShow, "get": kindShow,
	"add": kindEdit, "set": kindEdit, "remove": kindEdit, "enable": kindEdit, "disable": kindEdit, "comment": kindEdit,
	"move": kindEdit, "unset": kindEdit, "reset": kindEdit,
	"export": kindConsole, "import": kindConsole, "edit": kindConsole,
}

// menus answers with the tree as it is for the user. It is large, and has no secret
// of which the length could tell.
func (s *Server) menus(w http.ResponseWriter, r *http.Request, v *visit) error {
	b, err := json.Marshal(s.describe(s.cfg.Tree.Root(), v.treeUser()))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Vary", "Accept-Encoding")
	if small := compress(b); small != nil && accepts(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		b = small
	}
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b) // a client that is gone needs no answer
	return nil
}

// describe tells of a menu and all below it.
func (s *Server) describe(m *menu.Menu, u tree.User) menuSchema {
	d := menuSchema{
		Name: m.Name, Path: m.Path(), Help: m.Help, Singleton: m.Singleton, Ordered: m.Ordered, NameKey: m.NameKey, Noun: m.Noun, Caution: m.Caution,
		Flags: []flagSchema{}, Columns: []string{}, Properties: []propertySchema{}, Commands: []commandSchema{}, Children: []menuSchema{},
	}
	for _, f := range m.Flags {
		d.Flags = append(d.Flags, flagSchema{string(f.Letter), f.Name, m.Property(f.Property).Help})
	}
	for _, c := range m.Columns {
		d.Columns = append(d.Columns, c.Property)
	}
	for i := range m.Properties {
		p := &m.Properties[i]
		d.Properties = append(d.Properties, propertySchema{
			Name: p.Name, Help: p.Help, Default: s.initial(p, u), Required: p.Required, Optional: p.Optional, ReadOnly: p.ReadOnly,
			Sensitive: p.Sensitive, Stat: p.Stat, Kept: p.Kept, Type: describeType(p.Type),
		})
	}
	for _, c := range m.Commands {
		d.Commands = append(d.Commands, describeCommand(c, u))
	}
	for _, c := range m.Children {
		d.Children = append(d.Children, s.describe(c, u))
	}
	return d
}

// initial gives the default of a property with a reference by name, as the rows
// have it.
func (s *Server) initial(p *menu.Property, u tree.User) string {
	ref, ok := p.Type.(menu.Reference)
	if !ok || p.Default == "" {
		return p.Default
	}
	target := s.cfg.Tree.Root().At(ref.Path)
	r, err := s.cfg.Tree.Item(u, target, p.Default)
	if err != nil {
		return "" // who may not read is not told either
	}
	return r.Get(target.NameKey)
}

func describeType(t menu.Type) typeSchema {
	f := menu.FormOf(t)
	d := typeSchema{Kind: f.Kind, Choices: f.Words, Min: f.Min, Max: f.Max, Menu: f.Menu}
	if in, ok := t.(menu.Describer); ok {
		d.Describe = in.Describe()
	}
	return d
}

func describeCommand(c *menu.Command, u tree.User) commandSchema {
	d := commandSchema{Name: c.Name, Help: c.Help, Allowed: u.May(c.Policy), Kind: kindOf(c), Args: []argSchema{}}
	for _, a := range c.Args {
		in := argSchema{Name: a.Name, Help: a.Help, Required: needs(c, a.Name)}
		if a.Type != nil {
			in.Type = new(describeType(a.Type))
		}
		d.Args = append(d.Args, in)
	}
	return d
}

func kindOf(c *menu.Command) commandKind {
	if kind, known := commandKinds[c.Name]; known {
		return kind
	}
	if c.Arg("once") != nil {
		return kindMonitor
	}
	return kindAct
}

// needs reports whether a command does nothing without an argument: items, or what
// a value without a name is, but for those that may be left out.
func needs(c *menu.Command, arg string) bool {
	optional := arg == menu.Destination || c.Name == "get" && arg != menu.Numbers
	return slices.Contains(c.Unnamed, arg) && !optional
}
