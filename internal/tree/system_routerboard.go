package tree

import "gopptp/internal/menu"

// newRouterboard declares /system/routerboard. RouterOS says no more of a machine
// that is no board of its makers, and programs that ask for the model go on.
func (t *Tree) newRouterboard() *computed {
	m := &menu.Menu{
		Name: "routerboard", Help: "The board that the system runs on", Singleton: true,
		Properties: []menu.Property{readOnly("routerboard", menu.Bool{}, "Whether the machine is a RouterBOARD: it never is")},
		Commands:   shownOnly(true),
	}
	return &computed{menu: m, list: func() []*menu.Row {
		r := m.Defaults(settingsID)
		r.PutBool("routerboard", false)
		return []*menu.Row{r}
	}}
}
