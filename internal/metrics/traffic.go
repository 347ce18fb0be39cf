package metrics

import (
	"gopptp/internal/plane"
	"gopptp/internal/rawgre"
)

// The directions, as seen from here.
const (
	receive  = "receive"
	transmit = "transmit"
)

func direction() label { return label{name: "direction", values: []string{receive, transmit}} }

// A loss is what a counter of the GRE sockets says.
type loss struct {
	direction, reason string
	count             func(rawgre.Stats) uint64
}

// losses are all of them.
var losses = [...]loss{
	{receive, "overflow", func(s rawgre.Stats) uint64 { return s.Overflow }},
	{receive, "truncated", func(s rawgre.Stats) uint64 { return s.Truncated }},
	{receive, "malformed", func(s rawgre.Stats) uint64 { return s.Malformed }},
	{receive, "error", func(s rawgre.Stats) uint64 { return s.ReceiveErrors }},
	{transmit, "invalid", func(s rawgre.Stats) uint64 { return s.Invalid }},
	{transmit, "no-buffer", func(s rawgre.Stats) uint64 { return s.NoBuffer }},
	{transmit, "denied", func(s rawgre.Stats) uint64 { return s.Denied }},
	{transmit, "too-big", func(s rawgre.Stats) uint64 { return s.TooBig }},
	{transmit, "unreachable", func(s rawgre.Stats) uint64 { return s.Unreachable }},
	{transmit, "refused", func(s rawgre.Stats) uint64 { return s.Refused }},
}

// traffic is what all sessions have carried, and what was lost.
func traffic(s Sources) part {
	var reasons, ofSocket []string
	for d := plane.Drop(0); d <= plane.DropSend; d++ {
		reasons = append(reasons, d.String())
	}
	for _, l := range losses {
		ofSocket = append(ofSocket, l.reason)
	}
	octets := newFamily(counter, "traffic_bytes_total", "Octets of user packets that all sessions have carried, those that have ended too.", direction())
	packets := newFamily(counter, "traffic_packets_total", "User packets that all sessions have carried, those that have ended too.", direction())
	dropped := newFamily(counter, "traffic_dropped_packets_total", "Packets that sessions have not carried, as their interfaces show it.", direction())
	drops := newFamily(counter, "dropped_packets_total", "Packets that the data path dropped, by reason.", label{name: "reason", values: reasons})
	socket := newFamily(counter, "gre_socket_errors_total", "GRE packets that the raw sockets did not deliver or did not send, by reason.",
		direction(), label{name: "reason", values: ofSocket})
	return part{[]*family{octets, packets, dropped, drops, socket}, func(e emit) {
		t := s.Road.Totals()
		number(e, octets, t.RxBytes, receive)
		number(e, octets, t.TxBytes, transmit)
		number(e, packets, t.RxPackets, receive)
		number(e, packets, t.TxPackets, transmit)
		number(e, dropped, t.RxDrops, receive)
		number(e, dropped, t.TxDrops, transmit)
		for d := plane.Drop(0); d <= plane.DropSend; d++ {
			number(e, drops, s.Road.Drops(d), d.String())
		}
		stats := s.Socket()
		for _, l := range losses {
			number(e, socket, l.count(stats), l.direction, l.reason)
		}
	}}
}
