package auth

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"gopptp/mppe"
)

// TestBothSides wires both machines together. However bad the channel, both ends
// must agree, and a wrong password must never pass.
func TestBothSides(t *testing.T) {
	for _, m := range allMethods {
		for _, user := range []string{"user", `DOMAIN\user`, "", "пользователь"} {
			t.Run(m.String()+"/"+user, func(t *testing.T) {
				for seed := range uint64(60) {
					rng := rand.New(rand.NewPCG(seed, 1))
					c := channel{
						rng: rng, serverPassword: "сlientPass☂",
						lose: 0.5 * rng.Float64(), dup: 0.5 * rng.Float64(),
						maxDelay: time.Duration(rng.Int64N(int64(4*time.Second))) + 1,
						lookup:   time.Duration(rng.Int64N(int64(8 * time.Second))),
					}
					if seed == 0 {
						c.lose, c.dup, c.maxDelay, c.lookup = 0, 0, 0, 0
					}
					right := seed%3 != 2
					password := c.serverPassword
					if !right {
						password += "x"
					}
					a, p := newAuthenticator(t, m), newPeer(t, m, user, password)
					c.run(t, a, p)
					if len(c.authDone) != 1 || len(c.peerDone) != 1 || c.requests > 1 {
						t.Fatalf("seed %d: %d results of the server, %d of the client, %d requests", seed, len(c.authDone), len(c.peerDone), c.requests)
					}
					server, client := c.authDone[0], c.peerDone[0]
					if !right {
						if server.Err == nil || client.Err == nil || server.Keys != nil || client.Keys != nil {
							t.Fatalf("seed %d: a wrong password passes", seed)
						}
						continue
					}
					if server.Err != nil || client.Err != nil {
						// Half of all packets lost at most, ten tries: an honest
						// failure is a timeout, and rare.
						if c.lose < 0.3 {
							t.Errorf("seed %d: server %v, client %v", seed, server.Err, client.Err)
						}
						if !errors.Is(cmp.Or(server.Err, client.Err), ErrTimeout) {
							t.Errorf("seed %d: server %v, client %v", seed, server.Err, client.Err)
						}
						continue
					}
					sameKeys(t, server.Keys, client.Keys)
					if has, want := client.Keys != nil, m >= MSCHAPv1; has != want {
						t.Errorf("keys: %v, want %v", has, want)
					}
				}
			})
		}
	}
}

func TestKeysDiffer(t *testing.T) {
	run := func(m Method) *mppe.Keys {
		c := channel{rng: rand.New(rand.NewPCG(1, 1)), serverPassword: "p"}
		c.run(t, newAuthenticator(t, m), newPeer(t, m, "u", "p"))
		return c.peerDone[0].Keys
	}
	k1, k2 := run(MSCHAPv2), run(MSCHAPv2)
	if k1.Send.Long == k1.Receive.Long || k1.Send.Long == k2.Send.Long {
		t.Error("MS-CHAPv2: the keys of both directions or of two sessions are the same")
	}
	if k1.Send.Short != [8]byte(k1.Send.Long[:8]) {
		t.Error("MS-CHAPv2: the short key is not the head of the long one")
	}
	k1, k2 = run(MSCHAPv1), run(MSCHAPv1)
	if k1.Send != k1.Receive || k1.Send.Long == k2.Send.Long {
		t.Error("MS-CHAPv1: the keys of both directions differ, or those of two sessions do not")
	}
	if k1.Send.Short != k2.Send.Short {
		t.Error("MS-CHAPv1: the short key depends on the challenge")
	}
}

// TestEmptyPassword: an empty password is one like any other.
func TestEmptyPassword(t *testing.T) {
	for _, m := range allMethods {
		for _, c := range []struct {
			server, client string
			ok             bool
		}{{"", "", true}, {"", "x", false}, {"x", "", false}} {
			ch := channel{rng: rand.New(rand.NewPCG(1, 1)), serverPassword: c.server}
			ch.run(t, newAuthenticator(t, m), newPeer(t, m, "u", c.client))
			if got := ch.authDone[0].Err == nil; got != c.ok {
				t.Errorf("%v: server %q, client %q: ok %v", m, c.server, c.client, got)
			}
		}
	}
}
