package tree

import (
	"gopptp/internal/aaa"
	"gopptp/internal/menu"
)

const secretPath = "/ppp/secret"

// newSecrets declares /ppp/secret.
func (t *Tree) newSecrets() *table {
	bytes := func(name, help string) menu.Property {
		return menu.Property{Name: name, Type: counter, Default: "0", Help: help}
	}
	return &table{
		menu: &menu.Menu{
			Name: "secret", Help: "PPP user database", NameKey: "name", Noun: "ppp secret", Layout: menu.Table,
			Flags:   []menu.Flag{whenOff},
			Columns: []menu.Column{{Property: "name"}, {Property: "service"}, {Property: "password"}, {Property: "profile"}, {Property: "remote-address"}},
			Properties: append([]menu.Property{
				{Name: "name", Type: userName, Required: true, Help: "Name of the user"},
				{Name: "service", Type: menu.Words("any", "async", "pptp", "pppoe", "l2tp", "ovpn", "sstp"), Default: "any", Help: "Service that the user may use"},
				{Name: "caller-id", Type: elsewhere, Help: "Address that the client must call from; empty for any"},
				{Name: "password", Type: credential, Sensitive: true, Help: "Password of the user"},
				{Name: "profile", Type: menu.Reference{Path: profilePath}, Default: defaultID.String(), Help: "PPP profile of the user"},
				{Name: "local-address", Type: menu.Address{}, Optional: true, Help: "Address of the server's end"},
				{Name: "remote-address", Type: menu.Address{}, Optional: true, Help: "Address of the client's end"},
				{Name: "routes", Type: routeList{}, Optional: true, Help: "Routes through the client"},
				{Name: "ipv6-routes", Type: menu.String{Line: true}, Kept: true, Help: "IPv6 routes through the client"},
				{Name: "remote-ipv6-prefix", Type: menu.Prefix6{}, Optional: true, Kept: true, Help: "IPv6 prefix of the client"},
				bytes("limit-bytes-in", "Octets that the client may send; 0 for no limit"),
				bytes("limit-bytes-out", "Octets that the client may receive; 0 for no limit"),
				comment,
				isDisabled(menu.False, "Whether the user is disabled"),
			}, lastProperties()...),
			Commands: []*menu.Command{
				menu.Add(), menu.SetComment(), menu.Disable(), menu.Enable(), menu.Find(), menu.Get(false), menu.Print(false, false),
				menu.Remove(), menu.Reset(false), menu.Set(false), menu.Unset(),
			},
		},
		clash: "failure: secret with the same name already exists",
		// The same name may serve several services. No name holds a control character.
		key: func(r *menu.Row) string { return r.Get("name") + "\x00" + r.Get("service") },
		put: func(r *menu.Row) { t.engine.PutSecret(t.secretConfig(r)) },
		drop: func(id menu.ID) {
			t.engine.RemoveSecret(uint64(id))
			t.last.put(id, nil)
		},
		live:  func(rows []*menu.Row) []*menu.Row { return t.last.fill(rows) },
		rings: true,
	}
}

// secretConfig is a row of /ppp/secret in the engine's types.
func (t *Tree) secretConfig(r *menu.Row) aaa.Secret {
	return aaa.Secret{
		ID:            uint64(r.ID),
		Name:          r.Get("name"),
		Service:       r.Get("service"),
		Password:      r.Get("password"),
		Profile:       t.profileName(r.Get("profile")),
		CallerID:      r.Get("caller-id"),
		LocalAddress:  address(r, "local-address"),
		RemoteAddress: address(r, "remote-address"),
		Routes:        routes(r),
		LimitIn:       count(r, "limit-bytes-in"),
		LimitOut:      count(r, "limit-bytes-out"),
		Disabled:      r.Is(disabled),
	}
}
