package tree

import (
	"strconv"
	"strings"
	"time"

	"gopptp/internal/aaa"
	"gopptp/internal/menu"
	"gopptp/internal/shape"
)

// rateLimit is a rate-limit; it is kept as it was written.
type rateLimit struct{ menu.String }

// Parse accepts a rate-limit.
func (rateLimit) Parse(name, text string, refs menu.Resolver) (string, error) {
	text, err := menu.String{Max: maxName, Line: true}.Parse(name, text, refs)
	if err != nil {
		return "", err
	}
	if _, err := shape.Parse(text); err != nil {
		return "", menu.Errorf(menu.BadArgument, "invalid value for argument %s", name)
	}
	return text, nil
}

// routeList is the routes of a secret; it is kept as it was written.
type routeList struct{ menu.String }

// Parse accepts routes, separated by commas.
func (routeList) Parse(name, text string, refs menu.Resolver) (string, error) {
	text, err := menu.String{Line: true}.Parse(name, text, refs)
	if err != nil {
		return "", err
	}
	if _, err := aaa.ParseRoutes(text); err != nil {
		return "", menu.Errorf(menu.BadArgument, "invalid value for argument %s", name)
	}
	return text, nil
}

// putPolicy fills in what sessions of a profile obey.
func putPolicy(p *aaa.Profile, r *menu.Row) {
	p.SessionTimeout = duration(r, "session-timeout")
	p.IdleTimeout = duration(r, "idle-timeout")
	if text, there := r.Lookup("rate-limit"); there {
		if limit, err := shape.Parse(text); err == nil {
			p.RateLimit = &limit
		}
	}
	p.UseCompression = tri(r, "use-compression")
	p.ChangeMSS = tri(r, "change-tcp-mss")
	p.AddressLists = words(r, "address-list")
	p.InterfaceList = r.Get("interface-list")
	p.IncomingFilter = r.Get("incoming-filter")
	p.OutgoingFilter = r.Get("outgoing-filter")
	p.OnUp, p.OnDown = r.Get("on-up"), r.Get("on-down")
	p.Bridge = aaa.BridgePort{
		Bridge:   r.Get("bridge"),
		PathCost: number(r, "bridge-path-cost"),
		Horizon:  uint32(number(r, "bridge-horizon")),
		Learning: tri(r, "bridge-learning"),
		VID:      number(r, "bridge-port-vid"),
		Trusted:  r.Is("bridge-port-trusted"),
	}
	if _, there := r.Lookup("bridge-port-priority"); there {
		n := number(r, "bridge-port-priority")
		p.Bridge.Priority = &n
	}
}

// duration gives a Time's value, zero if it is absent.
func duration(r *menu.Row, name string) time.Duration {
	d, _ := menu.ParseTime(r.Get(name))
	return d
}

// words gives the items of a list with commas, nil for an empty one.
func words(r *menu.Row, name string) []string {
	var list []string
	for s := range strings.SplitSeq(r.Get(name), ",") {
		if s = strings.TrimSpace(s); s != "" {
			list = append(list, s)
		}
	}
	return list
}

// count gives the value of a counter.
func count(r *menu.Row, name string) uint64 {
	n, _ := strconv.ParseUint(r.Get(name), 10, 64)
	return n
}

// routes gives a routeList's value.
func routes(r *menu.Row) []aaa.Route {
	list, _ := aaa.ParseRoutes(r.Get("routes"))
	return list
}
