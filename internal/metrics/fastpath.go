package metrics

import "gopptp/internal/xdp"

// A fastLoss is what a counter of the fast path says of packets that it lost.
type fastLoss struct {
	direction, reason string
	count             func(xdp.Stats) uint64
}

// fastLosses are all of them.
var fastLosses = [...]fastLoss{
	{receive, "overflow", func(s xdp.Stats) uint64 { return s.Overflow }},
	{receive, "malformed", func(s xdp.Stats) uint64 { return s.Malformed }},
	{transmit, "no-buffer", func(s xdp.Stats) uint64 { return s.NoBuffer }},
}

// fastPath is what went past the kernel's IP stack.
func fastPath(s Sources) part {
	var reasons []string
	for _, l := range fastLosses {
		reasons = append(reasons, l.reason)
	}
	packets := newFamily(counter, "fast_path_packets_total", "GRE packets that went past the kernel's IP stack. Only with --fast-path.", direction())
	lost := newFamily(counter, "fast_path_errors_total", "GRE packets that the fast path did not deliver or did not send, by reason. Only with --fast-path.",
		direction(), label{name: "reason", values: reasons})
	return part{[]*family{packets, lost}, func(e emit) {
		stats := s.FastPath()
		number(e, packets, stats.Received, receive)
		number(e, packets, stats.Sent, transmit)
		for _, l := range fastLosses {
			number(e, lost, l.count(stats), l.direction, l.reason)
		}
	}}
}
