package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/login"
	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

func newHandler(t testing.TB) (http.Handler, *tree.Tree) {
	menus, _ := newTree(t)
	return New(Config{Tree: menus, Login: letIn}), menus
}

func TestHeaders(t *testing.T) {
	h, _ := newHandler(t)
	w := ask(h, "admin", http.MethodGet, "/rest/ppp/profile", "")
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
		"Content-Length": fmt.Sprint(w.Body.Len()), "WWW-Authenticate": "",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if strings.HasSuffix(w.Body.String(), "\n") {
		t.Error("the body ends with a newline")
	}
	w = ask(h, "", http.MethodGet, "/rest/ppp/profile", "")
	if got := w.Header().Get("WWW-Authenticate"); w.Code != 401 || !strings.HasPrefix(got, "Basic realm=") {
		t.Errorf("without a login: %d, WWW-Authenticate %q", w.Code, got)
	}
}

func TestWrongPassword(t *testing.T) {
	h, _ := newHandler(t)
	for _, set := range []func(*http.Request){
		func(r *http.Request) { r.SetBasicAuth("admin", "guess") },
		func(r *http.Request) { r.SetBasicAuth("admin", "") },
		func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") },
		func(r *http.Request) { r.Header.Set("Authorization", "Basic ***") },
		func(r *http.Request) { r.SetBasicAuth("admin", "secret"); r.RemoteAddr = "nonsense" },
	} {
		r := httptest.NewRequest(http.MethodGet, "/rest/ppp/secret", nil)
		set(r)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized || w.Body.String() != `{"error":401,"message":"Unauthorized"}` {
			t.Errorf("%s: %d %s", r.Header.Get("Authorization"), w.Code, w.Body)
		}
	}
}

func TestLoginThatIsCutShort(t *testing.T) {
	menus, _ := newTree(t)
	h := New(Config{Tree: menus, Login: func(context.Context, login.Attempt) (login.User, func(), error) {
		return login.User{}, nil, context.Canceled
	}})
	if w := ask(h, "admin", http.MethodGet, "/rest/ppp/secret", ""); w.Code != http.StatusServiceUnavailable {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// TestUserOfAnother checks that a request whose user somebody else knows is not asked
// for a password, and may do what that user may.
func TestUserOfAnother(t *testing.T) {
	menus, _ := newTree(t)
	h := New(Config{Tree: menus, User: func(r *http.Request) tree.User {
		return tree.User{Name: r.Header.Get("User"), Policies: policies[r.Header.Get("User")]}
	}})
	for user, want := range map[string]int{"admin": 201, "reader": 403, "": 403} {
		r := httptest.NewRequest(http.MethodPut, "/rest/ppp/secret", strings.NewReader(`{"name":"bob"}`))
		r.Header.Set("User", user)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%q: %d %s", user, w.Code, w.Body)
		}
	}
}

func TestForeignPage(t *testing.T) {
	h, _ := newHandler(t)
	for origin, want := range map[string]int{"": 201, "http://example.com": 201, "http://evil.example": 403} {
		r := httptest.NewRequest(http.MethodPut, "http://example.com/rest/ppp/secret", strings.NewReader(`{"name":"`+"x"+origin+`"}`))
		r.SetBasicAuth("admin", "secret")
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want {
			t.Errorf("from %q: %d %s", origin, w.Code, w.Body)
		}
	}
}

func TestLargeBody(t *testing.T) {
	h, _ := newHandler(t)
	w := ask(h, "admin", http.MethodPut, "/rest/ppp/secret", `{"name":"`+strings.Repeat("x", maxBody)+`"}`)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	// Who is not let in does not get that far.
	if w := ask(h, "mallory", http.MethodPut, "/rest/ppp/secret", strings.Repeat("x", maxBody+1)); w.Code != http.StatusUnauthorized {
		t.Errorf("an unknown user: got %d %s", w.Code, w.Body)
	}
}

func TestNoScriptsWithoutAConsole(t *testing.T) {
	h, _ := newHandler(t)
	if w := ask(h, "admin", http.MethodPost, "/rest/execute", `{"script":"x"}`); w.Code != http.StatusBadRequest {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := ask(h, "admin", http.MethodPost, "/restexecute", `{"script":"x"}`); w.Code != http.StatusBadRequest {
		t.Errorf("beside the prefix: got %d %s", w.Code, w.Body)
	}
}

func TestLongCommandIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		menus, _ := newTree(t)
		h := New(Config{Tree: menus, Login: letIn})
		ask(h, "admin", http.MethodPut, "/rest/interface/pptp-client", `{"connect-to":"192.0.2.1","user":"u","name":"out"}`)
		start := time.Now()
		w := ask(h, "admin", http.MethodPost, "/rest/interface/pptp-client/monitor", `{"numbers":"out"}`)
		if took := time.Since(start); w.Code != 400 || !strings.Contains(w.Body.String(), `"Session closed"`) || took != longest {
			t.Errorf("after %v: %d %s", took, w.Code, w.Body)
		}
	})
}

func TestManyRepliesAreCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		menus, _ := newTree(t)
		h := New(Config{Tree: menus, Login: letIn})
		ask(h, "admin", http.MethodPut, "/rest/interface/pptp-client", `{"connect-to":"192.0.2.1","user":"u","name":"out"}`)
		items := strings.Repeat("*1,", 1000) + "*1"
		w := ask(h, "admin", http.MethodPost, "/rest/interface/pptp-client/monitor", `{"interval":"20ms","numbers":"`+items+`"}`)
		if w.Code != 400 || !strings.Contains(w.Body.String(), `"Session closed"`) {
			t.Errorf("%d, %d octets", w.Code, w.Body.Len())
		}
	})
}

func TestEveryKindHasAStatus(t *testing.T) {
	for kind := menu.Internal; kind <= menu.Interrupted; kind++ {
		p := problemOf(fmt.Errorf("wrapped: %w", menu.Errorf(kind, "text")))
		if p.status < 400 || http.StatusText(p.status) == "" {
			t.Errorf("kind %d is answered with %d", kind, p.status)
		}
		var body struct {
			Detail, Message string
			Error           int
		}
		if err := json.Unmarshal(p.body(), &body); err != nil || body.Error != p.status || body.Message != http.StatusText(p.status) {
			t.Errorf("kind %d: %s, %v", kind, p.body(), err)
		}
	}
	// What is not in the tree's words is not for the world.
	if p := problemOf(errors.New("open /secret/file")); p.status != 500 || p.detail != "" {
		t.Errorf("another error is answered with %d %q", p.status, p.detail)
	}
}

// TestAnswersAreJSON reads what has awkward characters in it back with another
// decoder.
func TestAnswersAreJSON(t *testing.T) {
	for _, s := range []string{"", "plain", "\"\\/", "a\nb\rc\td", "\x00\x1f\x7f", "é€😀", "<&>", "\u2028"} {
		var back string
		if err := json.Unmarshal(appendString(nil, s), &back); err != nil || back != s {
			t.Errorf("%q is written %s, which reads %q, %v", s, appendString(nil, s), back, err)
		}
	}
	if got := string(appendString(nil, "a\xffb\xc3")); got != "\"a\uFFFDb\uFFFD\"" {
		t.Errorf("what is not UTF-8 is written %q", got)
	}
	m := (&menu.Menu{Name: "m", Properties: []menu.Property{
		{Name: "z", Type: menu.String{}}, {Name: "a-b", Type: menu.String{}}, {Name: "a", Type: menu.String{}, Optional: true},
		{Name: menu.Comment, Type: menu.CommentText},
	}}).Standalone()
	e := newEncoder(m, nil, true)
	if got, want := string(e.append(nil, m.Defaults(0x1F), 3)), `{".id":"*1F",".section":"3","a-b":"","z":""}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	row := m.Defaults(1)
	buffer := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { e.append(buffer, row, noSection) }); n > 2 { // the text of the id
		t.Errorf("%v allocations for a row", n)
	}
}

// TestTenWriters adds through ten clients at once; nothing may be lost.
func TestTenWriters(t *testing.T) {
	h, _ := newHandler(t)
	const writers, each = 10, 20
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				name := fmt.Sprintf("user%d-%d", w, i)
				if a := ask(h, "admin", http.MethodPut, "/rest/ppp/secret", `{"name":"`+name+`"}`); a.Code != http.StatusCreated {
					t.Errorf("%s: %d %s", name, a.Code, a.Body)
				}
				if a := ask(h, "admin", http.MethodPatch, "/rest/ppp/secret/"+name, `{"comment":"`+name+`"}`); a.Code != http.StatusOK {
					t.Errorf("%s: %d %s", name, a.Code, a.Body)
				}
			}
		})
	}
	group.Wait()
	var rows []map[string]string
	if err := json.Unmarshal(ask(h, "admin", http.MethodGet, "/rest/ppp/secret", "").Body.Bytes(), &rows); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, r := range rows {
		ids[r[".id"]] = true
		if r["comment"] != r["name"] {
			t.Errorf("%s has the comment %q", r["name"], r["comment"])
		}
	}
	if len(ids) != writers*each {
		t.Errorf("%d rows of %d", len(ids), writers*each)
	}
}

// TestAmbiguousName checks that a name that two items share picks none.
func TestAmbiguousName(t *testing.T) {
	h, menus := newHandler(t)
	for _, service := range []string{"pptp", "l2tp"} {
		ask(h, "admin", http.MethodPut, "/rest/ppp/secret", `{"name":"twin","service":"`+service+`"}`)
	}
	if w := ask(h, "admin", http.MethodDelete, "/rest/ppp/secret/twin", ""); w.Code != http.StatusBadRequest {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	for _, name := range []string{"twi", "t", ""} {
		if _, err := menus.Identify(menus.Root().At("/ppp/secret"), name); err == nil || err.Error() != "no such item" {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestUsersChange checks that a login is not believed after users were changed.
func TestUsersChange(t *testing.T) {
	g := newGate(letIn)
	c := &connection{}
	asked := 0
	g.login = func(ctx context.Context, a login.Attempt) (login.User, func(), error) {
		asked++
		return letIn(ctx, a)
	}
	enter := func(name string) error {
		r := httptest.NewRequest(http.MethodGet, "/rest", nil)
		r.SetBasicAuth(name, "secret")
		u, _, err := g.enter(r.WithContext(context.WithValue(r.Context(), connectionKey{}, c)))
		if err == nil && u.Name != name {
			t.Errorf("%s came in as %s", name, u.Name)
		}
		return err
	}
	var asks []int
	for _, name := range []string{"admin", "admin", "reader", "reader", "mallory", "mallory", "reader", "reader"} {
		if err := enter(name); (err == nil) != (name != "mallory") {
			t.Errorf("%s: %v", name, err)
		}
		asks = append(asks, asked)
	}
	g.epoch.Add(1)
	if err := enter("reader"); err != nil {
		t.Error(err)
	}
	asks = append(asks, asked)
	c.close()
	if want := []int{1, 1, 2, 2, 3, 4, 5, 5, 6}; !slices.Equal(asks, want) {
		t.Errorf("logins after each request: %v, want %v", asks, want)
	}
}

// TestLongListing gets more rows than a part holds: in one array, sent in parts.
func TestLongListing(t *testing.T) {
	menus, _ := newTree(t)
	h := New(Config{Tree: menus, Login: letIn})
	const n = 300
	for i := range n {
		if w := ask(h, "admin", "PUT", "/rest/ppp/secret", fmt.Sprintf(`{"name":"u%d","comment":%q}`, i, strings.Repeat("c", 200))); w.Code != http.StatusCreated {
			t.Fatal(w.Code, w.Body)
		}
	}
	for target, body := range map[string]string{"/rest/ppp/secret": "", "/rest/ppp/secret/print": "{}"} {
		method := "GET"
		if body != "" {
			method = "POST"
		}
		w := ask(h, "admin", method, target, body)
		var rows []map[string]string
		if err := json.Unmarshal(w.Body.Bytes(), &rows); err != nil || len(rows) != n {
			t.Errorf("%s: %d rows, %v", target, len(rows), err)
		}
		if w.Body.Len() < 2*partSize || w.Header().Get("Content-Length") != "" || w.Header().Get("Content-Type") != contentType {
			t.Errorf("%s: %d octets with %v", target, w.Body.Len(), w.Header())
		}
		if w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be stored: %v", target, w.Header())
		}
	}
	// One whose client goes away half way must not end as if it were whole.
	func() {
		defer func() {
			if recover() != http.ErrAbortHandler {
				t.Error("the handler was not aborted")
			}
		}()
		r := httptest.NewRequest("GET", "/rest/ppp/secret", nil)
		r.SetBasicAuth("admin", "secret")
		h.ServeHTTP(gone{httptest.NewRecorder()}, r)
	}()
}

// gone is a client that reads no more.
type gone struct{ http.ResponseWriter }

func (gone) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
