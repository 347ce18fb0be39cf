package tree

import "gopptp/internal/menu"

// newAbsent declares a menu of what there is none of here. Programs that look at
// a whole router print it, and stop where it is not.
func newAbsent(name, help string, properties ...menu.Property) *computed {
	m := &menu.Menu{Name: name, Help: help, Layout: menu.Table, Properties: properties, Commands: shownOnly(false)}
	for _, p := range properties {
		m.Columns = append(m.Columns, menu.Column{Property: p.Name})
	}
	return &computed{menu: m, list: func() []*menu.Row { return nil }}
}

// newRouting declares /routing, which is empty.
func (t *Tree) newRouting() (*menu.Menu, []*computed) {
	text := func(names ...string) (properties []menu.Property) {
		for _, n := range names {
			properties = append(properties, readOnly(n, menu.Words(), "Never there"))
		}
		return properties
	}
	const none = ": there are none, since no routing protocol runs here"
	bgp := []*computed{
		newAbsent("instance", "Instances of BGP"+none, text("name", "as", "router-id")...),
		newAbsent("peer", "Peers of BGP"+none, text("name", "instance", "remote-address", "remote-as")...),
		newAbsent("vpnv4-route", "Routes of VPNs"+none, text("dst-address", "gateway", "interface")...),
	}
	ospf := []*computed{
		newAbsent("instance", "Instances of OSPF"+none, text("name", "router-id")...),
		newAbsent("neighbor", "Neighbors by OSPF"+none, text("instance", "address", "interface", "state")...),
	}
	list := func(all []*computed) (menus []*menu.Menu) {
		for _, b := range all {
			menus = append(menus, b.menu)
		}
		return menus
	}
	return &menu.Menu{Name: "routing", Help: "Routing protocols, of which none runs here", Children: []*menu.Menu{
		{Name: "bgp", Help: "Border Gateway Protocol", Children: list(bgp)},
		{Name: "ospf", Help: "Open Shortest Path First", Children: list(ospf)},
	}}, append(bgp, ospf...)
}

// newNeighbors declares /ip/neighbor, which is empty.
func (t *Tree) newNeighbors() *computed {
	return newAbsent("neighbor", "Routers that announce themselves: there are none, since nothing listens to them here",
		readOnly("interface", menu.Words(), "Never there"), readOnly("address", menu.Words(), "Never there"),
		readOnly("mac-address", menu.Words(), "Never there"), readOnly("identity", menu.Words(), "Never there"))
}
