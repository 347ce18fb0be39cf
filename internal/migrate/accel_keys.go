package migrate

import (
	"strconv"
)

// accelKeys are the settings of accel-ppp.conf(5), by section and name, as far as they
// matter for PPTP.
var accelKeys = newAccelKeys()

func newAccelKeys() map[string]accelKey {
	t := map[string]accelKey{}
	none := func(section, why string, met bool, keys ...string) {
		for _, k := range keys {
			t[section+" "+k] = accelKey{why: why, met: met}
		}
	}
	set := func(key string, f func(a *accel, s setting)) { t[key] = accelKey{set: f} }

	none("common", whyInternal, true, "sid-case", "sid-source", "seq-file", "nl-snd-buffer", "nl-rcv-buffer", "single-session-ignore-case", "sid-uppercase")
	none("common", "the number of sessions is not limited, but by the addresses of the pool", false, "max-sessions")
	none("common", whyAccelLimit, true, "max-starting")
	none("common", "no address is given to two clients", true, "check-ip")
	set("common single-session", (*accel).singleSession)
	set("ppp single-session", (*accel).singleSession)
	set("common session-timeout", func(a *accel, s setting) { a.seconds(s, "session-timeout") })
	set("pptp session-timeout", func(a *accel, s setting) { a.seconds(s, "session-timeout") })

	none("ppp", whyAccelLog, true, "verbose")
	none("ppp", "no smallest MTU is asked for", false, "min-mtu")
	none("ppp", "gopptp takes what the client offers", true, "accomp", "pcomp")
	none("ppp", whyTiming, true, "max-configure", "max-failure", "max-terminate", "ccp-max-configure")
	none("ppp", "five echoes, a second apart, go out after keepalive-timeout", false, "lcp-echo-failure", "lcp-echo-timeout")
	none("ppp", whyInternal, true, "unit-cache", "unit-preallocate")
	none("ppp", "no address is given to two clients", true, "check-ip")
	none("ppp", whyIPv6, false, "ipv6-intf-id", "ipv6-peer-intf-id", "ipv6-accept-peer-intf-id")
	set("ppp ipv4", func(a *accel, s setting) {
		if s.value == "deny" {
			a.lost(s.at, s.shown(), "sessions carry IPv4, and nothing else")
		} else {
			a.met(s.at, s.shown(), "sessions carry IPv4")
		}
	})
	set("ppp ipv6", func(a *accel, s setting) {
		if s.value == "deny" {
			a.met(s.at, s.shown(), whyIPv6)
		} else {
			a.lost(s.at, s.shown(), whyIPv6)
		}
	})
	set("ppp mtu", func(a *accel, s setting) { a.number(s.at, s.shown(), s.value, "max-mtu", minMTU, maxMTU) })
	set("ppp mru", func(a *accel, s setting) { a.number(s.at, s.shown(), s.value, "max-mru", minMTU, maxMTU) })
	for _, key := range []string{"ppp max-mtu", "pptp ppp-max-mtu"} {
		set(key, func(a *accel, s setting) {
			before, err := strconv.Atoi(a.server.get("max-mtu"))
			if n, bad := strconv.Atoi(s.value); err == nil && bad == nil && n >= before {
				return // the mtu is within
			}
			a.number(s.at, s.shown(), s.value, "max-mtu", minMTU, maxMTU)
		})
	}
	set("ppp lcp-echo-interval", func(a *accel, s setting) { a.keepalive(s.at, s.shown(), s.value) })
	set("ppp ccp", func(a *accel, s setting) { a.ccp = s.value != "0" })
	set("ppp mppe", (*accel).setMPPE)
	set("pptp mppe", (*accel).setMPPE)

	none("auth", whyTiming, true, "timeout", "interval", "max-failure")
	none("auth", "the challenge has the name of /system/identity", true, "challenge-name")
	set("auth any-login", (*accel).lax)
	set("auth noauth", (*accel).lax)

	none("pptp", whyAccelLog, true, "verbose")
	none("pptp", "the server listens on all addresses; a firewall closes TCP port 1723 of the others", false, "bind")
	none("pptp", "an echo of the control connection is sent after a minute of silence; keepalive-timeout finds dead clients sooner", false, "echo-interval", "echo-failure")
	none("pptp", "a client has 5 seconds to begin", true, "timeout")
	none("pptp", "the interface of a session is called <pptp-USER>, or as a row of /interface/pptp-server says", false, "ifname")
	none("pptp", whyIPv6, false, "ipv6-pool", "ipv6-pool-delegate")
	none("pptp", whyAccelLimit, true, "max-starting")
	set("pptp port", func(a *accel, s setting) {
		if s.value == "1723" {
			a.met(s.at, s.shown(), "the port is 1723")
		} else {
			a.lost(s.at, s.shown(), "the port is always 1723: let a firewall redirect another one")
		}
	})
	set("pptp ip-pool", func(a *accel, s setting) { a.poolOf = s.value })

	dns := func(a *accel) *[2]string { return &a.dns }
	wins := func(a *accel) *[2]string { return &a.wins }
	set("dns dns1", server4(dns, 0))
	set("dns dns2", server4(dns, 1))
	set("wins wins1", server4(wins, 0))
	set("wins wins2", server4(wins, 1))

	set("ip-pool gw-ip-address", func(a *accel, s setting) { a.poolGateway = s.value })
	none("ip-pool", "addresses are given in their order", true, "shuffle")
	none("ip-pool", "RADIUS names a pool in Framed-Pool", false, "vendor")
	set("ip-pool attr", func(a *accel, s setting) {
		const why = "RADIUS names a pool in Framed-Pool"
		if s.value == "Framed-Pool" {
			a.met(s.at, s.shown(), why)
		} else {
			a.lost(s.at, s.shown(), why)
		}
	})

	set("chap-secrets gw-ip-address", func(a *accel, s setting) { a.secretsGateway = s.value })
	set("chap-secrets chap-secrets", func(a *accel, s setting) { a.secretsFile, a.usersFrom = s.value, s.at })
	set("chap-secrets encrypted", func(a *accel, s setting) { a.encrypted = s.value != "0" && s.value != "" })
	none("chap-secrets", "names of users are not hashed here", false, "username-hash")

	none("shaper", "Filter-Id has no rates here: let RADIUS send Mikrotik-Rate-Limit", false, "attr", "attr-up", "attr-down", "vendor")
	none("shaper", whyShaper, false, "burst-factor", "up-burst-factor", "down-burst-factor", "latency", "mpu", "mtu", "r2q", "quantum", "moderate-quantum", "cburst",
		"ifb", "up-limiter", "down-limiter", "leaf-qdisc", "fwmark", "rate-multiplier", "time-range")
	none("shaper", whyAccelLog, true, "verbose")
	set("shaper rate-limit", func(a *accel, s setting) {
		rate, ok := accelRate(s.value)
		if !ok {
			a.lost(s.at, s.shown(), "not a rate, or one down and one up, in kbit/s")
			return
		}
		a.rate = rate
	})
	radiusKeys(t)
	return t
}

// singleSession carries the limit of one session over.
func (a *accel) singleSession(s setting) {
	switch s.value {
	case "deny":
		a.main().set("only-one", "yes")
	case "replace":
		a.main().set("only-one", "yes")
		a.lost(s.at, s.shown(), "only-one=yes refuses the second session of a user, unless it comes from the address of the first")
	default:
		a.lost(s.at, s.shown(), "neither deny nor replace")
	}
}

// seconds carries a number of seconds over to the profile.
func (a *accel) seconds(s setting, property string) {
	a.importer.timeout(s.at, s.shown(), s.value, property)
}

// setMPPE notes the policy; that of [pptp] comes later and wins.
func (a *accel) setMPPE(s setting) {
	switch s.value {
	case "require", "prefer":
		a.lost(s.at, s.shown(), whyKeys)
		a.mppe = s.value
	case "allow", "deny":
		a.mppe = s.value
	default:
		a.lost(s.at, s.shown(), "none of require, prefer, allow and deny")
	}
}

// lax remarks what lets everybody in.
func (a *accel) lax(s setting) {
	if s.value == "0" {
		a.met(s.at, s.shown(), "each user needs his password")
		return
	}
	a.lost(s.at, s.shown(), "each user needs a secret here, or RADIUS")
}
