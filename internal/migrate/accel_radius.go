package migrate

import (
	"net/netip"
	"strconv"
	"strings"
)

// whyRequests says what RADIUS servers are asked in.
const whyRequests = "gopptp asks the servers in their order, and leaves out for a while one that does not answer"

// radiusKeys adds the settings of [radius].
func radiusKeys(t map[string]accelKey) {
	none := func(why string, met bool, keys ...string) {
		for _, k := range keys {
			t["radius "+k] = accelKey{why: why, met: met}
		}
	}
	set := func(key string, f func(a *accel, s setting)) { t["radius "+key] = accelKey{set: f} }
	none(whyInternal, true, "dictionary", "acct-delay-time", "acct-delay-start", "sid-in-auth", "nas-port-id-in-req", "acct-interim-jitter", "attr-tunnel-type", "require-nas-identification")
	none(whyAccelLog, true, "verbose", "interim-verbose")
	none("NAS-IP-Address is the address that requests come from: src-address of /radius sets it", false, "nas-ip-address")
	none("the number of tries is that of the timeout", false, "max-try")
	none("records are kept until a server has them", true, "acct-timeout")
	none("no Accounting-On is sent", false, "acct-on")
	none("names are sent as the client gives them; realm and domain of /radius choose servers", false, "default-realm", "strip-realm")
	none("requests are taken from the servers of /radius only", true, "dae-allowed")
	none("routes are taken as they are sent", true, "framed-route-strict")
	none("requests have a Message-Authenticator always", true, "blast-protection")
	set("nas-identifier", func(a *accel, s setting) {
		const most = 64 // of /system/identity
		if s.value == "" || len(s.value) > most {
			a.lost(s.at, s.shown(), "the name of /system/identity, which is sent, has 1 to 64 octets")
			return
		}
		a.identity.set("name", s.value)
	})
	set("gw-ip-address", func(a *accel, s setting) { a.radiusGateway = s.value })
	set("bind", func(a *accel, s setting) {
		address, err := netip.ParseAddr(s.value)
		if err != nil || address.Zone() != "" {
			a.lost(s.at, s.shown(), "not an address")
			return
		}
		a.bind = address.String()
	})
	set("timeout", func(a *accel, s setting) {
		n, err := strconv.Atoi(s.value)
		if err != nil || n < 1 || n > 60 {
			a.lost(s.at, s.shown(), "the timeout of a server is at most a minute")
			return
		}
		a.timeout = strconv.Itoa(n) + "s"
	})
	set("acct-interim-interval", func(a *accel, s setting) {
		n, err := strconv.ParseUint(s.value, 10, 31)
		if err != nil {
			a.lost(s.at, s.shown(), "not a number of seconds")
			return
		}
		a.aaa.set("interim-update", strconv.FormatUint(n, 10)+"s")
	})
	set("server", (*accel).radiusServer)
	set("auth-server", func(a *accel, s setting) { a.oldServer(s, "authentication-port", "1812") })
	set("acct-server", func(a *accel, s setting) { a.oldServer(s, "accounting-port", "1813") })
	set("dae-server", (*accel).daeServer)
	set("dm_coa_secret", func(a *accel, s setting) { a.orders(s.at, s.value) })
}

// radiusServer reads ADDRESS,SECRET and options. The secret is in no comment.
func (a *accel) radiusServer(s setting) {
	parts := strings.Split(s.value, ",")
	shown := "[radius] server=" + parts[0] + ",…"
	address, err := netip.ParseAddr(parts[0])
	if err != nil || address.Zone() != "" || len(parts) < 2 {
		a.lost(s.at, "[radius] server=…", "a server needs an address and a secret")
		return
	}
	row := server{properties: properties{{"service", "ppp"}, {"address", address.String()}}}
	if !a.radiusSecret(s.at, shown, &row, parts[1]) {
		return
	}
	for _, p := range parts[2:] {
		key, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch key {
		case "auth-port", "acct-port":
			property := map[string]string{"auth-port": "authentication-port", "acct-port": "accounting-port"}[key]
			if n, err := strconv.ParseUint(value, 10, 16); err != nil {
				a.lost(s.at, shown, key+" is not a port")
			} else if n == 0 {
				a.lost(s.at, shown, key+"=0: each server is asked for both; give it one that refuses")
			} else {
				row.set(property, strconv.FormatUint(n, 10))
			}
		case "backup":
			row.backup = true
		case "req-limit", "fail-timeout", "fail-time", "max-fail", "weight":
			a.met(s.at, shown, key+": "+whyRequests)
		case "bind-device":
			a.lost(s.at, shown, "bind-device: src-address of /radius gives the address that requests come from")
		default:
			a.lost(s.at, shown, "an option of this server is not known")
		}
	}
	a.radius = append(a.radius, row)
}

// radiusSecret sets the secret of a row.
func (a *accel) radiusSecret(at place, shown string, row *server, secret string) bool {
	if _, err := a.names.password.Parse("secret", secret, nil); err != nil {
		a.lost(at, shown, "a secret has at most 255 octets of UTF-8 without control characters")
		return false
	}
	row.set("secret", secret)
	return true
}

// oldServer reads ADDRESS:PORT,SECRET: the servers for authentication and for
// accounting were set apart once. Two of one address and secret are one row.
func (a *accel) oldServer(s setting, property, port string) {
	where, secret, ok := strings.Cut(s.value, ",")
	host, given, hasPort := strings.Cut(where, ":")
	if hasPort {
		port = given
	}
	address, okAddress := parse4(host)
	n, err := strconv.ParseUint(port, 10, 16)
	if !ok || !okAddress || err != nil || n == 0 {
		a.lost(s.at, "[radius] "+s.key+"=…", "a server needs an address, a port and a secret")
		return
	}
	key := address.String() + " " + secret
	if i, ok := a.old[key]; ok {
		a.radius[i].set(property, port)
		return
	}
	row := server{properties: properties{{"service", "ppp"}, {"address", address.String()}}}
	if !a.radiusSecret(s.at, "[radius] "+s.key+"="+host+",…", &row, secret) {
		return
	}
	row.set(property, strconv.FormatUint(n, 10))
	if a.old == nil {
		a.old = map[string]int{}
	}
	a.old[key] = len(a.radius)
	a.radius = append(a.radius, row)
}

// daeServer reads ADDRESS:PORT,SECRET, the port on which servers give orders.
func (a *accel) daeServer(s setting) {
	where, secret, ok := strings.Cut(s.value, ",")
	secret, _, _ = strings.Cut(secret, ",")
	_, port, hasPort := strings.Cut(where, ":")
	n, err := strconv.ParseUint(port, 10, 16)
	if !ok || !hasPort || err != nil || n == 0 {
		a.lost(s.at, "[radius] dae-server=…", "it needs an address, a port and a secret")
		return
	}
	a.incoming.set("port", strconv.FormatUint(n, 10))
	a.orders(s.at, secret)
}

// orders accepts orders from servers, which sign them with a secret.
func (a *accel) orders(at place, secret string) {
	a.incoming.set("accept", "yes")
	if a.coa == nil {
		a.coa = map[string]bool{}
	}
	a.coa[secret], a.coaAt = true, at
}

// finishRadius sets what holds for all servers.
func (a *accel) finishRadius() {
	if len(a.radius) == 0 && !a.modules["radius"] {
		a.incoming, a.aaa = nil, nil
		return
	}
	for i := range a.radius {
		row := &a.radius[i]
		if a.timeout != "" {
			row.set("timeout", a.timeout)
		}
		if a.bind != "" {
			row.set("src-address", a.bind)
		}
		delete(a.coa, row.get("secret"))
	}
	if len(a.coa) > 0 {
		a.lost(a.coaAt, "", "orders are signed with the secret of their server's row in /radius here, and this one is another")
	}
	if a.modules["radius"] {
		a.aaa.set("use-radius", "yes")
	} else {
		a.lost(place{a.from, 0}, "[radius]", "the module radius is not loaded: use-radius stays no")
	}
}
