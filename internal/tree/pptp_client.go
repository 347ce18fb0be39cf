package tree

import (
	"strings"

	"gopptp/internal/menu"
	"gopptp/internal/session"
)

// interfaceIDs is the sequence that all interface menus take ids from, so that
// an interface has the same id in its own menu and in /interface.
const interfaceIDs = "/interface"

// The menus of interfaces.
const (
	clientPath = "/interface/pptp-client"
	serverPath = "/interface/pptp-server"
)

const sameInterface = "failure: already have interface with such name"

// newClients declares /interface/pptp-client.
func (t *Tree) newClients(k *keys) *table {
	b := &table{
		menu: &menu.Menu{
			Name: "pptp-client", Help: "PPTP client interfaces", NameKey: "name", Noun: "device", Sequence: interfaceIDs,
			Layout: menu.Detail,
			Flags:  []menu.Flag{whenOff, whenUp},
			Properties: []menu.Property{
				{Name: "name", Type: interfaceName{}, Help: "Descriptive name of the interface"},
				{Name: "max-mtu", Type: packetSize, Default: "1450", Help: "Largest packet that the interface sends without fragmentation"},
				{Name: "max-mru", Type: packetSize, Default: "1450", Help: "Largest packet that the interface receives without fragmentation"},
				{Name: "mrru", Type: mrru, Default: disabled, Help: "Largest packet that can be received on the link, by multilink fragments"},
				{Name: "connect-to", Type: dialed{}, Required: true, Help: "Remote address of the PPTP server; the routing table in ADDRESS@VRF is kept, and the machine's main one is used"},
				{Name: "user", Type: userName, Required: true, Help: "User name used for authentication"},
				{Name: "password", Type: credential, Sensitive: true, Help: "Password used for authentication"},
				{Name: "profile", Type: menu.Reference{Path: profilePath}, Default: encryptedID.String(), Help: "PPP profile"},
				{Name: "keepalive-timeout", Type: keepalive, Default: "60", Help: "Time in seconds without a packet after which the server is asked for a sign of life"},
				{Name: "use-peer-dns", Type: menu.Words("no", "yes", "exclusively"), Default: "no", Quiet: "no", Help: "Whether to use the DNS servers that the server gives"},
				{Name: "add-default-route", Type: menu.Bool{}, Default: menu.False, Help: "Whether to add the remote address as a default route"},
				{Name: "default-route-distance", Type: menu.Int{Max: 255}, Default: "1", Help: "Distance of the default route",
					Absent: func(r *menu.Row) bool { return !r.Is("add-default-route") }},
				{Name: "dial-on-demand", Type: menu.Bool{}, Default: menu.False, Help: "Whether to connect only when there is outbound traffic"},
				{Name: "allow", Type: methods, Default: "pap,chap,mschap1,mschap2", Help: "Allowed authentication methods"},
				comment,
				isDisabled(menu.True, "Whether the interface is disabled"),
				running, aboutPPTP(),
			},
			Commands: append(interfaceCommands(), menu.Monitor((&menu.Menu{
				Name: "monitor", Singleton: true,
				Properties: []menu.Property{
					{Name: "status", Type: menu.String{}, Optional: true, ReadOnly: true},
					{Name: "uptime", Type: menu.Time{}, Optional: true, ReadOnly: true},
					{Name: "encoding", Type: menu.String{}, Optional: true, ReadOnly: true},
					{Name: "mtu", Type: packetSize, Optional: true, ReadOnly: true},
					{Name: "mru", Type: packetSize, Optional: true, ReadOnly: true},
					{Name: "local-address", Type: menu.Address{}, Optional: true, ReadOnly: true},
					{Name: "remote-address", Type: menu.Address{}, Optional: true, ReadOnly: true},
				},
			}).Standalone())),
		},
		keys: k, clash: sameInterface, auto: "pptp-out",
		key: func(r *menu.Row) string { return r.Get("name") },
		put: func(r *menu.Row) { t.engine.PutClient(t.clientConfig(r)) },
		drop: func(id menu.ID) {
			t.engine.RemoveClient(uint64(id))
			t.links.forget(id)
		},
	}
	b.live = func(rows []*menu.Row) []*menu.Row {
		for _, r := range rows {
			s, _ := t.engine.Client(uint64(r.ID))
			r.PutBool("running", s.Running)
		}
		return rows
	}
	b.state = func(out, r *menu.Row) {
		s, _ := t.engine.Client(uint64(r.ID))
		switch {
		case r.Is(disabled):
			out.Put("status", disabled)
		case s.State == "":
			out.Put("status", "disconnected")
		default:
			out.Put("status", s.State)
		}
		putStatus(out, s)
	}
	return b
}

// interfaceCommands are the commands of a menu of interfaces, but for monitor.
func interfaceCommands() []*menu.Command {
	return []*menu.Command{
		menu.Add(), menu.SetComment(), menu.Disable(), menu.Enable(), menu.Find(), menu.Get(false),
		menu.Print(false, false), menu.Remove(), menu.Reset(false), menu.Set(false),
	}
}

// dialed is where a client connects to: an address or a name, with @vrf after it if
// the routing table is not the main one.
type dialed struct{ menu.Host }

// Parse accepts a host, or host@vrf.
func (t dialed) Parse(name, text string, refs menu.Resolver) (string, error) {
	host, vrf, there := strings.Cut(text, "@")
	host, err := t.Host.Parse(name, host, refs)
	if err != nil || !there {
		return host, err
	}
	if vrf == "" {
		return "", menu.Errorf(menu.BadArgument, "invalid value for argument %s", name)
	}
	vrf, err = elsewhere.Parse(name, vrf, nil)
	return host + "@" + vrf, err
}

// hostOf gives a dialed without its routing table.
func hostOf(text string) string {
	host, _, _ := strings.Cut(text, "@")
	return host
}

// clientConfig is a row of /interface/pptp-client in the engine's types.
func (t *Tree) clientConfig(r *menu.Row) session.ClientConfig {
	return session.ClientConfig{
		ID:                   uint64(r.ID),
		Name:                 r.Get("name"),
		MaxMTU:               number(r, "max-mtu"),
		MaxMRU:               number(r, "max-mru"),
		MRRU:                 number(r, "mrru"),
		ConnectTo:            hostOf(r.Get("connect-to")),
		User:                 r.Get("user"),
		Password:             r.Get("password"),
		Profile:              t.profileName(r.Get("profile")),
		Keepalive:            seconds(r, "keepalive-timeout"),
		UsePeerDNS:           r.Get("use-peer-dns"),
		AddDefaultRoute:      r.Is("add-default-route"),
		DefaultRouteDistance: number(r, "default-route-distance"),
		DialOnDemand:         r.Is("dial-on-demand"),
		Allow:                chosen(r, "allow"),
		Disabled:             r.Is(disabled),
	}
}

// putStatus fills in what holds while a tunnel is up.
func putStatus(out *menu.Row, s session.Status) {
	if !s.Running {
		return
	}
	if !s.ConnectedAt.IsZero() {
		out.Put("uptime", uptime(s))
	}
	out.Put("encoding", s.Encoding)
	putNumber(out, "mtu", s.MTU)
	putNumber(out, "mru", s.MRU)
	putAddress(out, "local-address", s.LocalAddress)
	putAddress(out, "remote-address", s.RemoteAddress)
}
