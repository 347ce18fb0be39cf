package tree

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"gopptp/internal/menu"
)

// portNumber is a UDP or TCP port.
var portNumber = menu.Int{Min: 1, Max: 65535}

// The bounds of a RADIUS server's timeout are RouterOS's.
const (
	minRadiusTimeout = 10 * time.Millisecond
	maxRadiusTimeout = time.Minute
)

// serverAddress is the address of a server, IPv4 or IPv6, with @vrf after it if
// it is in another routing table.
type serverAddress struct{ menu.Enum }

// Parse accepts an address, or address@vrf.
func (serverAddress) Parse(name, text string, _ menu.Resolver) (string, error) {
	host, vrf, there := strings.Cut(text, "@")
	a, err := netip.ParseAddr(host)
	if err != nil || a.Zone() != "" || there && vrf == "" {
		return "", menu.Errorf(menu.BadArgument, "invalid value for argument %s", name)
	}
	if !there {
		return a.String(), nil
	}
	vrf, err = elsewhere.Parse(name, vrf, nil)
	return a.String() + "@" + vrf, err
}

// anyOf is a SetOf that may be empty.
type anyOf struct{ menu.SetOf }

// Parse accepts a list with commas, or nothing.
func (s anyOf) Parse(name, text string, refs menu.Resolver) (string, error) {
	if text == "" {
		return "", nil
	}
	return s.SetOf.Parse(name, text, refs)
}

// newRadius declares /radius.
func (t *Tree) newRadius() *table {
	kept := func(name string, typ menu.Type, initial, help string) menu.Property {
		return menu.Property{Name: name, Type: typ, Default: initial, Kept: true, Help: help}
	}
	return &table{
		menu: &menu.Menu{
			Name: "radius", Help: "RADIUS servers, asked in their order", Ordered: true, Noun: "radius server", Layout: menu.Table,
			Flags:   []menu.Flag{whenOff},
			Columns: []menu.Column{{Property: "service"}, {Property: "called-id"}, {Property: "domain"}, {Property: "address"}, {Property: "secret"}},
			Properties: []menu.Property{
				kept("service", anyOf{menu.SetOf{Words: []string{"ppp", "login", "hotspot", "wireless", "dhcp", "ipsec", "dot1x"}}}, "", "Services that ask the server"),
				kept("called-id", elsewhere, "", "Called id that the server is asked about; empty for any"),
				kept("domain", elsewhere, "", "Domain of the users that the server is asked about; empty for any"),
				{Name: "address", Type: serverAddress{}, Required: true, Kept: true, Help: "Address of the server"},
				{Name: "protocol", Type: menu.Words("udp", "radsec"), Default: "udp", Kept: true, Help: "How the server is spoken to"},
				{Name: "secret", Type: menu.String{Max: maxName, Line: true}, Sensitive: true, Kept: true, Help: "Secret shared with the server"},
				kept("authentication-port", portNumber, "1812", "Port for authentication"),
				kept("accounting-port", portNumber, "1813", "Port for accounting"),
				kept("timeout", menu.Time{Min: minRadiusTimeout, Max: maxRadiusTimeout}, "300ms", "Time after which a request is sent again"),
				kept("radsec-timeout", milliseconds{menu.Time{Min: minRadiusTimeout, Max: maxRadiusTimeout}}, "3300ms", "Time after which a radsec server is given up"),
				kept("accounting-backup", menu.Bool{}, menu.False, "Whether the server is a backup for accounting only"),
				kept("realm", elsewhere, "", "Realm that users belong to"),
				kept("certificate", elsewhere, "none", "Certificate shown to a radsec server"),
				kept("require-message-auth", menu.Words("no", "yes-for-request-resp"), "yes-for-request-resp", "Whether answers need a Message-Authenticator"),
				kept("src-address", serverAddress{}, "0.0.0.0", "Address that requests come from"),
				comment,
				{Name: disabled, Type: menu.Bool{}, Default: menu.False, Help: "Whether the server is disabled"},
			},
			Commands: []*menu.Command{
				menu.Add(), menu.SetComment(), menu.Disable(), menu.Enable(), menu.Find(), menu.Get(false), menu.Print(false, false),
				menu.Remove(), menu.Reset(false), menu.Set(false),
			},
		},
		put:  keepOnly,
		drop: func(menu.ID) {},
	}
}

// newRadiusIncoming declares /radius/incoming.
func (t *Tree) newRadiusIncoming() *table {
	return &table{
		menu: &menu.Menu{
			Name: "incoming", Help: "Requests that RADIUS servers send", Singleton: true, Noun: "radius incoming",
			Properties: []menu.Property{
				{Name: "accept", Type: menu.Bool{}, Default: menu.False, Kept: true, Help: "Whether requests are accepted"},
				{Name: "port", Type: portNumber, Default: "3799", Kept: true, Help: "Port for requests"},
				{Name: "vrf", Type: elsewhere, Default: "main", Kept: true, Help: "Routing table of the port"},
			},
			Commands: []*menu.Command{menu.Get(true), menu.Print(true, false), menu.Reset(true), menu.Set(true)},
		},
		put: keepOnly,
	}
}

// milliseconds is a time that is shown in milliseconds unless its seconds are
// whole: programs compare it with 3300ms.
type milliseconds struct{ menu.Time }

// Parse accepts a time.
func (m milliseconds) Parse(name, text string, refs menu.Resolver) (string, error) {
	canonical, err := m.Time.Parse(name, text, refs)
	if err != nil {
		return "", err
	}
	if d, _ := menu.ParseTime(canonical); d%time.Second != 0 {
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms", nil
	}
	return canonical, nil
}
