package session

import (
	"strings"
	"testing"
	"time"

	"gopptp/ppp/auth"
	"gopptp/ppp/link"
)

func TestChallenges(t *testing.T) {
	var c challenges
	a, b := c.begin(), c.begin()
	a.issue([]byte("one"))
	b.issue([]byte("two"))
	b.issue([]byte("three"))
	for _, own := range []string{"one", "two", "three"} {
		if !c.ours([]byte(own)) {
			t.Errorf("%s is not out", own)
		}
	}
	b.end()
	b.end()
	if !c.ours([]byte("one")) || c.ours([]byte("two")) || c.ours([]byte("three")) || c.ours(nil) || len(c.issued) != 1 {
		t.Errorf("out: %v", c.issued)
	}
}

// TestReflectedChallenge: an impostor calls a server and is called by a client of
// the same program. He cannot have the client answer the server's challenge.
func TestReflectedChallenge(t *testing.T) {
	for _, method := range []auth.Method{auth.CHAP, auth.MSCHAPv1, auth.MSCHAPv2} {
		for _, guarded := range []bool{false, true} {
			var c challenges
			issued := c.begin()
			server := link.Config{Server: true, Auth: []auth.Method{method}, Name: "s", Issue: issued.issue}
			client := link.Config{Auth: []auth.Method{method}, User: "u", Password: "p"}
			if guarded {
				client.Forbidden = c.ours
			}
			now := time.Now()
			s, v := link.New(server), link.New(client) // he only hands on what each of them sends
			s.Start(now)
			v.Start(now)
			asked := false
			for range 50 {
				for o, ok := s.Next(); ok; o, ok = s.Next() {
					switch o := o.(type) {
					case link.Frame:
						v.Input(now, o)
					case link.AuthRequest:
						asked = o.Request.Verify("p").OK
					}
				}
				for o, ok := v.Next(); ok; o, ok = v.Next() {
					if f, ok := o.(link.Frame); ok {
						s.Input(now, f)
					}
				}
			}
			if asked == guarded {
				t.Errorf("%v, guarded %v: the client answered for him: %v", method, guarded, asked)
			}
			if guarded && !strings.Contains(v.Reason(), "authenticate") {
				t.Errorf("%v: the client ends because of %q", method, v.Reason())
			}
		}
	}
}
