package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopptp/internal/login"
	"gopptp/internal/menu"
	"gopptp/internal/tree"
)

// Prefix is where the handler belongs in the paths of a server.
const Prefix = "/rest"

const (
	// longest is how long a command may run (RouterOS's limit).
	longest = 60 * time.Second
	// maxBody bounds the body of a request: a script with some thousand commands
	// fits.
	maxBody = 4 << 20
)

// A Config is what a handler stands on.
type Config struct {
	Tree  *tree.Tree
	Login login.Login

	// User gives the user of a request that another handler has let in. Nil to let
	// them in by name and password, which is what Login is for.
	User func(*http.Request) tree.User

	// Run runs a script for /rest/execute, for a user and with what it prints
	// going to out. Nil for none: there is no such command then.
	Run func(ctx context.Context, u tree.User, script string, out io.Writer) error
}

// A handler answers requests under Prefix. It is safe for concurrent use.
type handler struct {
	tree    *tree.Tree
	run     func(ctx context.Context, u tree.User, script string, out io.Writer) error
	user    func(*http.Request) tree.User // nil to ask gate
	gate    *gate
	foreign http.CrossOriginProtection
}

// New makes a handler for the paths under Prefix. Behind Serve it logs each
// connection in once; behind another server, each request.
func New(c Config) http.Handler {
	return &handler{tree: c.Tree, run: c.Run, user: c.User, gate: newGate(c.Login)}
}

// contentType is what answers with a body are.
const contentType = "application/json"

// An answer is what goes back.
type answer struct {
	status int
	body   []byte
	sent   bool // it was sent while it was made
}

// ServeHTTP answers one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store") // it may hold passwords
	w.Header().Set("X-Content-Type-Options", "nosniff")
	a, err := h.answer(w, r)
	if err != nil {
		p := problemOf(err)
		if p.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Basic realm="gopptp", charset="UTF-8"`)
		}
		a = answer{status: p.status, body: p.body()}
	}
	if a.sent {
		return
	}
	if len(a.body) > 0 {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a client that is gone needs no answer
}

// methods are the methods and what answers them.
var methods = map[string]func(*request) (answer, error){
	http.MethodGet: (*request).get, http.MethodPut: (*request).put, http.MethodPatch: (*request).patch,
	http.MethodDelete: (*request).delete, http.MethodPost: (*request).post,
}

// A request is one that was let in.
type request struct {
	*handler
	ctx     context.Context // ends with the client, or when the command took too long
	sending context.Context // ends with the client
	w       http.ResponseWriter
	user    tree.User
	menu    *menu.Menu // as far as the path leads
	rest    []string   // the words of the path after it
	query   url.Values
	body    []field

	proplist []string // the properties to answer with; nil for all
}

func (h *handler) answer(w http.ResponseWriter, r *http.Request) (answer, error) {
	method, ok := methods[r.Method]
	if !ok {
		return answer{}, errMethod
	}
	// A browser that knows the password must not be used by another site's page.
	if h.foreign.Check(r) != nil {
		return answer{}, errForeign
	}
	user, done, err := h.enter(r)
	if err != nil {
		return answer{}, err
	}
	defer done()
	ctx, cancel := context.WithTimeout(r.Context(), longest)
	defer cancel()
	q := &request{handler: h, ctx: ctx, sending: r.Context(), w: w, user: user}
	if q.menu, q.rest, err = h.walk(r.URL.EscapedPath()); err != nil {
		return answer{}, err
	}
	if q.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return answer{}, errQuery
	}
	if r.Method != http.MethodGet && r.Method != http.MethodDelete {
		if q.body, err = readBody(w, r); err != nil {
			return answer{}, err
		}
	}
	return method(q)
}

// enter gives the user of a request.
func (h *handler) enter(r *http.Request) (u tree.User, done func(), err error) {
	if h.user != nil {
		return h.user(r), func() {}, nil
	}
	return h.gate.enter(r)
}

// readBody reads the object that a request brings.
func readBody(w http.ResponseWriter, r *http.Request) ([]field, error) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, errTooLarge
	case err != nil:
		return nil, errJSON
	}
	return decode(b)
}

// walk goes down a path as far as there are menus. Its words were escaped one by
// one, since a name may hold a slash.
func (h *handler) walk(path string) (m *menu.Menu, rest []string, err error) {
	path, ok := strings.CutPrefix(path+"/", Prefix+"/")
	if !ok {
		return nil, nil, errNoCommand
	}
	m = h.tree.Root()
	for escaped := range strings.SplitSeq(path, "/") {
		word, err := url.PathUnescape(escaped)
		if err != nil {
			return nil, nil, errNoCommand
		}
		i := slices.IndexFunc(m.Children, func(c *menu.Menu) bool { return c.Name == word })
		switch {
		case i >= 0 && rest == nil:
			m = m.Children[i]
		case word != "":
			rest = append(rest, word)
		}
	}
	return m, rest, nil
}

// do carries out a command and gives the rows and the value of its answer.
// A command that changes users ends the trust in logins from before.
func (q *request) do(r *menu.Request) (rows []*menu.Row, value []string, err error) {
	value, err = q.tree.Execute(q.ctx, q.user, r, func(some []*menu.Row) error {
		rows = append(rows, some...)
		return nil
	})
	if err == nil && r.Command.Policy&menu.PolicyPolicy != 0 {
		q.gate.epoch.Add(1)
	}
	return rows, value, err
}
