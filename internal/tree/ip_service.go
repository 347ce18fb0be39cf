package tree

import (
	"gopptp/internal/menu"
	"gopptp/internal/service"
)

// services are the rows of /ip/service as they are in a new system. All serve
// this machine alone until someone sets their address. Those whose port the
// machine itself may want are off: to take port 22 on loopback would keep its
// own SSH server from starting.
var services = []struct {
	id     menu.ID
	name   string
	port   string
	secure bool
	off    bool
	absent bool // nothing here serves it: kept, for programs that look for it or turn it off
}{
	{id: 1, name: "ssh", port: "22", off: true},
	{id: 2, name: "www", port: "80", off: true},
	{id: 3, name: "www-ssl", port: "443", secure: true, off: true},
	{id: 4, name: "api", port: "8728"},
	{id: 5, name: "api-ssl", port: "8729", secure: true},
	{id: 6, name: "telnet", port: "23", off: true, absent: true},
	{id: 7, name: "ftp", port: "21", off: true, absent: true},
	{id: 8, name: "winbox", port: "8291", off: true, absent: true},
}

// loopback is the address of a service that this machine alone may use.
const loopback = "127.0.0.0/8,::1/128"

// initialServices are the services as they are before anyone changes them.
func initialServices(m *menu.Menu) []*menu.Row {
	var rows []*menu.Row
	for _, s := range services {
		r := m.Defaults(s.id)
		r.Put("name", s.name)
		r.Put("port", s.port)
		r.PutBool(disabled, s.off)
		if s.secure {
			r.Put("certificate", "none")
			r.Put("tls-version", "any")
		}
		rows = append(rows, r)
	}
	return rows
}

// served reports an error for a service that is to be on and that nothing serves, or
// that is given a certificate that cannot be used.
func (t *Tree) served(_ User, old, r *menu.Row) error {
	if name := r.Get("certificate"); t.certificate != nil && secure(r) && name != old.Get("certificate") {
		if err := t.certificate(name); err != nil {
			return menu.Errorf(menu.BadArgument, "input does not match any value of certificate")
		}
	}
	for _, s := range services {
		if s.id == r.ID && s.absent && !r.Is(disabled) {
			return menu.Errorf(menu.Refused, "failure: this system does not offer %s, use ssh, www or api", s.name)
		}
	}
	return nil
}

// secure reports whether a service is spoken with TLS.
func secure(r *menu.Row) bool {
	for _, s := range services {
		if s.id == r.ID {
			return s.secure
		}
	}
	return false
}

// newServices declares /ip/service.
func (t *Tree) newServices() *table {
	inClear := func(r *menu.Row) bool { return !secure(r) }
	b := &table{
		menu: &menu.Menu{
			Name: "service", Help: "Ports through which people and programs come in", NameKey: "name", Noun: "ip service", Layout: menu.Table,
			Flags:   []menu.Flag{whenOff},
			Columns: []menu.Column{{Property: "name"}, {Property: "port"}, {Property: "address"}, {Property: "certificate"}, {Property: "max-sessions"}},
			Properties: []menu.Property{
				{Name: "name", Type: menu.Words(), ReadOnly: true, Help: "Name of the service; www and www-ssl are the page for browsers, and REST"},
				{Name: "port", Type: menu.Int{Min: 1, Max: 65535}, Help: "TCP port"},
				{Name: "address", Type: networks{}, Default: loopback,
					Help: "Networks that may use the service; empty for all. A service for loopback alone does not listen on other addresses"},
				{Name: "certificate", Type: menu.String{Max: maxName, Line: true}, Default: "none", Absent: inClear,
					Help: "Certificate of the TLS services: NAME for NAME.crt and NAME.key in the data directory, none for the one made at first start"},
				{Name: "tls-version", Type: menu.Words("any", "only-1.2"), Default: "any", Absent: inClear, Help: "Versions of TLS to accept"},
				{Name: "vrf", Type: elsewhere, Default: "main", Kept: true, Help: "Routing table of the service"},
				{Name: "max-sessions", Type: menu.Int{Min: 1, Max: 1000}, Default: "20", Help: "Connections at once"},
				isDisabled(menu.False, "Whether the service is disabled; telnet, ftp and winbox cannot be enabled"),
			},
			Commands: []*menu.Command{
				menu.Disable(), menu.Enable(), menu.Find(), menu.Get(false), menu.Print(false, false), menu.Reset(false), menu.Set(false),
			},
		},
		initial: initialServices,
		prepare: t.served,
	}
	b.put = func(r *menu.Row) {
		t.services.Put(service.Config{
			Name: r.Get("name"), Port: uint16(number(r, "port")), Allowed: prefixes(r, "address"),
			Secure: secure(r), Certificate: r.Get("certificate"), OnlyTLS12: r.Get("tls-version") == "only-1.2",
			MaxSessions: number(r, "max-sessions"), Disabled: r.Is(disabled),
		})
	}
	return b
}
