package migrate

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// The files that pptpd and pppd read unless they are told others.
const (
	pppOptionsFile = "/etc/ppp/options"
	chapSecrets    = "/etc/ppp/chap-secrets"
)

// What pptpd takes where its file says nothing.
const (
	pptpdConnections = 100
	pptpdLocal       = "192.168.0.1-100"
	pptpdRemote      = "192.168.1.1-100"
)

// PPTPD says what to read of pptpd.
type PPTPD struct {
	Config string // pptpd.conf
	// Options is pppd's file of options, for files that were copied from another
	// machine: then it alone is read. Without it, it is /etc/ppp/options, if it exists,
	// and then the one that Config names.
	Options string
	// Secrets is the file of users; without it /etc/ppp/chap-secrets.
	Secrets string
	// Hostname is the name of the machine, which pppd takes for its own where its
	// options give none.
	Hostname string
}

// ImportPPTPD reads the configuration of pptpd (pptpd.conf(5)) and of pppd.
func ImportPPTPD(read Files, c PPTPD) (*Result, error) {
	m := newImporter(read, "pptpd", c.Config)
	text, err := m.load(c.Config)
	if err != nil {
		return nil, err
	}
	p := m.pptpdFile(c.Config, text)
	o := &options{importer: m, table: pppOptions(), hostname: c.Hostname}
	switch {
	case c.Options != "":
		o.include(place{c.Config, 0}, c.Options)
	default:
		if text, err := m.load(pppOptionsFile); err == nil {
			o.parse(pppOptionsFile, text)
		}
		if p.options != "" {
			o.include(p.optionsAt, p.options)
		}
	}
	o.finish(place{c.Config, 0})
	p.addresses(m)

	secrets := c.Secrets
	if secrets == "" {
		secrets = chapSecrets
	}
	if text, err := m.load(secrets); err != nil {
		m.lost(place{secrets, 0}, "", why(err)+"; there are no users")
	} else {
		o.pppSecrets(secrets, text)
	}
	return m.result(), nil
}

// pptpdConf is what pptpd.conf says.
type pptpdConf struct {
	file          string
	options       string
	optionsAt     place
	local, remote string
	localAt       place
	remoteAt      place
	connections   uint64
	delegate      bool
}

// pptpdFile reads pptpd.conf: a keyword and its value in each line. The first line of
// a keyword holds.
func (m *importer) pptpdFile(file, text string) *pptpdConf {
	p := &pptpdConf{file: file, connections: pptpdConnections}
	seen := map[string]bool{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		at := place{file, n}
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if before, after, ok := strings.Cut(key, "\t"); ok {
			key, value = before, after+" "+value
		}
		value, _, _ = strings.Cut(value, "#")
		value = strings.TrimSpace(value)
		if key == "" || key[0] == '#' {
			continue
		}
		shown := strings.TrimSpace(key + " " + value)
		if seen[key] {
			m.lost(at, key, "the first line of this keyword holds")
			continue
		}
		seen[key] = true
		switch key {
		case "option":
			p.options, p.optionsAt = value, at
		case "localip":
			p.local, p.localAt = value, at
		case "remoteip":
			p.remote, p.remoteAt = value, at
		case "connections":
			c, err := strconv.ParseUint(value, 10, 32)
			if err != nil || c == 0 {
				m.lost(at, shown, "not a number of connections")
				continue
			}
			p.connections = c
		case "delegate":
			p.delegate = true
		case "listen":
			m.lost(at, shown, "the server listens on all addresses; a firewall closes TCP port 1723 of the others")
		case "vrf":
			m.lost(at, shown, "the server listens in the main routing table")
		case "bcrelay":
			m.lost(at, shown, "broadcasts are not relayed; the profile's bridge carries Ethernet, with clients that can bridge")
		case "debug":
			m.met(at, shown, whyLog)
		case "logwtmp", "nologwtmp":
			m.met(at, shown, "/ppp/active and /log show who is and was there")
		case "stimeout":
			m.met(at, shown, "a client has 5 seconds to begin, and holds up nobody meanwhile")
		case "ppp", "speed", "pidfile", "noipparam":
			m.met(at, shown, "gopptp runs no pppd")
		default:
			m.lost(at, key, "this keyword of pptpd is not known")
		}
	}
	return p
}

// addresses carries localip and remoteip over.
func (p *pptpdConf) addresses(m *importer) {
	if p.delegate {
		m.lost(place{p.file, 0}, "delegate", "each user needs an address in his secret, or from RADIUS, and the profile a local-address; or set pools")
		return
	}
	local := p.list(m, p.localAt, "localip", p.local, pptpdLocal)
	remote := p.list(m, p.remoteAt, "remoteip", p.remote, pptpdRemote)
	if cut, left := first(remote, p.connections); left > 0 {
		remote = cut
		m.met(p.remoteAt, "", fmt.Sprintf("the last %d addresses are left out: connections is %d", left, p.connections))
	}
	single := netip.Addr{}
	if count(local) == 1 {
		single = addressOf(local[0].first)
		if fewer := without(remote, single); count(fewer) < count(remote) {
			remote = fewer
			m.lost(p.remoteAt, "remoteip", "the server's own address is no client's: it is left out")
		}
	}
	if len(remote) > 0 {
		m.main().set("remote-address", m.addPool(p.remoteAt, m.base, remote))
	}
	switch {
	case single.IsValid():
		m.main().set("local-address", single.String())
	case len(local) > 0:
		// pptpd gives the first client the first of both lists, and so on; here each end
		// comes from its own pool.
		local, _ = first(local, p.connections)
		m.main().set("local-address", m.addPool(p.localAt, m.base+"-local", local))
	}
}

// list reads addresses with commas between them.
func (p *pptpdConf) list(m *importer, at place, key, value, missing string) (out []span) {
	if value == "" {
		at = place{p.file, 0}
		m.met(at, key, "it is not given: pptpd's own "+missing+" is taken")
		value = missing
	}
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		spans, err := octetRange(part)
		if err != nil {
			m.lost(at, key+" "+part, err.Error())
			continue
		}
		out = append(out, spans...)
	}
	return out
}

// addPool adds a pool, as far as it has room, and gives its name, which is another one
// if there is such a pool.
func (m *importer) addPool(at place, name string, spans []span) string {
	spans = tidy(spans)
	for slices.ContainsFunc(m.pools, func(p pool) bool { return p.name == name }) {
		name += "-"
	}
	if len(spans) > maxSpans {
		m.lost(at, "", fmt.Sprintf("a pool has at most %d ranges: the last %d are left out; next-pool of the pool goes on with another one", maxSpans, len(spans)-maxSpans))
		spans = spans[:maxSpans]
	}
	m.pools = append(m.pools, pool{name: name, spans: spans})
	return name
}
