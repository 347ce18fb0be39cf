package rest

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"gopptp/internal/login"
	"gopptp/internal/tree"
)

// trusted is how long a connection that sends the same name and password is
// believed without asking again. RouterOS writes a line about each connection,
// not each request; but a user who was removed must not stay for ever.
const trusted = 30 * time.Second

// A connection remembers who logged in over it. It has no password, only a
// digest that nothing but this process can make.
type connection struct {
	mu     sync.Mutex
	closed bool
	digest [sha256.Size]byte
	user   tree.User
	leave  func()       // nil while nobody is in
	over   *atomic.Bool // the login was ended by another
	until  time.Time
	epoch  uint64 // of the handler when the user came in
}

// connectionKey is where a request's context has its connection.
type connectionKey struct{}

// close ends the login of a connection. One whose login is not over yet ends it
// itself.
func (c *connection) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.forget()
}

// forget ends the login. The caller holds mu.
func (c *connection) forget() {
	if c.leave != nil {
		c.leave()
		c.leave = nil
	}
}

// A gate lets requests in.
type gate struct {
	login login.Login
	key   [sha256.Size]byte
	epoch atomic.Uint64 // grows when users change; logins from before are not believed
}

func newGate(l login.Login) *gate {
	g := &gate{login: l}
	rand.Read(g.key[:]) // never fails
	return g
}

// enter lets the sender of a request in. Done is called when the request was
// answered.
func (g *gate) enter(r *http.Request) (u tree.User, done func(), err error) {
	name, password, ok := r.BasicAuth()
	if !ok {
		return tree.User{}, nil, errUnauthorized
	}
	from, _ := netip.ParseAddrPort(r.RemoteAddr)
	attempt := login.Attempt{Door: login.DoorRESTAPI, From: from.Addr().Unmap(), Name: name, Password: password}
	c, ok := r.Context().Value(connectionKey{}).(*connection)
	if !ok { // a server of somebody else: each request stands for itself
		return g.ask(r.Context(), attempt)
	}
	mac := hmac.New(sha256.New, g.key[:])
	mac.Write([]byte(r.Header.Get("Authorization")))
	digest := [sha256.Size]byte(mac.Sum(nil))
	epoch := g.epoch.Load()

	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leave != nil && !c.over.Load() && c.epoch == epoch && time.Now().Before(c.until) && hmac.Equal(c.digest[:], digest[:]) {
		return c.user, func() {}, nil
	}
	c.forget()
	over := new(atomic.Bool)
	attempt.End = func() { over.Store(true) }
	u, leave, err := g.ask(r.Context(), attempt)
	if err != nil {
		return tree.User{}, nil, err
	}
	c.digest, c.user, c.leave, c.over, c.until, c.epoch = digest, u, leave, over, time.Now().Add(trusted), epoch
	if c.closed {
		c.forget()
	}
	return u, func() {}, nil
}

// ask logs somebody in.
func (g *gate) ask(ctx context.Context, a login.Attempt) (tree.User, func(), error) {
	u, leave, err := g.login(ctx, a)
	switch {
	case errors.Is(err, login.ErrDenied):
		return tree.User{}, nil, errUnauthorized
	case err != nil:
		return tree.User{}, nil, errStopping
	}
	return tree.Visitor(u), leave, nil
}
