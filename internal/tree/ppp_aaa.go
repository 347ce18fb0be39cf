package tree

import (
	"gopptp/internal/menu"
	"gopptp/internal/nas"
)

// newAAA declares /ppp/aaa.
func (t *Tree) newAAA() *table {
	return &table{
		menu: &menu.Menu{
			Name: "aaa", Help: "How PPP users are known and accounted", Singleton: true, Noun: "ppp aaa",
			Properties: []menu.Property{
				{Name: "use-radius", Type: menu.Bool{}, Default: menu.False, Help: "Whether RADIUS is asked about users without a secret"},
				{Name: "accounting", Type: menu.Bool{}, Default: menu.True, Help: "Whether sessions are accounted by RADIUS"},
				{Name: "use-circuit-id-in-nas-port-id", Type: menu.Bool{}, Default: menu.False, Kept: true, Help: "Whether NAS-Port-Id has the circuit id"},
				{Name: "interim-update", Type: menu.Time{}, Default: "0s", Help: "Time between two interim updates; 0s for none"},
				{Name: "enable-ipv6-accounting", Type: menu.Bool{}, Default: menu.False, Kept: true, Help: "Whether IPv6 traffic is accounted apart"},
			},
			Commands: []*menu.Command{menu.Get(true), menu.Print(true, false), menu.Reset(true), menu.Set(true)},
		},
		put: func(r *menu.Row) {
			t.engine.SetAAA(nas.Settings{UseRADIUS: r.Is("use-radius"), Accounting: r.Is("accounting"), Interim: duration(r, "interim-update")})
		},
	}
}
