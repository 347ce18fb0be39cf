package tree

import (
	"gopptp/internal/menu"
	"gopptp/internal/session"
)

// newServerSettings declares /interface/pptp-server/server.
func (t *Tree) newServerSettings() *table {
	return &table{
		menu: &menu.Menu{
			Name: "server", Help: "PPTP server settings", Singleton: true, Noun: "PPTP Server settings",
			Caution: "PPTP connections are considered unsafe, it is suggested to use a more modern VPN protocol instead",
			Properties: []menu.Property{
				{Name: "enabled", Type: menu.Bool{}, Default: menu.False, Help: "Whether the PPTP server is enabled"},
				{Name: "max-mtu", Type: packetSize, Default: "1450", Help: "Largest packet that an interface sends without fragmentation"},
				{Name: "max-mru", Type: packetSize, Default: "1450", Help: "Largest packet that an interface receives without fragmentation"},
				{Name: "mrru", Type: mrru, Default: disabled, Help: "Largest packet that can be received on the link, by multilink fragments"},
				{Name: "authentication", Type: methods, Default: "mschap1,mschap2", Help: "Authentication methods that the server accepts"},
				{Name: "keepalive-timeout", Type: keepalive, Default: "30", Help: "Time in seconds without a packet after which a client is asked for a sign of life"},
				{Name: "default-profile", Type: menu.Reference{Path: profilePath}, Default: encryptedID.String(), Help: "PPP profile of sessions"},
			},
			Commands: []*menu.Command{menu.Get(true), menu.Print(true, false), menu.Reset(true), menu.Set(true)},
		},
		put: func(r *menu.Row) { t.engine.SetServer(t.serverConfig(r)) },
	}
}

// serverConfig is /interface/pptp-server/server in the engine's types.
func (t *Tree) serverConfig(r *menu.Row) session.ServerConfig {
	return session.ServerConfig{
		Enabled:        r.Is("enabled"),
		MaxMTU:         number(r, "max-mtu"),
		MaxMRU:         number(r, "max-mru"),
		MRRU:           number(r, "mrru"),
		Authentication: chosen(r, "authentication"),
		Keepalive:      seconds(r, "keepalive-timeout"),
		DefaultProfile: t.profileName(r.Get("default-profile")),
	}
}
