package web

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"gopptp/internal/rest"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// A site is a door on a real port.
type site struct {
	*world
	address string
	stop    func()
}

var errStopped = errors.New("stopped by the test")

// serve opens a port for a world's door.
func (w *world) serve() *site {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := rest.Serve(ctx, l, nil, w.server, w.Journal); !errors.Is(err, errStopped) {
			w.t.Errorf("Serve: %v", err)
		}
	})
	all.Go(func() {
		if err := w.server.Run(ctx); !errors.Is(err, errStopped) {
			w.t.Errorf("Run: %v", err)
		}
	})
	s := &site{world: w, address: l.Addr().String(), stop: func() { cancel(errStopped); all.Wait() }}
	w.t.Cleanup(s.stop)
	return s
}

// request sends a request as a browser.
func (s *site) request(b *browser, method, path, body string) *http.Response {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.address+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { answer.Body.Close() })
	return answer
}

// A seat is somebody at the console of the page.
type seat struct {
	*websocket.Conn
	t    *testing.T
	seen string
}

// sit opens a console.
func (s *site) sit(t *testing.T, b *browser) *seat {
	t.Helper()
	h := http.Header{"Origin": {"http://" + s.address}, "Cookie": {cookieName + "=" + b.cookies[cookieName]}}
	conn, _, err := websocket.Dial(t.Context(), "ws://"+s.address+"/web/api/console", &websocket.DialOptions{HTTPHeader: h})
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(-1)
	t.Cleanup(func() { conn.CloseNow() })
	return &seat{Conn: conn, t: t}
}

func (s *seat) send(kind websocket.MessageType, text string) {
	s.t.Helper()
	if err := s.Write(s.t.Context(), kind, []byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

// keys types a text.
func (s *seat) keys(text string) { s.t.Helper(); s.send(websocket.MessageBinary, text) }

// until waits until the console has shown a text.
func (s *seat) until(text string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for !strings.Contains(s.seen, text) {
		kind, b, err := s.Read(ctx)
		if err != nil || kind != websocket.MessageBinary {
			s.t.Fatalf("no %q: %v after %q", text, err, s.seen)
		}
		s.seen += string(b)
	}
	_, s.seen, _ = strings.Cut(s.seen, text)
}

// ends waits for the end and gives its code.
func (s *seat) ends() websocket.StatusCode {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for {
		if _, _, err := s.Read(ctx); err != nil {
			if ctx.Err() != nil {
				s.t.Fatal("the console goes on")
			}
			return websocket.CloseStatus(err)
		}
	}
}

func TestConsole(t *testing.T) {
	w := newWorld(t)
	site := w.serve()
	admin := w.signIn("admin")
	s := site.sit(t, admin)
	s.until("[admin@gopptp] ")
	s.send(websocket.MessageText, `{"columns":40,"rows":10}`)
	s.keys("/system/identity/print\r")
	s.until("name: gopptp")
	s.until("[admin@gopptp] ")
	// Ctrl-C ends what runs, and the console goes on.
	s.keys("/interface/pptp-client/add connect-to=192.0.2.1 user=u name=out\r")
	s.until("[admin@gopptp] ")
	s.keys("/interface/pptp-client/monitor out\r")
	s.until("status: ")
	s.keys("\x03")
	s.until("[admin@gopptp] ")
	// The window is as small as the page says: a list is paged.
	s.keys("/ppp/profile/print detail\r")
	s.until("[Q quit|D dump|down]")
	s.keys("q")
	s.until("[admin@gopptp] ")
	s.keys("/quit\r")
	if code := s.ends(); code != websocket.StatusNormalClosure {
		t.Errorf("after quit: %d", code)
	}
	admin.want(200, "GET", "/web/api/session", "", "") // it goes on without the console
}

// TestConsoleEnds checks what ends a console.
func TestConsoleEnds(t *testing.T) {
	w := newWorld(t)
	site := w.serve()
	admin, eye := w.signIn("admin"), w.signIn("eye")
	s := site.sit(t, eye)
	s.until("[eye@gopptp] ")
	s.keys("/ppp/secret/add name=x\r")
	s.until("not enough permissions (9)")
	w.do("/user/active", "request-logout", "eye")
	if code := s.ends(); code != statusOver {
		t.Errorf("signed out: %d", code)
	}
	for name, message := range map[string]string{
		"no control": `x`, "no size": `{"columns":-1}`, "a list": `[]`,
	} {
		s := site.sit(t, admin)
		s.until("> ")
		s.send(websocket.MessageText, message)
		if code := s.ends(); code != websocket.StatusPolicyViolation {
			t.Errorf("%s: %d", name, code)
		}
	}
	s = site.sit(t, admin)
	s.until("> ")
	s.keys(strings.Repeat("x", maxMessage+1))
	if code := s.ends(); code != websocket.StatusMessageTooBig {
		t.Errorf("a large message: %d", code)
	}
}

// TestConsoleIsActivity checks that who types is at work, and who only has a
// console open is not.
func TestConsoleIsActivity(t *testing.T) {
	w := newWorld(t)
	site := w.serve()
	s := site.sit(t, w.signIn("admin"))
	s.until("> ")
	v := w.server.visits.all()[0]
	long := func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.active = time.Now().Add(-9 * time.Minute)
	}
	long()
	s.keys("/system/identity/print\r")
	s.until("gopptp")
	if age := time.Since(v.last()); age > time.Minute {
		t.Errorf("who types did something %v ago", age)
	}
	long()
	s.send(websocket.MessageText, `{"columns":40,"rows":10}`)
	v.mu.Lock()
	v.active = time.Now().Add(-11 * time.Minute)
	v.mu.Unlock()
	w.server.visits.sweep(time.Now())
	if code := s.ends(); code != statusOver {
		t.Errorf("after 11 minutes: %d", code)
	}
}

// TestSafeModeOfAClosedPage checks that what was changed in safe mode is taken back
// when the page is closed, also in the middle of a command.
func TestSafeModeOfAClosedPage(t *testing.T) {
	w := newWorld(t)
	site := w.serve()
	admin := w.signIn("admin")
	s := site.sit(t, admin)
	s.until("> ")
	s.keys("\x18")
	s.until("<SAFE>")
	s.keys("/ppp/secret/add name=gone\r")
	s.until("<SAFE>")
	s.keys(":put (\"be\" . \"gun\"); :delay 60s\r") // that says nothing, so that no write fails
	s.until("begun")
	admin.want(200, "GET", "/web/api/rest/ppp/secret", "", `"name":"gone"`)
	s.CloseNow()
	for range 1000 {
		if admin.send("GET", "/web/api/rest/ppp/secret", "").Body.String() == "[]" {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("what was changed in safe mode is still there")
}

// TestStreamsAreBounded counts logs and consoles together.
func TestStreamsAreBounded(t *testing.T) {
	w := newWorld(t)
	site := w.serve()
	admin := w.signIn("admin")
	for range maxStreams - 1 {
		if got := site.request(admin, "GET", "/web/api/log", ""); got.StatusCode != 200 {
			t.Fatal(got.Status)
		}
	}
	s := site.sit(t, admin)
	s.until("> ")
	if got := site.request(admin, "GET", "/web/api/log", ""); got.StatusCode != 400 {
		t.Errorf("one more: %s", got.Status)
	}
	s.keys("/quit\r")
	s.ends()
	for range 1000 { // the server learns of it a little later
		if got := site.request(admin, "GET", "/web/api/log", ""); got.StatusCode == 200 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("what ended still counts")
}

// TestEndWithoutLeaks stops the door while people are at work.
func TestEndWithoutLeaks(t *testing.T) {
	before := runtime.NumGoroutine()
	w := newWorld(t)
	site := w.serve()
	admin := w.signIn("admin")
	var pages []io.Closer
	for i := range 3 {
		s := site.sit(t, admin)
		s.until("> ")
		if i == 0 {
			s.keys("/log/print follow\r")
			s.until("logged in")
		}
		got := site.request(admin, "GET", "/web/api/log", "")
		if got.StatusCode != 200 {
			t.Fatal(got.Status)
		}
		pages = append(pages, got.Body, closer(func() error { return s.CloseNow() }))
	}
	start := time.Now()
	site.stop()
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("the end took %v", took)
	}
	if active := w.Tree.Gate().Active(); len(active) != 0 {
		t.Errorf("who is in: %+v", active)
	}
	for _, p := range pages {
		p.Close()
	}
	for range 200 {
		if runtime.NumGoroutine() <= before+1 { // that of the test's scripts
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
}

// closer makes a function an io.Closer.
type closer func() error

func (c closer) Close() error { return c() }

func TestParseControl(t *testing.T) {
	for text, want := range map[string]control{
		`{"columns":80,"rows":24}`: {80, 24}, `{"rows":3,"more":true}`: {0, 3}, `{}`: {},
	} {
		if got, err := parseControl([]byte(text)); got != want || err != nil {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{``, `{`, `1`, `[]`, `{"columns":"80"}`, `{"columns":1.5}`, `{"columns":-1}`, `{"rows":-1}`, `{"rows":1e99}`} {
		if got, err := parseControl([]byte(text)); err == nil {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

func FuzzParseControl(f *testing.F) {
	for _, c := range []control{{80, 24}, {0, 0}, {1 << 30, 1}} {
		b, err := json.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseControl(b)
		if err == nil && (c.Columns < 0 || c.Rows < 0) || err != nil && c != (control{}) {
			t.Errorf("%q: %+v, %v", b, c, err)
		}
	})
}

// An event is one of the log.
type event struct {
	id string
	logEntry
}

// events reads events of a log.
func events(t *testing.T, body *bufio.Scanner, n int) []event {
	t.Helper()
	var out []event
	var e event
	for len(out) < n && body.Scan() {
		name, value, _ := strings.Cut(body.Text(), ": ")
		switch {
		case name == "id":
			e.id = value
		case name == "data":
			if err := json.Unmarshal([]byte(value), &e.logEntry); err != nil {
				t.Fatalf("%q: %v", value, err)
			}
		case body.Text() == "" && e.id != "":
			if e.id != fmt.Sprint(e.ID) {
				t.Errorf("the event %s has the entry %d", e.id, e.ID)
			}
			out = append(out, e)
			e = event{}
		}
	}
	if len(out) < n {
		t.Fatalf("%d events, want %d: %v", len(out), n, body.Err())
	}
	return out
}
