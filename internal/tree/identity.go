package tree

import "gopptp/internal/menu"

const identityPath = "/system/identity"

// newIdentity declares /system/identity.
func (t *Tree) newIdentity() *table {
	return &table{
		menu: &menu.Menu{
			Name: "identity", Help: "System name", Singleton: true, Noun: "system identity",
			Properties: []menu.Property{
				{Name: "name", Type: menu.String{Max: 64, Line: true}, Default: "gopptp", Help: "Name of the system"},
			},
			Commands: []*menu.Command{menu.Get(true), menu.Print(true, false), menu.Reset(true), menu.Set(true)},
		},
		put: func(r *menu.Row) {
			t.engine.SetIdentity(r.Get("name"))
			t.logging.SetIdentity(r.Get("name"))
		},
	}
}
