package tree

import (
	"gopptp/internal/aaa"
	"gopptp/internal/menu"
)

const profilePath = "/ppp/profile"

// The ids of the two profiles that always exist are RouterOS's.
const (
	defaultID   menu.ID = 0
	encryptedID menu.ID = 0xFFFFFFFE
)

// The words of properties that a session takes from the service's profile
// unless told otherwise.
var (
	triState  = menu.Words("default", "no", "yes")
	triStrict = menu.Words("default", "no", "yes", "required")
)

// elsewhere is the name of an object of a kind that this system does not keep:
// a bridge, a queue, a firewall chain.
var elsewhere = menu.String{Max: maxName, Line: true}

// poolOrAddress is an address, or the pool that addresses are taken from.
var poolOrAddress = menu.Reference{Path: "/ip/pool", Address: true, Word: "pool"}

// scriptText is text of many lines, such as the source of a script.
type scriptText struct{ menu.String }

var script = scriptText{}

// newProfiles declares /ppp/profile.
func (t *Tree) newProfiles() *table {
	optional := func(name string, typ menu.Type, help string) menu.Property {
		return menu.Property{Name: name, Type: typ, Optional: true, Help: help}
	}
	inherited := func(name string, typ menu.Type, help string) menu.Property {
		return menu.Property{Name: name, Type: typ, Default: "default", Help: help}
	}
	kept := func(p menu.Property) menu.Property {
		p.Kept = true
		return p
	}
	b := &table{
		menu: &menu.Menu{
			Name: "profile", Help: "PPP profiles", NameKey: "name", Noun: "ppp profile", Layout: menu.Detail,
			Flags: []menu.Flag{{Letter: '*', Name: "default", Property: "default"}},
			Properties: []menu.Property{
				{Name: "name", Type: menu.String{Min: 1, Max: maxName, Line: true}, Required: true, Help: "Name of the profile"},
				optional("local-address", poolOrAddress, "Address of the server's end, or the pool to take it from"),
				optional("remote-address", poolOrAddress, "Address of the client's end, or the pool to take it from"),
				kept(optional("remote-ipv6-prefix-pool", elsewhere, "Pool of IPv6 prefixes for clients")),
				{Name: "remote-ipv6-prefix-reuse", Type: menu.Bool{}, Default: menu.False, Quiet: menu.False, Kept: true, Help: "Whether all clients share a prefix"},
				kept(optional("dhcpv6-pd-pool", elsewhere, "Pool of IPv6 prefixes for DHCPv6")),
				{Name: "dhcpv6-use-radius", Type: menu.Bool{}, Default: menu.False, Quiet: menu.False, Kept: true, Help: "Whether DHCPv6 asks RADIUS"},
				{Name: "dhcpv6-lease-time", Type: menu.Time{}, Default: "1d", Quiet: "1d", Kept: true, Help: "Lease time of DHCPv6"},
				optional("bridge", elsewhere, "Bridge that sessions become ports of"),
				optional("bridge-port-priority", menu.Int{Max: 240}, "Priority of the bridge port"),
				optional("bridge-path-cost", menu.Int{Min: 1, Max: 200000000}, "Path cost of the bridge port"),
				optional("bridge-horizon", menu.Int{Min: 1, Max: 1<<32 - 1, Word: "none"}, "Split horizon of the bridge port"),
				inherited("bridge-learning", triState, "Whether the bridge port learns addresses"),
				optional("bridge-port-vid", menu.Int{Min: 1, Max: 4094}, "VLAN of the bridge port"),
				kept(optional("bridge-port-trusted", menu.Bool{}, "Whether the bridge port is trusted")),
				optional("session-timeout", menu.Time{}, "Longest time of a session"),
				optional("idle-timeout", menu.Time{}, "Time without traffic after which a session ends"),
				kept(menu.Property{Name: "use-ipv6", Type: triStrict, Default: "yes", Help: "Whether sessions carry IPv6"}),
				kept(inherited("use-mpls", triStrict, "Whether sessions carry MPLS")),
				inherited("use-compression", triState, "Whether sessions are compressed"),
				inherited("use-encryption", triStrict, "Whether sessions are encrypted"),
				inherited("only-one", triState, "Whether a user may have one session only"),
				inherited("change-tcp-mss", triState, "Whether the MSS of TCP is fitted to the tunnel"),
				kept(inherited("use-upnp", triState, "Whether sessions take part in UPnP")),
				optional("rate-limit", rateLimit{}, "Rate limit of a session: rx/tx and bursts"),
				kept(optional("insert-queue-before", elsewhere, "Queue before which the session's is put")),
				kept(optional("parent-queue", elsewhere, "Parent of the session's queue")),
				kept(optional("queue-type", elsewhere, "Type of the session's queue")),
				optional("incoming-filter", elsewhere, "Firewall chain for packets from the client"),
				optional("outgoing-filter", elsewhere, "Firewall chain for packets to the client"),
				{Name: "address-list", Type: elsewhere, Help: "Address lists that get the client's address"},
				optional("interface-list", elsewhere, "Interface list that the session's interface joins"),
				optional("dns-server", menu.Addresses{Max: 2}, "DNS servers for clients"),
				optional("wins-server", menu.Addresses{Max: 2}, "WINS servers for clients"),
				{Name: "on-up", Type: script, Help: "Script run when a session comes up"},
				{Name: "on-down", Type: script, Help: "Script run when a session goes down"},
				comment,
				{Name: "default", Type: menu.Bool{}, Default: menu.False, ReadOnly: true, Help: "Whether the profile is built in"},
			},
			Commands: []*menu.Command{
				menu.Add(), menu.SetComment(), menu.Find(), menu.Get(false), menu.Print(false, false), menu.Remove(),
				menu.Reset(false), menu.Set(false), menu.Unset(),
			},
		},
		clash:   "failure: profile with the same name already exists",
		initial: builtinProfiles,
		key:     func(r *menu.Row) string { return r.Get("name") },
		put:     func(r *menu.Row) { t.engine.PutProfile(uint64(r.ID), t.profileConfig(r)) },
		drop:    func(id menu.ID) { t.engine.RemoveProfile(uint64(id)) },
		fixed: func(r *menu.Row) error {
			if builtin(r.ID) {
				return menu.Errorf(menu.Refused, "failure: can not remove default profile")
			}
			return nil
		},
	}
	b.live = func(rows []*menu.Row) []*menu.Row {
		for _, r := range rows {
			r.PutBool("default", builtin(r.ID))
		}
		return rows
	}
	return b
}

func builtin(id menu.ID) bool { return id == defaultID || id == encryptedID }

// builtinProfiles are the two profiles as they are before anyone changes them.
func builtinProfiles(m *menu.Menu) []*menu.Row {
	plain, encrypted := m.Defaults(defaultID), m.Defaults(encryptedID)
	for _, r := range []*menu.Row{plain, encrypted} {
		r.Put("use-ipv6", "yes")
		r.Put("change-tcp-mss", "yes")
	}
	plain.Put("name", "default")
	encrypted.Put("name", "default-encryption")
	encrypted.Put("use-encryption", "yes")
	return []*menu.Row{plain, encrypted}
}

// profileName gives the name of a profile by its stored id. The caller holds
// change.
func (t *Tree) profileName(stored string) string {
	id, _, _ := menu.ParseID(stored)
	if r := t.tables[profilePath].stored[id]; r != nil {
		return r.Get("name")
	}
	return ""
}

// profileConfig is a row of /ppp/profile in the engine's types.
func (t *Tree) profileConfig(r *menu.Row) aaa.Profile {
	p := aaa.Profile{
		Name:          r.Get("name"),
		LocalAddress:  address(r, "local-address"),
		RemoteAddress: address(r, "remote-address"),
		LocalPool:     t.poolName(r, "local-address"),
		RemotePool:    t.poolName(r, "remote-address"),
		UseEncryption: tri(r, "use-encryption"),
		OnlyOne:       tri(r, "only-one"),
		DNSServers:    addresses(r, "dns-server"),
		WINSServers:   addresses(r, "wins-server"),
	}
	putPolicy(&p, r)
	return p
}
