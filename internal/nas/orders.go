package nas

import (
	"errors"
	"fmt"
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
	domain, _, there := strings.Cut(s.User, `\`)
	if !there {
		domain = ""
	}
	return radius.Session{
		User: s.User, Domain: domain, ID: fmt.Sprintf("%08X", s.SessionID), Port: uint32(s.ID), Calling: s.CallerID, Called: s.CalledID,
	}
}

// Disconnect implements radius.Sessions.
func (o orders) Disconnect(id uint64) error {
	if !o.sessions.Disconnect(id) {
		return errGone
	}
	return nil
}

// errGone says that a session has ended meanwhile.
var errGone = errors.New("the session has ended")

// Change implements radius.Sessions. What makes no sense changes nothing.
func (o orders) Change(id uint64, c radius.Change) error {
	var limit shape.Limit
	if c.Rate != nil {
		var err error
		if limit, err = shape.Parse(*c.Rate); err != nil {
			return err
		}
	}
	found, err := o.sessions.Change(id, func(p *aaa.Policy) {
		if c.Profile != nil {
			regroup(p, o.sessions.Grant(*c.Profile, aaa.Call{}).Policy)
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
		return errGone
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
// changed without a new connection.
func regroup(p *aaa.Policy, profile aaa.Policy) {
	p.Rate, p.IdleTimeout, p.SessionTimeout = profile.Rate, profile.IdleTimeout, profile.SessionTimeout
	p.IncomingFilter, p.OutgoingFilter = profile.IncomingFilter, profile.OutgoingFilter
	p.AddressLists, p.InterfaceList = profile.AddressLists, profile.InterfaceList
}
