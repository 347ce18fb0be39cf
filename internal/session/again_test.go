package session

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/shape"
	"gopptp/internal/tun"
	"gopptp/internal/tun/tuntest"
	"gopptp/ppp/auth"
)

// again has the server's only session negotiate LCP anew, with all that is above it.
func (p *pair) again() {
	p.t.Helper()
	id := p.server.Active()[0].ID
	p.server.mu.Lock()
	s := p.server.sessions[id]
	p.server.mu.Unlock()
	found, err := p.server.Change(id, func(*aaa.Grant, *aaa.Policy) { // by the session's own goroutine
		s.link.Input(time.Now(), []byte{0xff, 0x03, 0xc0, 0x21, 1, 77, 0, 4})
	})
	if !found || err != nil {
		p.t.Fatalf("change: %t, %v", found, err)
	}
	time.Sleep(5 * time.Second)
	synctest.Wait()
}

// TestNetworkComesAgain: a session whose network goes down and comes up again is the
// same one, with the same address, and obeys what holds by then.
func TestNetworkComesAgain(t *testing.T) {
	withPair(t, func(p *pair) {
		slow, err := shape.Parse("1k")
		if err != nil {
			t.Fatal(err)
		}
		profile := aaa.Profile{Name: "pooled", UseEncryption: aaa.Yes, LocalAddress: innerLocal, RemotePool: "pool", RateLimit: &slow}
		p.server.PutPool(1, aaa.Pool{Name: "pool", Ranges: []aaa.Range{{First: innerPeer, Last: innerPeer.Next()}}})
		p.server.PutProfile(5, profile)
		p.server.PutSecret(aaa.Secret{ID: 1, Name: "MT-User", Service: "pptp", Password: "StrongPass", Profile: "pooled"})
		p.client.PutClient(clientConfig())
		p.devices("<pptp-MT-User>")
		before := p.server.Active()[0]

		profile.RateLimit = nil
		p.server.PutProfile(5, profile)
		p.again()
		sdev, cdev := p.devices("<pptp-MT-User>")
		for range 3 { // the limit has gone
			p.crosses(cdev, sdev)
			p.crosses(sdev, cdev)
		}
		if got := p.happened(); got != "up MT-User, down MT-User, up MT-User" {
			t.Errorf("events: %s", got)
		}
		after := p.server.Active()[0]
		if after.ID != before.ID || after.RemoteAddress != before.RemoteAddress || after.Interface != before.Interface {
			t.Errorf("before %+v, after %+v", before, after)
		}
		if used := p.server.PoolUsed(); len(used) != 1 {
			t.Errorf("out of the pool: %v", used)
		}
		p.client.RemoveClient(1)
		time.Sleep(3 * time.Second)
		if used := p.server.PoolUsed(); len(used) != 0 {
			t.Errorf("still out of the pool: %v", used)
		}
	})
}

// TestSessionTimeoutOfAnotherAnswer: a server that is asked again within a session
// says how much time is left from then on.
func TestSessionTimeoutOfAnotherAnswer(t *testing.T) {
	withPair(t, func(p *pair) {
		left := time.Hour
		p.authenticate = func(_ context.Context, req *auth.Request, call aaa.Call) *aaa.Grant {
			g, _ := p.server.Grant("", call)
			g.OK, g.Radius, g.User, g.Result = true, true, req.Name, req.Verify("StrongPass")
			g.Local, g.Remote, g.Policy.SessionTimeout = innerLocal, innerPeer, left
			return g
		}
		p.server.RemoveSecret(1)
		p.client.PutClient(clientConfig())
		p.devices("<pptp-MT-User>")
		time.Sleep(50 * time.Minute)
		left = 30 * time.Minute
		p.again()
		time.Sleep(29 * time.Minute)
		if got := p.happened(); got != "up MT-User, down MT-User, up MT-User" {
			t.Errorf("events: %s", got)
		}
		time.Sleep(time.Minute)
		if got := p.happened(); !strings.Contains(got, "ended MT-User session-timeout") {
			t.Errorf("events: %s", got)
		}
	})
}

// TestAnotherUserTakesNoSession: who authenticates anew within a session must be who
// it belongs to, or the traffic of the one would be accounted to the other.
func TestAnotherUserTakesNoSession(t *testing.T) {
	withPair(t, func(p *pair) {
		c := clientConfig()
		c.User = `DOM\MT-User`
		p.client.PutClient(c)
		p.devices("<pptp-MT-User>")
		first := p.server.Active()[0].ID
		other := secret("default-encryption")
		other.ID, other.Name = 2, c.User
		p.server.PutSecret(other) // the same client is somebody else from here on
		p.again()
		p.server.logged(t,
			`pptp,ppp,error <pptp-MT-User>: user DOM\MT-User authentication failed - the session is of another user`,
			"pptp,ppp,info <pptp-MT-User>: terminating... - authentication failed",
			"pptp,ppp,info <pptp-MT-User>: disconnected")
		if got := p.happened(); !strings.HasPrefix(got, "up MT-User, down MT-User, ended MT-User") {
			t.Errorf("events: %s", got)
		}
		for _, s := range p.server.Active() {
			if s.ID == first || s.User != c.User {
				t.Errorf("active: %+v", s)
			}
		}
	})
}

// TestLateAnswerClaimsNobody: the answer to a question that the peer has taken back
// does not make the session one of the user who was asked about.
func TestLateAnswerClaimsNobody(t *testing.T) {
	m := NewManager(Config{})
	s := &session{m: m}
	ctx, cancel := context.WithCancel(t.Context())
	m.claimUser(t.Context(), s, &aaa.Grant{OK: true, User: "now"})
	cancel()
	m.admit(ctx, s, &aaa.Grant{OK: true, User: "before"})
	if s.claimedUser != "now" || len(m.users) != 1 {
		t.Errorf("the session is of %s; %d users", s.claimedUser, len(m.users))
	}
}

// refitted is a host that tells before an interface is given another configuration.
type refitted struct {
	Host
	before func(InterfaceConfig)
}

type refittedInterface struct {
	Interface
	before func(InterfaceConfig)
}

func (h refitted) CreateInterface(c InterfaceConfig) (Interface, error) {
	i, err := h.Host.CreateInterface(c)
	return refittedInterface{i, h.before}, err
}

func (i refittedInterface) Refit(c InterfaceConfig) error {
	i.before(c)
	return i.Interface.Refit(c)
}

// TestDemandEndsWhileItComesToRest removes a client at the moment in which its
// interface is made to wait again: it must not wait for a packet then.
func TestDemandEndsWhileItComesToRest(t *testing.T) {
	withPair(t, func(p *pair) {
		p.client.cfg.Host = refitted{p.client.host, func(c InterfaceConfig) {
			if c.Remote == standRemote {
				p.client.RemoveClient(1)
				time.Sleep(time.Second)
			}
		}}
		cdev := p.onDemand(nil)
		send(p.t, cdev, udp(standLocal, behind, 1))
		time.Sleep(5 * time.Second)
		p.server.Disconnect(p.server.Active()[0].ID)
		time.Sleep(5 * time.Second)
		if p.client.host.Taken("pptp-out1") {
			t.Error("the client is still there")
			cdev.Close() // or nothing would ever end it
		}
	})
}

// TestDemandOutlivesItsInterface: when somebody removes the interface of a client
// that waits for packets, or it cannot be used for a while, there is a new one.
func TestDemandOutlivesItsInterface(t *testing.T) {
	withPair(t, func(p *pair) {
		cdev := p.onDemand(nil)
		cdev.Close()
		for _, ready := range []string{"removed", "refused"} {
			time.Sleep(5 * time.Second)
			if !p.client.host.Taken("pptp-out1") {
				p.t.Fatalf("%s: no interface:\n%s", ready, p.client.lines())
			}
			c := p.client.host.last
			ctx, cancel := context.WithTimeout(p.t.Context(), time.Second)
			cdev, err := p.client.host.Wait(ctx, "pptp-out1")
			cancel()
			if err != nil {
				p.t.Fatal(err)
			}
			send(p.t, cdev, udp(c.Local, behind, 1))
			time.Sleep(5 * time.Second)
			if len(p.server.Active()) != 1 {
				p.t.Fatalf("%s: not connected:\n%s", ready, p.client.lines())
			}
			p.client.host.refuse(standRemote)
			p.server.Disconnect(p.server.Active()[0].ID)
		}
	})
}

// removable is a host whose interfaces somebody else can remove.
type removable struct{ Host }

type removableInterface struct{ Interface }

func (h removable) CreateInterface(c InterfaceConfig) (Interface, error) {
	i, err := h.Host.CreateInterface(c)
	return removableInterface{i}, err
}

// Wait takes a Close of the device below, which is the test's, for a removal.
func (i removableInterface) Wait() error {
	err := i.Interface.Wait()
	if errors.Is(err, net.ErrClosed) {
		err = tun.ErrRemoved
	}
	return err
}

// TestInterfaceIsRemoved: a tunnel whose interface somebody removes carries nothing
// any more, so it ends, and the client dials again.
func TestInterfaceIsRemoved(t *testing.T) {
	withPair(t, func(p *pair) {
		p.server.cfg.Host, p.client.cfg.Host = removable{p.server.host}, removable{p.client.host}
		p.client.PutClient(clientConfig())
		for _, remove := range []func(server, client *tuntest.TUN){
			func(_, client *tuntest.TUN) { client.Close() },
			func(server, _ *tuntest.TUN) { server.Close() },
		} {
			sdev, cdev := p.devices("<pptp-MT-User>")
			before := p.server.Active()[0].ID
			remove(sdev, cdev)
			time.Sleep(5 * time.Second)
			if sessions := p.server.Active(); len(sessions) != 1 || sessions[0].ID == before {
				t.Errorf("sessions %+v", sessions)
			}
			sdev, cdev = p.devices("<pptp-MT-User>")
			p.crosses(cdev, sdev)
			p.crosses(sdev, cdev)
		}
		p.client.logged(t, "pptp,ppp,info pptp-out1: terminating... - interface was removed")
	})
}
