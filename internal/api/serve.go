package api

import (
	"context"
	"net"

	"gopptp/internal/accept"
	"gopptp/internal/journal"
	"gopptp/internal/login"
	"gopptp/internal/tree"
)

// DefaultSessions is how many connections RouterOS's services take at a time.
const DefaultSessions = 20

// A Config is what the door needs.
type Config struct {
	Tree    *tree.Tree
	Login   login.Login
	Journal *journal.Journal

	// MaxSessions bounds the connections of each listener; zero for
	// DefaultSessions.
	MaxSessions int

	// Clear gives the clear password of a user, which the login of versions
	// before 6.43 needs: its answer to a challenge is a hash over the password.
	// It may be known for some users only: of others, and if it is nil, such clients
	// are challenged and refused, with the words for a wrong password, which they know.
	Clear func(name string) (password string, ok bool)
}

// A Server is the door. It is safe for concurrent use.
type Server struct {
	cfg       Config
	strangers strangers
}

// New makes a server; it starts nothing.
func New(cfg Config) *Server {
	if cfg.MaxSessions <= 0 {
		cfg.MaxSessions = DefaultSessions
	}
	return &Server{cfg: cfg}
}

// Serve answers the clients of a listener until ctx ends, which it returns as the
// cause, or until the listener fails. It closes the listener, and returns after
// the last client. For TLS, l is a TLS listener.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	places := make(chan struct{}, s.cfg.MaxSessions)
	full := false // told in the log
	return accept.Serve(ctx, l, func(conn net.Conn) accept.Handler {
		select {
		case places <- struct{}{}:
			full = false
		default:
			if !full {
				full = true
				s.cfg.Journal.Addf("api,warning", "connection from %s refused: %d sessions are the limit", conn.RemoteAddr(), cap(places))
			}
			return nil
		}
		return func(ctx context.Context) {
			defer func() { <-places }()
			s.serveConn(ctx, conn)
		}
	})
}
