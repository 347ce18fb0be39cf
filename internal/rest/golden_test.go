package rest

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"gopptp/internal/journal"
	"gopptp/internal/login"
	"gopptp/internal/menu"
	"gopptp/internal/session"
	"gopptp/internal/store"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// policies are the users of the tests; their password is secret.
var policies = map[string]menu.Policy{
	"admin": menu.AllPolicies, "reader": menu.Read, "writer": menu.Write, "editor": menu.Read | menu.Write,
}

// letIn is a login.Login.
func letIn(_ context.Context, a login.Attempt) (login.User, func(), error) {
	p, known := policies[a.Name]
	if !known || a.Password != "secret" || a.Door != login.DoorRESTAPI || !a.From.IsValid() {
		return login.User{}, nil, login.ErrDenied
	}
	return login.User{Name: a.Name, Policies: p}, func() {}, nil
}

// newTree makes a tree over an empty store.
func newTree(t testing.TB) (*tree.Tree, *treetest.Engine) {
	t.Helper()
	db, _, err := store.Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	e := &treetest.Engine{}
	menus, err := tree.New(db, e, journal.New(nil, false))
	if err != nil {
		t.Fatal(err)
	}
	return menus, e
}

// echo stands in for the console behind /rest/execute.
func echo(_ context.Context, u tree.User, script string, out io.Writer) error {
	switch script {
	case "fail":
		return menu.Errorf(menu.BadArgument, "input does not match any value of certificate")
	case "flood":
		for {
			if _, err := out.Write(make([]byte, 4096)); err != nil {
				return fmt.Errorf("console: %w", err)
			}
		}
	}
	_, err := fmt.Fprintf(out, "%s: %s\n", u.Name, script)
	return err
}

// ask sends a request to a handler. The body may be empty.
func ask(h http.Handler, user, method, target, body string) *httptest.ResponseRecorder {
	var from io.Reader
	if body != "" {
		from = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, from)
	if user != "" {
		r.SetBasicAuth(user, "secret")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestGolden sends the requests of each file in testdata, METHOD PATH BODY in a
// line, and compares the answers. Lines with ! in front change the world:
//
//	!user NAME                  another user sends, of policies
//	!session ID USER [BINDING]  a session of the server side came up 44m8s ago
//	!up ID                      the client with the id came up 48m6s ago
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(b), "\n----------\n")
			var got string
			synctest.Test(t, func(t *testing.T) { got = converse(t, input) })
			if *update {
				if err := os.WriteFile(file, []byte(input+"\n----------\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", file, diff)
			}
		})
	}
}

// converse sends the requests of a golden file and gives what was answered.
func converse(t *testing.T, input string) string {
	menus, engine := newTree(t)
	h := New(Config{Tree: menus, Login: letIn, Run: echo})
	var out bytes.Buffer
	var sessions []session.Status
	user := "admin"
	for line := range strings.SplitSeq(input, "\n") {
		words := strings.Fields(line)
		switch {
		case line == "" || line[0] == '#':
			continue
		case words[0] == "!user":
			user = strings.TrimPrefix(line, "!user ")
			continue
		case words[0] == "!session":
			s := session.Status{
				User: words[2], Interface: "<pptp-" + words[2] + ">", CallerID: "198.51.100.7", Encoding: "MPPE128 stateless",
				MTU: 1450, RemoteAddress: netip.MustParseAddr("10.0.0.5"), LocalAddress: netip.MustParseAddr("10.0.0.1"),
				ConnectedAt: time.Now().Add(-44*time.Minute - 8*time.Second), Running: true, SessionID: 0x81E00004,
			}
			fmt.Sscan(words[1], &s.ID)
			if len(words) > 3 {
				fmt.Sscan(words[3], &s.Binding)
			}
			sessions = append(sessions, s)
			engine.SetSessions(sessions...)
			continue
		case words[0] == "!up":
			var id uint64
			fmt.Sscan(words[1], &id)
			engine.SetClient(id, session.Status{
				ConnectedAt: time.Now().Add(-48*time.Minute - 6*time.Second), Running: true, Encoding: "MPPE128 stateless", MTU: 1450, MRU: 1450,
				State: "connected", LocalAddress: netip.MustParseAddr("10.0.0.5"), RemoteAddress: netip.MustParseAddr("10.0.0.1"),
			})
			continue
		}
		parts := strings.SplitN(line, " ", 3)
		body := ""
		if len(parts) == 3 {
			body = parts[2]
		}
		w := ask(h, user, parts[0], parts[1], body)
		fmt.Fprintf(&out, "> %s\n< %d %s\n", line, w.Code, w.Body)
	}
	return out.String()
}
