package web

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"gopptp/internal/session"
)

// TestHeaders checks what stands at the head of every answer.
func TestHeaders(t *testing.T) {
	w := newWorld(t)
	in := w.signIn("admin")
	for _, c := range []struct {
		method, path string
		status       int
		cache        string
	}{
		{"GET", "/", 302, ""},
		{"GET", "/web/", 200, "no-cache"},
		{"GET", "/web/index.html", 200, "no-cache"},
		{"GET", "/web/none.js", 404, "no-store"},
		{"POST", "/web/", 405, "no-store"},
		{"GET", "/web/api/session", 200, "no-store"},
		{"GET", "/web/api/menus", 200, "no-store"},
		{"GET", "/web/api/overview", 200, "no-store"},
		{"GET", "/web/api/export", 200, "no-store"},
		{"GET", "/web/api/rest/ppp/secret", 200, "no-store"},
		{"GET", "/web/api/none", 404, "no-store"},
		{"PATCH", "/web/api/session", 404, "no-store"},
		{"GET", "/elsewhere", 404, ""},
	} {
		got := in.send(c.method, c.path, "")
		if got.Code != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, got.Code, c.status)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
				"connect-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": c.cache,
		} {
			if value := got.Header().Get(name); value != want {
				t.Errorf("%s %s: %s is %q, want %q", c.method, c.path, name, value, want)
			}
		}
	}
	if got := in.send("GET", "/", "").Header().Get("Location"); got != Prefix {
		t.Errorf("the way to the page leads to %q", got)
	}
}

// TestIndexObeysItsPolicy checks that the page needs nothing that the policy
// forbids: script or style written into it, and other places.
func TestIndexObeysItsPolicy(t *testing.T) {
	text := string(pageFiles()[index].content)
	if !strings.Contains(text, "<script") {
		t.Fatal("there is no script: the test is blind")
	}
	for name, wrong := range map[string]string{
		"script inside": `<script(?:\s+(?:type|defer|async)(?:="[^"]*")?)*>`, "handler": `(?i)\son[a-z]+=`, "style": `(?i)<style|\sstyle=`,
		"other place": `(?i)(?:src|href)="(?:https?:)?//`,
	} {
		if found := regexp.MustCompile(wrong).FindString(text); found != "" {
			t.Errorf("%s: %s", name, found)
		}
	}
}

// TestEverythingAsksWhoItIs checks that nobody is told anything without a session.
func TestEverythingAsksWhoItIs(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{
		"session", "menus", "overview", "history", "sessions", "sessions/*80000001", "log", "console", "export?path=/ppp&sensitive=yes",
		"rest/ppp/secret", "rest/user", "none",
	} {
		b := w.browser()
		b.want(401, "GET", "/web/api/"+path, "", `{"error":401,"message":"Unauthorized"}`)
		b.cookies[cookieName] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		b.want(401, "GET", "/web/api/"+path, "", "")
		b.cookies[cookieName] = ""
		b.want(401, "GET", "/web/api/"+path, "", "")
	}
	b := w.browser()
	b.want(401, "POST", "/web/api/logout", "", "")
	b.want(401, "POST", "/web/api/rest/execute", `{"script":"/user/print"}`, "")
	b.header.Set("Authorization", "Basic YWRtaW46c2VjcmV0") // that of REST
	b.want(401, "GET", "/web/api/rest/user", "", "")
	if got := b.send("GET", "/web/api/rest/user", "").Header().Get("WWW-Authenticate"); got != "" {
		t.Errorf("the browser is told to ask by itself: %q", got)
	}
}

// TestForeignPages checks that pages of others can do nothing with a session that
// the browser has.
func TestForeignPages(t *testing.T) {
	w := newWorld(t)
	for _, foreign := range []http.Header{
		{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}},
		{"Origin": {"http://evil.example"}}, {"Origin": {"null"}}, {"Origin": {"http://router.example:8080"}},
	} {
		in := w.signIn("admin")
		in.header = foreign
		const why = `{"detail":"request comes from another site","error":403,"message":"Forbidden"}`
		in.want(403, "POST", "/web/api/login", `{"name":"admin","password":"secret"}`, why)
		in.want(403, "PUT", "/web/api/rest/ppp/secret", `{"name":"x"}`, why)
		in.want(403, "POST", "/web/api/rest/execute", `{"script":"/ppp/secret/add name=x"}`, why)
		in.want(403, "DELETE", "/web/api/rest/ppp/active/*80000001", "", why)
		in.want(403, "POST", "/web/api/logout", "", why)
		in.want(403, "GET", "/web/api/console", "", why)
		in.header = http.Header{}
		in.want(200, "GET", "/web/api/rest/ppp/secret", "", "[]")
	}
	in := w.signIn("admin")
	in.header = http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"http://router.example"}}
	in.want(201, "PUT", "/web/api/rest/ppp/secret", `{"name":"x"}`, `"name":"x"`)
	in.header = http.Header{} // a browser always says where a WebSocket comes from
	in.want(403, "GET", "/web/api/console", "", "request comes from another site")
}

// TestOurs checks which places a console may be opened from.
func TestOurs(t *testing.T) {
	for _, c := range []struct {
		tls    bool
		origin string
		want   bool
	}{
		{false, "http://router.example", true}, {false, "HTTP://ROUTER.example", true},
		{false, "https://router.example", true}, // a proxy
		{true, "https://router.example", true}, {true, "http://router.example", false},
		{false, "", false}, {false, "null", false}, {false, "http://router.example.evil", false}, {false, "http://router.example:81", false},
		{false, "ftp://router.example", false}, {false, "//router.example", false}, {false, "http://[", false},
	} {
		r, _ := http.NewRequest("GET", "/web/api/console", nil)
		r.Host = "router.example"
		if c.tls {
			r.TLS = &tlsState
		}
		r.Header.Set("Origin", c.origin)
		if got := ours(r); got != c.want {
			t.Errorf("TLS %v, from %q: %v", c.tls, c.origin, got)
		}
	}
}

// TestPolicies checks that the page can do what its user may, in the same words.
func TestPolicies(t *testing.T) {
	w := newWorld(t)
	w.do("/ppp/secret", "add", "name", "bob", "password", "hidden")
	w.user("ghost")
	ghost := w.browser()
	ghost.want(401, "POST", "/web/api/login", `{"name":"ghost","password":"secret"}`, `"detail":"invalid user name or password (6)"`)

	eye := w.signIn("eye")
	eye.want(200, "GET", "/web/api/session", "", `"user":"eye","group":"eyes","policies":["read"],"version":"1.2.3","identity":"gopptp","inactivityTimeout":600}`)
	const denied = `"detail":"not enough permissions (9)","error":403`
	eye.want(403, "PUT", "/web/api/rest/ppp/secret", `{"name":"x"}`, denied)
	eye.want(403, "PATCH", "/web/api/rest/ppp/secret/bob", `{"password":"x"}`, denied)
	w.Engine.SetSessions(session.Status{ID: 1, User: "bob", Running: true})
	eye.want(403, "DELETE", "/web/api/rest/ppp/active/*80000001", "", denied)
	eye.want(200, "GET", "/web/api/rest/ppp/secret", "", `"password":"*****"`)
	eye.want(403, "GET", "/web/api/export?sensitive=yes", "", denied)
	if text := eye.want(200, "GET", "/web/api/export", "", "add name=bob"); strings.Contains(text, "hidden") {
		t.Errorf("the password is in %s", text)
	}
	eye.want(200, "GET", "/web/api/overview", "", `"identity":"gopptp"`)

	admin := w.signIn("admin")
	admin.want(200, "GET", "/web/api/rest/ppp/secret", "", `"password":"hidden"`)
	admin.want(200, "GET", "/web/api/export?path=/ppp&sensitive=yes", "", "add name=bob password=hidden")
	admin.want(400, "PATCH", "/web/api/rest/ppp/secret/bob", `{"service":"x"}`, `"detail":"input does not match any value of service"`)

	w.do("/user/group", "set", "eyes", "policy", "web")
	for _, path := range []string{"overview", "history", "sessions", "sessions/x", "log", "export"} {
		eye.want(403, "GET", "/web/api/"+path, "", denied)
	}
	eye.want(403, "GET", "/web/api/rest/ppp/secret", "", denied)
	eye.want(200, "GET", "/web/api/session", "", `"policies":[]`)
}

const hostile = `<script>alert(1)</script>"'&` + "\u2028\x00\x1b[2J\xff"

// TestHostileNames checks that what others chose is data in what the page reads.
func TestHostileNames(t *testing.T) {
	w := newWorld(t)
	w.Engine.SetSessions(session.Status{ID: 1, User: hostile, CallerID: hostile, Interface: "<pptp-" + hostile + ">", Running: true})
	w.Journal.Addf("pptp,ppp,error", "<%s>: user %s authentication failed", hostile, hostile)
	w.server.failures.note(w.Journal.Entries()[len(w.Journal.Entries())-1])
	w.do("/ppp/secret", "add", "name", `<img src=x>`, "comment", `</script>`)
	w.do("/system/identity", "set", "name", `"<b>`)
	in := w.signIn("admin")
	for _, path := range []string{"sessions", "sessions/*80000001", "overview", "session", "rest/ppp/secret", "rest/log", "rest/ppp/active"} {
		got := in.send("GET", "/web/api/"+path, "")
		if kind := got.Header().Get("Content-Type"); got.Code != 200 || kind != "application/json" {
			t.Errorf("%s: %d %s", path, got.Code, kind)
		}
		if !json.Valid(got.Body.Bytes()) || strings.ContainsFunc(got.Body.String(), func(r rune) bool { return r < ' ' || r == '\u2028' && !strings.HasPrefix(path, "rest/") }) {
			t.Errorf("%s: %q", path, got.Body)
		}
		if !strings.HasPrefix(path, "rest/") && strings.Contains(got.Body.String(), "<") {
			t.Errorf("%s: %s", path, got.Body)
		}
	}
	var list struct{ Rows []sessionRow }
	in.read("/web/api/sessions", &list)
	if want := strings.ToValidUTF8(hostile, "\ufffd"); len(list.Rows) != 1 || list.Rows[0].Name != want {
		t.Errorf("the session is %+v", list.Rows)
	}
	got := in.send("GET", "/web/api/export", "")
	if name := got.Header().Get("Content-Disposition"); !regexp.MustCompile(`^attachment; filename=--b--\d{4}-\d\d-\d\d\.rsc$`).MatchString(name) {
		t.Errorf("the file is called %s", name)
	}
}

func TestPageFiles(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	first := b.send("GET", "/web/", "")
	tag := first.Header().Get("ETag")
	if first.Header().Get("Content-Type") != "text/html; charset=utf-8" || tag == "" || first.Header().Get("Content-Encoding") != "" {
		t.Errorf("headers: %v", first.Header())
	}
	b.header.Set("If-None-Match", `"x", W/`+tag)
	if got := b.send("GET", "/web/", ""); got.Code != 304 || got.Body.Len() > 0 {
		t.Errorf("what did not change: %d, %d octets", got.Code, got.Body.Len())
	}
	b.header = http.Header{"Accept-Encoding": {"br, gzip;q=0.5"}, "If-None-Match": {tag}}
	packed := b.send("GET", "/web/", "")
	if packed.Code != 200 || packed.Header().Get("Content-Encoding") != "gzip" || packed.Header().Get("ETag") == tag || packed.Body.Len() >= first.Body.Len() {
		t.Errorf("compressed: %d, %v, %d octets of %d", packed.Code, packed.Header(), packed.Body.Len(), first.Body.Len())
	}
	if got := b.send("HEAD", "/web/", ""); got.Code != 200 || got.Body.Len() > 0 {
		t.Errorf("HEAD: %d, %d octets", got.Code, got.Body.Len())
	}
	for _, path := range []string{"/web/../web.go", "/web/%2e%2e/web.go", "/web/page/index.html", "/web/vendor", "/web/vendor/", "/web/vendor/LICENSE.xterm"} {
		if got := b.send("GET", path, ""); got.Code == 200 {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
}

func TestAccepts(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "br,gzip": true, " gzip ; q=0.1": true, "gzip;q=0": false, "gzip;q=0.000": false, "gzip;q=x": false, "xgzip": false, "gzip;x=1": true,
	} {
		if got := accepts(header, "gzip"); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}
