package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp/kb"

	"gopptp/internal/session"
	"gopptp/internal/web"
	"gopptp/test/rig"
)

// A counter counts requests that say that a person caused them, and all.
type counter struct {
	http.Handler
	mu     sync.Mutex
	people map[string]int // by path
	all    map[string]int
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.all[r.URL.Path]++
	if r.Header.Get("X-Background") == "" {
		c.people[r.URL.Path]++
	}
	c.mu.Unlock()
	c.Handler.ServeHTTP(w, r)
}

// count gives how many requests there were for a path, by people and in all.
func (c *counter) count(path string) (people, all int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.people[path], c.all[path]
}

// counted opens the page with a counter in front of it.
func counted(t *testing.T, change func(*web.Config)) (*stage, *counter) {
	t.Helper()
	c := &counter{people: map[string]int{}, all: map[string]int{}}
	s := newStage(t, change, func(h http.Handler) http.Handler {
		c.Handler = h
		return c
	})
	return s, c
}

// TestRequiresRootNobody checks that what comes and goes by itself does not
// look as if a person were there, whose session would never end then.
func TestRequiresRootNobody(t *testing.T) {
	t.Parallel()
	var looks sync.Mutex
	n := 0
	s, c := counted(t, func(cfg *web.Config) {
		cfg.Sessions = func() []session.Status { // one that comes and goes
			looks.Lock()
			defer looks.Unlock()
			if n++; n%2 == 0 {
				return nil
			}
			return []session.Status{{ID: 1, User: "flapping", Running: true, ConnectedAt: time.Now()}}
		}
	})
	p := newBrowser(t, s.network).tab(t, s.origin)
	p.visit("/web/")
	p.signIn("admin", password)
	p.route("sessions")
	const path = "/web/api/sessions"
	for range 2 {
		p.until("it has come", `() => document.querySelector("tr[data-id]") !== null`)
		p.until("it has gone", `() => document.querySelector("tr[data-id]") === null`)
	}
	before, allBefore := c.count(path)
	for began := time.Now(); ; time.Sleep(time.Second) {
		now, all := c.count(path)
		if now > before {
			t.Fatalf("%d requests of a person who is not there", now-before)
		}
		if all > allBefore+6 {
			break
		}
		if time.Since(began) > patience {
			t.Fatal("there are no looks")
		}
	}
}

// TestRequiresRootLongTable checks that a long table is not asked for twice.
func TestRequiresRootLongTable(t *testing.T) {
	t.Parallel()
	s, c := counted(t, func(*web.Config) {})
	for i := range 1001 {
		s.do("/ppp/secret", "add", "name", "u"+strconv.Itoa(i))
	}
	p := newBrowser(t, s.network).tab(t, s.origin)
	p.visit("/web/")
	p.signIn("admin", password)
	p.route("menu/ppp/secret")
	p.sees(named("count"), "1,001")
	time.Sleep(time.Second)
	if _, all := c.count("/web/api/rest/ppp/secret"); all != 1 {
		t.Errorf("it was asked for %d times", all)
	}
}

// TestRequiresRootEscape checks that nobody loses a form by pressing Escape again
// and again.
func TestRequiresRootEscape(t *testing.T) {
	t.Parallel()
	s, _ := counted(t, func(*web.Config) {})
	p := newBrowser(t, s.network).tab(t, s.origin)
	p.visit("/web/")
	p.signIn("admin", password)
	p.route("menu/ppp/secret")
	for n := 1; n <= 3; n++ { // the third is one that a browser does not ask about
		p.click(named("add"))
		p.fill(`[name="name"]`, fmt.Sprintf("typed %d times", n))
		for range n {
			p.press(kb.Escape)
			ask[bool](p, `() => new Promise((done) => setTimeout(() => done(true), 100))`) // what is drawn then is there
		}
		if ask[bool](p, `() => document.querySelector('[data-test="question"]') !== null`) {
			p.click(named("no"))
		}
		p.until("the form is there", `() => document.querySelector('[data-test="item"]')?.open`)
		p.click(named("item") + " " + named("cancel"))
		p.click(named("yes"))
		p.until("the form is gone", `() => !document.querySelector("dialog")`)
	}
}

// TestRequiresRootSlowTypist checks that somebody who only types is taken to be
// there, however short the time is after which one is not.
func TestRequiresRootSlowTypist(t *testing.T) {
	t.Parallel()
	c := &counter{people: map[string]int{}, all: map[string]int{}}
	s := newStage(t, func(*web.Config) {}, func(h http.Handler) http.Handler {
		c.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // six seconds in place of a minute
			if !strings.HasSuffix(r.URL.Path, "/login") && !strings.HasSuffix(r.URL.Path, "/session") {
				h.ServeHTTP(w, r)
				return
			}
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, r)
			for name, values := range answer.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(answer.Code)
			fmt.Fprint(w, strings.Replace(answer.Body.String(), `"inactivityTimeout":60}`, `"inactivityTimeout":6}`, 1))
		})
		return c
	})
	s.do("/user", "set", "admin", "inactivity-timeout", "1m")
	p := newBrowser(t, s.network).tab(t, s.origin)
	p.visit("/web/")
	p.signIn("admin", password)
	p.route("menu/ppp/profile")
	p.click(named("search"))
	before, _ := c.count("/web/api/session")
	for began := time.Now(); time.Since(began) < 5*time.Second; time.Sleep(200 * time.Millisecond) {
		p.press("x")
	}
	if now, _ := c.count("/web/api/session"); now == before {
		t.Error("the server was not told that somebody is there")
	}
}

// TestRequiresRootTabs checks that no tab shows somebody who is signed in no longer,
// and does for another what that person began.
func TestRequiresRootTabs(t *testing.T) {
	t.Parallel()
	s, _ := counted(t, func(*web.Config) {})
	s.do("/user/group", "add", "name", "eyes", "policy", "read,web")
	s.do("/user", "add", "name", "eye", "group", "eyes", "password", password)
	b := newBrowser(t, s.network)
	one, two := b.tab(t, s.origin), b.tab(t, s.origin)
	for _, p := range []*tab{one, two} {
		p.visit("/web/")
	}
	one.signIn("admin", password)
	two.visit("/web/")
	two.route("export") // which asks for nothing by itself
	two.sees(named("user"), "admin")
	// Somebody else comes in, as after the end of a session that no tab has seen.
	s.do("/user/active", "request-logout", "admin")
	one.sees(named("sign-in"), "Sign in")
	one.signIn("eye", password)
	two.sees(named("user"), "eye")
	two.misses(named("sensitive"), "")
	one.click(named("sign-out"))
	two.sees(named("sign-in"), "Sign in")
}

// TestRequiresRootLeaving checks that a link does not take away what was typed.
func TestRequiresRootLeaving(t *testing.T) {
	t.Parallel()
	s, _ := counted(t, func(*web.Config) {})
	p := newBrowser(t, s.network).tab(t, s.origin)
	p.visit("/web/")
	p.signIn("admin", password)
	p.route("menu/system/identity")
	p.click(named("nav overview")) // nothing is lost
	p.sees("h1", "Overview")
	p.route("menu/system/identity")
	p.fill(`[name="name"]`, "half a na")
	p.click(named("nav log"))
	p.click(named("question") + " " + named("no"))
	p.misses(named("question"), "")
	if got := ask[string](p, `() => location.hash + " " + document.querySelector('[name="name"]').value`); got != "#/menu/system/identity half a na" {
		t.Errorf("then there is %s", got)
	}
	p.click(named("nav log"))
	p.click(named("question") + " " + named("yes"))
	p.sees("h1", "Log")
	p.click(named("nav overview"))
	p.sees("h1", "Overview")
}

// TestRequiresRootHiddenLog checks that a log that nobody sees holds none of the six
// connections that a browser has to a server, and lacks nothing when it is seen again.
func TestRequiresRootHiddenLog(t *testing.T) {
	t.Parallel()
	var open atomic.Int64
	s := newStage(t, func(*web.Config) {}, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/web/api/log" {
				open.Add(1)
				defer open.Add(-1)
			}
			h.ServeHTTP(w, r)
		})
	})
	opens := func(want int64) {
		t.Helper()
		for began := time.Now(); open.Load() != want; time.Sleep(rig.Look) {
			if time.Since(began) > patience {
				t.Fatalf("%d logs are open, not %d", open.Load(), want)
			}
		}
	}
	p := newBrowser(t, s.network).tab(t, s.origin)
	// A browser without a screen shows all of its tabs.
	show := func(hidden bool) {
		ask[bool](p, `(hidden) => {
			Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
			return document.dispatchEvent(new Event("visibilitychange"));
		}`, hidden)
	}
	p.visit("/web/")
	p.signIn("admin", password)
	p.route("log")
	p.sees(named("log"), "logged in")
	opens(1)
	show(true)
	opens(0)
	s.Journal.Addf("pptp,info", "while nobody looked")
	show(false)
	p.sees(named("log"), "while nobody looked")
	opens(1)
	s.Journal.Addf("pptp,info", "and now")
	p.sees(named("log"), "and now")
	if n := ask[int](p, `() => [...document.querySelectorAll(".entry")].filter((e) => e.innerText.includes("while nobody looked")).length`); n != 1 {
		t.Errorf("it is there %d times", n)
	}
	for range 3 { // quicker than the connection
		show(true)
		show(false)
	}
	time.Sleep(3 * time.Second) // more than the rest before another try
	opens(1)
}

// TestRequiresRootNoAnswer checks that a question does not stand before the door when
// the session of who was asked is over.
func TestRequiresRootNoAnswer(t *testing.T) {
	t.Parallel()
	s, _ := counted(t, func(*web.Config) {})
	s.do("/ppp/secret", "add", "name", "bob")
	p := newBrowser(t, s.network).tab(t, s.origin)
	p.visit("/web/")
	p.signIn("admin", password)
	p.route("menu/ppp/secret")
	p.click(named("row-remove"))
	p.sees(named("question"), "bob")
	s.do("/user/active", "request-logout", "admin")
	p.sees(named("why"), "Your session has ended.")
	p.misses(named("question"), "")
	p.signIn("admin", password)
	p.sees(named("items"), "bob")
}

// TestRequiresRootResizedLog checks that who follows the log goes on doing so in a window of
// another size, and who reads in the midst of it is not taken away from there.
func TestRequiresRootResizedLog(t *testing.T) {
	t.Parallel()
	s, _ := counted(t, func(*web.Config) {})
	p := newBrowser(t, s.network).tab(t, s.origin)
	p.visit("/web/")
	p.signIn("admin", password)
	for i := range 300 {
		s.Journal.Addf("pptp,info", "entry %d, %s", i, strings.Repeat("which is long enough to be broken into lines ", 5))
	}
	resize := func(width, height int64) {
		t.Helper()
		before := ask[string](p, `() => { const b = document.querySelector('[data-test="log"]'); return b.clientWidth + " " + b.clientHeight }`)
		call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
		p.until("the log has another size", `(before) => { const b = document.querySelector('[data-test="log"]'); return b.clientWidth + " " + b.clientHeight !== before }`, before)
		// What follows from that is there two frames later.
		ask[bool](p, `() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(true), 100))))`)
	}
	const left = `() => { const b = document.querySelector('[data-test="log"]'); return Math.round(b.scrollHeight - b.scrollTop - b.clientHeight) }`
	p.route("log")
	p.sees(named("log"), "entry 299,")
	p.until("it is at its end", `() => (`+left+`)() <= 1`)
	for _, size := range [][2]int64{{1280, 500}, {500, 500}, {500, 900}, {1280, 800}} {
		resize(size[0], size[1])
		if n := ask[int](p, left); n > 1 {
			t.Errorf("in a window of %v the end is %d pixels away", size, n)
		}
	}
	ask[bool](p, `() => { document.querySelector('[data-test="log"]').scrollTop = 0; return true }`)
	p.sees(".to-end", "Newest")
	resize(600, 500)
	if top := ask[int](p, `() => Math.round(document.querySelector('[data-test="log"]').scrollTop)`); top != 0 {
		t.Errorf("who reads at the beginning is at %d then", top)
	}
}

// TestRequiresRootHalfAPage checks that a page of which a part cannot be had says so, and
// comes up when it can.
func TestRequiresRootHalfAPage(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"app.js", "vendor/htm.js"} {
		var gone atomic.Bool
		s := newStage(t, func(*web.Config) {}, func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/web/"+part && gone.Load() {
					w.WriteHeader(http.StatusNotFound)
					return
				}
				h.ServeHTTP(w, r)
			})
		})
		b := newBrowser(t, s.network)
		p := b.tab(t, s.origin)
		gone.Store(true)
		p.visit("/web/")
		p.sees(".notice.bad", "The page could not be loaded whole.")
		for _, problem := range b.take() {
			if !strings.Contains(problem, "status of 404") {
				t.Errorf("without %s: %s", part, problem)
			}
		}
		gone.Store(false)
		p.click(named("load-again"))
		p.sees(named("sign-in"), "Sign in")
		p.misses(".notice.bad", "")
	}
}
