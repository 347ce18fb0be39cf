package session

import (
	"context"
	"time"

	"gopptp/internal/aaa"
	"gopptp/ppp/auth"
	"gopptp/ppp/link"
)

// maxShown bounds what the log shows of a name that a peer gives, in characters: no
// honest one is longer than what RADIUS can carry (RFC 2865, section 5.1).
const maxShown = 253

// An answer is what became of the question who the peer is.
type answer struct {
	to    int // the number of the question
	req   *auth.Request
	grant *aaa.Grant
}

// authorize looks for the answer to the link's question who the peer is. Whoever
// is known here and has the right password is answered at once; what takes time
// goes on beside the session.
func (s *session) authorize(ctx context.Context, now time.Time, o link.AuthRequest) {
	s.question++
	s.giveUpAsking()
	call := aaa.Call{
		CallerID: s.status.CallerID, CalledID: s.status.CalledID, DefaultProfile: s.defaultProfile,
		SessionID: s.status.SessionID, Port: uint32(s.id),
	}
	grant := s.m.aaa.Authenticate(o.Request, call)
	if grant.OK && s.m.claimUser(ctx, s, grant) == nil {
		s.answered(now, answer{s.question, o.Request, grant})
		return
	}
	ctx, s.giveUpAsking = context.WithCancel(ctx)
	question := s.question
	s.asking.Go(func() {
		a := answer{question, o.Request, s.m.ask(ctx, s, o.Request, call, grant)}
		select {
		case s.answers <- a:
		case <-ctx.Done():
		}
	})
}

// ask does what takes time: it asks those who know users that are no secrets
// here, lets an old session of the user end, and keeps a refusal waiting. It
// returns early when ctx ends.
func (m *Manager) ask(ctx context.Context, s *session, req *auth.Request, call aaa.Call, grant *aaa.Grant) *aaa.Grant {
	decided := true
	if grant.Unknown && m.cfg.Authenticate != nil {
		grant = m.cfg.Authenticate(ctx, req, call)
		decided = ctx.Err() == nil
	}
	if grant.OK {
		grant = m.admit(ctx, s, grant)
		decided = ctx.Err() == nil
	}
	if grant.OK {
		return grant
	}
	if decided { // at once: who hangs up before the answer has tried nevertheless
		s.refuse(req, grant)
	}
	select {
	case <-time.After(m.guard.failed(time.Now(), s.outer)):
	case <-ctx.Done():
	}
	return grant
}

// admit refuses a user who has as many sessions as the policy grants, unless one
// of them is from the same address: then the client has lost it and calls again,
// and the old session makes room.
func (m *Manager) admit(ctx context.Context, s *session, grant *aaa.Grant) *aaa.Grant {
	for {
		rival := m.claimUser(ctx, s, grant)
		if rival == nil {
			return grant
		}
		if rival.outer != s.outer {
			break
		}
		rival.stop(endOnlyOne)
		select {
		case <-rival.gone:
			continue
		case <-ctx.Done():
		}
		break
	}
	return &aaa.Grant{User: grant.User, Reason: endOnlyOne.reason, Public: true}
}

// claimUser makes s a session of the user, unless there are as many as the policy
// grants; then it gives one that stands in the way, from the same address if there
// is one. Who asks when ctx has ended gets nothing: the peer has begun anew, and
// perhaps as somebody else.
func (m *Manager) claimUser(ctx context.Context, s *session, grant *aaa.Grant) (rival *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil {
		return nil
	}
	others := len(m.users[grant.User])
	if m.users[grant.User][s] {
		others--
	}
	if limit := grant.Policy.PortLimit; limit > 0 && others >= limit {
		return m.rivalLocked(s, grant.User)
	}
	m.leaveUser(s)
	if m.users[grant.User] == nil {
		m.users[grant.User] = map[*session]bool{}
	}
	m.users[grant.User][s] = true
	s.claimedUser = grant.User
	return nil
}

// rivalLocked gives another session of a user, from the address of s if there is
// one.
func (m *Manager) rivalLocked(s *session, user string) (rival *session) {
	for other := range m.users[user] {
		if other != s && (rival == nil || other.outer == s.outer) {
			rival = other
		}
	}
	return rival
}

// leaveUser says that s is no session of its user any more. The caller holds mu.
func (m *Manager) leaveUser(s *session) {
	delete(m.users[s.claimedUser], s)
	if len(m.users[s.claimedUser]) == 0 {
		delete(m.users, s.claimedUser)
	}
}

// answered tells the link who the peer is.
func (s *session) answered(now time.Time, a answer) {
	if a.to != s.question {
		return // the peer has begun anew meanwhile
	}
	grant := a.grant
	if grant.OK && !s.loggedIn.IsZero() && grant.User != s.user {
		// The interface has the name of the one, and all of the session is theirs.
		grant = &aaa.Grant{User: grant.User, Reason: "the session is of another user", Public: true}
		s.refuse(a.req, grant)
	}
	if !grant.OK {
		s.refused = s.loggedIn.IsZero()
		s.link.Authorize(now, link.Grant{Result: grant.Result})
		return
	}
	s.m.guard.succeeded(s.outer)
	s.m.guard.leave(s, s.outer)
	s.user = grant.User
	s.lease(grant)
	s.grant = grant
	s.limits.policy = grant.Policy
	if grant.Radius {
		s.limits.begin = time.Time{} // the time that a server gives is what is left from now on
	}
	s.update(func(st *Status) { st.Radius = grant.Radius })
	s.link.Authorize(now, link.Grant{
		Result:     grant.Result,
		Local:      grant.Local,
		Remote:     grant.Remote,
		DNS:        grant.DNS,
		WINS:       grant.WINS,
		Encryption: encryption(grant.Encryption),

		Compression: &grant.Policy.Compression,
		Strengths:   strengthsOf(grant),
		Bridge:      grant.Policy.Bridge.Bridge != "",
	})
}

// refuse notes that the peer did not show who it is. It may be called beside run.
func (s *session) refuse(req *auth.Request, grant *aaa.Grant) {
	s.m.cfg.Journal.Addf("pptp,ppp,error", "%s: user %.*s authentication failed%s", s.name(), maxShown, req.Name, because(grant))
	s.m.cfg.Journal.Debugf("pptp,ppp,debug", "%s: %s", s.name(), grant.Reason)
	s.m.meter.prove(s.side(), req.Method, false)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied = true
	s.past.Refused, s.past.Why, s.past.Method = req.Name, grant.Reason, req.Method
	s.past.Times++
}

// because gives what the log may tell of a refusal without helping those who
// guess: what is not the caller's fault.
func because(g *aaa.Grant) string {
	if g.Public {
		return " - " + g.Reason
	}
	return ""
}
