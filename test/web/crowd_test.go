package web

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"gopptp/internal/session"
	"gopptp/internal/web"
)

// crowd makes sessions whose counters grow with time.
func crowd(n int, began time.Time) []session.Status {
	all := make([]session.Status, n)
	age := uint64(time.Since(began).Milliseconds())
	for i := range all {
		name := fmt.Sprintf("device-%05d", i)
		outer := netip.AddrFrom4([4]byte{198, 51, byte(100 + i>>8), byte(i)})
		all[i] = session.Status{
			ID: uint64(i + 1), Interface: "<pptp-" + name + ">", State: "connected", Running: true, User: name, CallerID: outer.String(), OuterAddress: outer,
			LocalAddress: netip.MustParseAddr("10.255.255.1"), RemoteAddress: netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}),
			MTU: 1450, MRU: 1450, Encoding: "MPPE128 stateless", SessionID: 0x81A00000 + uint32(i), ConnectedAt: began.Add(-time.Duration(i) * time.Second),
			Traffic: session.Traffic{RxBytes: age * uint64(1+i%100), TxBytes: age * uint64(1+i%77)},
		}
	}
	return all
}

// maxElements bounds what the page may hold, whatever it shows: rows that nobody
// sees are no elements.
const maxElements = 1200

// TestRequiresRootCrowd looks at 10,000 sessions.
func TestRequiresRootCrowd(t *testing.T) {
	t.Parallel()
	const sessions = 10_000
	began := time.Now()
	s := newStage(t, func(cfg *web.Config) {
		cfg.Sessions = func() []session.Status { return crowd(sessions, began) }
	}, nil)
	p := newBrowser(t, s.network).tab(t, s.origin)
	p.visit("/web/")
	p.signIn("admin", password)
	p.sees(named("active"), "10,000")

	// The times are taken in the page: what a person waits for, without the test.
	const first = `async () => {
		const began = performance.now();
		location.hash = "#/sessions";
		while (!document.querySelector("tr[data-id]")) await new Promise(requestAnimationFrame);
		return performance.now() - began;
	}`
	rows := ask[float64](p, first)
	p.sees(named("session-count"), "10,000")
	const end = `async (last) => {
		const began = performance.now();
		const grid = document.querySelector('[data-test="sessions"]');
		grid.scrollTop = grid.scrollHeight;
		const there = () => [...document.querySelectorAll("tr[data-id]")].some((row) => row.dataset.index === String(last) && row.innerText.includes("device-0" + last));
		while (!there()) await new Promise(requestAnimationFrame);
		return performance.now() - began;
	}`
	last := ask[float64](p, end, sessions-1)
	most := elements(p)

	// Through all of it as somebody who drags the bar.
	const drag = `async () => {
		const grid = document.querySelector('[data-test="sessions"]');
		let most = 0, longest = 0;
		for (let i = 0; i <= 60; i++) {
			const began = performance.now();
			grid.scrollTop = grid.scrollHeight * i / 60;
			await new Promise(requestAnimationFrame);
			longest = Math.max(longest, performance.now() - began);
			most = Math.max(most, document.getElementsByTagName("*").length);
		}
		return { most, longest };
	}`
	moved := ask[struct{ Most, Longest float64 }](p, drag)
	most = max(most, int(moved.Most))

	p.fill(named("search"), "device-07123")
	p.sees(named("session-count"), "1 of 10,000")
	p.sees(named("sessions"), "device-07123")
	p.fill(named("search"), "")
	p.sees(named("sessions"), "device-00000")
	p.click(named("sessions") + ` [data-sort="name"]`)
	p.sees(named("sessions"), "device-09999")
	p.tabTo("tr[data-index]")
	p.press(kb.End)
	p.until("End leads to the last row", `() => document.activeElement?.dataset.index === "9999" && document.activeElement.innerText.includes("device-00000")`)
	most = max(most, elements(p))
	if most > maxElements {
		t.Errorf("the page holds %d elements", most)
	}
	t.Logf("%d sessions: rows after %.0f ms, the last after %.0f ms, longest frame while scrolling %.0f ms, at most %d elements", sessions, rows, last, moved.Longest, most)
}

// elements counts what the page holds.
func elements(p *tab) int {
	p.Helper()
	return ask[int](p, `() => document.getElementsByTagName("*").length`)
}
