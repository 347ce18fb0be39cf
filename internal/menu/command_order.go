package menu

import (
	"slices"
	"strings"
)

// The arguments that say where in its order an item goes.
const (
	PlaceBefore = "place-before" // of add
	Destination = "destination"  // of move
)

// Move is the command that puts items in another place of their order. Without a
// destination that is the end.
func Move() *Command {
	c := &Command{
		Name: "move", Help: "Change the order of items", Policy: Write,
		Args:    []Arg{{Name: Destination, Help: "item to put them before; the end if there is none", Type: String{}, Item: true}},
		Unnamed: []string{Destination},
	}
	return c.items(false)
}

// order gives an ordered menu what it takes to put its items in order.
func (m *Menu) order() {
	add := m.Command("add")
	if add == nil || m.Command("move") != nil {
		panic("menu: " + m.Name + ": an ordered menu has add, and needs no move of its own")
	}
	add.Args = append(add.Args, Arg{Name: PlaceBefore, Help: "item to put the new one before", Type: String{}, Item: true})
	m.Commands = append(m.Commands, Move())
	slices.SortStableFunc(m.Commands, func(a, b *Command) int { return strings.Compare(a.Name, b.Name) })
}
