package tree

import (
	"net/netip"
	"strconv"
	"sync"

	"gopptp/internal/menu"
)

// A Network asks the machine's IP stack what it knows, of sessions' interfaces and
// all others. Who cannot be asked is nil.
type Network struct {
	Addresses func() []NetworkAddress
	Routes    func() []NetworkRoute // of IPv4
	Neighbors func() []NetworkNeighbor
}

// A NetworkLink is an interface by all its names, that of the system first.
type NetworkLink []string

// A NetworkAddress is an address of the machine.
type NetworkAddress struct {
	Link   NetworkLink
	Prefix netip.Prefix
	Peer   netip.Addr // the other end of a tunnel; the zero Addr for none
}

// A NetworkRoute is a route of the machine.
type NetworkRoute struct {
	Link        NetworkLink
	Destination netip.Prefix
	Gateway     netip.Addr // the zero Addr for none
	Source      netip.Addr // the address to send from; the zero Addr if it is not fixed
	Distance    int
	Connected   bool // it is there because an address is
	Dynamic     bool // nobody configured it
}

// A NetworkNeighbor is a machine on a link.
type NetworkNeighbor struct {
	Link    NetworkLink
	Address netip.Addr
	MAC     string // empty while it is not known
	Router  bool
	Dynamic bool // nobody configured it
}

// A numbering gives what has no number of its own an id that stays while it is
// there.
type numbering struct {
	mu   sync.Mutex
	ids  map[any]menu.ID // guarded by mu; of what was there the last time
	last menu.ID         // guarded by mu
}

// of gives the ids of all keys that there are now. One that is there twice has
// one id.
func (n *numbering) of(keys []any) []menu.ID {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := make(map[any]menu.ID, len(keys))
	ids := make([]menu.ID, len(keys))
	for i, k := range keys {
		id, known := n.ids[k]
		if !known {
			if id, known = now[k]; !known {
				n.last++
				id = n.last
			}
		}
		ids[i], now[k] = id, id
	}
	n.ids = now
	return ids
}

// ask asks the machine; the answer is nothing if it cannot be asked.
func ask[T any](question func() []T) []T {
	if question == nil {
		return nil
	}
	return question()
}

// tunnels gives the names of the interfaces that sessions have.
func (t *Tree) tunnels() map[string]bool {
	names := map[string]bool{}
	for _, s := range t.engine.Active() {
		names[s.Interface] = true
	}
	clients := t.tables["/interface/pptp-client"]
	t.mu.RLock()
	ids := append([]menu.ID(nil), clients.order...)
	t.mu.RUnlock()
	for _, id := range ids {
		if s, ok := t.engine.Client(uint64(id)); ok && s.Running {
			names[s.Interface] = true
		}
	}
	delete(names, "")
	return names
}

// shownAs gives the name of a link, and whether it is a tunnel's: that one is
// called as its session is.
func (l NetworkLink) shownAs(tunnels map[string]bool) (name string, tunnel bool) {
	for _, n := range l {
		if tunnels[n] {
			return n, true
		}
	}
	if len(l) == 0 {
		return "", false
	}
	return l[0], false
}

// flagged declares a truth about a row.
func flagged(name, help string) menu.Property {
	return menu.Property{Name: name, Type: menu.Bool{}, Default: menu.False, ReadOnly: true, Help: help}
}

// newAddresses declares /ip/address, or /ipv6/address.
func (t *Tree) newAddresses(v6 bool) *computed {
	m := &menu.Menu{
		Name: "address", Help: "Addresses of the machine, those of sessions among them", Layout: menu.Table,
		Flags:   []menu.Flag{whenOff, {Letter: 'I', Name: "invalid", Property: "invalid"}, dynFlag},
		Columns: []menu.Column{{Property: "address"}, {Property: "network"}, {Property: "interface"}},
		Properties: []menu.Property{
			readOnly("address", menu.Words(), "Address with the length of its network's prefix"),
			readOnly("network", menu.Words(), "Address of the network, or of the other end of a tunnel"),
			readOnly("interface", menu.Words(), "Interface that has the address"),
			readOnly("actual-interface", menu.Words(), "Interface that has the address in the end"),
			flagged("invalid", "Whether the address is of no use: it never is"),
			flagged("dynamic", "Whether the address is there because of a session"),
			flagged(disabled, "Whether the address is disabled: it never is"),
		},
		Commands: shownOnly(false),
	}
	if v6 {
		m.Flags = append(m.Flags, menu.Flag{Letter: 'G', Name: "global", Property: "global"}, menu.Flag{Letter: 'L', Name: "link-local", Property: "link-local", Or: true})
		m.Columns = []menu.Column{{Property: "address"}, {Property: "interface"}}
		m.Properties = append(m.Properties[:1:1], m.Properties[2:]...)
		m.Properties = append(m.Properties, flagged("global", "Whether the address is known everywhere"), flagged("link-local", "Whether the address is of its link only"))
	}
	var ids numbering
	return &computed{menu: m, list: func() []*menu.Row {
		tunnels := t.tunnels()
		var rows []*menu.Row
		var keys []any
		for _, a := range ask(t.network.Addresses) {
			if a.Prefix.Addr().Is4() == v6 {
				continue
			}
			r := m.Defaults(0)
			name, tunnel := a.Link.shownAs(tunnels)
			r.Put("address", a.Prefix.String())
			putText(r, "interface", name)
			putText(r, "actual-interface", name)
			r.PutBool("dynamic", tunnel)
			switch {
			case v6:
				r.PutBool("link-local", a.Prefix.Addr().IsLinkLocalUnicast())
				r.PutBool("global", a.Prefix.Addr().IsGlobalUnicast())
			case a.Peer.IsValid():
				putAddress(r, "network", a.Peer)
			default:
				putAddress(r, "network", a.Prefix.Masked().Addr())
			}
			rows = append(rows, r)
			keys = append(keys, [2]any{name, a.Prefix})
		}
		return numbered(rows, ids.of(keys))
	}}
}

// numbered gives rows their ids.
func numbered(rows []*menu.Row, ids []menu.ID) []*menu.Row {
	for i, r := range rows {
		r.ID = ids[i]
	}
	return rows
}

// newRoutes declares /ip/route.
func (t *Tree) newRoutes() *computed {
	m := &menu.Menu{
		Name: "route", Help: "Routes of the machine, those of sessions among them", Layout: menu.Table,
		Flags: []menu.Flag{
			dynFlag, whenOff, {Letter: 'I', Name: "inactive", Property: "inactive"}, {Letter: 'A', Name: "active", Property: "active"},
			{Letter: 'c', Name: "connect", Property: "connect"}, {Letter: 's', Name: "static", Property: "static", Or: true},
		},
		Columns: []menu.Column{{Property: "dst-address"}, {Property: "gateway"}, {Property: "distance"}},
		Properties: []menu.Property{
			readOnly("dst-address", menu.Words(), "Network that the route leads to"),
			readOnly("pref-src", menu.Words(), "Address to send from"),
			readOnly("gateway", menu.Words(), "Next router, or the interface whose link the network is on"),
			readOnly("immediate-gw", menu.Words(), "Next router with the interface that leads to it"),
			readOnly("distance", menu.Int{Max: 255}, "Which of several routes is taken: that of the least distance"),
			readOnly("routing-table", menu.Words(), "Table that the route is in"),
			flagged("dynamic", "Whether nobody configured the route"), flagged(disabled, "Whether the route is disabled: it never is"),
			flagged("inactive", "Whether the route is not taken: those that are not are not shown"), flagged("active", "Whether the route is taken"),
			flagged("connect", "Whether the network is on a link of the machine"), flagged("static", "Whether the route was configured"),
		},
		Commands: shownOnly(false),
	}
	var ids numbering
	return &computed{menu: m, list: func() []*menu.Row {
		tunnels := t.tunnels()
		var rows []*menu.Row
		var keys []any
		for _, route := range ask(t.network.Routes) {
			r := m.Defaults(0)
			name, tunnel := route.Link.shownAs(tunnels)
			r.Put("dst-address", route.Destination.String())
			gateway := name
			if route.Gateway.IsValid() {
				gateway = route.Gateway.String()
				putText(r, "immediate-gw", gateway+"%"+name)
			} else {
				putText(r, "immediate-gw", name)
			}
			putText(r, "gateway", gateway)
			putAddress(r, "pref-src", route.Source)
			r.Put("distance", strconv.Itoa(min(max(route.Distance, 0), 255)))
			r.Put("routing-table", "main")
			r.PutBool("dynamic", route.Dynamic || tunnel)
			r.PutBool("active", true)
			r.PutBool("connect", route.Connected)
			r.PutBool("static", !route.Connected && !route.Dynamic)
			rows = append(rows, r)
			keys = append(keys, route.key(name))
		}
		return numbered(rows, ids.of(keys))
	}}
}

// key tells a route from others.
func (r NetworkRoute) key(link string) any {
	return [4]any{r.Destination, r.Gateway, link, r.Distance}
}

// newARP declares /ip/arp, or /ipv6/neighbor.
func (t *Tree) newARP(v6 bool) *computed {
	m := &menu.Menu{
		Name: "arp", Help: "Machines on the links, by their MAC addresses", Layout: menu.Table,
		Flags:   []menu.Flag{whenOff, {Letter: 'I', Name: "invalid", Property: "invalid"}, dynFlag, {Letter: 'C', Name: "complete", Property: "complete"}},
		Columns: []menu.Column{{Property: "address"}, {Property: "mac-address"}, {Property: "interface"}},
		Properties: []menu.Property{
			readOnly("address", menu.Words(), "Address of the machine"),
			readOnly("mac-address", menu.Words(), "Its MAC address"),
			readOnly("interface", menu.Words(), "Interface that it is seen on"),
			flagged("invalid", "Whether the entry is of no use: it never is"), flagged("dynamic", "Whether nobody configured the entry"),
			flagged("complete", "Whether the MAC address is known"), flagged(disabled, "Whether the entry is disabled: it never is"),
		},
		Commands: shownOnly(false),
	}
	if v6 {
		m.Name = "neighbor"
		m.Flags = append(m.Flags, menu.Flag{Letter: 'R', Name: "router", Property: "router"})
		m.Properties = append(m.Properties, flagged("router", "Whether the machine says that it is a router"))
	}
	var ids numbering
	return &computed{menu: m, list: func() []*menu.Row {
		tunnels := t.tunnels()
		var rows []*menu.Row
		var keys []any
		for _, n := range ask(t.network.Neighbors) {
			if n.Address.Is4() == v6 {
				continue
			}
			r := m.Defaults(0)
			name, _ := n.Link.shownAs(tunnels)
			putAddress(r, "address", n.Address)
			putText(r, "mac-address", n.MAC)
			putText(r, "interface", name)
			r.PutBool("dynamic", n.Dynamic)
			r.PutBool("complete", n.MAC != "")
			if v6 {
				r.PutBool("router", n.Router)
			}
			rows = append(rows, r)
			keys = append(keys, [2]any{name, n.Address})
		}
		return numbered(rows, ids.of(keys))
	}}
}
