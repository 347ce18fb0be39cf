package tree

import (
	"fmt"
	"strconv"

	"gopptp/internal/menu"
	"gopptp/internal/session"
)

// An activeMenu is /ppp/active: the users who are connected.
type activeMenu struct {
	menu *menu.Menu
	tree *Tree
}

func (t *Tree) newActive() *activeMenu {
	return &activeMenu{tree: t, menu: &menu.Menu{
		Name: "active", Help: "Active PPP sessions", NameKey: "name", Layout: menu.Table,
		Flags:   []menu.Flag{{Letter: 'R', Name: "radius", Property: "radius"}},
		Columns: []menu.Column{{Property: "name"}, {Property: "service"}, {Property: "caller-id"}, {Property: "address"}, {Property: "uptime", Cut: true}, {Property: "encoding"}},
		Stats:   []menu.Column{{Property: "name"}, {Property: "bytes"}, {Property: "packets"}},
		Properties: []menu.Property{
			{Name: "name", Type: menu.String{}, ReadOnly: true, Help: "Name of the user"},
			{Name: "service", Type: menu.Words("pptp"), Default: "pptp", ReadOnly: true, Help: "Service of the session"},
			{Name: "caller-id", Type: menu.String{}, ReadOnly: true, Help: "Outer address of the client"},
			{Name: "address", Type: menu.Address{}, Optional: true, ReadOnly: true, Help: "Inner address of the client"},
			{Name: "uptime", Type: menu.Time{}, Optional: true, ReadOnly: true, Help: "Time since the session came up"},
			{Name: "encoding", Type: menu.String{}, ReadOnly: true, Help: "Encryption and encoding of the session"},
			{Name: "session-id", Type: menu.Words(), Optional: true, ReadOnly: true, Help: "Id of the session for accounting"},
			{Name: "limit-bytes-in", Type: counter, Default: "0", ReadOnly: true, Help: "Octets that the client may send"},
			{Name: "limit-bytes-out", Type: counter, Default: "0", ReadOnly: true, Help: "Octets that the client may receive"},
			{Name: "bytes", Type: menu.Words(), Optional: true, ReadOnly: true, Stat: true, Help: "Octets sent and received"},
			{Name: "packets", Type: menu.Words(), Optional: true, ReadOnly: true, Stat: true, Help: "Packets sent and received"},
			{Name: "radius", Type: menu.Bool{}, Default: menu.False, ReadOnly: true, Help: "Whether RADIUS knows the user"},
			{Name: menu.Comment, Type: menu.String{}, Optional: true, ReadOnly: true, Help: "Comment of the user's secret"},
		},
		Commands: []*menu.Command{menu.Find(), menu.Get(false), menu.Print(false, true), menu.Remove()},
	}}
}

func (a *activeMenu) rows() []*menu.Row {
	var rows []*menu.Row
	for _, s := range a.tree.engine.Active() {
		if !s.Running {
			continue
		}
		r := a.menu.Defaults(rowOf(s))
		r.Put("name", s.User)
		r.Put("caller-id", s.CallerID)
		putAddress(r, "address", s.RemoteAddress)
		if !s.ConnectedAt.IsZero() {
			r.Put("uptime", uptime(s))
		}
		r.Put("encoding", s.Encoding)
		r.Put("session-id", fmt.Sprintf("0x%08X", s.SessionID))
		r.Put("limit-bytes-in", strconv.FormatUint(s.LimitIn, 10))
		r.Put("limit-bytes-out", strconv.FormatUint(s.LimitOut, 10))
		r.Put("bytes", fmt.Sprintf("%d/%d", s.Traffic.TxBytes, s.Traffic.RxBytes))
		r.Put("packets", fmt.Sprintf("%d/%d", s.Traffic.TxPackets, s.Traffic.RxPackets))
		r.PutBool("radius", s.Radius)
		if !s.Radius {
			putText(r, menu.Comment, a.tree.secretComment(s.User))
		}
		rows = append(rows, r)
	}
	return rows
}

// ActiveID gives the id of the row of /ppp/active that stands for a session.
func ActiveID(s session.Status) string { return rowOf(s).String() }

// ActiveSession gives the Status.ID of the session that a row of /ppp/active stands
// for, if it can be the id of one.
func ActiveSession(id string) (session uint64, ok bool) {
	n, isID, err := menu.ParseID(id)
	if err != nil || !isID || n < dynamic {
		return 0, false
	}
	return sessionOf(n), true
}

func (a *activeMenu) item(text string) (*menu.Row, error) { return pick(a.rows(), text) }

// remove disconnects sessions.
func (a *activeMenu) remove(u User, items []string) error {
	rows := a.rows()
	var chosen []*menu.Row
	for _, text := range items {
		r, err := pick(rows, text)
		if err != nil {
			return err
		}
		chosen = append(chosen, r)
	}
	for _, r := range chosen {
		if a.tree.engine.Disconnect(sessionOf(r.ID)) {
			a.tree.journal.Addf("system,info", "ppp session <%s> removed by %s", r.Get("name"), u.origin())
		}
	}
	return nil
}

// secretComment gives the comment of the secret that lets a user in over PPTP.
func (t *Tree) secretComment(user string) string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	secrets := t.tables[secretPath]
	for _, service := range []string{"pptp", "any"} {
		for _, id := range secrets.names[user] {
			if r := secrets.stored[id]; r.Get("service") == service && !r.Is(disabled) {
				return r.Get(menu.Comment)
			}
		}
	}
	return ""
}
