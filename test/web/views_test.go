package web

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"gopptp/test/rig"
)

// A look is how somebody looks at the page.
type look struct {
	name          string
	width, height int64
	scale         float64 // of pictures
	dark          bool
}

var looks = []look{
	{"", 1280, 800, 1, false},
	{"-dark", 1280, 800, 1, true},
	{"-narrow", 390, 844, 2, false},
	{"-narrow-dark", 390, 844, 2, true},
}

// at has the page be looked at so.
func (p *tab) at(l look) {
	p.Helper()
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}, // nothing is on its way in a picture
	}})
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: l.width, Height: l.height, DeviceScaleFactor: l.scale})
	// What is drawn by the new size or colours is there two frames later.
	ask[bool](p, `(dark) => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(matchMedia("(prefers-color-scheme: dark)").matches === dark))))`, l.dark)
}

// A view is one of the page's, and how one gets there. In pictures it is shown with
// the looks that are named.
type view struct {
	name     string
	open     func(p *tab)
	pictures []string
}

var views = []view{
	{"sign-in", func(p *tab) {
		p.visit("/web/")
		p.sees(named("sign-in"), "Sign in")
	}, []string{""}},
	{"overview", func(p *tab) {
		p.signIn("admin", password)
		p.sees(named("radius-state"), "10.10.0.21")
		p.sees(named("failed-logins"), "root")
		p.until("there are rates", `() => ["rx", "tx"].every((name) => document.querySelector('[data-test="' + name + '"] strong').innerText.includes("Mbit/s"))`)
		p.until("the plot has its hour", `() => Number(document.querySelector('[data-test="plot-traffic"]')?.dataset.points) >= 700`)
	}, []string{"", "-narrow"}},
	{"sessions", func(p *tab) {
		p.route("sessions")
		p.until("there are rates", `() => document.querySelectorAll('td[data-column="rx"]').length > 10 && [...document.querySelectorAll('td[data-column="rx"]')].slice(0, 5).every((e) => /[kM]bit/.test(e.innerText))`)
	}, []string{"", "-narrow-dark"}},
	{"session", func(p *tab) {
		p.click(named("sessions") + ` tr:has(button[aria-label="Disconnect press-shop-1"]) td[data-column="name"]`)
		for _, least := range sessionPoints() {
			p.until("its plot has begun", `(least) => Number(document.querySelector('[data-test="plot-session"]')?.dataset.points) >= least`, least)
		}
	}, []string{"-dark", "-narrow"}},
	{"secrets", func(p *tab) {
		p.route("menu/ppp/secret")
		p.sees(named("items"), "press-shop-2")
	}, []string{"", "-narrow"}},
	{"form", func(p *tab) {
		p.click(named("add"))
		p.fill(`[name="name"]`, "plant-lyon")
		p.fill(`[name="password"]`, "not shown")
		p.choose(`[name="service"]`, "pptp")
		p.choose(`[name="profile"]`, "plants")
		p.click(named("save"))
		p.sees(named("error name"), "secret with the same name already exists")
	}, []string{"", "-narrow-dark"}},
	{"settings", func(p *tab) {
		p.press(kb.Escape)
		p.click(named("question") + " " + named("yes"))
		p.misses(named("item"), "")
		p.route("menu/interface/pptp-server/server")
		p.sees(named("settings"), "authentication")
	}, nil},
	{"menus", func(p *tab) {
		p.route("menu")
		p.sees("main", "/interface")
	}, nil},
	{"log", func(p *tab) {
		p.route("log")
		p.sees(named("log"), "<pptp-service-van-05>: disconnected")
	}, []string{"-dark"}},
	{"radius", func(p *tab) {
		p.route("radius")
		p.sees(named("radius"), "not answering")
	}, []string{""}},
	{"console", func(p *tab) {
		p.route("console")
		p.sees(".xterm-rows", "[admin@vpn-hamburg] >")
		p.press("/system/identity/print" + kb.Enter)
		p.sees(".xterm-rows", "name: vpn-hamburg")
		p.press("/ppp/active/print" + kb.Enter)
		p.sees(".xterm-rows", "archive-scanner")
		p.press("/interface/pptp-client/set to-supplier add-def" + kb.Tab)
		p.sees(".xterm-rows", "add-default-route=")
	}, []string{"-dark"}},
	{"export", func(p *tab) {
		p.route("export")
		p.click(named("show"))
		p.sees(named("script"), "/ppp secret")
	}, nil},
}

// sessionPoints is how many points the plot of a session has to have, one each
// second: some, and for a picture more, by steps for which there is patience.
func sessionPoints() []int {
	if picturesTo() != "" {
		return []int{20, 40, 60}
	}
	return []int{2}
}

// TestRequiresRootViews looks at each main view on a wide screen and on a telephone,
// in light and in dark: nothing is wider than the screen, all text can be read.
func TestRequiresRootViews(t *testing.T) {
	t.Parallel()
	s := newOffice(t)
	p := newBrowser(t, s.network).tab(t, s.origin)
	pictures := picturesTo()
	for _, v := range views {
		p.at(looks[0])
		v.open(p)
		for _, l := range looks {
			p.at(l)
			name := v.name + l.name
			for _, fault := range append(tooWide(p, l), tooFaint(p)...) {
				t.Errorf("%s: %s", name, fault)
			}
			if pictures != "" && slices.Contains(v.pictures, l.name) {
				shoot(p, filepath.Join(pictures, name+".png"))
			}
		}
	}
	// A theme that somebody chose wins over the system's, and is remembered.
	p.at(looks[0])
	p.choose(named("theme"), "dark")
	p.visit("/web/")
	p.sees("h1", "Overview")
	if ground := ask[string](p, `() => getComputedStyle(document.body).backgroundColor`); ground != "rgb(15, 21, 28)" {
		t.Errorf("the ground is %s", ground)
	}
	seen(p)
}

// seen shows that the page above could have failed: it has things done in the page
// that should not be, and wants each of them to be found.
func seen(p *tab) {
	p.Helper()
	ask[bool](p, `() => {
		const wide = document.createElement("button");
		wide.textContent = "wide and faint";
		Object.assign(wide.style, { width: "2000px", background: "#fff", color: "#aaa" });
		document.querySelector("main").append(wide);
		const evil = document.createElement("p");
		evil.innerHTML = "<img src=x onerror=alert(1)>";
		document.querySelector("main").append(evil);
		return true;
	}`)
	if len(tooWide(p, looks[0])) == 0 {
		p.Error("what is too wide is not found")
	}
	if len(tooFaint(p)) == 0 {
		p.Error("what is too faint is not found")
	}
	var found string
	p.until("the breach of the content policy is found", `() => document.querySelector("img[src=x]").complete`)
	for began := time.Now(); !strings.Contains(found, "Content Security Policy"); time.Sleep(rig.Look) {
		if found += strings.Join(p.browser.take(), "\n"); time.Since(began) > patience {
			p.Fatalf("the breach of the content policy is not found in %q", found)
		}
	}
	p.visit("/web/#/export") // nothing of it is left
	p.sees("h1", "Export")
	p.browser.take()
}

// tooWide tells what is beyond the right edge of the screen.
func tooWide(p *tab, l look) (faults []string) {
	p.Helper()
	if width := ask[int64](p, `() => Math.max(document.scrollingElement.scrollWidth, document.body.scrollWidth)`); width > l.width {
		faults = append(faults, fmt.Sprintf("%d pixels wide, of %d", width, l.width))
	}
	for _, e := range ask[[]string](p, beyond) {
		faults = append(faults, "wider than its place: "+e)
	}
	return faults
}

// beyond gives what has to be scrolled sideways, and may not: only tables, and texts
// whose lines are not to be broken, may be.
const beyond = `() => [...document.querySelectorAll("body *")].filter((e) => {
	if (e.scrollWidth <= e.clientWidth + 1 || !["auto", "scroll"].includes(getComputedStyle(e).overflowX)) return false;
	return e.checkVisibility() && !e.matches("pre") && !(e.matches("div") && e.querySelector(":scope > table")) && !e.closest(".xterm");
}).map((e) => e.outerHTML.slice(0, 160))`

// tooFaint tells which text has a contrast of less than 4.5 to 1 (Web Content
// Accessibility Guidelines 2.2, section 1.4.3). What is disabled is left out, as
// there.
func tooFaint(p *tab) (faults []string) {
	p.Helper()
	for _, c := range ask[[]contrast](p, contrasts) {
		if c.Ratio < 4.5 {
			faults = append(faults, fmt.Sprintf("contrast %.2f of %s on %s: %s", c.Ratio, c.Text, c.Ground, c.Example))
		}
	}
	return faults
}

// A contrast is that of a pair of colours, with the first text that has them.
type contrast struct {
	Ratio                 float64
	Text, Ground, Example string
}

const contrasts = `() => {
	const parse = (text) => {
		const n = text.match(/[\d.]+/g).map(Number);
		return { r: n[0], g: n[1], b: n[2], a: n[3] ?? 1 };
	};
	const over = (top, under) => ({ r: top.r * top.a + under.r * (1 - top.a), g: top.g * top.a + under.g * (1 - top.a), b: top.b * top.a + under.b * (1 - top.a), a: 1 });
	const luminance = (c) => {
		const [r, g, b] = [c.r, c.g, c.b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const shown = (c) => [c.r, c.g, c.b].map(Math.round).join(",");
	const found = new Map();
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walker.nextNode()) {
		const e = walker.currentNode.parentElement;
		const r = e.getBoundingClientRect();
		if (!walker.currentNode.data.trim() || !e.checkVisibility({ visibilityProperty: true }) || r.width < 2 || r.height < 2) continue;
		if (e.closest(":disabled, .xterm, option, canvas, noscript, [aria-hidden=true]")) continue;
		const grounds = [];
		let opacity = 1;
		for (let a = e; a; a = a.parentElement) {
			const style = getComputedStyle(a);
			opacity *= Number(style.opacity);
			const c = parse(style.backgroundColor);
			if (c.a > 0) grounds.push(c);
			if (c.a === 1) break;
		}
		let ground = { r: 255, g: 255, b: 255, a: 1 };
		for (const c of grounds.reverse()) ground = over(c, ground);
		const colour = parse(getComputedStyle(e).color);
		const text = over({ ...colour, a: colour.a * opacity }, ground);
		const [low, high] = [luminance(text), luminance(ground)].sort((x, y) => x - y);
		const key = shown(text) + "/" + shown(ground);
		if (!found.has(key)) found.set(key, { ratio: (high + 0.05) / (low + 0.05), text: shown(text), ground: shown(ground), example: e.outerHTML.slice(0, 120) });
	}
	return [...found.values()];
}`

// picturesTo is the directory that pictures are written to; empty for none.
func picturesTo() string { return os.Getenv("GOPPTP_SCREENSHOTS") }

// maxPicture bounds a picture, in octets: they are in the repository.
const maxPicture = 150 << 10

// shoot writes a picture of what is on the screen.
func shoot(p *tab, path string) {
	p.Helper()
	p.do("take the pointer away", chromedp.MouseEvent(chromedp.MouseMoved, 1, 1))
	shot := call(p, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng})
	b, err := smaller(shot.Data)
	if err != nil {
		p.Fatal(err)
	}
	if len(b) > maxPicture {
		p.Errorf("%s has %d octets", path, len(b))
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		p.Fatal(err)
	}
	p.Log(fmt.Sprintf("%s: %d KiB", filepath.Base(path), len(b)>>10))
}
