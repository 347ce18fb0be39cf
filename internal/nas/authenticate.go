package nas

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/radius"
	"gopptp/internal/shape"
	"gopptp/ppp/auth"
)

// patience bounds the wait for all servers together. The client gives up sooner or
// later, and would only begin anew.
const patience = 30 * time.Second

// Authenticate asks the servers about a user, if RADIUS is used.
func (n *NAS) Authenticate(ctx context.Context, req *auth.Request, call aaa.Call) *aaa.Grant {
	n.mu.Lock()
	use := n.settings.UseRADIUS
	n.mu.Unlock()
	if !use {
		return &aaa.Grant{Reason: "unknown user"}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := n.client.Authenticate(ctx, radius.Request{Session: sessionOf(req.Name, req.Domain, call), Credentials: req})
	switch {
	case errors.Is(err, radius.ErrNoServer):
		return &aaa.Grant{Reason: "unknown user, and no radius server for the session"}
	case errors.Is(err, radius.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return &aaa.Grant{Reason: radius.ErrTimeout.Error(), Public: true}
	case err != nil:
		return &aaa.Grant{Reason: err.Error()}
	case !answer.Accepted:
		return &aaa.Grant{Reason: answer.Reason, Result: answer.Result}
	}
	grant, known := n.sessions.Grant(answer.Policy.Profile, call)
	if !known {
		n.log.Addf("radius,warning", "user %.64q: the group %.64q of a server is no profile: %s is used", req.Name, answer.Policy.Profile, grant.Service)
	}
	grant.OK, grant.Radius, grant.User, grant.Result = true, true, req.Name, answer.Result
	n.overlay(grant, &answer.Policy)
	return grant
}

// sessionOf is what a server is told of a session.
func sessionOf(user, domain string, call aaa.Call) radius.Session {
	return radius.Session{
		User: user, Domain: domain, ID: fmt.Sprintf("%08X", call.SessionID), Port: call.Port, Calling: call.CallerID, Called: call.CalledID,
	}
}

// overlay lays what the server orders over what the profile says.
func (n *NAS) overlay(g *aaa.Grant, p *radius.Policy) {
	g.Class, g.Interim = p.Class, p.Interim
	switch {
	case p.Address.IsValid():
		g.Remote, g.RemotePool = p.Address, ""
	case p.Pool != "":
		g.Remote, g.RemotePool = p.Address, p.Pool
	}
	if len(p.DNS) > 0 {
		g.DNS = p.DNS
	}
	if len(p.WINS) > 0 {
		g.WINS = p.WINS
	}
	switch p.Encryption {
	case radius.EncryptionAllowed:
		if g.Encryption != aaa.Required { // FreeRADIUS allows it to everybody, unasked
			g.Encryption = aaa.Yes
		}
	case radius.EncryptionRequired:
		g.Encryption = aaa.Required
	}
	if p.TypesKnown {
		if p.EncryptionTypes == 0 && g.Encryption != aaa.Required {
			g.Encryption = aaa.No
		}
		g.Only128 = p.EncryptionTypes&radius.Type40Bit == 0
	}

	q := &g.Policy
	// Of a user whom RADIUS knows, RADIUS says how many sessions there may be.
	q.PortLimit = int(min(p.PortLimit, 1<<30))
	q.SessionTimeout = cmp.Or(p.SessionTimeout, q.SessionTimeout)
	if !p.TerminateAt.IsZero() {
		left := max(time.Until(p.TerminateAt), time.Second)
		if q.SessionTimeout == 0 || left < q.SessionTimeout {
			q.SessionTimeout = left
		}
	}
	q.IdleTimeout = cmp.Or(p.IdleTimeout, q.IdleTimeout)
	q.LimitIn, q.LimitOut, q.LimitTotal = p.ReceiveLimit, p.TransmitLimit, p.TotalLimit
	q.IncomingFilter = cmp.Or(p.FilterIn, q.IncomingFilter)
	q.OutgoingFilter = cmp.Or(p.FilterOut, q.OutgoingFilter)
	if len(p.AddressLists) > 0 {
		q.AddressLists = p.AddressLists
	}
	if p.Rate != "" {
		n.rate(q, p.Rate)
	}
	if p.Network.IsValid() {
		q.Routes = append(q.Routes, aaa.Route{Dst: p.Network.Masked(), Distance: 1})
	}
	for _, r := range p.Routes {
		q.Routes = append(q.Routes, aaa.Route{Dst: r.Dst, Gateway: r.Gateway, Distance: max(r.Metric, 1)})
	}
}

// rate puts a rate limit in force. One that makes no sense is told, and left.
func (n *NAS) rate(q *aaa.Policy, text string) {
	limit, err := shape.Parse(text)
	if err != nil {
		n.log.Addf("radius,warning", "rate limit %.64q of a server is ignored: %v", text, err)
		return
	}
	q.Rate = limit
}
