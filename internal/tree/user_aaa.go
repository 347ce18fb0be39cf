package tree

import "gopptp/internal/menu"

// newUserAAA declares /user/aaa.
func (t *Tree) newUserAAA() *table {
	return &table{
		menu: &menu.Menu{
			Name: "aaa", Help: "How users of the system are known and accounted", Singleton: true, Noun: "user aaa",
			Properties: []menu.Property{
				{Name: "use-radius", Type: menu.Bool{}, Default: menu.False, Kept: true, Help: "Whether RADIUS is asked about users that /user does not have"},
				{Name: "accounting", Type: menu.Bool{}, Default: menu.True, Kept: true, Help: "Whether logins are accounted by RADIUS"},
				{Name: "interim-update", Type: menu.Time{}, Default: "0s", Kept: true, Help: "Time between two interim updates; 0s for none"},
				{Name: "default-group", Type: menu.Reference{Path: groupPath}, Default: systemGroups[0].id.String(), Kept: true, Help: "Group of users of whom RADIUS tells none"},
				{Name: "exclude-groups", Type: elsewhere, Kept: true, Help: "Groups that RADIUS cannot give to users"},
			},
			Commands: guarded(menu.PolicyPolicy, menu.Get(true), menu.Print(true, false), menu.Reset(true), menu.Set(true)),
		},
		put: keepOnly,
	}
}
