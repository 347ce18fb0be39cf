package migrate

import (
	"fmt"
	"strings"
)

// maxPoolName bounds the name of a pool, in octets: names of profiles have it in them.
const maxPoolName = 128

// An accelPool is a pool of [ip-pool] while it is read; the one without a name is the
// default.
type accelPool struct {
	name   string
	at     place
	spans  []span
	local  []span
	next   string
	nextAt place
}

// pool gives the pool of a name.
func (a *accel) pool(at place, name string) *accelPool {
	for i := range a.ranges {
		if a.ranges[i].name == name {
			return &a.ranges[i]
		}
	}
	a.ranges = append(a.ranges, accelPool{name: name, at: at})
	return &a.ranges[len(a.ranges)-1]
}

// poolRange reads a range of [ip-pool], with the name of its pool and the one that
// follows behind commas.
func (a *accel) poolRange(s setting) {
	text := s.raw
	if s.key == "gw" || s.key == "tunnel" {
		text = s.value
	}
	parts := strings.Split(text, ",")
	r, err := accelRange(strings.TrimSpace(parts[0]))
	if err != nil {
		a.lost(s.at, s.shown(), err.Error())
		return
	}
	var name, next string
	for _, p := range parts[1:] {
		key, value, is := strings.Cut(strings.TrimSpace(p), "=")
		switch {
		case !is:
			name = key
		case key == "name":
			name = value
		case key == "next":
			next = value
		case key == "allocator" && value == "p2p":
		default:
			a.lost(s.at, s.shown(), key+" has no equivalent: each client has one address of the range")
		}
	}
	p := a.pool(s.at, name)
	if s.key == "gw" {
		p.local = append(p.local, r)
	} else {
		p.spans = append(p.spans, r)
	}
	if next != "" {
		p.next, p.nextAt = next, s.at
	}
}

// poolName is the name that a pool of accel-ppp's has here.
func (a *accel) poolName(name string) string {
	if name == "" {
		return a.base
	}
	return name
}

// hasPool reports that a pool of accel-ppp's has become one here.
func (a *accel) hasPool(name string) bool {
	for _, p := range a.pools {
		if p.name == a.poolName(name) {
			return true
		}
	}
	return false
}

// finishPools makes the pools, and gives the main profile its addresses.
func (a *accel) finishPools() {
	gw, hasGateway := gateway(a.poolGateway)
	if a.poolGateway != "" && !hasGateway {
		a.lost(place{a.from, 0}, "[ip-pool] gw-ip-address", "not an IPv4 address")
	}
	for _, p := range a.ranges {
		spans := tidy(p.spans)
		if hasGateway {
			spans = without(spans, gw)
		}
		name := a.poolName(p.name)
		switch {
		case len(spans) == 0:
			a.lost(p.at, "[ip-pool] "+p.name, "the pool has no addresses for clients")
			continue
		case p.name != "" && p.name == a.base:
			a.lost(p.at, "[ip-pool] "+p.name, "the name is that of the pool without one, which wins")
			continue
		}
		if _, err := a.names.name.Parse("name", name, nil); err != nil || len(name) > maxPoolName {
			a.lost(p.at, "[ip-pool]", fmt.Sprintf("a pool's name has 1 to %d octets of UTF-8 without control characters", maxPoolName))
			continue
		}
		a.addPool(p.at, name, spans)
		if len(p.local) > 0 && !hasGateway {
			if p.name == a.poolOf {
				a.main().set("local-address", a.addPool(p.at, name+"-local", p.local))
			} else {
				a.lost(p.at, "[ip-pool] gw", "the server's address is that of the profile")
			}
		}
	}
	for i, p := range a.ranges {
		if p.next == "" || !a.hasPool(p.name) {
			continue
		}
		if !a.hasPool(p.next) {
			a.lost(p.nextAt, "next="+p.next, "there is no such pool")
			continue
		}
		for j := range a.pools {
			if a.pools[j].name == a.poolName(a.ranges[i].name) {
				a.pools[j].next = a.poolName(p.next)
			}
		}
	}
	switch {
	case a.hasPool(a.poolOf):
		a.main().set("remote-address", a.poolName(a.poolOf))
	case a.poolOf != "":
		a.lost(place{a.from, 0}, "[pptp] ip-pool="+a.poolOf, "there is no such pool")
	}
	switch {
	case hasGateway:
		a.main().set("local-address", gw.String())
	case a.main().get("local-address") != "":
	default:
		for _, other := range []string{a.secretsGateway, a.radiusGateway} {
			if gw, ok := gateway(other); ok {
				a.main().set("local-address", gw.String())
				return
			}
		}
	}
}
