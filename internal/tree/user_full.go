package tree

import (
	"strings"

	"gopptp/internal/login"
	"gopptp/internal/menu"
)

// fullAccess is what somebody must be able to do, or nobody could mend the users.
const fullAccess = menu.Read | menu.Write | menu.PolicyPolicy

// guardUsers refuses steps that leave nobody with full access, if there is somebody
// now. The caller holds change.
func (t *Tree) guardUsers(steps []step) error {
	users, groups := t.tables[userPath], t.tables[groupPath]
	then := map[menu.ID]*menu.Row{}
	thenGroups := map[menu.ID]*menu.Row{}
	for _, s := range steps {
		switch s.table {
		case users:
			then[s.id()] = s.row
		case groups:
			thenGroups[s.id()] = s.row
		}
	}
	if len(then) == 0 && len(thenGroups) == 0 {
		return nil
	}
	row := func(b *table, changed map[menu.ID]*menu.Row, id menu.ID) *menu.Row {
		if r, ok := changed[id]; ok {
			return r
		}
		return b.stored[id]
	}
	full := func(then, thenGroups map[menu.ID]*menu.Row) bool {
		for _, id := range users.order {
			u := row(users, then, id)
			if u == nil || u.Is(disabled) {
				continue
			}
			g := row(groups, thenGroups, menu.ID(referenced(u, "group")))
			if g != nil && login.Operations(strings.Split(g.Get("policy"), ","))&fullAccess == fullAccess {
				return true
			}
		}
		return false
	}
	if full(nil, nil) && !full(then, thenGroups) {
		return menu.Errorf(menu.Refused, "failure: there must be at least one user with full access rights")
	}
	return nil
}
