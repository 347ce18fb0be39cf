package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/journal"
	"gopptp/internal/radius"
	"gopptp/internal/session"
)

func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		b := w.signIn("admin")
		b.header.Set(backgroundHeader, "1")
		v := w.server.visits.all()[0]
		read := func(query string) (h struct {
			Step   int64
			Points [][4]int64
		}) {
			t.Helper()
			v.touch()
			b.read("/web/api/history"+query, &h)
			return h
		}
		start := time.Now()
		go w.server.Run(t.Context())
		synctest.Wait()
		w.rx, w.tx = 5000, 10000
		w.Engine.SetSessions(session.Status{ID: 1, Running: true}, session.Status{ID: 2})
		time.Sleep(2 * step)
		synctest.Wait()
		h := read("")
		want := [][4]int64{{start.Add(step).UnixMilli(), 8000, 16000, 1}, {start.Add(2 * step).UnixMilli(), 0, 0, 1}}
		if h.Step != 5000 || !slices.Equal(h.Points, want) {
			t.Errorf("the history is %+v, want %v", h, want)
		}
		if h := read(fmt.Sprintf("?since=%d", want[0][0])); !slices.Equal(h.Points, want[1:]) {
			t.Errorf("after the first: %v", h.Points)
		}
		// It does not grow for ever, and stays in order.
		for range 13 {
			v.touch()
			time.Sleep(5 * time.Minute)
		}
		synctest.Wait()
		h = read("")
		if len(h.Points) != maxPoints || h.Points[0][0] != time.Now().Add(-time.Hour+step).UnixMilli() {
			t.Errorf("%d points from %v, now %v", len(h.Points), time.UnixMilli(h.Points[0][0]), time.Now())
		}
		if !slices.IsSortedFunc(h.Points, func(a, b [4]int64) int { return int(a[0] - b[0]) }) {
			t.Error("the points are out of order")
		}
		b.want(400, "GET", "/web/api/history?since=x", "", "invalid value for argument since")
	})
}

// TestFailedLogins counts what the gate and the sessions tell in the log.
func TestFailedLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := w.signIn("admin")
		w.Journal.Addf("pptp,ppp,error", "<192.0.2.1>: user bob authentication failed") // before Run
		go w.server.Run(t.Context())
		read := func() failedLogins {
			synctest.Wait()
			var o struct{ FailedLogins failedLogins }
			in.read("/web/api/overview", &o)
			return o.FailedLogins
		}
		if f := read(); f.Total != 1 || f.LastHour != 1 {
			t.Errorf("one from before: %+v", f)
		}
		w.browser().want(401, "POST", "/web/api/login", `{"name":"admin","password":"guess"}`, "")
		w.Journal.Addf("pptp,ppp,info", "<pptp-bob>: authentication failed is no error here")
		w.Journal.Addf("script,error", "user x authentication failed, says a script")
		w.Journal.Addf("script,error", "login failure for user admin")
		f := read()
		if f.Total != 2 || f.LastHour != 2 || len(f.Recent) != 2 || f.Recent[0].Text != "login failure for user admin from 192.0.2.1 via web" {
			t.Errorf("one more: %+v", f)
		}
		for i := range 3 * maxRecent {
			w.Journal.Addf("pptp,ppp,error", "<192.0.2.1>: user %d authentication failed", i)
		}
		if f := read(); f.Total != 2+3*maxRecent || len(f.Recent) != maxRecent || !strings.Contains(f.Recent[0].Text, "user 29") {
			t.Errorf("many: %d, %v", f.Total, f.Recent)
		}
		for range 13 {
			in.want(200, "GET", "/web/api/session", "", "")
			time.Sleep(5 * time.Minute)
		}
		w.Journal.Addf("pptp,ppp,error", "<192.0.2.1>: user late authentication failed")
		if f := read(); f.Total != 3+3*maxRecent || f.LastHour != 1 {
			t.Errorf("an hour later: %d of %d", f.LastHour, f.Total)
		}
	})
}

func TestFailureIsCountedOnce(t *testing.T) {
	var f failures
	e := journal.Entry{ID: 7, Time: time.Now(), Topics: "system,error,critical", Message: "login failure for user x"}
	f.note(e)
	f.note(e)
	if got := f.summary(time.Now()); got.Total != 1 {
		t.Errorf("counted %d times", got.Total)
	}
}

type seen struct {
	Server   serverState
	Uptime   int64
	Identity string
	Version  string
	Sessions sessionCount
	Traffic  traffic
	Warnings []warning
	Radius   []radiusState
}

func TestOverview(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listening, silent := true, true
		w := newWorld(t, func(c *Config) {
			c.Listening = func() bool { return listening }
			c.Radius = func(id uint64) (radius.Counters, bool) {
				return radius.Counters{Requests: id, Accepts: 2, Rejects: 1, Timeouts: 3, LastRTT: 1500 * time.Microsecond}, silent
			}
		})
		in := w.signIn("admin")
		w.do("/interface/pptp-client", "add", "connect-to", "192.0.2.1", "user", "u", "disabled", "no")
		w.do("/interface/pptp-client", "add", "connect-to", "192.0.2.2", "user", "u")
		w.Engine.SetClient(1, session.Status{ID: 9, Running: true})
		w.do("/interface/pptp-server/server", "set", "enabled", "yes", "authentication", "mschap2")
		w.do("/radius", "add", "address", "192.0.2.9", "secret", "x", "service", "ppp")
		w.do("/radius", "add", "address", "192.0.2.8", "secret", "x", "disabled", "yes")
		w.Engine.SetSessions(session.Status{ID: 1, Running: true}, session.Status{ID: 2})
		in.want(200, "GET", "/web/api/overview", "", "") // the first look
		time.Sleep(time.Second)
		w.rx, w.tx = 1000, 500
		var o seen
		in.read("/web/api/overview", &o)
		if o.Identity != "gopptp" || o.Version != "1.2.3" || o.Uptime != 1 || o.Sessions != (sessionCount{1, clientCount{1, 2}}) || o.Traffic != (traffic{8000, 4000}) {
			t.Errorf("the overview is %+v", o)
		}
		if s := o.Server; !s.Enabled || !s.Listening || !slices.Equal(s.Authentication, []string{"mschap2"}) || s.DefaultProfile != "default-encryption" {
			t.Errorf("the server is %+v", s)
		}
		want := []radiusState{
			{ID: "*1", Address: "192.0.2.9", State: "not answering", Requests: 1, Accepts: 2, Rejects: 1, Timeouts: 3, LastRTT: 1.5},
			{ID: "*2", Address: "192.0.2.8", State: "disabled", Requests: 2, Accepts: 2, Rejects: 1, Timeouts: 3, LastRTT: 1.5},
		}
		if !slices.Equal(o.Radius, want) {
			t.Errorf("RADIUS is %+v, want %+v", o.Radius, want)
		}
		if last := o.Warnings[len(o.Warnings)-1]; last != (warning{"The RADIUS server 192.0.2.9 does not answer.", "/radius"}) {
			t.Errorf("the last warning is %+v", last)
		}
		listening, silent = false, false
		in.read("/web/api/overview", &o)
		if last := o.Warnings[len(o.Warnings)-1]; o.Server.Listening || o.Radius[0].State != "answering" || !strings.Contains(last.Text, "does not listen") {
			t.Errorf("then it is %+v, %+v, %+v", o.Server, o.Radius, last)
		}
	})
}

// TestWarnings checks what is said of each configuration, and that it is no longer
// when it was changed.
func TestWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.Listening = func() bool { return true } })
		in := w.signIn("admin")
		want := func(when string, menus ...string) {
			t.Helper()
			time.Sleep(adviseEvery)
			var o seen
			in.read("/web/api/overview", &o)
			var got []string
			for _, warning := range o.Warnings {
				words := strings.Fields(warning.Text)
				got = append(got, warning.Menu+" "+strings.Join(words[:min(len(words), 4)], " "))
			}
			if !slices.Equal(got, menus) {
				t.Errorf("%s:\n%s\nwant\n%s", when, strings.Join(got, "\n"), strings.Join(menus, "\n"))
			}
		}
		const (
			pptp    = "/interface/pptp-server/server PPTP does not protect"
			pap     = "/interface/pptp-server/server The server accepts PAP:"
			clear   = "/interface/pptp-server/server The server accepts a"
			v1      = "/interface/pptp-server/server The server accepts MS-CHAPv1,"
			profile = "/ppp/profile The profile "
			nobody  = "/ppp/secret There is no user"
		)
		want("a new system")
		w.do("/interface/pptp-server/server", "set", "enabled", "yes")
		want("a server", pptp, v1, profile+"default-encryption does", nobody)
		w.do("/ppp/secret", "add", "name", "bob", "profile", "default")
		w.do("/interface/pptp-server/server", "set", "authentication", "pap,mschap2")
		want("a secret", pptp, pap, clear, profile+"default does", profile+"default-encryption does")
		w.do("/ppp/secret", "disable", "bob")
		w.do("/ppp/profile", "set", "default-encryption", "use-encryption", "required")
		w.do("/interface/pptp-server/server", "set", "authentication", "chap,mschap2")
		want("a disabled secret", pptp, clear, nobody)
		w.do("/ppp/aaa", "set", "use-radius", "yes")
		w.do("/interface/pptp-server/server", "set", "authentication", "mschap2")
		want("RADIUS", pptp)
		w.do("/interface/pptp-server/server", "set", "enabled", "no")
		w.do("/interface/pptp-client", "add", "connect-to", "192.0.2.1", "user", "u", "disabled", "no")
		want("a client", pptp)
		w.do("/interface/pptp-client", "disable", "pptp-out1")

		const ( // the API is on from the beginning, for this machine
			open  = "/ip/service The service www is"
			self  = "/ip/service The certificate of www-ssl"
			admin = "/user The user admin may"
		)
		w.do("/ip/service", "enable", "www")
		want("www for this machine")
		w.do("/ip/service", "set", "www", "address", "192.0.2.0/24")
		want("www for a network", open, admin)
		w.do("/ip/service", "set", "www", "address", "")
		want("www for all", open, open, admin)
		w.do("/user", "set", "admin", "address", "192.0.2.0/24")
		want("an admin from somewhere", open, open)
		w.do("/ip/service", "disable", "www")
		w.do("/ip/service", "set", "www-ssl", "address", "192.0.2.0/24", "disabled", "no")
		want("https", self)
		w.do("/ip/service", "set", "www-ssl", "certificate", "mine")
		want("a certificate")
	})
}

func TestOnlyLoopback(t *testing.T) {
	for list, want := range map[string]bool{
		"": false, "127.0.0.0/8,::1/128": true, "127.0.0.1/32": true, "127.0.0.0/8,192.0.2.0/24": false, "126.0.0.0/7": false, "::/0": false, "x": false,
	} {
		if got := onlyLoopback(list); got != want {
			t.Errorf("%q: %v", list, got)
		}
	}
}
