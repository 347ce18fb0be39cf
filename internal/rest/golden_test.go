package rest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gopptp/internal/golden"
	"gopptp/internal/login"
	"gopptp/internal/menu"
	"gopptp/internal/tree"
	"gopptp/internal/tree/treetest"
)

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
	w := golden.NewWorld(t)
	return w.Tree, w.Engine
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
// line, and compares the answers. Lines with ! in front are for the test: one of
// golden.World, or
//
//	!user NAME  another user sends, of policies
func TestGolden(t *testing.T) { golden.Play(t, "*.txt", converse) }

// converse sends the requests of a golden file and gives what was answered.
func converse(t *testing.T, input string) string {
	world := golden.NewWorld(t)
	h := New(Config{Tree: world.Tree, Login: letIn, Run: echo})
	var out strings.Builder
	user := "admin"
	for line := range strings.SplitSeq(input, "\n") {
		words := strings.Fields(line)
		switch {
		case line == "" || line[0] == '#':
			continue
		case words[0] == "!user":
			user = strings.TrimPrefix(line, "!user ")
			continue
		case world.Directive(t, words):
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
