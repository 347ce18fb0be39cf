package tree

import (
	"gopptp/internal/menu"
	"gopptp/internal/session"
)

// newServers declares /interface/pptp-server: the static interfaces of users,
// and the dynamic ones of their sessions.
func (t *Tree) newServers(k *keys) *table {
	b := &table{
		menu: &menu.Menu{
			Name: "pptp-server", Help: "PPTP server interfaces", NameKey: "name", Noun: "device", Sequence: interfaceIDs,
			Layout:  menu.Table,
			Flags:   []menu.Flag{whenOff, dynFlag, whenUp},
			Columns: []menu.Column{{Property: "name"}, {Property: "user"}, {Property: "mtu"}, {Property: "client-address"}, {Property: "uptime", Cut: true}, {Property: "encoding"}},
			Properties: []menu.Property{
				{Name: "name", Type: interfaceName{}, Help: "Name of the interface"},
				{Name: "user", Type: userName, Required: true, Help: "User whose session is attached to the interface"},
				{Name: "mtu", Type: packetSize, Optional: true, ReadOnly: true, Help: "Negotiated MTU"},
				{Name: "mru", Type: packetSize, Optional: true, ReadOnly: true, Help: "Negotiated MRU"},
				{Name: "client-address", Type: menu.Address{}, Optional: true, ReadOnly: true, Help: "Outer address of the client"},
				{Name: "uptime", Type: menu.Time{}, Optional: true, ReadOnly: true, Help: "Time since the session came up"},
				{Name: "encoding", Type: menu.String{}, Optional: true, ReadOnly: true, Help: "Encryption and encoding of the session"},
				comment,
				isDisabled(menu.False, "Whether the interface is disabled"),
				running, byRouter, aboutPPTP(),
			},
			Commands: append(interfaceCommands(), menu.Monitor((&menu.Menu{
				Name: "monitor", Singleton: true,
				Properties: []menu.Property{
					{Name: "status", Type: menu.String{}, Optional: true, ReadOnly: true},
					{Name: "uptime", Type: menu.Time{}, Optional: true, ReadOnly: true},
					{Name: "user", Type: menu.String{}, Optional: true, ReadOnly: true},
					{Name: "caller-id", Type: menu.String{}, Optional: true, ReadOnly: true},
					{Name: "encoding", Type: menu.String{}, Optional: true, ReadOnly: true},
					{Name: "mtu", Type: packetSize, Optional: true, ReadOnly: true},
					{Name: "mru", Type: packetSize, Optional: true, ReadOnly: true},
					{Name: "local-address", Type: menu.Address{}, Optional: true, ReadOnly: true},
					{Name: "remote-address", Type: menu.Address{}, Optional: true, ReadOnly: true},
				},
			}).Standalone())),
		},
		keys: k, clash: sameInterface, auto: "pptp-in",
		key: func(r *menu.Row) string { return r.Get("name") },
		put: func(r *menu.Row) { t.engine.PutBinding(bindingConfig(r)) },
		drop: func(id menu.ID) {
			t.engine.RemoveBinding(uint64(id))
			t.links.forget(id)
		},
	}
	b.adds = true
	b.live = func(rows []*menu.Row) []*menu.Row {
		sessions := t.engine.Active()
		bound := map[menu.ID]session.Status{}
		for _, s := range sessions {
			if s.Binding != 0 {
				bound[menu.ID(s.Binding)] = s
			}
		}
		for _, r := range rows {
			if s, ok := bound[r.ID]; ok {
				putServer(r, s)
			}
		}
		for _, s := range sessions {
			if s.Binding == 0 && s.Interface != "" {
				r := b.menu.Defaults(rowOf(s))
				r.Put("name", s.Interface)
				r.Put("user", s.User)
				r.PutBool("dynamic", true)
				putServer(r, s)
				rows = append(rows, r)
			}
		}
		return rows
	}
	b.state = func(out, r *menu.Row) {
		s, ok := t.serverSession(r.ID)
		out.Put("status", s.State)
		if !ok {
			out.Put("status", "disconnected")
		}
		putText(out, "user", s.User)
		putText(out, "caller-id", s.CallerID)
		putStatus(out, s)
	}
	return b
}

// bindingConfig is a row of /interface/pptp-server in the engine's types.
func bindingConfig(r *menu.Row) session.Binding {
	return session.Binding{ID: uint64(r.ID), Name: r.Get("name"), User: r.Get("user"), Disabled: r.Is(disabled)}
}

// putServer fills in what the session of a server's interface says.
func putServer(r *menu.Row, s session.Status) {
	r.PutBool("running", s.Running)
	putNumber(r, "mtu", s.MTU)
	putNumber(r, "mru", s.MRU)
	putAddress(r, "client-address", s.OuterAddress)
	if !s.ConnectedAt.IsZero() {
		r.Put("uptime", uptime(s))
	}
	putText(r, "encoding", s.Encoding)
}

// serverSession gives the session of a row of /interface/pptp-server.
func (t *Tree) serverSession(id menu.ID) (session.Status, bool) {
	for _, s := range t.engine.Active() {
		if s.Binding == 0 && rowOf(s) == id || s.Binding != 0 && menu.ID(s.Binding) == id {
			return s, true
		}
	}
	return session.Status{}, false
}

// InterfaceID gives the id of the row that stands for a session among the
// interfaces.
func (t *Tree) InterfaceID(s session.Status) string {
	switch {
	case s.Client != 0:
		return menu.ID(s.Client).String()
	case s.Binding != 0:
		return menu.ID(s.Binding).String()
	}
	return rowOf(s).String()
}
