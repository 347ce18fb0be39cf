package migrate

import (
	"fmt"
	"slices"
	"strings"

	"gopptp/internal/menu"
)

// cleanName makes a name fit for a comment.
func cleanName(s string) string { return menu.Clean(s) }

// result writes the script: what is referred to comes first, and the server is enabled
// last.
func (m *importer) result() *Result {
	var b strings.Builder
	fmt.Fprintf(&b, "# The configuration of %s as gopptp's, from %s.\n", m.base, menu.Clean(m.from))
	b.WriteString("# It has passwords in it. To run it: gopptp exec --file THIS-FILE\n")
	add := func(p properties) {
		b.WriteString("add")
		p.write(&b)
	}
	if len(m.identity) > 0 {
		b.WriteString("/system/identity\nset")
		m.identity.write(&b)
	}
	if len(m.pools) > 0 {
		b.WriteString("/ip/pool\n")
	}
	for _, p := range m.pools {
		add(properties{{"name", p.name}, {"ranges", write(p.spans)}})
	}
	for _, p := range m.pools { // which may be the one of a later row
		if p.next != "" {
			b.WriteString("set " + menu.Quote(p.name))
			properties{{"next-pool", p.next}}.write(&b)
		}
	}
	b.WriteString("/ppp/profile\n")
	for i, p := range m.profiles {
		q := properties{{"name", p.name}}
		if i > 0 {
			q = append(properties{{"copy-from", m.base}}, q...)
		}
		add(append(q, p.properties...))
	}
	if len(m.users) > 0 {
		b.WriteString("/ppp/secret\n")
	}
	for _, u := range m.users {
		q := properties{{"name", u.name}, {"password", u.password}, {"service", "pptp"}, {"profile", u.profile}}
		if u.local.IsValid() {
			q.set("local-address", u.local.String())
		}
		if u.remote.IsValid() {
			q.set("remote-address", u.remote.String())
		}
		add(q)
	}
	if len(m.radius) > 0 {
		b.WriteString("/radius\n")
		slices.SortStableFunc(m.radius, func(x, y server) int { // they are asked in their order
			switch {
			case x.backup == y.backup:
				return 0
			case y.backup:
				return -1
			}
			return 1
		})
	}
	for _, s := range m.radius {
		add(s.properties)
	}
	for _, s := range []struct {
		path string
		properties
	}{{"/radius/incoming", m.incoming}, {"/ppp/aaa", m.aaa}, {"/interface/pptp-server/server", m.enabled()}} {
		if len(s.properties) > 0 {
			b.WriteString(s.path + "\nset")
			s.properties.write(&b)
		}
	}
	for _, r := range m.remarks {
		b.WriteString(r.String())
		b.WriteByte('\n')
	}
	return &Result{Script: b.String(), Users: len(m.users), Pools: len(m.pools), Servers: len(m.radius), Remarks: m.remarks}
}

// enabled is the server's settings.
func (m *importer) enabled() properties {
	p := properties{{"enabled", "yes"}, {"default-profile", m.base}}
	for _, x := range m.server {
		p.set(x.key, x.value)
	}
	return p
}

// write writes properties as the console reads them, and ends the line.
func (p properties) write(b *strings.Builder) {
	for _, x := range p {
		b.WriteString(" " + x.key + "=" + menu.Quote(x.value))
	}
	b.WriteByte('\n')
}
