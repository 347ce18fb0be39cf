package login

import (
	"fmt"
	"sync"
	"time"
)

// A visit is a session with what it takes to end it.
type visit struct {
	Session
	account uint64 // 0 for whom the kernel vouched
	user    User   // as they came in
	hash    string // of the password that the account had then
	leave   func()
	end     func()
}

// enter notes that somebody is in; leave notes that they went. Account is as it was
// when they proved to be its user: meanwhile they may have lost the right to come
// in.
func (g *Gate) enter(u User, a Attempt, account Account) (in User, leave func(), err error) {
	v := &visit{account: account.ID, user: u, hash: account.Hash, end: a.End}
	g.mu.Lock()
	g.lastID++
	v.Session = Session{ID: g.lastID, When: time.Now(), Name: u.Name, Group: u.Group, From: a.From.Unmap(), Via: a.Door}
	v.user.Session, v.user.Account, v.user.Via, v.user.From = v.ID, account.ID, v.Via, v.From
	if !g.mayStayLocked(v) {
		g.mu.Unlock()
		return User{}, nil, ErrDenied
	}
	where := "via local"
	if v.From.IsValid() {
		where = fmt.Sprintf("from %s via %s", v.From, v.Via)
	}
	v.leave = sync.OnceFunc(func() {
		g.mu.Lock()
		delete(g.sessions, v.ID)
		g.mu.Unlock()
		g.bell.Ring()
		g.journal.Addf("system,info,account", "user %s logged out %s", v.Name, where)
	})
	g.sessions[v.ID] = v
	if account.ID != 0 {
		g.seen[account.ID] = v.When
	}
	g.mu.Unlock()
	g.bell.Ring()
	g.journal.Addf("system,info,account", "user %s logged in %s", v.Name, where)
	return v.user, v.leave, nil
}

// mayStayLocked reports whether a visitor could still come in as they did. A new
// password is no reason to go, but from the page: a browser keeps its session, and
// who changes a password may do so because another has it.
func (g *Gate) mayStayLocked(v *visit) bool {
	account, known := g.accounts[v.account]
	if v.Via == DoorWeb && account.Hash != v.hash {
		return false
	}
	return v.account == 0 || known && !account.Disabled && allowed(account.Allowed, v.From) && g.groups[account.Group].opens(v.Via)
}

// Present gives somebody who came in as they are now: with the policies that they
// have at this moment. ok is false when they are in no longer.
func (g *Gate) Present(session uint64) (u User, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.sessions[session]
	if v == nil || !g.mayStayLocked(v) {
		return User{}, false
	}
	if v.account == 0 {
		return v.user, true
	}
	u = g.userLocked(v.account)
	u.Session, u.Via, u.From = session, v.Via, v.From
	return u, true
}

// Standing gives a user as they are now, whether they are in or not: a script may
// go on for them. ok is false when there is no such user, or none who may come in.
func (g *Gate) Standing(account uint64) (u User, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a, known := g.accounts[account]; !known || a.Disabled {
		return User{}, false
	}
	return g.userLocked(account), true
}

// userLocked is an account as the doors know it.
func (g *Gate) userLocked(id uint64) User {
	account := g.accounts[id]
	group := g.groups[account.Group]
	return User{Name: account.Name, Group: group.Name, Policies: group.may(), Account: id, Inactivity: account.Inactivity}
}

// Dismiss ends a session, and reports whether there was one.
func (g *Gate) Dismiss(session uint64) bool {
	g.mu.Lock()
	v := g.sessions[session]
	g.mu.Unlock()
	if v == nil {
		return false
	}
	v.over()
	return true
}

// sweep ends the sessions of those who may not stay.
func (g *Gate) sweep() {
	var gone []*visit
	g.mu.Lock()
	for _, v := range g.sessions {
		if !g.mayStayLocked(v) {
			gone = append(gone, v)
		}
	}
	g.mu.Unlock()
	for _, v := range gone {
		v.over()
	}
}

// over ends a visit on behalf of another. Nothing is done for it any more, even
// before its door lets go of it.
func (v *visit) over() {
	v.leave()
	if v.end != nil {
		v.end()
	}
}
