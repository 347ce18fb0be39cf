package web

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gopptp/internal/console"
	"gopptp/internal/golden"
	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// groups are those of the users of the tests: admin may do everything, eye only
// read, and without sensitive, and ghost may not use the page. Their password is
// secret.
var groups = map[string]string{"admin": "full", "eye": "eyes", "ghost": "outside"}

// A world is a door with users behind it.
type world struct {
	*golden.World
	t      testing.TB
	server *Server
	rx, tx uint64 // what Totals tells
}

func newWorld(t testing.TB, changes ...func(*Config)) *world {
	t.Helper()
	w := &world{World: golden.NewWorld(t), t: t}
	cfg := Config{
		Tree: w.Tree, Journal: w.Journal, Version: "1.2.3", Sessions: w.Engine.Active,
		Totals: func() (rx, tx uint64) { return w.rx, w.tx },
		Run: func(ctx context.Context, u tree.User, script string, out io.Writer) error {
			return console.NewSession(w.Tree, u).Run(ctx, script, out)
		},
	}
	for _, change := range changes {
		change(&cfg)
	}
	w.server = New(cfg)
	w.do("/user/group", "add", "name", "eyes", "policy", "read,web")
	w.do("/user/group", "add", "name", "outside", "policy", "read,write,ssh,api,rest-api")
	return w
}

// do runs a command of a menu with values, as root; an item may stand before them.
func (w *world) do(path, command string, words ...string) {
	w.t.Helper()
	m := w.Tree.Root().At(path)
	q := &menu.Request{Menu: m, Command: m.Command(command), Args: map[string]string{}}
	if len(words)%2 == 1 {
		q.Items, words = words[:1], words[1:]
	}
	for i := 0; i < len(words); i += 2 {
		q.Values = append(q.Values, menu.Assignment{Name: words[i], Value: words[i+1]})
	}
	if _, err := w.Tree.Execute(w.t.Context(), tree.Admin(), q, nil); err != nil {
		w.t.Fatalf("%s/%s: %v", path, command, err)
	}
}

// user makes one of groups, unless there is that user already: a password takes time.
func (w *world) user(name string) {
	w.t.Helper()
	if _, err := w.Tree.Identify(w.Tree.Root().At("/user"), name); err != nil {
		w.do("/user", "add", "name", name, "group", groups[name], "password", "secret")
	}
}

// A browser sends requests without a network, with the cookies that it was given.
type browser struct {
	w       *world
	cookies map[string]string
	header  http.Header
	tls     bool
}

func (w *world) browser() *browser {
	return &browser{w: w, cookies: map[string]string{}, header: http.Header{}}
}

// signIn gives a browser in which a user is signed in.
func (w *world) signIn(name string) *browser {
	w.t.Helper()
	w.user(name)
	b := w.browser()
	if got := b.send("POST", "/web/api/login", `{"name":"`+name+`","password":"secret"}`); got.Code != http.StatusOK {
		w.t.Fatalf("%s: %d %s", name, got.Code, got.Body)
	}
	return b
}

// send sends a request.
func (b *browser) send(method, path, body string) *httptest.ResponseRecorder {
	origin := "http://router.example"
	if b.tls {
		origin = "https://router.example"
	}
	r := httptest.NewRequest(method, origin+path, strings.NewReader(body))
	for name, values := range b.header {
		r.Header[name] = values
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	answer := httptest.NewRecorder()
	b.w.server.ServeHTTP(answer, r)
	for _, c := range answer.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return answer
}

// want sends a request and checks the status of the answer, and that it has a text.
func (b *browser) want(status int, method, path, body, text string) string {
	b.w.t.Helper()
	got := b.send(method, path, body)
	if got.Code != status || !strings.Contains(got.Body.String(), text) {
		b.w.t.Errorf("%s %s: %d %s; want %d with %q", method, path, got.Code, got.Body, status, text)
	}
	return got.Body.String()
}

// read gets JSON.
func (b *browser) read(path string, into any) {
	b.w.t.Helper()
	got := b.send("GET", path, "")
	if got.Code != http.StatusOK {
		b.w.t.Fatalf("GET %s: %d %s", path, got.Code, got.Body)
	}
	if err := json.Unmarshal(got.Body.Bytes(), into); err != nil {
		b.w.t.Fatalf("GET %s: %v in %s", path, err, got.Body)
	}
}
