package tree

import "gopptp/internal/menu"

const requestLogout = "request-logout"

// A userActive is /user/active: who is in.
type userActive struct {
	computed
	tree *Tree
}

// newUserActive declares /user/active.
func (t *Tree) newUserActive() *userActive {
	m := &menu.Menu{
		Name: "active", Help: "Users who are logged in", NameKey: "name", Layout: menu.Table,
		Flags:   []menu.Flag{{Letter: 'R', Name: "radius", Property: "radius"}},
		Columns: []menu.Column{{Property: "when"}, {Property: "name"}, {Property: "address"}, {Property: "via"}},
		Properties: []menu.Property{
			readOnly("when", menu.DateTime{}, "When the user came in"),
			readOnly("name", menu.String{}, "Name of the user"),
			readOnly("address", networks{}, "Address that the user came from"),
			readOnly("via", menu.Words(), "Door that the user came in through"),
			readOnly("group", menu.Words(), "Group of the user"),
			{Name: "radius", Type: menu.Bool{}, Default: menu.False, ReadOnly: true, Help: "Whether RADIUS knows the user"},
		},
		Commands: append(shownOnly(false), menu.Act(requestLogout, "End the sessions of users", menu.Write|menu.PolicyPolicy)),
	}
	return &userActive{tree: t, computed: computed{menu: m, list: func() []*menu.Row {
		var rows []*menu.Row
		for _, s := range t.gate.Active() {
			r := m.Defaults(menu.ID(s.ID))
			r.Put("when", menu.FormatDateTime(s.When))
			r.Put("name", s.Name)
			putAddress(r, "address", s.From)
			r.Put("via", string(s.Via))
			putText(r, "group", s.Group)
			rows = append(rows, r)
		}
		return rows
	}}}
}

// act ends sessions. That of the user who asks may be among them.
func (a *userActive) act(u User, _ string, items []string) error {
	rows := a.rows()
	var chosen []*menu.Row
	for _, text := range items {
		r, err := pick(rows, text)
		if err != nil {
			return err
		}
		chosen = append(chosen, r)
	}
	for _, r := range chosen {
		if a.tree.gate.Dismiss(uint64(r.ID)) {
			a.tree.journal.Addf("system,info,account", "user %s logged out by %s", r.Get("name"), u.origin())
		}
	}
	return nil
}
