package session

import (
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/shape"
)

// TestChange: a live session obeys another policy at once, and does not notice
// otherwise.
func TestChange(t *testing.T) {
	withPair(t, func(p *pair) {
		p.client.PutClient(clientConfig())
		sdev, cdev := p.devices("<pptp-MT-User>")
		p.crosses(cdev, sdev)
		id := p.server.Active()[0].ID
		change := func(edit func(*aaa.Policy)) {
			p.t.Helper()
			if found, err := p.server.Change(id, func(_ *aaa.Grant, q *aaa.Policy) { edit(q) }); !found || err != nil {
				p.t.Fatalf("%t, %v", found, err)
			}
		}

		change(func(q *aaa.Policy) { q.Rate = shape.Limit{Rx: shape.Rate{Max: 1e6}} })
		begin := time.Now()
		for range 50 {
			p.crosses(cdev, sdev)
		}
		if took := time.Since(begin); took < 500*time.Millisecond {
			t.Errorf("50 packets took %v at 1 Mbit/s", took)
		}
		if n := len(p.server.host.all); n != 1 {
			t.Errorf("the interface was fitted %d times", n)
		}

		change(func(q *aaa.Policy) { q.IncomingFilter, q.Rate = "strict", shape.Limit{} })
		if c := p.server.host.last; c.IncomingFilter != "strict" || c.Remote != innerPeer || len(p.server.host.all) != 2 {
			t.Errorf("interface %+v", c)
		}
		p.crosses(cdev, sdev)

		// What the machine does not take changes nothing.
		found, err := p.server.Change(id, func(g *aaa.Grant, q *aaa.Policy) {
			g.Service, q.IncomingFilter, q.SessionTimeout, q.LimitIn, q.Rate.Rx.Max = "another", impossible, time.Second, 1, 1
		})
		if !found || err == nil {
			t.Errorf("an impossible filter: %t, %v", found, err)
		}
		if c := p.server.host.last; c.IncomingFilter != "strict" {
			t.Errorf("after it the interface is %+v", c)
		}
		change(func(q *aaa.Policy) {
			if q.IncomingFilter != "strict" || q.SessionTimeout != 0 || q.LimitIn != 0 || q.Rate != (shape.Limit{}) {
				t.Errorf("after it the policy is %+v", q)
			}
		})
		p.server.Change(id, func(g *aaa.Grant, _ *aaa.Policy) {
			if g.Service == "another" {
				t.Error("after it the grant is another")
			}
		})
		change(func(q *aaa.Policy) { q.LimitIn, q.LimitOut = 1<<40, 1<<41 })
		if st := p.server.Active()[0]; st.LimitIn != 1<<40 || st.LimitOut != 1<<41 {
			t.Errorf("limits %d and %d are shown", st.LimitIn, st.LimitOut)
		}
		p.crosses(cdev, sdev)

		change(func(q *aaa.Policy) { q.SessionTimeout = time.Hour })
		time.Sleep(time.Hour - time.Minute)
		if p.happened() != "up MT-User" {
			t.Errorf("events: %s", p.happened())
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		p.server.logged(t, "pptp,ppp,info <pptp-MT-User>: terminating... - session timeout")
		if found, _ := p.server.Change(id, func(*aaa.Grant, *aaa.Policy) {}); found {
			t.Error("a session that is gone was changed")
		}
	})
}
