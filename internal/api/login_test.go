package api

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"gopptp/internal/login"
)

// respond makes the answer of an old client to a challenge.
func respond(t *testing.T, challenge, password string) string {
	b, err := hex.DecodeString(challenge)
	if err != nil || len(b) != challengeLen {
		t.Fatalf("challenge %q: %v", challenge, err)
	}
	sum := md5.Sum(slices.Concat([]byte{0}, []byte(password), b))
	return "00" + hex.EncodeToString(sum[:])
}

var denied = [][]string{{"!trap", "=message=invalid user name or password (6)"}, {"!done"}}

func same(a, b [][]string) bool { return slices.EqualFunc(a, b, slices.Equal[[]string]) }

// challenge asks for one.
func (c *client) challenge() string {
	c.t.Helper()
	heard := c.ask("/login")
	if len(heard) != 1 || len(heard[0]) != 2 || heard[0][0] != "!done" || len(heard[0][1]) != len("=ret=")+2*challengeLen {
		c.t.Fatalf("/login is answered by %q", heard)
	}
	return heard[0][1][len("=ret="):]
}

func TestOldLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(cfg *Config) {
			cfg.Clear = func(name string) (string, bool) { return "password", name == "admin" }
		})
		c := b.dial(t)
		first := c.challenge()
		second := c.challenge()
		if first == second {
			t.Error("the same challenge twice")
		}
		if heard := c.ask("/login", "=name=admin", "=response="+respond(t, first, "password")); !same(heard, denied) {
			t.Errorf("the response to an older challenge is answered by %q", heard)
		}
		right := respond(t, second, "password")
		if heard := c.ask("/login", "=name=admin", "=response="+right); !same(heard, denied) {
			t.Errorf("a challenge is good for a second response: %q", heard)
		}
		if heard := c.ask("/login", "=name=admin", "=response="+respond(t, c.challenge(), "wrong")); !same(heard, denied) {
			t.Errorf("a wrong password: %q", heard)
		}
		if heard := c.ask("/login", "=name=nobody", "=response="+respond(t, c.challenge(), "password")); !same(heard, denied) {
			t.Errorf("an unknown name: %q", heard)
		}
		if heard := c.ask("/login", "=name=admin", "=response="+respond(t, c.challenge(), "password")); !same(heard, [][]string{{"!done"}}) {
			t.Errorf("the right password: %q", heard)
		}
		if len(b.attempts) != 5 {
			t.Errorf("%d attempts reached login, want all 5", len(b.attempts))
		}
	})
}

func TestOldLoginWithoutPasswords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		c := b.dial(t)
		if heard := c.ask("/login", "=name=admin", "=response="+respond(t, c.challenge(), "password")); !same(heard, denied) {
			t.Errorf("answered by %q", heard)
		}
		if len(b.attempts) != 1 || b.attempts[0].Door != login.DoorAPI {
			t.Errorf("attempts: %d", len(b.attempts))
		}
		if heard := c.ask("/login", "=name=admin", "=password=password"); !same(heard, [][]string{{"!done"}}) {
			t.Errorf("the other form is answered by %q", heard)
		}
	})
}

func TestLoginFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(cfg *Config) {
			cfg.Login = func(context.Context, login.Attempt) (login.User, func(), error) {
				return login.User{}, nil, errors.New("a secret reason")
			}
		})
		c := b.dial(t)
		want := [][]string{{"!trap", "=category=4", "=message=action failed (6)"}, {"!done"}}
		if heard := c.ask("/login", "=name=admin", "=password=x"); !same(heard, want) {
			t.Errorf("answered by %q", heard)
		}
		if heard := c.ask("/ppp/secret/print"); len(heard) == 0 || heard[0][0] != "!fatal" {
			t.Errorf("a stranger is answered by %q", heard)
		}
	})
}

// TestLeaving holds every login to one leave.
func TestLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		c := b.dial(t)
		c.ask("/login", "=name=admin", "=password=password")
		c.ask("/login", "=name=read", "=password=password")
		c.ask("/login", "=name=read", "=password=wrong")
		if b.inside != 1 {
			t.Errorf("%d users are in after logging in again, want 1", b.inside)
		}
		c.Close()
		<-c.done
		if b.inside != 0 {
			t.Errorf("%d users are in after the end", b.inside)
		}
	})
}
