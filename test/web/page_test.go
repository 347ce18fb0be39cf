package web

import (
	"net/netip"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"gopptp/internal/host/hosttest"
	"gopptp/test/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

const (
	password = "Correct horse 7"
	inside   = "10.77.0.1" // the server's address in its tunnels
)

// The addresses of the cables from the desk.
const (
	deskAtServer, serverAtDesk = "192.168.60.1", "192.168.60.2"
	deskAtClient, clientAtDesk = "192.168.61.1", "192.168.61.2"
)

// A world is a server, a client, and a desk with a browser and a cable to each of
// them. The desk is a machine of its own since a browser gives up its requests
// whenever an interface of its machine comes or goes.
type world struct {
	server, client *rig.Machine
	browser        *browser
	page           *tab // of the server
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{server: rig.New(t, "server", ""), client: rig.New(t, "client", "")}
	rig.Plug(t, w.server, w.client)
	desk := hosttest.New(t)
	desk.Sysctl("net/ipv6/conf/default/disable_ipv6", "1") // nothing is to come up late
	for _, cable := range []struct {
		to        *rig.Machine
		near, far string
	}{{w.server, deskAtServer, serverAtDesk}, {w.client, deskAtClient, clientAtDesk}} {
		hosttest.Cable(t, 1500,
			hosttest.Port{In: desk, Name: cable.to.Name, Prefix: netip.MustParsePrefix(cable.near + "/24")},
			hosttest.Port{In: cable.to.Namespace, Name: "desk", Prefix: netip.MustParsePrefix(cable.far + "/24")})
		cable.to.Start()
		cable.to.On(`/user/set admin password="`+password+`"`, "/ip/service/set www disabled=no address="+cable.near)
	}
	w.server.On("/system/identity/set name=vpn-hamburg", "/interface/pptp-server/server/set enabled=yes")
	w.client.On("/system/identity/set name=plant-lyon")
	w.browser = newBrowser(t, desk)
	w.page = w.browser.tab(t, "http://"+serverAtDesk)
	return w
}

// TestRequiresRootPage is a day at work with the page: each part goes on where the
// one before it left the page and the machines.
func TestRequiresRootPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, part := range []struct {
		name string
		run  func(w *world, p *tab)
	}{
		{"refuses a wrong password", (*world).wrongPassword},
		{"by keyboard alone", (*world).keyboard},
		{"adds a secret", (*world).secret},
		{"refuses bad values", (*world).badValues},
		{"dials and shows the tunnel", (*world).tunnel},
		{"shows its traffic", (*world).traffic},
		{"shows hostile names as text", (*world).hostile},
		{"disconnects", (*world).disconnect},
		{"follows and filters the log", (*world).log},
		{"has a console", (*world).console},
		{"exports", (*world).export},
		{"refuses who may not", (*world).readOnly},
		{"ends with the session", (*world).dismissed},
		{"signs out", (*world).signOut},
		{"is there over TLS", (*world).overTLS},
		{"waits for the server", (*world).restart},
	} {
		if !t.Run(part.name, func(t *testing.T) { part.run(w, w.page.in(t)) }) {
			return // the others would only tell the same
		}
	}
}

func (w *world) wrongPassword(p *tab) {
	p.visit("/")
	p.fill("#name", "admin")
	p.fill("#password", "wrong")
	p.click(named("submit"))
	p.sees(named("error"), "invalid user name or password (6)")
	if path := ask[string](p, `() => location.pathname`); path != "/web/" {
		p.Errorf("/ leads to %s", path)
	}
	if cookie := ask[string](p, `() => document.cookie`); cookie != "" {
		p.Errorf("scripts see the cookie %q", cookie)
	}
	w.server.Logs(`login failure for user admin from 192\.168\.60\.1 via web`)
}

// keyboard signs in and goes to the sessions without a mouse.
func (w *world) keyboard(p *tab) {
	p.visit("/web/")
	p.until("the name has the focus", `() => document.activeElement?.id === "name"`)
	p.press("admin" + kb.Tab)
	p.press(password + kb.Enter)
	p.sees(named("user"), "admin")
	p.sees("h1", "Overview")
	p.tabTo(named("nav sessions"))
	p.press(kb.Enter)
	p.sees("h1", "Sessions")
	p.sees(named("empty"), "Nobody is connected.")
	p.press("?")
	p.sees(named("keys"), "Search in this view")
	p.press(kb.Escape)
	p.misses(named("keys"), "")
	p.press("/")
	p.until("the search has the focus", `() => document.activeElement?.matches("main [data-search]")`)
}

// secret adds one by the form that the page makes of the declaration.
func (w *world) secret(p *tab) {
	p.click(named("nav overview"))
	p.sees(named("warnings"), "PPTP")
	p.fill(named("find-menu"), "ppp secret")
	p.click(named("menu /ppp/secret"))
	p.sees("h1", "/ppp/secret")
	p.click(named("add"))
	p.fill(`[name="name"]`, "plant-lyon")
	p.fill(`[name="password"]`, "StrongPass")
	p.choose(`[name="service"]`, "pptp")
	p.choose(`[name="profile"]`, "default-encryption")
	p.fill(`[name="local-address"]`, inside)
	p.fill(`[name="remote-address"]`, "10.77.0.5")
	if kind := ask[string](p, `() => document.querySelector('[name="password"]').type`); kind != "password" {
		p.Errorf("the password is typed into a field of type %s", kind)
	}
	p.click(named("save"))
	p.sees(named("items"), "plant-lyon")
	rig.Shows(p.T, w.server.On("/ppp/secret/print detail"), `name="plant-lyon"`, "service=pptp", `password="StrongPass"`, "profile=default-encryption", "local-address="+inside, "remote-address=10.77.0.5")
	if html := ask[string](p, `() => document.documentElement.outerHTML`); strings.Contains(html, "StrongPass") {
		p.Error("the page holds the password in clear")
	}
}

// badValues shows what the server says beside the field, and that nothing changed.
func (w *world) badValues(p *tab) {
	before := w.server.On("/export show-sensitive")
	p.click(named("add"))
	p.fill(`[name="name"]`, "plant-lyon")
	p.choose(`[name="service"]`, "pptp")
	p.fill(`[name="remote-address"]`, "10.77.0.999")
	p.click(named("save"))
	p.sees(named("error remote-address"), "invalid value for argument remote-address")
	p.until("the field has the focus", `() => document.activeElement?.name === "remote-address" && document.activeElement.getAttribute("aria-invalid") === "true"`)
	p.fill(`[name="remote-address"]`, "10.77.0.9")
	p.click(named("save"))
	p.sees(named("error name"), "secret with the same name already exists")
	p.click(named("cancel"))
	p.click(named("question") + " " + named("yes"))
	p.misses(named("item"), "")
	if after := w.server.On("/export show-sensitive"); cutFirst(after) != cutFirst(before) {
		p.Errorf("refused and yet changed:\n%s\nwas\n%s", after, before)
	}
}

// cutFirst is a text without its first line, which has the time.
func cutFirst(text string) string {
	_, rest, _ := strings.Cut(text, "\n")
	return rest
}

// tunnel adds a client on the other machine's page. The session shows up on this
// one, which nobody loads again.
func (w *world) tunnel(p *tab) {
	p.route("sessions")
	p.sees(named("empty"), "Nobody is connected.")
	ask[bool](p, `() => window.sameDocument = true`)

	far := w.browser.tab(p.T, "http://"+clientAtDesk)
	far.visit("/web/")
	far.signIn("admin", password)
	far.route("menu/interface/pptp-client")
	far.click(named("add"))
	far.fill(`[name="name"]`, "to-hamburg")
	far.fill(`[name="connect-to"]`, rig.ServerAddress)
	far.fill(`[name="user"]`, "plant-lyon")
	far.fill(`[name="password"]`, "StrongPass")
	far.click(named("save"))
	far.sees(named("items"), "to-hamburg")
	if got := w.client.Client("to-hamburg")["status"]; got != "disabled" {
		far.Errorf("a new client is %s", got)
	}
	far.click(named("row-toggle")) // enables it
	w.client.Connected("to-hamburg")
	far.until("the client's page shows that it runs", `() => document.querySelector('[data-test="items"] .flag.running') !== null`)

	p.front()
	p.sees(named("sessions")+" tr", "plant-lyon")
	if !ask[bool](p, `() => window.sameDocument === true`) {
		p.Error("the page was loaded again")
	}
	p.sees(named("session-count"), "1")
}

// traffic watches the session and the overview while packets go through the tunnel.
func (w *world) traffic(p *tab) {
	ping := exec.Command("ping", "-q", "-i", "0.02", "-s", "1000", inside)
	ping.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var err error
	w.client.Do(func() { err = ping.Start() })
	if err != nil {
		p.Fatal(err)
	}
	defer func() {
		_ = ping.Process.Kill()
		_ = ping.Wait() // as it was killed
	}()
	const moves = `(selector) => { const text = document.querySelector(selector)?.innerText ?? ""; return /^[1-9][0-9.]* [kM]bit\/s$/.test(text) }`
	p.until("the row shows what is received", moves, named("sessions")+` td[data-column="rx"]`)
	p.until("the row shows what is sent", moves, named("sessions")+` td[data-column="tx"]`)

	p.tabTo("tr[data-id]")
	p.press(kb.Enter)
	p.sees(named("session-detail")+" h2", "plant-lyon")
	p.press(kb.Escape)
	p.misses(named("session-detail"), "")
	p.until("the row has the focus again", `() => document.activeElement?.matches("tr[data-id]")`)
	p.click(named("sessions") + ` tr[data-id] td[data-column="name"]`)
	p.sees(named("session-detail")+" h2", "plant-lyon")
	p.sees(`[data-fact="Encoding"]`, "MPPE128 stateless")
	p.sees(`[data-fact="Caller"]`, rig.ClientAddress)
	p.sees(`[data-fact="Address"]`, "10.77.0.5")
	p.sees(`[data-fact="Interface"]`, "<pptp-plant-lyon>")
	p.until("the session's plot goes on", `(plot) => Number(document.querySelector(plot)?.dataset.points) >= 4`, named("plot-session"))
	p.until("it shows the rate", moves, named("plot-session")+" "+named("plot-received"))
	drawn(p, named("plot-session"))

	p.click(named("nav overview"))
	p.sees(named("active"), "1")
	p.sees(named("server"), "listening")
	p.until("the figure of all traffic moves", moves, named("rx")+" .rx")
	first := ask[string](p, `async (plot) => {
		while (!(Number(document.querySelector(plot)?.dataset.points) >= 1)) await new Promise((later) => setTimeout(later, 50));
		return document.querySelector(plot).dataset.last;
	}`, named("plot-traffic"))
	p.until("the last hour goes on", `(plot, first) => Number(document.querySelector(plot).dataset.last) > Number(first)`, named("plot-traffic"), first)
	p.until("it shows the rate", moves, named("plot-traffic")+" "+named("plot-received"))
	drawn(p, named("plot-traffic"))
	p.sees(named("plot-sessions")+" "+named("plot-sessions"), "1")
}

// drawn checks that a plot has drawn something, and not only says so.
func drawn(p *tab, plot string) {
	p.Helper()
	p.until(plot+" is drawn", `(plot) => {
		const canvas = document.querySelector(plot + " canvas");
		const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
		return pixels.some((octet) => octet !== 0);
	}`, plot)
}

// What somebody may call himself.
const (
	hostileName    = `<img src=x onerror=alert(1)>`
	hostileComment = `"><script>alert(2)</script>`
)

// hostile has such names come from all sides. A dialog, a request for x or a breach
// of the content policy fails the test at its end.
func (w *world) hostile(p *tab) {
	w.server.On(`/ppp/secret/add name="`+hostileName+`" password=p profile=default-encryption local-address=`+inside+` remote-address=10.77.0.6 comment="\"><script>alert(2)</script>"`,
		`/log/warning message="`+hostileName+`"`)
	w.client.On(`/interface/pptp-client/add name=evil connect-to=` + rig.ServerAddress + ` user="` + hostileName + `" password=p disabled=no comment="\"><script>alert(2)</script>"`)
	w.client.Connected("evil")
	p.route("sessions")
	p.sees(named("sessions"), hostileName)
	p.click(named("sessions") + ` button[aria-label*="onerror"]`)
	p.sees(named("question"), hostileName)
	p.click(named("no"))
	p.click(named("sessions") + ` tr:has(button[aria-label*="onerror"]) td[data-column="name"]`)
	p.sees(named("session-detail")+" h2", hostileName)
	p.route("menu/ppp/secret")
	p.sees(named("items"), hostileName)
	p.sees(named("items"), hostileComment)
	p.click(named("items") + ` tr:has(button[aria-label*="onerror"]) td[data-column="name"]`)
	p.sees(named("item")+" h2", hostileName)
	if got := ask[string](p, `() => document.querySelector('[name="comment"]').value`); got != hostileComment {
		p.Errorf("the form has the comment %q", got)
	}
	p.press(kb.Escape)
	p.misses(named("item"), "")
	p.route("menu/interface/pptp-server")
	p.sees(named("items"), hostileName)
	p.route("log")
	p.sees(named("log"), hostileName)
	w.client.On("/interface/pptp-client/set evil password=wrong")
	w.server.Logs(`onerror=alert\(1\)>.*authentication failed`)
	p.route("overview")
	p.sees(named("failed-logins"), hostileName)
	w.client.On("/interface/pptp-client/remove evil")
	if n := ask[int](p, `() => document.querySelectorAll("img[src=x], [onerror], main script").length`); n != 0 {
		p.Errorf("%d elements were made of a name", n)
	}
}

// disconnect ends the session, after a question.
func (w *world) disconnect(p *tab) {
	p.route("sessions")
	p.sees(named("sessions"), "plant-lyon")
	p.click(named("sessions") + ` tr:has(button[aria-label="Disconnect plant-lyon"]) td[data-column="name"]`)
	p.click(named("session-detail") + " " + named("disconnect"))
	p.sees(named("question"), "plant-lyon ("+rig.ClientAddress+") loses the tunnel")
	p.click(named("question") + " " + named("no"))
	p.misses(named("question"), "")
	w.client.Connected("to-hamburg")
	// It may dial again, and shall not while one looks whether it has gone.
	id := ask[string](p, `() => document.querySelector('[data-test="session-detail"]').dataset.id`)
	p.click(named("session-detail") + " " + named("disconnect"))
	p.click(named("question") + " " + named("yes"))
	p.sees(named("messages"), "plant-lyon was disconnected.")
	w.client.On("/interface/pptp-client/disable to-hamburg")
	p.until("its row goes", `(id) => document.querySelector('tr[data-id="' + id + '"]') === null`, id)
	p.misses(named("session-detail"), "")
	p.sees(named("empty"), "Nobody is connected.")
	w.server.Logs(`pptp,ppp,info <pptp-plant-lyon>: terminating`)
	p.route("log")
	p.sees(named("log"), "plant-lyon logged out")
}

func (w *world) log(p *tab) {
	p.route("log")
	p.sees(named("log"), "plant-lyon logged out")
	w.server.On("/log/warning message=\"the cooling of rack 4 is weak\"")
	p.sees(named("log"), "the cooling of rack 4 is weak") // by itself
	p.click(named("topic ppp"))
	p.misses(named("log"), "the cooling of rack 4")
	p.sees(named("log"), "plant-lyon logged out")
	if others := ask[int](p, `() => [...document.querySelectorAll('[data-test="log"] .topics')].filter((e) => !e.innerText.split(",").includes("ppp")).length`); others != 0 {
		p.Errorf("%d entries have another topic", others)
	}
	p.click(named("topic ppp"))
	p.fill(named("search"), "RACK 4")
	p.until("one entry is left", `() => document.querySelectorAll('[data-test="log"] .entry').length === 1`)
	p.fill(named("search"), "")
	p.click(named("pause"))
	w.server.On("/log/info message=\"while nobody followed\"")
	p.sees(named("pause"), "1 new")
	p.misses(named("log"), "while nobody followed")
	p.click(named("pause"))
	p.sees(named("log"), "while nobody followed")
}

func (w *world) console(p *tab) {
	p.route("console")
	p.until("the console is there", `() => document.querySelector('[data-test="terminal"]')?.dataset.state === "open"`)
	p.sees(".xterm-rows", "[admin@vpn-hamburg] >")
	p.press("/ppp/secret/print count-only" + kb.Enter)
	p.until("it counts the secrets", `() => /count-only\s+2\s+\[admin@vpn-hamburg\]/.test(document.querySelector(".xterm-rows").innerText.replaceAll("\u00a0", " "))`)
	p.press("/system/ident" + kb.Tab)
	p.sees(".xterm-rows", "/system/identity")
	p.do("Ctrl+C", chromedp.KeyEvent("c", chromedp.KeyModifiers(chromedp.ModifierCtrl))) // what was typed is given up
	p.press("/quit" + kb.Enter)
	p.sees(named("console-closed"), "The console was closed")
}

func (w *world) export(p *tab) {
	p.route("export")
	p.choose("#path", "/ppp")
	p.click(named("download"))
	name, script := p.saved()
	if !strings.HasPrefix(name, "vpn-hamburg-") || !strings.HasSuffix(name, ".rsc") {
		p.Errorf("the file is called %q", name)
	}
	rig.Shows(p.T, script, "/ppp secret", "name=plant-lyon")
	if strings.Contains(script, "StrongPass") {
		p.Error("the export has passwords that nobody asked for")
	}
	p.click(named("sensitive"))
	p.click(named("show"))
	p.sees(named("script"), "password=StrongPass")
}

// readOnly takes a user's right to write while he is at work.
func (w *world) readOnly(p *tab) {
	w.server.On("/user/group/add name=desk policy=read,write,web", "/user/add name=dora group=desk password=d")
	p.click(named("sign-out"))
	p.signIn("dora", "d")
	p.route("menu/ppp/secret")
	p.click(named("add"))
	p.fill(`[name="name"]`, "mine")
	w.server.On("/user/group/set desk policy=read,web")
	p.click(named("save"))
	p.sees(named("item")+" .notice.bad", "not enough permissions (9)")
	p.visit("/web/")
	p.route("menu/ppp/secret")
	p.sees(named("items"), "plant-lyon")
	if n := ask[int](p, `() => document.querySelectorAll('[data-test="add"], [data-test="row-remove"], [data-test="row-toggle"]').length`); n != 0 {
		p.Errorf("%d buttons for what she may not do", n)
	}
	p.click(named("items") + ` td[data-column="name"]`)
	p.until("the form cannot be written", `() => document.querySelector('[data-test="item"] fieldset')?.disabled && document.querySelector('[data-test="save"]') === null`)
	if status := ask[int](p, `async () => (await fetch("api/rest/ppp/secret", { method: "PUT", body: '{"name":"mine"}', headers: { "Content-Type": "application/json" } })).status`); status != 403 {
		p.Errorf("a request past the page gets %d", status)
	}
	if out := w.server.On("/ppp/secret/print count-only"); strings.TrimSpace(out) != "2" {
		p.Errorf("%s secrets", out)
	}
}

// dismissed ends the session from outside.
func (w *world) dismissed(p *tab) {
	p.visit("/web/#/log")
	p.sees(named("log"), "plant-lyon logged out")
	w.server.On("/user/active/request-logout [find name=dora]")
	p.sees(named("why"), "Your session has ended.")
	p.until("nothing of it is left", `() => document.querySelector('[data-test="log"]') === null`)
}

func (w *world) signOut(p *tab) {
	p.signIn("admin", password)
	p.route("menu/ppp/secret")
	p.sees(named("items"), "plant-lyon")
	p.click(named("sign-out"))
	p.sees(named("why"), "You are signed out.")
	p.do("go back", chromedp.NavigateBack())
	p.sees(named("sign-in"), "Sign in")
	p.misses("body", "plant-lyon")
	for _, path := range []string{"session", "menus", "overview", "sessions", "rest/ppp/secret", "export?path=/"} {
		if status := ask[int](p, `async (path) => (await fetch("api/" + path)).status`, path); status != 401 {
			p.Errorf("%s: %d", path, status)
		}
	}
	if out := w.server.On("/user/active/print count-only where via=web"); strings.TrimSpace(out) != "0" {
		p.Errorf("%s sessions of the page", out)
	}
}

// overTLS signs in where the cookie has to be one that is never sent in clear.
func (w *world) overTLS(p *tab) {
	w.server.On("/ip/service/set www-ssl disabled=no address=" + deskAtServer)
	far := w.browser.tab(p.T, "https://"+serverAtDesk)
	call(far, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true}) // it is the daemon's own
	far.visit("/web/")
	far.signIn("admin", password)
	far.sees("h1", "Overview")
	cookies := call(far, network.GetCookies, network.GetCookiesParams{URLs: []string{"https://" + serverAtDesk + "/web/"}}).Cookies
	for _, c := range cookies {
		if !c.Secure || !c.HTTPOnly || c.SameSite != network.CookieSameSiteStrict {
			far.Errorf("%s: secure %t, http only %t, same site %s", c.Name, c.Secure, c.HTTPOnly, c.SameSite)
		}
	}
	if len(cookies) != 1 {
		far.Errorf("%d cookies", len(cookies))
	}
}

// restart ends the daemon behind the page and starts it again.
func (w *world) restart(p *tab) {
	p.front()
	p.visit("/web/")
	p.signIn("admin", password)
	w.server.Stop()
	p.sees(named("lost"), "No connection to the server.")
	w.server.Start()
	p.sees(named("why"), "Your session has ended.") // it was in memory
	p.signIn("admin", password)
	p.do("leave", chromedp.Navigate("about:blank")) // the server ends before the browser
	for _, problem := range w.browser.take() {
		if !strings.Contains(problem, "net::ERR_") {
			p.Errorf("the page: %s", problem)
		}
	}
}
