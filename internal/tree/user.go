package tree

import "gopptp/internal/menu"

// A User is who asks for an operation, with what they may do.
type User struct {
	Name     string
	Policies menu.Policy
}

// Admin is the user behind the local socket: root, who could read the database
// as well.
func Admin() User {
	return User{Name: "admin", Policies: menu.AllPolicies}
}

// May reports whether the user has all of p.
func (u User) May(p menu.Policy) bool { return u.Policies&p == p }

// mask is what a sensitive value looks like to those who may not see it.
const mask = "*****"

// masked hides sensitive values from a user without the policy; it may change r.
func (u User) masked(r *menu.Row) *menu.Row {
	if u.May(menu.Sensitive) {
		return r
	}
	for i := range r.Menu.Properties {
		p := &r.Menu.Properties[i]
		if _, there := r.Lookup(p.Name); there && p.Sensitive {
			r.Put(p.Name, mask)
		}
	}
	return r
}
