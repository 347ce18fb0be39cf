package nas

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopptp/internal/aaa"
	"gopptp/internal/radius"
	"gopptp/internal/session"
	"gopptp/internal/shape"
)

// orders does what servers ask for live sessions.
type orders struct{ *NAS }

// Find implements radius.Sessions.
func (o orders) Find(m radius.Match) []uint64 {
	var found []uint64
	for _, s := range o.sessions.Active() {
		if m.Has(told(s), s.RemoteAddress) {
			found = append(found, s.ID)
		}
	}
	return found
}

// told is a session as servers know it.
func told(s session.Status) radius.Session {
	return radius.Session{
		User: s.User, Domain: s.User[:max(strings.LastIndexByte(s.User, '\\'), 0)], ID: fmt.Sprintf("%08X", s.SessionID), Port: uint32(s.ID),
		Calling: s.CallerID, Called: s.CalledID,
	}
}

// Disconnect implements radius.Sessions.
func (o orders) Disconnect(id uint64) error {
	if !o.sessions.Disconnect(id) {
		return radius.ErrGone
	}
	return nil
}

// errGroup says that a Mikrotik-Group is no profile.
var errGroup = errors.New("no profile has the name of the group")

// Change implements radius.Sessions. What makes no sense changes nothing.
func (o orders) Change(id uint64, c radius.Change) error {
	var limit shape.Limit
	if c.Rate != nil {
		var err error
		if limit, err = shape.Parse(*c.Rate); err != nil {
			return err
		}
	}
	if c.Profile != nil {
		if _, known := o.sessions.Grant(*c.Profile, aaa.Call{}); !known {
			return fmt.Errorf("%w: %.64q", errGroup, *c.Profile)
		}
	}
	found, err := o.sessions.Change(id, func(g *aaa.Grant, p *aaa.Policy) {
		if c.Profile != nil {
			profile, _ := o.sessions.Grant(*c.Profile, aaa.Call{DefaultProfile: g.Service})
			regroup(p, g.Profile, profile.Profile)
			g.Profile = profile.Profile
		}
		set(&p.IncomingFilter, c.FilterIn)
		set(&p.OutgoingFilter, c.FilterOut)
		set(&p.SessionTimeout, c.SessionTimeout)
		set(&p.IdleTimeout, c.IdleTimeout)
		set(&p.LimitIn, c.ReceiveLimit)
		set(&p.LimitOut, c.TransmitLimit)
		set(&p.LimitTotal, c.TotalLimit)
		if c.PortLimit != nil {
			p.PortLimit = int(min(*c.PortLimit, 1<<30))
		}
		if c.Rate != nil {
			p.Rate = limit
		}
	})
	switch {
	case err != nil:
		return err
	case !found:
		return radius.ErrGone
	}
	if c.Class != nil {
		o.mu.Lock()
		a := o.accounted[id]
		o.mu.Unlock()
		if a != nil {
			a.setClass(c.Class)
		}
	}
	return nil
}

// setClass sets what further records of the session have as Class.
func (a *account) setClass(class [][]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.record.Class = class
}

// set changes a value that the server orders.
func set[T any](value *T, order *T) {
	if order != nil {
		*value = *order
	}
}

// regroup gives a live session what another profile says, as far as that can be
// changed without a new connection. What a server has ordered beside the profile
// stays, as it does when a session begins.
func regroup(p *aaa.Policy, old, profile aaa.Policy) {
	replace(&p.Rate, old.Rate, profile.Rate)
	replace(&p.IdleTimeout, old.IdleTimeout, profile.IdleTimeout)
	replace(&p.SessionTimeout, old.SessionTimeout, profile.SessionTimeout)
	replace(&p.IncomingFilter, old.IncomingFilter, profile.IncomingFilter)
	replace(&p.OutgoingFilter, old.OutgoingFilter, profile.OutgoingFilter)
	replace(&p.InterfaceList, old.InterfaceList, profile.InterfaceList)
	if slices.Equal(p.AddressLists, old.AddressLists) {
		p.AddressLists = profile.AddressLists
	}
}

// replace changes a value that is the old profile's.
func replace[T comparable](value *T, old, profile T) {
	if *value == old {
		*value = profile
	}
}
