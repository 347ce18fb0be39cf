package api

import (
	"slices"
	"strings"
	"time"

	"gopptp/internal/menu"
	"gopptp/internal/query"
)

// A call is a sentence as an operation of the tree, with what the door does with
// its answer.
type call struct {
	menu.Request

	prints   bool          // rows are the answer, and their absence is told
	listens  bool          // what changes is the answer
	first    bool          // with listens: the rows as they are come first
	counts   bool          // the number of rows is the answer
	interval time.Duration // print again and again; 0 for once
	proplist []string      // the properties to send; nil for all
}

// The names of attributes that mean something to the door.
const (
	attrProplist = ".proplist"
	attrInterval = "interval"
	attrNumber   = "number" // of get, in older programs
)

// translate makes the call of a sentence. Names are given in full: what begins a
// name is for people.
func translate(root *menu.Menu, s *sentence) (*call, error) {
	c := &call{Request: menu.Request{Args: map[string]string{}}}
	if err := c.find(root, s.command); err != nil {
		return nil, err
	}
	for _, a := range s.attributes {
		if err := c.take(a); err != nil {
			return nil, err
		}
	}
	switch {
	case c.Command.Arg(menu.Numbers) != nil && c.Items == nil:
		return nil, &trap{categoryArgument, "missing =.id="}
	case len(s.queries) > 0 && c.Command.Where == menu.NoWhere && !c.prints:
		return nil, &trap{categoryAPI, "query is not supported by this command"}
	}
	filter, err := query.Compile(s.queries)
	if err != nil {
		return nil, err
	}
	c.Filter = c.among(filter)
	return c, nil
}

// goesOn reports whether the call has no end of its own, or a late one.
func (c *call) goesOn() bool {
	_, once := c.Args["once"]
	return c.listens || c.interval > 0 || c.monitors() && !once
}

// monitors reports whether the answer comes in rounds.
func (c *call) monitors() bool { return c.Command.Arg("once") != nil }

// find finds the menu and the command of a path.
func (c *call) find(root *menu.Menu, path string) error {
	i := strings.LastIndexByte(path, '/')
	if !strings.HasPrefix(path, "/") {
		return &trap{categoryMissing, "no such command"}
	}
	c.Menu = root
	if i > 0 {
		c.Menu = root.At(path[:i])
	}
	if c.Menu == nil {
		return &trap{categoryMissing, "no such command prefix"}
	}
	name := path[i+1:]
	switch name {
	case "getall":
		name = "print"
	case "listen":
		name, c.listens = "print", true
	}
	c.Command = c.Menu.Command(name)
	if c.Command == nil {
		return &trap{categoryMissing, "no such command"}
	}
	c.prints = name == "print"
	return nil
}

// take takes an attribute.
func (c *call) take(a attribute) error {
	if c.prints {
		if taken, err := c.takePrint(a); taken || err != nil {
			return err
		}
	}
	if c.Command.Arg(menu.Numbers) != nil {
		switch a.name {
		case menu.IDKey, menu.Numbers, attrNumber:
			c.Items = strings.Split(a.value, ",")
			return nil
		}
	}
	if arg := c.Command.Arg(a.name); arg != nil {
		if arg.Type != nil {
			c.Args[a.name] = a.value
		} else if isTrue(a.value) {
			c.Args[a.name] = ""
		}
		return nil
	}
	name, unset := strings.CutPrefix(a.name, "!")
	if p := c.Menu.Property(name); c.Command.Changes && p != nil && p.Settable() {
		v := menu.Assignment{Name: name, Unset: unset}
		if !unset {
			v.Value = a.value
		}
		c.Values = append(c.Values, v)
		return nil
	}
	return unknown(a.name)
}

// isTrue reports whether an argument that stands alone on the console was given:
// =once= is.
func isTrue(value string) bool { return value != "no" && value != menu.False }

// takePrint takes an attribute of print, getall and listen that is the door's.
func (c *call) takePrint(a attribute) (taken bool, err error) {
	switch a.name {
	case attrProplist, "proplist":
		for name := range strings.SplitSeq(a.value, ",") {
			if name = strings.TrimSpace(name); name != "" && !slices.Contains(c.proplist, name) {
				c.proplist = append(c.proplist, name)
			}
		}
		return true, nil
	case "detail", "stats": // the form for people: programs get all properties at any rate
		return true, nil
	case attrInterval:
		arg := c.Command.Arg(attrInterval)
		if arg == nil {
			return false, nil
		}
		text, err := arg.Type.Parse(a.name, a.value, nil)
		if err != nil {
			return true, err
		}
		c.interval, err = menu.ParseTime(text)
		return true, err
	}
	if c.Menu.Singleton {
		return false, nil
	}
	switch a.name {
	case menu.IDKey, menu.Numbers, "from":
		c.Items = strings.Split(a.value, ",")
	case "count-only":
		c.counts = isTrue(a.value)
	case "follow":
		c.listens, c.first = isTrue(a.value), true
	case "follow-only":
		c.listens = isTrue(a.value)
	default:
		return false, nil
	}
	return true, nil
}

// among adds to a filter that the row is one of those that a print names.
func (c *call) among(filter menu.Filter) menu.Filter {
	if !c.prints || c.Items == nil {
		return filter
	}
	wanted := make(map[string]bool, len(c.Items))
	for _, item := range c.Items {
		if id, ok, err := menu.ParseID(item); ok && err == nil {
			item = id.String()
		}
		wanted[item] = true
	}
	c.Items = nil // print takes none
	name := c.Menu.NameKey
	return func(r *menu.Row) bool {
		named := wanted[r.ID.String()] || name != "" && wanted[r.Get(name)]
		return named && (filter == nil || filter(r))
	}
}
