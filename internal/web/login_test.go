package web

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/login"
)

var tlsState tls.ConnectionState

// TestCookie checks that nothing but the browser can read the cookie, that no
// other site's page sends it, and that this memory does not have it.
func TestCookie(t *testing.T) {
	w := newWorld(t)
	w.user("admin")
	for _, secure := range []bool{false, true} {
		b := w.browser()
		b.tls = secure
		got := b.send("POST", "/web/api/login", `{"name":"admin","password":"secret"}`)
		cookies := got.Result().Cookies()
		if len(cookies) != 1 {
			t.Fatalf("%d cookies", len(cookies))
		}
		c := cookies[0]
		name := map[bool]string{false: "gopptp_session", true: "__Secure-gopptp_session"}[secure]
		if c.Name != name || c.Path != "/web/" || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure != secure || c.Domain != "" || c.MaxAge != 0 {
			t.Errorf("TLS %v: %s", secure, c.Raw)
		}
		token, err := base64.RawURLEncoding.DecodeString(c.Value)
		if err != nil || len(token) != 32 {
			t.Errorf("the token is %q, %v", c.Value, err)
		}
		if dump := fmt.Sprintf("%+v", w.server.visits.in); strings.Contains(dump, c.Value) || len(dump) < 100 {
			t.Error("the token is kept")
		}
		b.want(200, "GET", "/web/api/session", "", `"user":"admin"`)
		// A session is for the way that it was made on.
		b.tls = !secure
		b.want(401, "GET", "/web/api/session", "", "")
		b.tls = secure
		if got := b.send("POST", "/web/api/logout", ""); got.Code != 204 || len(b.cookies) != 0 {
			t.Errorf("logout: %d, cookies %v", got.Code, b.cookies)
		}
		b.cookies[name] = c.Value
		b.want(401, "GET", "/web/api/session", "", "")
	}
	if len(w.server.visits.in) != 0 || len(w.Tree.Gate().Active()) != 0 {
		t.Errorf("who is in: %v", w.Tree.Gate().Active())
	}
}

// TestCookieBehindProxy checks that a browser which came over TLS, to a proxy, does
// not send its cookie in clear.
func TestCookieBehindProxy(t *testing.T) {
	w := newWorld(t)
	w.user("admin")
	for origin, secure := range map[string]bool{"https://router.example": true, "http://router.example": false} {
		b := w.browser()
		b.header.Set("Origin", origin)
		for _, path := range []string{"login", "logout"} {
			cookies := b.send("POST", "/web/api/"+path, `{"name":"admin","password":"secret"}`).Result().Cookies()
			if len(cookies) != 1 || cookies[0].Name != cookieName || cookies[0].Secure != secure {
				t.Errorf("%s from %s: %v", path, origin, cookies)
			}
		}
	}
}

// TestSessionsAreBoundedAtOnce checks that the bound holds for those who come in at
// the same time.
func TestSessionsAreBoundedAtOnce(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	for range 64 * maxVisitsOf {
		all.Go(func() {
			w.server.visits.add(&visit{gate: w.server.gate, over: make(chan struct{}), user: login.User{Account: 1}, leave: func() {}})
		})
	}
	all.Wait()
	if n := len(w.server.visits.in); n != maxVisitsOf {
		t.Errorf("%d sessions of one user, of at most %d", n, maxVisitsOf)
	}
}

func TestLoginThatIsNone(t *testing.T) { synctest.Test(t, testLoginThatIsNone) } // wrong passwords take time

func testLoginThatIsNone(t *testing.T) {
	w := newWorld(t)
	w.user("admin")
	for _, c := range []struct {
		body   string
		status int
		detail string
	}{
		{``, 400, "invalid JSON"},
		{`[]`, 400, "invalid JSON"},
		{`{"name":1,"password":"secret"}`, 400, "invalid JSON"},
		{`{"name":"admin","password":"secret"} x`, 400, "invalid JSON"},
		{`{"name":"` + strings.Repeat("x", maxLogin) + `"}`, 413, "request is too large"},
		{`{}`, 401, "invalid user name or password (6)"},
		{`{"name":"admin"}`, 401, "invalid user name or password (6)"},
		{`{"name":"admin","password":"guess"}`, 401, "invalid user name or password (6)"},
		{`{"name":"nobody","password":"secret"}`, 401, "invalid user name or password (6)"},
	} {
		b := w.browser()
		b.want(c.status, "POST", "/web/api/login", c.body, `"detail":"`+c.detail+`"`)
		if len(b.cookies) != 0 {
			t.Errorf("%s: cookies %v", c.body, b.cookies)
		}
	}
	if n := len(w.Tree.Gate().Active()); n != 0 {
		t.Errorf("%d are in", n)
	}
}

// TestSignInAgain checks that a browser has one session.
func TestSignInAgain(t *testing.T) {
	w := newWorld(t)
	w.user("eye")
	b := w.signIn("admin")
	old := b.cookies[cookieName]
	b.want(200, "POST", "/web/api/login", `{"name":"eye","password":"secret"}`, `"user":"eye"`)
	if active := w.Tree.Gate().Active(); len(active) != 1 || active[0].Name != "eye" || active[0].Via != "web" {
		t.Errorf("who is in: %+v", active)
	}
	b.cookies[cookieName] = old
	b.want(401, "GET", "/web/api/session", "", "")
}

// TestExpiry checks that a session ends when its person does nothing, whatever the
// page does by itself.
func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.user("eye")
		w.do("/user", "set", "eye", "inactivity-timeout", "2m")
		go w.server.Run(t.Context())
		eye, admin := w.signIn("eye"), w.signIn("admin")
		page := *eye
		page.header = http.Header{backgroundHeader: {"1"}}
		for range 11 { // nearly two minutes of polling
			time.Sleep(10 * time.Second)
			page.want(200, "GET", "/web/api/overview", "", "")
		}
		eye.want(200, "GET", "/web/api/session", "", `"inactivityTimeout":120`)
		time.Sleep(110 * time.Second)
		page.want(200, "GET", "/web/api/session", "", "")
		time.Sleep(10 * time.Second)
		page.want(401, "GET", "/web/api/session", "", "")
		eye.want(401, "GET", "/web/api/session", "", "")
		admin.want(200, "GET", "/web/api/rest/user/active", "", `"name":"admin"`)
		// The other's is over as well, though no request comes.
		time.Sleep(10*time.Minute + step)
		if active := w.Tree.Gate().Active(); len(active) != 0 {
			t.Errorf("who is in: %+v", active)
		}
		admin.want(401, "GET", "/web/api/session", "", "")
	})
}

// TestExpiryWithoutRun checks that a session that nobody swept is over all the same.
func TestExpiryWithoutRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		b := w.signIn("admin")
		time.Sleep(10*time.Minute - time.Second)
		b.want(200, "GET", "/web/api/session", "", "")
		time.Sleep(10 * time.Minute)
		b.want(401, "GET", "/web/api/session", "", "")
	})
}

// TestSignedOutByOthers checks what ends a session while it is used.
func TestSignedOutByOthers(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name       string
		end, after func()
	}{
		{"request-logout", func() { w.do("/user/active", "request-logout", "eye") }, func() {}},
		{"disabled", func() { w.do("/user", "disable", "eye") }, func() { w.do("/user", "enable", "eye") }},
		{"group", func() { w.do("/user/group", "set", "eyes", "policy", "read") }, func() { w.do("/user/group", "set", "eyes", "policy", "read,web") }},
		{"address", func() { w.do("/user", "set", "eye", "address", "10.0.0.0/8") }, func() { w.do("/user", "set", "eye", "address", "") }},
		{"password", func() { w.do("/user", "set", "eye", "password", "another") }, func() { w.do("/user", "remove", "eye") }},
		{"removed", func() { w.do("/user", "remove", "eye") }, func() { w.user("eye") }},
		{"the end", func() { w.server.visits.close() }, func() {}},
	} {
		b := w.signIn("eye")
		b.want(200, "GET", "/web/api/session", "", "")
		c.end()
		for _, path := range []string{"session", "rest/ppp/secret"} {
			if got := b.send("GET", "/web/api/"+path, ""); got.Code != 401 {
				t.Errorf("%s: %s: %d %s", c.name, path, got.Code, got.Body)
			}
		}
		if active := w.Tree.Gate().Active(); len(active) != 0 {
			t.Errorf("%s: who is in: %+v", c.name, active)
		}
		c.after()
	}
	w.browser().want(503, "POST", "/web/api/login", `{"name":"eye","password":"secret"}`, "Session closed")
	if active := w.Tree.Gate().Active(); len(active) != 0 {
		t.Errorf("after the end: %+v", active)
	}
}

// TestCommandsEndWithTheSession checks that nothing goes on for somebody who is out.
func TestCommandsEndWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		b := w.signIn("admin")
		var all sync.WaitGroup
		start := time.Now()
		for _, script := range []string{":delay 50s", "/interface/monitor-traffic lo"} {
			all.Go(func() { b.send("POST", "/web/api/rest/execute", `{"script":"`+script+`"}`) })
		}
		all.Go(func() { b.send("POST", "/web/api/rest/ppp/secret/listen", "") })
		time.Sleep(time.Second)
		w.do("/user/active", "request-logout", "admin")
		all.Wait()
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("they went on for %v", took)
		}
	})
}

// TestSessionsAreBounded checks that who comes in again and again has only so many
// sessions, and does not end those of others.
func TestSessionsAreBounded(t *testing.T) {
	w := newWorld(t)
	other := w.signIn("eye")
	var all []*browser
	for range maxVisitsOf + 3 {
		all = append(all, w.signIn("admin"))
	}
	if n := len(w.Tree.Gate().Active()); n != maxVisitsOf+1 {
		t.Errorf("%d are in", n)
	}
	for i, b := range all {
		want := 200
		if i < 3 {
			want = 401
		}
		b.want(want, "GET", "/web/api/session", "", "")
	}
	other.want(200, "GET", "/web/api/session", "", "")
}
