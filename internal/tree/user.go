package tree

import (
	"net/netip"

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

	via    login.Door // empty for the program itself
	from   netip.Addr // not valid behind the local door
	script string     // that acts for the user; empty for none

	batch bool // the changes that the user asks for are part of a batch
}

// Admin is the user behind the local socket: root, who could read the database
// as well.
func Admin() User {
	return User{Name: "admin", Policies: menu.AllPolicies, via: login.DoorLocal}
}

// Visitor is somebody whom the gate let in. What they may do is asked again for each
// operation: it ends with their session.
func Visitor(u login.User) User {
	return User{Name: u.Name, Policies: u.Policies, session: u.Session, account: u.Account, via: u.Via, from: u.From}
}

// Running gives the user as a script acts for them, for the log.
func (u User) Running(script string) User {
	u.script = script
	return u
}

// origin is the user as the log names who changed something, with the door, the
// address and the script, as RouterOS writes them: api:admin@192.0.2.1.
func (u User) origin() string {
	s := u.Name
	if u.via != "" {
		s = string(u.via) + ":" + s
	}
	if u.from.IsValid() {
		s += "@" + u.from.String()
	}
	if u.script != "" {
		s += "/script:" + u.script
	}
	return s
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
