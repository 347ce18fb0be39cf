package session

import (
	"strings"
	"testing"
	"time"

	"gopptp/internal/aaa"
	"gopptp/ppp/auth"
)

// pasts gives the calls of the server that are over.
func (p *pair) pasts() (out []Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.events {
		if e.Kind == Over {
			out = append(out, e)
		}
	}
	return out
}

// TestPastOfSession checks what is told of a call when it is over.
func TestPastOfSession(t *testing.T) {
	withPair(t, func(p *pair) {
		began := time.Now()
		p.server.PutSecret(secret(""))
		p.client.PutClient(clientConfig())
		sdev, cdev := p.devices("<pptp-MT-User>")
		p.crosses(cdev, sdev)
		time.Sleep(time.Minute)
		if got := p.pasts(); len(got) != 0 {
			t.Fatalf("before its end: %+v", got)
		}
		p.client.RemoveClient(1)
		time.Sleep(time.Second)
		got := p.pasts()
		if len(got) != 1 {
			t.Fatalf("%+v", got)
		}
		e := got[0]
		if s := e.Status; s.User != "MT-User" || s.RemoteAddress != innerPeer || s.Encoding == "" || s.MTU == 0 || s.ConnectedAt.IsZero() || s.Traffic.RxPackets != 1 {
			t.Errorf("status %+v", s)
		}
		past := *e.Past
		if past.Began.Before(began) || past.Authenticated.Before(past.Began) || past.Authenticated.After(e.Status.ConnectedAt) || past.Method != auth.MSCHAPv2 {
			t.Errorf("past %+v", past)
		}
		if past.Reason != "hungup" || e.Cause != PeerRequest || past.Times != 0 {
			t.Errorf("ended by %q, %v", past.Reason, e.Cause)
		}
	})
}

// TestPastOfRefusal: somebody who is not let in leaves a name and a reason, but no
// password.
func TestPastOfRefusal(t *testing.T) {
	withPair(t, func(p *pair) {
		s := secret("")
		s.Password = "another"
		p.server.PutSecret(s)
		p.client.PutClient(clientConfig())
		time.Sleep(20 * time.Second)
		p.client.RemoveClient(1)
		time.Sleep(time.Second)
		got := p.pasts()
		if len(got) == 0 {
			t.Fatal("nothing was told")
		}
		past := *got[0].Past
		if past.Refused != "MT-User" || past.Times == 0 || !past.Authenticated.IsZero() || past.Why == "" || past.Reason == "" || got[0].Status.User != "" {
			t.Errorf("past %+v of %+v", past, got[0].Status)
		}
		if text := past.Why + past.Reason; strings.Contains(text, "another") || strings.Contains(text, "StrongPass") {
			t.Errorf("it tells a password: %s", text)
		}
	})
}

// TestPastOfStranger: a call that comes to nothing is told of too.
func TestPastOfStranger(t *testing.T) {
	withPair(t, func(p *pair) {
		p.server.PutProfile(5, aaa.Profile{Name: "any"})
		c := clientConfig()
		c.Allow = []auth.Method{auth.PAP} // which the server does not offer
		p.client.PutClient(c)
		time.Sleep(10 * time.Second)
		p.client.RemoveClient(1)
		time.Sleep(time.Second)
		got := p.pasts()
		if len(got) == 0 {
			t.Fatal("nothing was told")
		}
		if past := *got[0].Past; past.Times != 0 || !past.Authenticated.IsZero() || past.Reason == "" {
			t.Errorf("past %+v", past)
		}
	})
}
