package web

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/menu"
	"gopptp/internal/session"
	"gopptp/internal/tree"
)

// crowd makes sessions, with counters that have grown for so long.
func crowd(n int, since time.Time, took time.Duration) []session.Status {
	all := make([]session.Status, n)
	for i := range all {
		inner := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		outer := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
		name := fmt.Sprintf("user%05d", (i*7919)%n)
		all[i] = session.Status{
			ID: uint64(i + 1), Interface: "<pptp-" + name + ">", State: "connected", Running: true, User: name, CallerID: outer.String(), OuterAddress: outer,
			LocalAddress: netip.MustParseAddr("10.255.255.1"), RemoteAddress: inner, MTU: 1450, MRU: 1450, Encoding: "MPPE128 stateless",
			SessionID: 0x81A00000 + uint32(i), ConnectedAt: since.Add(time.Duration(i) * time.Second),
			Traffic: session.Traffic{RxBytes: uint64(i) * 1000 * uint64(took.Seconds()), TxBytes: uint64(n-i) * 100 * uint64(took.Seconds())},
		}
	}
	return all
}

type answer struct {
	Total, Matching int
	Rows            []sessionRow
}

func (a answer) names() (names []string) {
	for _, r := range a.Rows {
		names = append(names, r.Name)
	}
	return names
}

func TestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all []session.Status
		w := newWorld(t, func(c *Config) { c.Sessions = func() []session.Status { return slices.Clone(all) } })
		in := w.signIn("admin")
		get := func(query string) (a answer) {
			t.Helper()
			in.read("/web/api/sessions?"+query, &a)
			return a
		}
		if a := get(""); a.Total != 0 || a.Rows == nil {
			t.Errorf("nobody: %+v", a)
		}
		start := time.Now()
		time.Sleep(time.Minute)
		all = crowd(100, start, 60*time.Second)
		all = append(all, session.Status{ID: 1000, User: "dialing"})
		if a := get(""); a.Total != 100 || a.Matching != 100 || len(a.Rows) != defaultCount || a.Rows[0].Name != "user00000" || a.Rows[0].RxRate != 0 {
			t.Errorf("the first look: %d, %d, %+v", a.Total, a.Matching, a.names())
		}
		time.Sleep(2 * time.Second)
		all = crowd(100, start, 62*time.Second)
		for query, want := range map[string][]string{
			"sort=name&count=2":                      {"user00000", "user00001"},
			"sort=-name&count=2":                     {"user00099", "user00098"},
			"count=2&from=98":                        {"user00098", "user00099"},
			"count=2&from=99":                        {"user00099"},
			"from=100":                               nil,
			"from=1000000000":                        nil,
			"count=0":                                nil,
			"search=USER0004&count=2":                {"user00040", "user00041"},
			"search=10.0.0.7&sort=-address&count=3":  {all[79].User, all[78].User, all[77].User},
			"search=192.0.2.99":                      {all[99].User},
			"search=pptp-user00017":                  {"user00017"},
			"search=stateless&sort=-rx&count=1":      {all[99].User},
			"search=nobody":                          nil,
			"sort=rx&count=1":                        {all[0].User},
			"sort=-tx&count=1":                       {all[0].User},
			"sort=-rx-bytes&count=1":                 {all[99].User},
			"sort=tx-bytes&count=1":                  {all[99].User},
			"sort=uptime&count=1":                    {all[99].User},
			"sort=-uptime&count=1":                   {all[0].User},
			"sort=address&count=1":                   {all[0].User},
			"sort=caller-id&count=1":                 {all[0].User},
			"sort=local-address&count=1":             {all[0].User},
			"sort=encoding&count=1":                  {all[0].User},
			"sort=service&count=1":                   {all[0].User},
			"sort=radius&count=1":                    {all[0].User},
			"sort=interface&count=1":                 {"user00000"},
			"sort=-interface&count=1&search=0005":    {"user00059"},
			"sort=-encoding&count=1&search=10.0.0.3": {all[3].User},
		} {
			if a := get(query); !slices.Equal(a.names(), want) || a.Total != 100 {
				t.Errorf("%s: %v of %d, want %v", query, a.names(), a.Total, want)
			}
		}
		var one sessionRow
		in.read("/web/api/sessions/"+tree.ActiveID(all[50]), &one)
		want := sessionRow{
			ID: "*80000033", Name: all[50].User, User: all[50].User, Service: "pptp", CallerID: "192.0.2.50", Address: "10.0.0.50", LocalAddress: "10.255.255.1",
			Encoding: "MPPE128 stateless", Uptime: 12, Interface: all[50].Interface, RxRate: 50 * 8000, TxRate: 50 * 800,
			RxBytes: 50 * 62000, TxBytes: 50 * 6200,
		}
		if one != want {
			t.Errorf("one is %+v, want %+v", one, want)
		}
		for _, id := range []string{"*FFFF", "*8000FFFF", "*33", "user00001", "*", "*FFFFFFFFFFFFFFFFFF", "%3Cb%3E", "*80000033%2Fx"} {
			in.want(404, "GET", "/web/api/sessions/"+id, "", "no such item")
		}
		// All who watch share a look: one that is asked for soon after is the same.
		time.Sleep(lookEvery / 2)
		all = nil
		if a := get(""); a.Total != 100 {
			t.Errorf("soon after there are %d", a.Total)
		}
		time.Sleep(lookEvery)
		if a := get(""); a.Total != 0 {
			t.Errorf("later there are %d", a.Total)
		}
		in.want(404, "GET", "/web/api/sessions/"+one.ID, "", "no such item")
		for query, why := range map[string]string{
			"sort=x": "input does not match any value of sort", "sort=--name": "input does not match any value of sort", "count=x": "invalid value for argument count",
			"from=-1": "invalid value for argument from", "search=" + strings.Repeat("x", maxSearch+1): "invalid value for argument search",
			"search=%ff": "invalid value for argument search", "%": "invalid query",
		} {
			in.want(400, "GET", "/web/api/sessions?"+query, "", why)
		}
	})
}

// TestRates checks when there is a rate and when not.
func TestRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := session.Status{ID: 1, Running: true, Traffic: session.Traffic{RxBytes: 1000, TxBytes: 5000}}
		w := newWorld(t, func(c *Config) { c.Sessions = func() []session.Status { return []session.Status{one} } })
		want := func(when string, each, all rate) {
			t.Helper()
			if l := w.server.look(); l.rates[0] != each || l.all != all {
				t.Errorf("%s: %v and %v, want %v and %v", when, l.rates[0], l.all, each, all)
			}
		}
		w.rx, w.tx = 1000, 5000
		want("the first", rate{}, rate{})
		time.Sleep(2 * time.Second)
		one.Traffic.RxBytes, one.Traffic.TxBytes, w.rx, w.tx = 3000, 5000, 11000, 6000
		want("after two seconds", rate{8000, 0}, rate{40000, 4000})
		time.Sleep(time.Second)
		one.Traffic.RxBytes = 500 // reset-counters
		w.rx += 125
		want("counters that were reset", rate{}, rate{1000, 0})
		time.Sleep(time.Second)
		one.ID, one.Traffic.RxBytes = 2, 1<<40
		want("another session", rate{}, rate{})
		time.Sleep(forgetAfter + time.Second)
		one.Traffic.RxBytes, w.rx = 1<<41, 1<<41
		want("after a time that nobody watched", rate{}, rate{})
	})
}

// TestManySessions checks what a screen costs when there are ten thousand, and that
// the time of it stays far below that of a look.
func TestManySessions(t *testing.T) {
	all := crowd(10_000, time.Now().Add(-time.Hour), time.Hour)
	w := newWorld(t, func(c *Config) { c.Sessions = func() []session.Status { return slices.Clone(all) } })
	in := w.signIn("admin")
	got := in.send("GET", "/web/api/sessions?search=user&sort=-rx", "")
	var a answer
	if err := json.Unmarshal(got.Body.Bytes(), &a); err != nil || a.Total != 10_000 || len(a.Rows) != defaultCount {
		t.Fatalf("%v, %d of %d", err, len(a.Rows), a.Total)
	}
	if n := got.Body.Len(); n > 32<<10 {
		t.Errorf("a screen is %d octets", n)
	}
	in.read("/web/api/sessions?count=1000000", &a)
	if len(a.Rows) != maxCount {
		t.Errorf("at most %d rows come", len(a.Rows))
	}
}

func TestContains(t *testing.T) {
	for _, c := range []struct {
		s, lower string
		want     bool
	}{
		{"", "", true}, {"a", "", true}, {"", "a", false}, {"User", "user", true}, {"xUSERx", "user", true}, {"use", "user", false},
		{"Ärger", "ärger", true}, {"ÄRGER", "ärger", true}, {"a\xffB", "b", true}, {"[", "{", false}, {"@", "`", false},
	} {
		if got := contains(c.s, c.lower); got != c.want {
			t.Errorf("%q has %q: %v", c.s, c.lower, got)
		}
	}
}

func FuzzParseWindow(f *testing.F) {
	for _, q := range []url.Values{
		{}, {"search": {"bob"}, "sort": {"-uptime"}, "from": {"60"}, "count": {"60"}}, {"sort": {"rx"}, "from": {"1"}}, {"count": {"500"}},
	} {
		f.Add(q.Encode())
	}
	l := &look{sessions: crowd(20, time.Now(), time.Minute), rates: make([]rate, 20)}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		win, err := parseWindow(q)
		if err != nil {
			if _, ours := err.(*menu.Error); !ours {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		places, matching := win.rows(l)
		if len(places) > maxCount || len(places) > matching || matching > len(l.sessions) {
			t.Errorf("%q: %d of %d", text, len(places), matching)
		}
	})
}

// BenchmarkLook is what a second of watching ten thousand sessions costs.
func BenchmarkLook(b *testing.B) {
	all := crowd(10_000, time.Now(), time.Hour)
	w := newWorld(b, func(c *Config) { c.Sessions = func() []session.Status { return slices.Clone(all) } })
	l := w.server.look()
	b.ReportAllocs()
	for b.Loop() {
		l = w.server.lookAgain(l.at.Add(time.Second), l)
	}
}

// BenchmarkWindow is what a screen of ten thousand sessions costs each who watches.
func BenchmarkWindow(b *testing.B) {
	l := &look{sessions: crowd(10_000, time.Now(), time.Hour), rates: make([]rate, 10_000)}
	for i := range l.rates {
		l.rates[i] = rate{uint64(i*7919) % 10_000, 0}
	}
	for _, query := range []string{"", "sort=-rx", "sort=address", "search=user0999", "search=nothing"} {
		b.Run(query, func(b *testing.B) {
			q, _ := url.ParseQuery(query)
			win, err := parseWindow(q)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				win.rows(l)
			}
		})
	}
}
