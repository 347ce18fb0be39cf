package web

import (
	"bytes"
	"cmp"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gopptp/internal/session"
	"gopptp/internal/tree"
)

// The limits of a window over the sessions.
const (
	defaultCount = 60      // a screen
	maxCount     = 500     // rows of one answer
	maxFrom      = 1 << 20 // more sessions than a server has
	maxSearch    = 255     // octets, as a user's name
)

// A window is a part of the list of sessions that somebody looks at.
type window struct {
	search      string // in lower case
	order       func(l *look, a, b int) int
	from, count int
}

// orders are what the list can be sorted by.
var orders = map[string]func(l *look, a, b int) int{
	"name":          func(l *look, a, b int) int { return cmp.Compare(l.sessions[a].User, l.sessions[b].User) },
	"service":       func(*look, int, int) int { return 0 }, // there is one
	"caller-id":     func(l *look, a, b int) int { return l.sessions[a].OuterAddress.Compare(l.sessions[b].OuterAddress) },
	"address":       func(l *look, a, b int) int { return l.sessions[a].RemoteAddress.Compare(l.sessions[b].RemoteAddress) },
	"local-address": func(l *look, a, b int) int { return l.sessions[a].LocalAddress.Compare(l.sessions[b].LocalAddress) },
	"encoding":      func(l *look, a, b int) int { return cmp.Compare(l.sessions[a].Encoding, l.sessions[b].Encoding) },
	"uptime":        func(l *look, a, b int) int { return l.sessions[b].ConnectedAt.Compare(l.sessions[a].ConnectedAt) },
	"interface":     func(l *look, a, b int) int { return cmp.Compare(l.sessions[a].Interface, l.sessions[b].Interface) },
	"rx":            func(l *look, a, b int) int { return cmp.Compare(l.rates[a].rx, l.rates[b].rx) },
	"tx":            func(l *look, a, b int) int { return cmp.Compare(l.rates[a].tx, l.rates[b].tx) },
	"rx-bytes": func(l *look, a, b int) int {
		return cmp.Compare(l.sessions[a].Traffic.RxBytes, l.sessions[b].Traffic.RxBytes)
	},
	"tx-bytes": func(l *look, a, b int) int {
		return cmp.Compare(l.sessions[a].Traffic.TxBytes, l.sessions[b].Traffic.TxBytes)
	},
	"radius": func(l *look, a, b int) int {
		return cmp.Compare(digit(l.sessions[a].Radius), digit(l.sessions[b].Radius))
	},
}

func digit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// parseWindow reads the query of a request for sessions.
func parseWindow(q url.Values) (window, error) {
	win := window{search: strings.ToLower(q.Get("search")), order: orders["name"], count: defaultCount}
	if len(win.search) > maxSearch || !utf8.ValidString(q.Get("search")) {
		return window{}, badRequest("invalid value for argument search")
	}
	if text := q.Get("sort"); text != "" {
		name, down := strings.CutPrefix(text, "-")
		order := orders[name]
		if order == nil {
			return window{}, badRequest("input does not match any value of sort")
		}
		win.order = order
		if down {
			win.order = func(l *look, a, b int) int { return order(l, b, a) }
		}
	}
	for name, into := range map[string]struct {
		n    *int
		most int
	}{"from": {&win.from, maxFrom}, "count": {&win.count, maxCount}} {
		text := q.Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return window{}, badRequest("invalid value for argument " + name)
		}
		*into.n = min(int(n), into.most)
	}
	return win, nil
}

// rows gives the places of the sessions in the window, and how many match.
func (win *window) rows(l *look) (places []int, matching int) {
	found := make([]int, 0, len(l.sessions))
	for i := range l.sessions {
		if win.search == "" || matches(&l.sessions[i], win.search) {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b int) int {
		return cmp.Or(win.order(l, a, b), cmp.Compare(l.sessions[a].ID, l.sessions[b].ID))
	})
	from := min(win.from, len(found))
	return found[from:min(from+win.count, len(found))], len(found)
}

// matches reports whether a session has a text, given in lower case, in what a
// person sees of it.
func matches(s *session.Status, text string) bool {
	for _, field := range []string{s.User, s.CallerID, s.Interface, s.Encoding} {
		if contains(field, text) {
			return true
		}
	}
	var room [48]byte
	for _, a := range []netip.Addr{s.RemoteAddress, s.LocalAddress} {
		if a.IsValid() && bytes.Contains(a.AppendTo(room[:0]), []byte(text)) {
			return true
		}
	}
	return false
}

// contains is strings.Contains whatever the case of s, of which no copy is made
// while it is of ASCII.
func contains(s, lower string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return strings.Contains(strings.ToLower(s), lower)
		}
	}
	for i := 0; i+len(lower) <= len(s); i++ {
		j := 0
		for j < len(lower) && fold(s[i+j]) == lower[j] {
			j++
		}
		if j == len(lower) {
			return true
		}
	}
	return false
}

// fold gives the small letter of a letter of ASCII.
func fold(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// A sessionRow is what the page is told of a session.
type sessionRow struct {
	ID           string `json:"id"` // of its row in /ppp/active
	Name         string `json:"name"`
	User         string `json:"user"`
	Service      string `json:"service"`
	CallerID     string `json:"callerId"`
	Address      string `json:"address"`
	LocalAddress string `json:"localAddress"`
	Encoding     string `json:"encoding"`
	Uptime       int64  `json:"uptime"` // in seconds
	Interface    string `json:"interface"`
	Radius       bool   `json:"radius"`
	RxRate       uint64 `json:"rxRate"` // in bits per second, as TxRate
	TxRate       uint64 `json:"txRate"`
	RxBytes      uint64 `json:"rxBytes"`
	TxBytes      uint64 `json:"txBytes"`
}

// row gives the row of the session at a place.
func (l *look) row(i int) sessionRow {
	s := &l.sessions[i]
	r := sessionRow{
		ID: tree.ActiveID(*s), Name: s.User, User: s.User, Service: "pptp", CallerID: s.CallerID, Address: shown(s.RemoteAddress), LocalAddress: shown(s.LocalAddress),
		Encoding: s.Encoding, Interface: s.Interface, Radius: s.Radius,
		RxRate: l.rates[i].rx, TxRate: l.rates[i].tx, RxBytes: s.Traffic.RxBytes, TxBytes: s.Traffic.TxBytes,
	}
	if !s.ConnectedAt.IsZero() {
		r.Uptime = max(0, int64(time.Since(s.ConnectedAt).Seconds()))
	}
	return r
}

// shown is an address, or nothing.
func shown(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.Unmap().String()
}

// sessions answers with a window over the live sessions.
func (s *Server) sessions(w http.ResponseWriter, r *http.Request, _ *visit) error {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return badRequest("invalid query")
	}
	win, err := parseWindow(q)
	if err != nil {
		return err
	}
	l := s.look()
	places, matching := win.rows(l)
	rows := make([]sessionRow, len(places))
	for i, place := range places {
		rows[i] = l.row(place)
	}
	send(w, http.StatusOK, struct {
		Total    int          `json:"total"`
		Matching int          `json:"matching"`
		Rows     []sessionRow `json:"rows"`
	}{len(l.sessions), matching, rows})
	return nil
}

// oneSession answers with one session.
func (s *Server) oneSession(w http.ResponseWriter, r *http.Request, _ *visit) error {
	l := s.look()
	if id, ok := tree.ActiveSession(r.PathValue("id")); ok {
		if place, there := l.place[id]; there {
			send(w, http.StatusOK, l.row(place))
			return nil
		}
	}
	problem(w, http.StatusNotFound, "no such item")
	return nil
}
