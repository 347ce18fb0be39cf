package daemon

import (
	"gopptp/internal/host"
	"gopptp/internal/journal"
	"gopptp/internal/tree"
)

// network asks the machine for what /ip and /ipv6 show. What it does not tell is
// not there.
func network(machine *host.Handle, log *journal.Journal) tree.Network {
	link := func(l host.Link) tree.NetworkLink { return append(tree.NetworkLink{l.Name}, l.AltNames...) }
	note := func(err error) {
		if err != nil {
			log.Debugf("system,debug", "%v", err)
		}
	}
	return tree.Network{
		Addresses: func() (out []tree.NetworkAddress) {
			all, err := machine.Addresses()
			note(err)
			for _, a := range all {
				out = append(out, tree.NetworkAddress{Link: link(a.Link), Prefix: a.Prefix, Peer: a.Peer})
			}
			return out
		},
		Routes: func() (out []tree.NetworkRoute) {
			all, err := machine.Routes()
			note(err)
			for _, r := range all {
				out = append(out, tree.NetworkRoute{
					Link: link(r.Link), Destination: r.Destination, Gateway: r.Gateway, Source: r.Source,
					Distance: distance(r), Connected: r.Connected, Dynamic: r.Learned,
				})
			}
			return out
		},
		Neighbors: func() (out []tree.NetworkNeighbor) {
			all, err := machine.Neighbors()
			note(err)
			for _, n := range all {
				out = append(out, tree.NetworkNeighbor{Link: link(n.Link), Address: n.Address, MAC: n.Hardware, Router: n.Router, Dynamic: !n.Fixed})
			}
			return out
		},
	}
}

// distance is what RouterOS shows for a metric: that of a network on a link is
// zero, and that of a route that somebody configured one unless it was given.
func distance(r host.TableRoute) int {
	switch {
	case r.Connected:
		return 0
	case r.Metric == 0:
		return 1
	}
	return r.Metric
}
