package tree

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"gopptp/internal/menu"
	"gopptp/internal/radius"
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
	having := func(name string, typ menu.Type, initial, help string) menu.Property {
		return menu.Property{Name: name, Type: typ, Default: initial, Help: help}
	}
	return &table{
		menu: &menu.Menu{
			Name: "radius", Help: "RADIUS servers, asked in their order", Ordered: true, Noun: "radius server", Layout: menu.Table,
			Flags:   []menu.Flag{whenOff},
			Columns: []menu.Column{{Property: "service"}, {Property: "called-id"}, {Property: "domain"}, {Property: "address"}, {Property: "secret"}},
			Properties: []menu.Property{
				having("service", anyOf{menu.SetOf{Words: []string{"ppp", "login", "hotspot", "wireless", "dhcp", "ipsec", "dot1x"}}}, "", "Services that ask the server"),
				having("called-id", elsewhere, "", "Called id that the server is asked about; empty for any"),
				having("domain", elsewhere, "", "Domain of the users that the server is asked about; empty for any"),
				{Name: "address", Type: serverAddress{}, Required: true, Help: "Address of the server"},
				{Name: "protocol", Type: menu.Words("udp", "radsec"), Default: "udp", Help: "How the server is spoken to"},
				{Name: "secret", Type: menu.String{Max: maxName, Line: true}, Sensitive: true, Help: "Secret shared with the server"},
				having("authentication-port", portNumber, "1812", "Port for authentication"),
				having("accounting-port", portNumber, "1813", "Port for accounting"),
				having("timeout", menu.Time{Min: minRadiusTimeout, Max: maxRadiusTimeout}, "300ms", "Time after which a request is sent again"),
				having("radsec-timeout", milliseconds{menu.Time{Min: minRadiusTimeout, Max: maxRadiusTimeout}}, "3300ms", "Time after which a radsec server is given up"),
				having("accounting-backup", menu.Bool{}, menu.False, "Whether the server is a backup for accounting only"),
				having("realm", elsewhere, "", "Realm that users belong to"),
				having("certificate", elsewhere, "none", "Certificate shown to a radsec server"),
				having("require-message-auth", menu.Words("no", "yes-for-request-resp"), "yes-for-request-resp", "Whether answers need a Message-Authenticator"),
				having("src-address", serverAddress{}, "0.0.0.0", "Address that requests come from"),
				comment,
				{Name: disabled, Type: menu.Bool{}, Default: menu.False, Help: "Whether the server is disabled"},
			},
			Commands: []*menu.Command{
				menu.Add(), menu.SetComment(), menu.Disable(), menu.Enable(), menu.Find(), menu.Get(false), menu.Print(false, false),
				menu.Remove(), menu.Reset(false), menu.ResetCounters(false), menu.Set(false), menu.Monitor(counters(
					tally("pending", "Requests that wait for their answer"), tally("requests", "Requests"), tally("accepts", "Requests that were accepted"),
					tally("rejects", "Requests that were rejected"), tally("resends", "Requests that were sent again"),
					tally("timeouts", "Requests that got no answer"), tally("bad-replies", "Answers that were dropped: a wrong secret, or no answers of the server"),
					menu.Property{Name: "last-request-rtt", Type: menu.Time{}, Default: "0s", ReadOnly: true, Help: "Time that the last answer took"},
				)),
			},
		},
		put:   keepOnly, // all rows go together
		drop:  func(menu.ID) {},
		all:   func(rows []*menu.Row) { t.engine.SetServers(radiusServers(rows)) },
		reset: func(id menu.ID) { t.engine.ResetCounters(uint64(id)) },
		state: func(out, r *menu.Row) {
			c, _ := t.engine.Monitor(uint64(r.ID))
			out.Put("pending", strconv.Itoa(c.Pending))
			for name, n := range map[string]uint64{
				"requests": c.Requests, "accepts": c.Accepts, "rejects": c.Rejects, "resends": c.Resends, "timeouts": c.Timeouts, "bad-replies": c.BadReplies,
			} {
				out.Put(name, strconv.FormatUint(n, 10))
			}
			out.Put("last-request-rtt", menu.FormatTime(c.LastRTT.Truncate(time.Millisecond)))
		},
	}
}

// counters declares what a monitor shows of counters.
func counters(properties ...menu.Property) *menu.Menu {
	return (&menu.Menu{Name: "monitor", Singleton: true, Properties: properties}).Standalone()
}

// radiusServers are the rows of /radius in the engine's types.
func radiusServers(rows []*menu.Row) []radius.Server {
	list := make([]radius.Server, 0, len(rows))
	for _, r := range rows {
		host, _, _ := strings.Cut(r.Get("address"), "@")
		source, _, _ := strings.Cut(r.Get("src-address"), "@")
		s := radius.Server{
			ID: uint64(r.ID), Services: words(r, "service"), CalledID: r.Get("called-id"), Domain: r.Get("domain"), Secret: r.Get("secret"),
			AuthPort: uint16(number(r, "authentication-port")), AcctPort: uint16(number(r, "accounting-port")),
			Timeout: duration(r, "timeout"), RadSecTimeout: duration(r, "radsec-timeout"), AccountingBackup: r.Is("accounting-backup"),
			Realm: r.Get("realm"), Certificate: r.Get("certificate"), AnyMessageAuth: r.Get("require-message-auth") == "no", Disabled: r.Is(disabled),
		}
		s.Address, _ = netip.ParseAddr(host) // the type has seen that it is one
		s.SrcAddress, _ = netip.ParseAddr(source)
		if r.Get("protocol") == "radsec" {
			s.Protocol = radius.RadSec
		}
		list = append(list, s)
	}
	return list
}

// newRadiusIncoming declares /radius/incoming.
func (t *Tree) newRadiusIncoming() *table {
	return &table{
		menu: &menu.Menu{
			Name: "incoming", Help: "Requests that RADIUS servers send", Singleton: true, Noun: "radius incoming",
			Properties: []menu.Property{
				{Name: "accept", Type: menu.Bool{}, Default: menu.False, Help: "Whether requests are accepted"},
				{Name: "port", Type: portNumber, Default: "3799", Help: "Port for requests"},
				{Name: "vrf", Type: elsewhere, Default: "main", Kept: true, Help: "Routing table of the port"},
			},
			Commands: []*menu.Command{
				menu.Get(true), menu.Print(true, false), menu.Reset(true), menu.ResetCounters(true), menu.Set(true), menu.MonitorSettings(counters(
					tally("requests", "Requests that came"), tally("bad-requests", "Requests from elsewhere, or wrongly signed"),
					tally("acks", "Requests that were carried out"), tally("naks", "Requests that were refused"),
				)),
			},
		},
		put: func(r *menu.Row) {
			t.engine.SetIncoming(radius.IncomingConfig{Accept: r.Is("accept"), Port: uint16(number(r, "port"))})
		},
		reset: func(menu.ID) { t.engine.ResetIncomingCounters() },
		state: func(out, _ *menu.Row) {
			c := t.engine.IncomingMonitor()
			for name, n := range map[string]uint64{"requests": c.Requests, "bad-requests": c.BadRequests, "acks": c.Acks, "naks": c.Naks} {
				out.Put(name, strconv.FormatUint(n, 10))
			}
		},
	}
}

// tally declares a counter that a monitor shows.
func tally(name, help string) menu.Property {
	return menu.Property{Name: name, Type: counter, Default: "0", ReadOnly: true, Help: help}
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
