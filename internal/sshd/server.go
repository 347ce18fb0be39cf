package sshd

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"gopptp/internal/accept"
	"gopptp/internal/login"
	"gopptp/internal/tree"
)

// The limits of the door.
const (
	// handshakeTimeout is how long somebody may take to come in: time to type a
	// password a few times, and for the delays after wrong ones.
	handshakeTimeout = 2 * time.Minute
	// maxTries is how many passwords and keys one connection may offer; a client
	// with an agent offers each of its keys.
	maxTries = 6
	// maxPending is how many connections may be on their way in, and
	// maxPendingFrom how many from one address, so that one stranger cannot keep
	// everybody out.
	maxPending     = 32
	maxPendingFrom = 8
	// maxConnections is how many there may be in all.
	maxConnections = 128
	// maxChannels is how many sessions one connection may have.
	maxChannels = 10
)

// A Config is what the door is given.
type Config struct {
	Tree  *tree.Tree
	Login login.Login
	// Knows reports whether a public key, in the wire form of SSH, would let a user
	// in, and LoginKey lets in who has proved to own it. Both nil for no keys.
	Knows    func(name string, key []byte) bool
	LoginKey func(ctx context.Context, a login.Attempt, key []byte) (u login.User, leave func(), err error)
	HostKeys []ssh.Signer
}

// A Server is the SSH door. Make it with New.
type Server struct {
	cfg Config

	mu      sync.Mutex
	total   int                // connections
	pending map[netip.Addr]int // those that are on their way in
	waiting int                // the sum of pending
}

// New makes a server.
func New(cfg Config) *Server { return &Server{cfg: cfg, pending: map[netip.Addr]int{}} }

// Serve answers connections until ctx ends, which it returns as the cause, or
// until the listener fails. It closes the listener and every connection, and
// returns after the last.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	return accept.Serve(ctx, l, func(conn net.Conn) accept.Handler {
		from := address(conn.RemoteAddr())
		if !s.admit(from) {
			return nil
		}
		return func(ctx context.Context) {
			s.serveConn(ctx, conn, from)
			s.mu.Lock()
			s.total--
			s.mu.Unlock()
		}
	})
}

// address gives the address of a peer, or the zero Addr if it has none.
func address(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// admit counts a connection, if there is room for it.
func (s *Server) admit(from netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total >= maxConnections || s.waiting >= maxPending || s.pending[from] >= maxPendingFrom {
		return false
	}
	s.total++
	s.waiting++
	s.pending[from]++
	return true
}

// settled says that a connection is no longer on its way in.
func (s *Server) settled(from netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting--
	if s.pending[from]--; s.pending[from] == 0 {
		delete(s.pending, from)
	}
}
