package tree

import "gopptp/internal/menu"

// A computed binding is a menu of which nothing is stored.
type computed struct {
	menu *menu.Menu
	list func() []*menu.Row
}

func (c *computed) rows() []*menu.Row { return c.list() }

func (c *computed) item(text string) (*menu.Row, error) { return pick(c.list(), text) }

// shownOnly are the commands of a menu that can only be looked at.
func shownOnly(singleton bool) []*menu.Command {
	if singleton {
		return []*menu.Command{menu.Get(true), menu.Print(true, false)}
	}
	return []*menu.Command{menu.Find(), menu.Get(false), menu.Print(false, false)}
}

// readOnly declares a value that is there whenever it is known.
func readOnly(name string, typ menu.Type, help string) menu.Property {
	return menu.Property{Name: name, Type: typ, Optional: true, ReadOnly: true, Help: help}
}

// keepOnly is the engine of a table that nothing acts on yet.
func keepOnly(*menu.Row) {}
