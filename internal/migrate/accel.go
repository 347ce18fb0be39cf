package migrate

import (
	"net/netip"
	"strconv"
	"strings"
)

// AccelPPP says what to read of accel-ppp.
type AccelPPP struct {
	Config string // accel-ppp.conf
	// Secrets is the file of users, for files that were copied from another machine;
	// without it the one that Config names, or /etc/ppp/chap-secrets.
	Secrets string
}

// ImportAccelPPP reads the configuration of accel-ppp (accel-ppp.conf(5)).
func ImportAccelPPP(read Files, c AccelPPP) (*Result, error) {
	m := newImporter(read, "accel-ppp", c.Config)
	text, err := m.load(c.Config)
	if err != nil {
		return nil, err
	}
	r := &accelReader{importer: m}
	r.file(c.Config, text)
	a := &accel{importer: m, modules: map[string]bool{}, ccp: true, given: c.Secrets}
	for _, s := range r.settings {
		if s.section == "modules" && !s.nested {
			a.modules[s.key] = true
		}
	}
	for _, s := range r.settings {
		a.take(s)
	}
	a.finish(place{c.Config, 0})
	return m.result(), nil
}

// accel is what accel-ppp.conf says, as far as several settings decide together.
type accel struct {
	*importer
	modules map[string]bool
	given   string // the file of users that the caller names

	mppe      string
	ccp       bool
	methods   []string
	dns, wins [2]string

	secretsFile, secretsGateway string
	encrypted                   bool
	usersFrom                   place

	poolGateway, radiusGateway string
	poolOf                     string // the pool of [pptp] ip-pool
	ranges                     []accelPool

	rate    string
	old     map[string]int // the /radius rows of auth-server and acct-server, by address
	timeout string
	bind    string
	coa     map[string]bool // secrets of requests from servers
	coaAt   place
}

// An accelKey is what is known of a setting.
type accelKey struct {
	met    bool
	why    string // why there is no command for it; empty if set makes one
	set    func(a *accel, s setting)
	secret bool // its value is kept out of comments
}

const (
	whyAccelLog   = "the log is set up in /system/logging"
	whyInternal   = "gopptp needs no such setting"
	whyAccelLimit = "gopptp's own limits hold: 64 sessions of an address and 1024 in all may be on their way to authentication"
	whyScripts    = "scripts are on-up and on-down of the profile, in RouterOS's language"
	whyOther      = "gopptp serves PPTP only"
	whyShaper     = "a rate-limit holds packets back in a queue of its own here"
)

// others are sections that belong to what gopptp does not do, whole.
var others = map[string]string{
	"pppoe": whyOther, "l2tp": whyOther, "sstp": whyOther, "ipoe": whyOther,
	"ipv6-pool": whyIPv6, "ipv6-dns": whyIPv6, "ipv6-dhcp": whyIPv6, "ipv6-nd": whyIPv6, "dnsv6": whyIPv6,
	"cli":  "the command line is gopptp console, SSH, REST and the API of /ip/service",
	"snmp": "there is no SNMP; /metrics has the numbers",
	"log":  whyAccelLog, "log-pgsql": whyAccelLog, "metrics": "/metrics has the numbers", "logwtmp": "/ppp/active and /log show who is and was there",
	"pppd-compat": whyScripts, "pppd_compat": whyScripts,
	"connlimit": whyAccelLimit, "core": whyInternal,
}

// harmless are the sections of others whose loss changes nothing for clients.
var harmless = map[string]bool{"core": true, "log": true}

// take obeys a setting.
func (a *accel) take(s setting) {
	switch {
	case s.nested:
		a.lost(s.at, s.keyed(), "settings within braces are not known")
		return
	case s.section == "modules":
		a.module(s)
		return
	case s.section == "client-ip-range":
		a.clientRange(s)
		return
	case s.section == "ip-pool" && (s.key == "gw" || s.key == "tunnel" || s.key != "" && s.key[0] >= '0' && s.key[0] <= '9'):
		a.poolRange(s)
		return
	}
	if why, ok := others[s.section]; ok {
		if harmless[s.section] {
			a.met(s.at, s.keyed(), why)
		} else {
			a.lost(s.at, s.keyed(), why)
		}
		return
	}
	k, ok := accelKeys[s.section+" "+s.key]
	switch {
	case !ok:
		a.lost(s.at, s.keyed(), "this setting of accel-ppp is not known")
	case k.set != nil:
		k.set(a, s)
	case k.met:
		a.met(s.at, k.show(s), k.why)
	default:
		a.lost(s.at, k.show(s), k.why)
	}
}

func (k accelKey) show(s setting) string {
	if k.secret {
		return s.keyed()
	}
	return s.shown()
}

// module reads a line of [modules].
func (a *accel) module(s setting) {
	switch s.key {
	case "pptp", "radius", "chap-secrets", "ippool":
	case "auth_pap":
		a.methods = append(a.methods, "pap")
	case "auth_chap_md5":
		a.methods = append(a.methods, "chap")
	case "auth_mschap_v1":
		a.methods = append(a.methods, "mschap1")
	case "auth_mschap_v2":
		a.methods = append(a.methods, "mschap2")
	case "log_file", "log_syslog", "log_tcp", "log_pgsql":
		a.met(s.at, s.shown(), whyAccelLog)
	case "shaper", "sigchld", "logwtmp":
		a.met(s.at, s.shown(), whyInternal)
	case "pppd_compat":
		a.lost(s.at, s.shown(), whyScripts)
	case "connlimit":
		a.met(s.at, s.shown(), whyAccelLimit)
	case "pppoe", "l2tp", "sstp", "ipoe", "vlan_mon", "vlan-mon":
		a.lost(s.at, s.shown(), whyOther)
	case "ipv6_nd", "ipv6_dhcp", "ipv6pool":
		a.lost(s.at, s.shown(), whyIPv6)
	case "net-snmp", "metrics":
		a.lost(s.at, s.shown(), "/metrics has the numbers")
	default:
		a.lost(s.at, s.shown(), "this module of accel-ppp is not known")
	}
}

// clientRange reads a line of [client-ip-range].
func (a *accel) clientRange(s setting) {
	if s.key == "disable" {
		a.met(s.at, s.shown(), "clients may come from anywhere")
		return
	}
	a.lost(s.at, s.shown(), "clients may come from anywhere: caller-id of a secret binds one user to an address, and a firewall closes TCP port 1723 to others")
}

// finish turns what settings say together into properties and rows.
func (a *accel) finish(at place) {
	if !a.modules["pptp"] {
		a.lost(at, "", "the module pptp is not loaded: accel-ppp serves no PPTP with this file, and the server stays disabled")
		a.server.set("enabled", "no")
	}
	if len(a.methods) > 0 {
		a.server.set("authentication", strings.Join(a.methods, ","))
	} else {
		a.lost(at, "", "no module of authentication is loaded: authentication stays mschap1,mschap2")
	}
	encryption := "yes" // accel-ppp takes it if the client asks
	switch {
	case a.mppe == "require":
		encryption = "required"
	case a.mppe == "deny" || !a.ccp:
		encryption = "no"
	}
	a.main().set("use-encryption", encryption)
	if list := servers(a.dns); list != "" {
		a.main().set("dns-server", list)
	}
	if list := servers(a.wins); list != "" {
		a.main().set("wins-server", list)
	}
	if a.rate != "" {
		if a.modules["shaper"] {
			a.main().set("rate-limit", a.rate)
		} else {
			a.lost(at, "[shaper] rate-limit", "the module shaper is not loaded: there is no limit")
		}
	}
	a.finishPools()
	a.finishRadius()
	a.finishSecrets(at)
}

// servers lists two addresses of which each may be missing.
func servers(list [2]string) string {
	var out []string
	for _, s := range list {
		if s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, ",")
}

// server4 sets one of the servers that clients are told.
func server4(list func(a *accel) *[2]string, i int) func(a *accel, s setting) {
	return func(a *accel, s setting) {
		address, ok := parse4(s.value)
		if !ok {
			a.lost(s.at, s.shown(), "not an IPv4 address")
			return
		}
		list(a)[i] = address.String()
	}
}

// accelRate reads a rate in kbit/s, or one down and one up, and gives the rate-limit
// that is the same: there what comes from the client is first.
func accelRate(text string) (string, bool) {
	down, up, both := strings.Cut(text, "/")
	if !both {
		up = down
	}
	d, errD := strconv.ParseUint(down, 10, 31)
	u, errU := strconv.ParseUint(up, 10, 31)
	if errD != nil || errU != nil {
		return "", false
	}
	return strconv.FormatUint(u, 10) + "k/" + strconv.FormatUint(d, 10) + "k", true
}

// gateway reads an address that may have a mask behind it.
func gateway(text string) (netip.Addr, bool) {
	text, _, _ = strings.Cut(text, "/")
	return parse4(text)
}
