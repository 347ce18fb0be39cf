package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"gopptp/internal/journal"
	"gopptp/internal/login"
	"gopptp/internal/menu"
	"gopptp/internal/radius"
	"gopptp/internal/rest"
	"gopptp/internal/session"
	"gopptp/internal/tree"
)

// Prefix is where the page is in the paths of a server. The handler also answers
// the path / with the way there.
const Prefix = "/web/"

// A Config is what the page shows. Tree and Journal are required.
type Config struct {
	Tree    *tree.Tree
	Journal *journal.Journal
	Version string // of the program; empty if unknown

	// Run runs a script for a user, as rest.Config says; nil for none.
	Run func(ctx context.Context, u tree.User, script string, out io.Writer) error

	// Sessions gives the live sessions of the server side; nil for none.
	Sessions func() []session.Status
	// Totals gives the octets of user packets that all calls, live and ended, have
	// received and sent since the start; nil for none.
	Totals func() (rx, tx uint64)
	// Listening reports whether the control port is open; nil for no.
	Listening func() bool
	// Radius gives the counters of a row of /radius, and whether the server does not
	// answer; nil for unknown.
	Radius func(id uint64) (c radius.Counters, silent bool)
}

// A Server is the door. It is safe for concurrent use, and answers without Run as
// well; only Run knows the past and ends the sessions that nobody uses. Make it
// with New.
type Server struct {
	cfg     Config
	gate    *login.Gate
	rest    http.Handler
	routes  *http.ServeMux
	foreign http.CrossOriginProtection
	files   map[string]*file
	started time.Time

	visits   visits
	live     live
	history  history
	failures failures
	advice   advice
	streams  sync.WaitGroup // of the visits; nothing is added once they are closed
}

// New makes the door.
func New(cfg Config) *Server {
	if cfg.Sessions == nil {
		cfg.Sessions = func() []session.Status { return nil }
	}
	if cfg.Totals == nil {
		cfg.Totals = func() (rx, tx uint64) { return 0, 0 }
	}
	if cfg.Listening == nil {
		cfg.Listening = func() bool { return false }
	}
	if cfg.Radius == nil {
		cfg.Radius = func(uint64) (radius.Counters, bool) { return radius.Counters{}, false }
	}
	s := &Server{cfg: cfg, gate: cfg.Tree.Gate(), files: pageFiles(), routes: http.NewServeMux(), started: time.Now()}
	s.visits.in = map[digest]*visit{}
	s.rest = http.StripPrefix("/web/api", rest.New(rest.Config{
		Tree: cfg.Tree, Run: cfg.Run, User: func(r *http.Request) tree.User { return visitOf(r).treeUser() },
	}))
	s.route()
	return s
}

// route says what answers which path.
func (s *Server) route() {
	const api = "/web/api/"
	s.routes.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, Prefix, http.StatusFound) })
	s.routes.HandleFunc(Prefix, s.page)
	s.routes.HandleFunc("POST "+api+"login", s.login)
	inside := func(pattern string, p menu.Policy, answer func(http.ResponseWriter, *http.Request, *visit) error) {
		s.routes.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-store") // it is for this person alone
			v := s.enter(r)
			if v == nil {
				problem(w, http.StatusUnauthorized, "")
				return
			}
			if !v.may(p) {
				problem(w, http.StatusForbidden, "not enough permissions (9)")
				return
			}
			if err := answer(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)), v); err != nil {
				tell(w, err)
			}
		})
	}
	inside("POST "+api+"logout", 0, s.logout)
	inside("GET "+api+"session", 0, s.session)
	inside("GET "+api+"menus", 0, s.menus)
	inside(api+"rest/", 0, s.command)
	inside("GET "+api+"overview", menu.Read, s.overview)
	inside("GET "+api+"history", menu.Read, s.past)
	inside("GET "+api+"sessions", menu.Read, s.sessions)
	inside("GET "+api+"sessions/{id}", menu.Read, s.oneSession)
	inside("GET "+api+"log", menu.Read, s.log)
	inside("GET "+api+"console", 0, s.console)
	inside("GET "+api+"export", menu.Read, s.export)
	inside(api, 0, func(w http.ResponseWriter, _ *http.Request, _ *visit) error {
		problem(w, http.StatusNotFound, "")
		return nil
	})
}

// command answers as REST does. A command that goes on ends with the session.
func (s *Server) command(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx, cancel := context.WithCancel(r.Context())
	var watch sync.WaitGroup
	defer watch.Wait()
	defer cancel()
	watch.Go(func() {
		select {
		case <-v.over:
			cancel()
		case <-ctx.Done():
		}
	})
	s.rest.ServeHTTP(w, r.WithContext(ctx))
	return nil
}

// contentPolicy lets the page load nothing but itself, and run no script that is
// written into it (Content Security Policy Level 3).
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	// A browser that is signed in must not be used by another site's page.
	if s.foreign.Check(r) != nil {
		problem(w, http.StatusForbidden, "request comes from another site")
		return
	}
	s.routes.ServeHTTP(w, r)
}

// problem answers that something is wrong, in the form of REST.
func problem(w http.ResponseWriter, status int, detail string) {
	send(w, status, struct {
		Detail  string `json:"detail,omitempty"`
		Error   int    `json:"error"`
		Message string `json:"message"`
	}{detail, status, http.StatusText(status)})
}

// statusOf maps what went wrong in the tree to what HTTP says of it; all else is
// the request's fault.
var statusOf = map[menu.Kind]int{
	menu.Internal: http.StatusInternalServerError, menu.NotFound: http.StatusNotFound, menu.Forbidden: http.StatusForbidden,
}

// tell answers with an error.
func tell(w http.ResponseWriter, err error) {
	var e *menu.Error
	if !errors.As(err, &e) {
		problem(w, http.StatusInternalServerError, "")
		return
	}
	status, known := statusOf[e.Kind]
	if !known {
		status = http.StatusBadRequest
	}
	problem(w, status, e.Error())
}

// badRequest is the error for a query that cannot be understood.
func badRequest(what string) error { return menu.Errorf(menu.BadArgument, "%s", what) }

// send answers with JSON, in which hostile names are escapes at most.
func send(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil { // of no type that is sent
		status, b = http.StatusInternalServerError, []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b) // a client that is gone needs no answer
}
