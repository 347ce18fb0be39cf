package tree

import (
	"slices"
	"strings"
	"time"

	"gopptp/internal/login"
	"gopptp/internal/menu"
)

const groupPath = "/user/group"

// The bounds of a user's inactivity are RouterOS's.
const (
	minInactivity = time.Minute
	maxInactivity = 24 * time.Hour
)

// policySet is a list of policies. As RouterOS does, the canonical form has
// those that are given and then, after exclamation marks, those that are not.
type policySet struct{ menu.List }

// Parse accepts a list with commas of policies, or what begins one only; those
// after an exclamation mark, and those that are not named, are not given.
func (policySet) Parse(name, text string, _ menu.Resolver) (string, error) {
	given := map[string]bool{}
	for item := range strings.SplitSeq(text, ",") {
		item, not := strings.CutPrefix(item, "!")
		if item == "" && !not {
			continue
		}
		word, err := menu.Words(login.PolicyNames...).Parse(name, item, nil)
		if err != nil {
			return "", err
		}
		given[word] = !not
	}
	return formatPolicies(func(p string) bool { return given[p] }), nil
}

// formatPolicies writes the canonical form of a policySet.
func formatPolicies(given func(string) bool) string {
	var yes, no []string
	for _, p := range login.PolicyNames {
		if given(p) {
			yes = append(yes, p)
		} else {
			no = append(no, "!"+p)
		}
	}
	return strings.Join(append(yes, no...), ",")
}

// The groups that always exist, with what RouterOS's may not do.
var systemGroups = []struct {
	id   menu.ID
	name string
	not  []string
}{
	{1, "read", []string{"ftp", "write", "policy"}},
	{2, "write", []string{"ftp", "policy"}},
	{3, "full", nil},
}

// initialGroups are the groups as they are before anyone changes them.
func initialGroups(m *menu.Menu) []*menu.Row {
	var rows []*menu.Row
	for _, g := range systemGroups {
		r := m.Defaults(g.id)
		r.Put("name", g.name)
		r.Put("policy", formatPolicies(func(p string) bool { return !slices.Contains(g.not, p) }))
		rows = append(rows, r)
	}
	return rows
}

// newGroups declares /user/group.
func (t *Tree) newGroups() *table {
	b := &table{
		menu: &menu.Menu{
			Name: "group", Help: "Groups of users, with their policies", NameKey: "name", Noun: "user group", Layout: menu.Detail,
			Properties: []menu.Property{
				{Name: "name", Type: userName, Required: true, Help: "Name of the group"},
				{Name: "policy", Type: policySet{}, Default: formatPolicies(func(string) bool { return false }),
					Help: "What the users of the group may do, and through which doors they may come in"},
				{Name: "skin", Type: elsewhere, Default: "default", Kept: true, Help: "Look of the web interface"},
				comment,
			},
			Commands: guarded(menu.PolicyPolicy,
				menu.Add(), menu.SetComment(), menu.Find(), menu.Get(false), menu.Print(false, false), menu.Remove(), menu.Reset(false), menu.Set(false)),
		},
		clash:   "failure: group with the same name already exists",
		initial: initialGroups,
		key:     func(r *menu.Row) string { return r.Get("name") },
		put: func(r *menu.Row) {
			t.gate.PutGroup(login.Group{ID: uint64(r.ID), Name: r.Get("name"), Policies: strings.Split(r.Get("policy"), ",")})
		},
		drop: func(id menu.ID) { t.gate.RemoveGroup(uint64(id)) },
	}
	b.fixed = func(r *menu.Row) error {
		if r.ID <= systemGroups[len(systemGroups)-1].id {
			return menu.Errorf(menu.Refused, "failure: can not remove system group")
		}
		var err error
		t.referrers(b, r.ID, func(from *table, _ *menu.Row) bool {
			if from.menu.Path() == userPath {
				err = menu.Errorf(menu.Refused, "failure: group has some users")
			}
			return err == nil
		})
		return err
	}
	return b
}
