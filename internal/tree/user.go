package tree

import (
	"gopptp/internal/login"
	"gopptp/internal/menu"
)

// A User is who asks for an operation, with what they may do.
type User struct {
	Name     string
	Policies menu.Policy

	// The gate's, and 0 for whom /user has no power over. What goes on without a
	// session has an account alone.
	session, account uint64

	batch bool // the changes that the user asks for are part of a batch
}

// Admin is the user behind the local socket: root, who could read the database
// as well.
func Admin() User {
	return User{Name: "admin", Policies: menu.AllPolicies}
}

// Visitor is somebody whom the gate let in. What they may do is asked again for each
// operation: it ends with their session.
func Visitor(u login.User) User {
	return User{Name: u.Name, Policies: u.Policies, session: u.Session, account: u.Account}
}

// present gives the user as they are now, or an error if they are logged in no
// longer.
func (t *Tree) present(u User) (User, error) {
	var now login.User
	var in bool
	switch {
	case u.session != 0:
		now, in = t.gate.Present(u.session)
	case u.account != 0:
		now, in = t.gate.Standing(u.account)
	default:
		return u, nil
	}
	if !in {
		return User{}, menu.Errorf(menu.Forbidden, "not logged in")
	}
	u.Name, u.Policies = now.Name, now.Policies
	return u, nil
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
