package web

import (
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"gopptp/test/rig"
)

// named is the selector of what the page calls so for tests.
func named(test string) string { return `[data-test="` + test + `"]` }

// visit loads an address of the origin.
func (p *tab) visit(path string) {
	p.Helper()
	p.do("visit "+path, chromedp.Navigate(p.origin+path))
}

// route goes to a view of the page without loading it anew.
func (p *tab) route(words string) {
	p.Helper()
	ask[bool](p, `(to) => { location.hash = to; return true }`, "#/"+words)
}

// hold is a place to press, or why there is none.
type hold struct {
	X, Y float64
	Why  string
}

// reach finds the middle of the first element in sight that a selector means. What
// lies under something else, or is disabled, nobody can press.
const reach = `(selector) => {
	const seen = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
	const e = [...document.querySelectorAll(selector)].find(seen);
	if (!e) return { why: "it is not there" };
	if (e.matches(":disabled")) return { why: "it is disabled" };
	const look = () => {
		const r = e.getBoundingClientRect();
		const x = r.left + r.width / 2, y = r.top + r.height / 2;
		return { x, y, top: document.elementFromPoint(x, y) };
	};
	let { x, y, top } = look();
	if (!e.contains(top)) {
		e.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
		({ x, y, top } = look());
	}
	if (!e.contains(top)) return { why: "it is under " + (top ? top.outerHTML.slice(0, 200) : "nothing") };
	return { x, y };
}`

// click presses an element as soon as it is in reach and stands still.
func (p *tab) click(selector string) {
	p.Helper()
	var last hold
	for began := time.Now(); ; time.Sleep(rig.Look / 2) {
		now, err := evaluate[hold](p, reach, selector)
		if err == nil && now.Why == "" && now == last {
			p.do("click "+selector, chromedp.MouseClickXY(now.X, now.Y))
			return
		}
		if last = now; time.Since(began) > patience {
			p.fatalf("click %s: %s (%v)", selector, now.Why, err)
		}
	}
}

// write types a text where the keys go to.
func (p *tab) write(text string) {
	p.Helper()
	call(p, input.InsertText, input.InsertTextParams{Text: text})
}

// fill puts a text into a field in place of the one that is there.
func (p *tab) fill(selector, text string) {
	p.Helper()
	p.click(selector)
	p.do("select all", chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	p.press(kb.Backspace)
	p.write(text)
}

// choose takes an option of a list.
func (p *tab) choose(selector, option string) {
	p.Helper()
	p.until("the list "+selector+" has "+option, `(selector, option) => {
		const e = document.querySelector(selector);
		if (![...e.options].some((o) => o.value === option)) return false;
		e.value = option;
		e.dispatchEvent(new Event("change", { bubbles: true }));
		return true;
	}`, selector, option)
}

// press presses keys, one after the other. As from a keyboard, a key's text comes
// with the key: a terminal takes a text of its own for pasted.
func (p *tab) press(keys string) {
	p.Helper()
	for _, r := range keys {
		events := kb.Encode(r)
		down, up := *events[0], *events[len(events)-1]
		if len(events) > 2 {
			down.Text, down.UnmodifiedText = events[1].Text, events[1].UnmodifiedText
		}
		call(p, input.DispatchKeyEvent, down)
		call(p, input.DispatchKeyEvent, up)
	}
}

// tabTo presses Tab until an element has the focus, as who has no mouse does.
func (p *tab) tabTo(selector string) {
	p.Helper()
	for range 200 {
		if ask[bool](p, `(selector) => document.activeElement?.matches(selector) ?? false`, selector) {
			return
		}
		p.press(kb.Tab)
	}
	p.fatalf("Tab does not lead to %s", selector)
}

// sees waits until an element shows a text.
func (p *tab) sees(selector, text string) {
	p.Helper()
	p.until(selector+" shows "+text, `(selector, text) => [...document.querySelectorAll(selector)].some((e) => e.checkVisibility() && e.innerText.includes(text))`, selector, text)
}

// misses waits until there is no such element, or none with the text.
func (p *tab) misses(selector, text string) {
	p.Helper()
	p.until(selector+" does not show "+text, `(selector, text) => ![...document.querySelectorAll(selector)].some((e) => e.innerText.includes(text))`, selector, text)
}

// text is what the first such element shows.
func (p *tab) text(selector string) string {
	p.Helper()
	return ask[string](p, `(selector) => document.querySelector(selector)?.innerText ?? ""`, selector)
}

// signIn signs in at the door.
func (p *tab) signIn(name, password string) {
	p.Helper()
	p.fill("#name", name)
	p.fill("#password", password)
	p.click(named("submit"))
	p.sees(named("user"), name)
}

// front brings the tab to the front, where its page is at work.
func (p *tab) front() {
	p.Helper()
	call(p, page.BringToFront, cdp.Empty{})
}

// saved waits for a file that the browser saves, and gives its name and text.
func (p *tab) saved() (name, text string) {
	p.Helper()
	for began := time.Now(); ; time.Sleep(rig.Look) {
		files, err := filepath.Glob(filepath.Join(p.browser.downloads(), "*.rsc"))
		if err == nil && len(files) == 1 {
			b, err := os.ReadFile(files[0])
			if err != nil {
				p.Fatal(err)
			}
			return filepath.Base(files[0]), string(b)
		}
		if time.Since(began) > patience {
			p.fatalf("no file was saved (%v)", err)
		}
	}
}
