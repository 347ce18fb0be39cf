package web

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"gopptp/internal/login"
	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// The limits of the door.
const (
	// maxVisits bounds the sessions: more than people look at one system. The one
	// that was not used for longest makes room.
	maxVisits = 256
	// maxVisitsOf bounds those of one user in the same way, so that nobody's sessions
	// end because somebody else comes in again and again.
	maxVisitsOf = 32
	// maxStreams bounds the logs and consoles of one session. A browser has six
	// connections to a server.
	maxStreams = 6
	// defaultInactivity is for a user whose row says nothing; it is the default of
	// the row.
	defaultInactivity = 10 * time.Minute
)

// tokenSize is how much of a session's token nobody can guess, in octets.
const tokenSize = 32

// A digest is all that is kept of a token: who reads this memory cannot come in
// with it.
type digest [sha256.Size]byte

// A visit is a session of somebody who came in. What it is about to do ends with
// over.
type visit struct {
	user  login.User // as they came in
	gate  *login.Gate
	leave func()
	over  chan struct{}
	once  sync.Once

	mu      sync.Mutex
	active  time.Time // when the person did something last
	streams int
}

// end says that the session is over. It does not wait.
func (v *visit) end() { v.once.Do(func() { close(v.over) }) }

// ended reports whether the session is over.
func (v *visit) ended() bool {
	select {
	case <-v.over:
		return true
	default:
		return false
	}
}

// now gives the user with the policies that they have at this moment; ok is false
// when they are in no longer.
func (v *visit) now() (u login.User, ok bool) {
	if v.ended() {
		return login.User{}, false
	}
	return v.gate.Present(v.user.Session)
}

// may reports whether the user has all of p.
func (v *visit) may(p menu.Policy) bool {
	u, ok := v.now()
	return ok && u.Policies&p == p
}

// treeUser gives the user as the tree knows them, which asks again for each
// operation what they may do.
func (v *visit) treeUser() tree.User {
	u, ok := v.now()
	if !ok {
		u = v.user // the tree refuses them
		u.Policies = 0
	}
	return tree.Visitor(u)
}

// touch says that the person did something.
func (v *visit) touch() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.active = time.Now()
}

// inactivity is how long a user may do nothing.
func inactivity(u login.User) time.Duration { return cmp.Or(u.Inactivity, defaultInactivity) }

// idle reports whether the person did nothing for too long.
func (v *visit) idle(now time.Time) bool {
	u, _ := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	return now.Sub(v.active) >= inactivity(u)
}

// last is when the person did something last.
func (v *visit) last() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.active
}

// visits are the sessions, by the digests of their tokens.
type visits struct {
	mu     sync.Mutex
	in     map[digest]*visit
	closed bool
}

// digestOf gives what is kept of a token. A token is random, so that its digest
// needs no salt.
func digestOf(token string) digest { return sha256.Sum256([]byte(token)) }

// add keeps a session and gives its token; ok is false when the door is closed.
func (a *visits) add(v *visit) (token string, ok bool) {
	b := make([]byte, tokenSize)
	rand.Read(b) // never fails
	token = base64.RawURLEncoding.EncodeToString(b)
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return "", false
	}
	over := a.surplusLocked(v.user.Account)
	a.forgetLocked(over)
	a.in[digestOf(token)] = v
	a.mu.Unlock()
	if over != nil {
		over.release()
	}
	return token, true
}

// surplusLocked gives the session that makes room for another of a user, or nil.
func (a *visits) surplusLocked(account uint64) *visit {
	var own, all []*visit
	for _, v := range a.in {
		all = append(all, v)
		if v.user.Account == account {
			own = append(own, v)
		}
	}
	older := func(a, b *visit) int { return a.last().Compare(b.last()) }
	switch {
	case len(own) >= maxVisitsOf:
		return slices.MinFunc(own, older)
	case len(all) >= maxVisits:
		return slices.MinFunc(all, older)
	}
	return nil
}

// release ends a session that is kept no longer.
func (v *visit) release() {
	v.end()
	v.leave()
}

// find gives the session of a token, unless it is over. A look at it is no
// activity.
func (a *visits) find(token string) *visit {
	d := digestOf(token)
	a.mu.Lock()
	v := a.in[d]
	a.mu.Unlock()
	if v == nil {
		return nil
	}
	if _, in := v.now(); !in || v.idle(time.Now()) {
		a.remove(v)
		return nil
	}
	return v
}

// remove ends a session.
func (a *visits) remove(v *visit) {
	a.mu.Lock()
	a.forgetLocked(v)
	a.mu.Unlock()
	v.release()
}

// forgetLocked keeps a session no longer.
func (a *visits) forgetLocked(v *visit) {
	for d, other := range a.in {
		if other == v {
			delete(a.in, d)
		}
	}
}

// all gives the sessions.
func (a *visits) all() []*visit {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]*visit, 0, len(a.in))
	for _, v := range a.in {
		out = append(out, v)
	}
	return out
}

// sweep ends the sessions that are over, or that nobody uses.
func (a *visits) sweep(now time.Time) {
	for _, v := range a.all() {
		if _, in := v.now(); !in || v.idle(now) {
			a.remove(v)
		}
	}
}

// close ends all sessions; there will be no more.
func (a *visits) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	for _, v := range a.all() {
		a.remove(v)
	}
}

// stream counts a stream of a session, of which done is called at the end; ok is
// false when it has too many, or when the door is closed.
func (s *Server) stream(v *visit) (done func(), ok bool) {
	s.visits.mu.Lock()
	defer s.visits.mu.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	if s.visits.closed || v.streams >= maxStreams {
		return nil, false
	}
	v.streams++
	s.streams.Add(1)
	return func() {
		v.mu.Lock()
		v.streams--
		v.mu.Unlock()
		s.streams.Done()
	}, true
}

// visitKey is where a request's context has its session.
type visitKey struct{}

// visitOf gives the session of a request that was let in.
func visitOf(r *http.Request) *visit { return r.Context().Value(visitKey{}).(*visit) }

// The cookie of a session. Over TLS it has another name, which a page in clear
// cannot set: whoever changes what comes over http must not slip a session under
// that of https.
const (
	cookieName       = "gopptp_session"
	secureCookieName = "__Secure-" + cookieName
)

// cookieOf gives the name of the cookie for a request.
func cookieOf(r *http.Request) string {
	if r.TLS != nil {
		return secureCookieName
	}
	return cookieName
}

// cookie makes the cookie of a token; an empty one takes it away. A page that a
// proxy gives over TLS says so in the origin of its requests.
func cookie(r *http.Request, token string) *http.Cookie {
	c := &http.Cookie{
		Name: cookieOf(r), Value: token, Path: Prefix, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || strings.HasPrefix(r.Header.Get("Origin"), "https://"),
	}
	if token == "" {
		c.MaxAge = -1
	}
	return c
}

// current gives the session that a request belongs to, or nil.
func (s *Server) current(r *http.Request) *visit {
	for _, c := range r.CookiesNamed(cookieOf(r)) {
		if v := s.visits.find(c.Value); v != nil {
			return v
		}
	}
	return nil
}

// backgroundHeader says that no person caused a request.
const backgroundHeader = "X-Background"

// enter gives the session that a request belongs to, or nil, and notes what it
// says of the person.
func (s *Server) enter(r *http.Request) *visit {
	v := s.current(r)
	if v != nil && r.Header.Get(backgroundHeader) == "" && !slices.Contains(passive, r.URL.Path) {
		v.touch()
	}
	return v
}

// passive are the requests that a browser repeats by itself, without a header of
// the page's.
var passive = []string{"/web/api/log"}
