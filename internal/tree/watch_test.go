package tree_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/session"
	"gopptp/internal/tree"
)

func TestWatch(t *testing.T) {
	for _, test := range []struct {
		path  string
		does  string
		wakes bool
	}{
		{"/ppp/secret", "add", true},
		{"/ppp/secret", "rename profile", true}, // it shows the name
		{"/ppp/profile", "add", false},
		{"/ppp/profile", "rename profile", true},
		{"/ppp/secret", "session", false},
		{"/ppp/secret", "end of session", true}, // it shows the last
		{"/ppp/active", "session", true},
		{"/interface/pptp-server", "session", true},
		{"/interface", "session", true},
		{"/interface", "client", true},
		{"/interface/pptp-client", "client", true},
		{"/ppp/active", "add", false},
		{"/log", "add", true}, // the change is logged
		{"/user/ssh-keys", "add", false},
		{"/system/identity", "identity", true},
		{"/system/clock", "nothing", true},
		{"/ppp/secret", "nothing", false},
		{"/ppp/secret", "fail", false},
	} {
		t.Run(test.path+" "+test.does, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.must("/ppp/profile/add", nil, "name=p")
				b.must("/ppp/secret/add", nil, "name=u", "profile=p")
				w := b.Watch(b.Root().At(test.path))
				var woken error
				done := make(chan struct{})
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				go func() {
					defer close(done)
					woken = w.Next(ctx)
				}()
				synctest.Wait()
				switch test.does {
				case "add":
					b.must("/ppp/secret/add", nil, "name=v")
				case "rename profile":
					b.must("/ppp/profile/set", items("p"), "name=q")
				case "identity":
					b.must("/system/identity/set", nil, "name=gw")
				case "client":
					b.engine.SetClient(1, session.Status{Running: true})
				case "session":
					b.engine.SetSessions(session.Status{ID: 1, User: "u", Running: true})
				case "end of session":
					b.SessionEnded(1, time.Now(), "192.0.2.1", "peer-request")
				case "fail":
					if _, err := b.do(tree.Admin(), "/ppp/secret/add", nil, "name=u"); err == nil {
						t.Error("it was added twice")
					}
				}
				<-done
				if test.wakes != (woken == nil) || woken != nil && !errors.Is(woken, context.DeadlineExceeded) {
					t.Errorf("Next gives %v", woken)
				}
			})
		})
	}
}
