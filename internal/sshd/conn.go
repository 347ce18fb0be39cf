package sshd

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"

	"gopptp/internal/login"
	"gopptp/internal/tree"
)

// A client is one connection.
type client struct {
	*Server
	from       netip.Addr
	parameters parameters
	user       login.User
	leave      func() // nil until somebody is in
	end        func() // ends the connection
}

// serveConn lets somebody in and serves their sessions. It returns when the
// connection and all that belongs to it has ended.
func (s *Server) serveConn(ctx context.Context, conn net.Conn, from netip.Addr) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &client{Server: s, from: from, end: func() { cancel(); conn.Close() }}
	defer func() {
		if c.leave != nil {
			c.leave()
		}
	}()
	secure, channels, requests, err := c.handshake(ctx, conn)
	s.settled(from)
	if err != nil {
		return // Login has logged what matters; strangers who scan do not
	}
	var all sync.WaitGroup
	defer all.Wait()
	defer secure.Close()
	defer cancel()
	all.Go(func() { ssh.DiscardRequests(requests) }) // ends with the connection
	var open atomic.Int32
	for channel := range channels {
		switch {
		case channel.ChannelType() != "session":
			_ = channel.Reject(ssh.Prohibited, "there is no forwarding")
		case open.Load() >= maxChannels:
			_ = channel.Reject(ssh.ResourceShortage, "too many sessions")
		default:
			open.Add(1)
			all.Go(func() {
				defer open.Add(-1)
				c.serveChannel(ctx, channel)
			})
		}
	}
}

// handshake lets somebody in.
func (c *client) handshake(ctx context.Context, conn net.Conn) (*ssh.ServerConn, <-chan ssh.NewChannel, <-chan *ssh.Request, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	secure, channels, requests, err := ssh.NewServerConn(conn, c.config(ctx))
	if !stop() && err == nil { // the time was up at this very moment
		secure.Close()
		return nil, nil, nil, context.Cause(ctx)
	}
	return secure, channels, requests, err
}

// config is the configuration of one connection, which knows whom it lets in.
func (c *client) config(ctx context.Context) *ssh.ServerConfig {
	in := func(u login.User, leave func(), err error) (*ssh.Permissions, error) {
		if err != nil {
			return nil, err
		}
		c.user, c.leave = u, leave
		return &ssh.Permissions{}, nil
	}
	attempt := func(meta ssh.ConnMetadata) login.Attempt {
		var name string
		name, c.parameters = splitName(meta.User())
		return login.Attempt{Door: login.DoorSSH, From: c.from, Name: name, End: c.end}
	}
	cfg := &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-gopptp",
		MaxAuthTries:  maxTries,
		PasswordCallback: func(meta ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			a := attempt(meta)
			a.Password = string(password)
			return in(c.cfg.Login(ctx, a))
		},
	}
	if c.cfg.Knows != nil {
		cfg.PublicKeyCallback = func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if !c.cfg.Knows(attempt(meta).Name, key.Marshal()) {
				return nil, login.ErrDenied
			}
			return &ssh.Permissions{}, nil
		}
		cfg.VerifiedPublicKeyCallback = func(meta ssh.ConnMetadata, key ssh.PublicKey, _ *ssh.Permissions, _ string) (*ssh.Permissions, error) {
			return in(c.cfg.LoginKey(ctx, attempt(meta), key.Marshal()))
		}
	}
	for _, key := range c.cfg.HostKeys {
		cfg.AddHostKey(key)
	}
	return cfg
}

// treeUser is the user as the tree knows them.
func (c *client) treeUser() tree.User { return tree.Visitor(c.user) }
