package tree

import (
	"slices"
	"strings"

	"gopptp/internal/menu"
)

// offerEdit gives the command edit to each menu from m on that has set.
func offerEdit(m *menu.Menu) {
	for _, c := range m.Children {
		offerEdit(c)
	}
	if set := m.Command("set"); set != nil {
		m.Commands = append(m.Commands, menu.Edit(m.Singleton, set.Policy))
		slices.SortStableFunc(m.Commands, func(a, b *menu.Command) int { return strings.Compare(a.Name, b.Name) })
	}
}
