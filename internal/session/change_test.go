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
