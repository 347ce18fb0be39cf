package api

import (
	"context"
	"crypto/md5" // insecure: the login of versions before 6.43 is made of it
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"time"

	"gopptp/internal/login"
	"gopptp/internal/tree"
)

// challengeLen is the length of a challenge in octets.
const challengeLen = 16

// login answers /login, in both its forms. A client that is in may log in again,
// as somebody else too; commands that run stay with who asked for them.
func (c *conn) login(ctx context.Context, s sentence) error {
	r := c.reply(s)
	name, named := s.attribute("name")
	if !named {
		c.challenge = make([]byte, challengeLen)
		rand.Read(c.challenge) // never fails
		return r.doneWith(hex.EncodeToString(c.challenge))
	}
	password, plain := s.attribute("password")
	if response, old := s.attribute("response"); old && !plain {
		password = c.passwordOf(name, response)
	}
	u, leave, err := c.server.cfg.Login(ctx, login.Attempt{
		Door: login.DoorAPI, From: c.from, Name: name, Password: password, End: c.dismiss,
	})
	if err != nil {
		if !errors.Is(err, login.ErrDenied) {
			return r.trap(&trap{categoryGeneral, "action failed (6)"})
		}
		return r.trap(&trap{categoryNone, login.ErrDenied.Error()})
	}
	if c.leave != nil {
		c.leave()
	}
	c.known()
	c.user, c.leave = tree.Visitor(u), leave
	return r.done()
}

// dismiss ends the conversation after what is being answered.
func (c *conn) dismiss() {
	c.dismissed.Store(true)
	_ = c.conn.SetReadDeadline(time.Unix(0, 0)) // if it fails, the connection has ended
}

// passwordOf gives the password that the response to the open challenge proves to
// be known. For a wrong response it is the response itself: so a failure is
// counted and told like any other, and nobody comes in who does not know the
// password. A challenge is good for one response.
func (c *conn) passwordOf(name, response string) string {
	challenge := c.challenge
	c.challenge = nil
	if challenge == nil || c.server.cfg.Clear == nil {
		return response
	}
	password, ok := c.server.cfg.Clear(name)
	if !ok {
		return response
	}
	sum := md5.Sum(append(append([]byte{0}, password...), challenge...))
	if want := "00" + hex.EncodeToString(sum[:]); subtle.ConstantTimeCompare([]byte(want), []byte(response)) != 1 {
		return response
	}
	return password
}
