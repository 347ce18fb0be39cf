package tree

import (
	"gopptp/internal/menu"
	"gopptp/internal/session"
)

// outbound is the type of a client's interface.
const outbound = "pptp-out"

// An interfacesMenu is /interface: the interfaces of all interface menus.
type interfacesMenu struct {
	menu             *menu.Menu
	tree             *Tree
	clients, servers *table
}

func (t *Tree) newInterfaces(clients, servers *table) *interfacesMenu {
	count := func(name, help string) menu.Property {
		return menu.Property{Name: name, Type: counter, Default: "0", ReadOnly: true, Stat: true, Help: help}
	}
	return &interfacesMenu{tree: t, clients: clients, servers: servers, menu: &menu.Menu{
		Name: "interface", Help: "Interfaces", NameKey: "name", Sequence: interfaceIDs, Layout: menu.Table,
		Flags:   []menu.Flag{dynFlag, {Letter: 'X', Name: "disabled", Property: disabled}, {Letter: 'R', Name: "running", Property: "running", Or: true}},
		Columns: []menu.Column{{Property: "name"}, {Property: "type"}, {Property: "actual-mtu"}},
		Stats: []menu.Column{
			{Property: "name"}, {Property: "rx-byte"}, {Property: "tx-byte"}, {Property: "rx-packet"}, {Property: "tx-packet"},
			{Property: "rx-drop"}, {Property: "tx-drop"},
		},
		Properties: []menu.Property{
			{Name: "name", Type: interfaceName{}, Help: "Name of the interface"},
			{Name: "type", Type: menu.String{}, Optional: true, ReadOnly: true, Help: "Kind of interface: pptp-in or pptp-out"},
			readOnly("mtu", packetSize, "MTU of the tunnel; before it is up, the one that is wanted"),
			{Name: "actual-mtu", Type: packetSize, Optional: true, ReadOnly: true, Help: "MTU in use"},
			readOnly("last-link-down-time", menu.DateTime{}, "When the tunnel went down last, since the system started"),
			readOnly("last-link-up-time", menu.DateTime{}, "When the tunnel came up last"),
			readOnly("link-downs", counter, "How often the tunnel went down since the system started"),
			count("rx-byte", "Octets received"), count("tx-byte", "Octets sent"),
			count("rx-packet", "Packets received"), count("tx-packet", "Packets sent"),
			count("rx-drop", "Packets received and dropped"), count("tx-drop", "Packets not sent"),
			count("tx-queue-drop", "Packets that found no room in a queue"),
			count("rx-error", "Packets received with errors"), count("tx-error", "Packets not sent because of errors"),
			count("fp-rx-byte", "Octets received on a fast path, which there is none of"), count("fp-tx-byte", "Octets sent on a fast path"),
			count("fp-rx-packet", "Packets received on a fast path"), count("fp-tx-packet", "Packets sent on a fast path"),
			comment,
			isDisabled(menu.False, "Whether the interface is disabled"),
			running, byRouter,
		},
		Commands: []*menu.Command{
			menu.SetComment(), menu.Disable(), menu.Enable(), menu.Find(), menu.Get(false), menu.MonitorTraffic(trafficMenu()), menu.Print(false, true), menu.ResetCounters(false), menu.Set(false),
		},
	}}
}

// sessions are those of the server, by the rows that stand for them.
func (m *interfacesMenu) sessions() map[menu.ID]session.Status {
	byRow := map[menu.ID]session.Status{}
	for _, s := range m.tree.engine.Active() {
		id := rowOf(s)
		if s.Binding != 0 {
			id = menu.ID(s.Binding)
		}
		byRow[id] = s
	}
	return byRow
}

func (m *interfacesMenu) rows() []*menu.Row {
	byRow := m.sessions()
	var rows []*menu.Row
	for _, r := range m.clients.rows() {
		s, _ := m.tree.engine.Client(uint64(r.ID))
		rows = append(rows, m.row(r, outbound, s))
	}
	for _, r := range m.servers.rows() {
		rows = append(rows, m.row(r, "pptp-in", byRow[r.ID]))
	}
	return rows
}

// row makes the row of an interface out of the one in its own menu.
func (m *interfacesMenu) row(from *menu.Row, kind string, s session.Status) *menu.Row {
	r := m.menu.Defaults(from.ID)
	r.Put("type", kind)
	for _, name := range []string{"name", menu.Comment, disabled, "running"} {
		r.Put(name, from.Get(name))
	}
	r.PutBool("dynamic", from.ID >= dynamic)
	putNumber(r, "actual-mtu", s.MTU)
	if kind == outbound && s.MTU == 0 {
		putNumber(r, "mtu", number(from, "max-mtu"))
	} else {
		putNumber(r, "mtu", s.MTU)
	}
	m.putLink(r, s)
	return r
}

func (m *interfacesMenu) item(text string) (*menu.Row, error) { return pick(m.rows(), text) }

// assign sets values in the menus that the interfaces belong to.
func (m *interfacesMenu) assign(u User, items []string, values []menu.Assignment) error {
	m.tree.change.Lock()
	defer m.tree.change.Unlock()
	var steps []step
	together := map[string]menu.ID{}
	for _, text := range items {
		r, err := m.item(text)
		if err != nil {
			return err
		}
		owner := m.clients
		if r.Get("type") == "pptp-in" {
			owner = m.servers
		}
		s, err := owner.stage(r.ID.String(), values, together)
		if err != nil {
			return err
		}
		steps = append(steps, s)
	}
	return m.tree.commit(u, unique(steps))
}
