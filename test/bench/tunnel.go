package main

import (
	"context"
	"fmt"
	"slices"

	"gopptp/test/lab"
)

// A shape is how TCP uses a tunnel.
type shape struct {
	streams int
	reverse bool
}

var shapes = []shape{{1, false}, {1, true}, {4, false}, {4, true}}

func (s shape) String() string {
	way, n := "to the server", "1 stream"
	if s.reverse {
		way = "to the client"
	}
	if s.streams > 1 {
		n = fmt.Sprintf("%d streams", s.streams)
	}
	return n + " " + way
}

// headers are those of UDP and IPv4: a packet of n octets has that much less in it.
const headers = 28

// packetSizes are the lengths of IP packets that UDP is measured with.
var packetSizes = []int{64, 512, 1400}

// beside makes a group of what measures our tunnels and one of wireguard-go, each with
// its default MTU. Ours are measured twice: on the fast path, as those run them who
// need speed, and through the sockets of the kernel, which is the default, between the
// same namespaces as wireguard-go. Those with the fast path have two namespaces of their
// own, so that what it does to the line is for itself only.
func beside(measure func(b *bench, ctx context.Context, ours []path, other path) error) func(*bench, context.Context) error {
	return func(b *bench, ctx context.Context) (err error) {
		cable := func(p *pair) error { return p.cable(ctx) }
		p, err := newPair(ctx, b.binary, "bench", cable)
		if err != nil {
			return err
		}
		defer p.close()
		fast, err := newPair(ctx, b.binary, "fast", cable, "--fast-path", lab.LinkName+":driver")
		if err != nil {
			return err
		}
		defer fast.close()
		other, err := p.wireguard(ctx)
		if err != nil {
			return err
		}
		if err := measure(b, ctx, append(fast.tunnels(""), p.tunnels(", sockets")...), other); err != nil {
			return fmt.Errorf("%w\n%s\non the fast path\n%s", err, p.logs(), fast.logs())
		}
		return nil
	}
}

// A sample is one run over one way.
type sample struct {
	carried
	near, far float64 // thousandths of a processor
}

// sample runs a load over a way.
func (way path) sample(ctx context.Context, l load) (s sample, err error) {
	l.to = way.to
	s.near, s.far, err = way.cost(func() (err error) {
		s.carried, err = iperf(ctx, way.from, l)
		return err
	})
	return s, err
}

// A raced is one load over several ways by turns: all rounds of each.
type raced map[string][]sample

// race runs the load over all ways by turns.
func race(ctx context.Context, ways []path, l load, rounds int) (raced, error) {
	all := raced{}
	for n := range rounds {
		turn(ctx, n, rounds)
		for _, way := range ways {
			s, err := way.sample(ctx, l)
			if err != nil {
				return nil, fmt.Errorf("over %s: %w", way.name, err)
			}
			all[way.name] = append(all[way.name], s)
		}
	}
	return all, nil
}

// against makes rounds of two paths by a figure of their samples.
func (r raced) against(ours, theirs string, figure func(sample) float64) rounds {
	var all rounds
	for i := range r[ours] {
		all.add(figure(r[ours][i]), figure(r[theirs][i]))
	}
	return all
}

// middle is the median of a figure over the rounds of a path.
func (r raced) middle(name string, figure func(sample) float64) float64 {
	var all []float64
	for _, s := range r[name] {
		all = append(all, figure(s))
	}
	return median(all)
}

// costs writes what the two daemons of a path have used, in percent of a processor:
// the server's first.
func (r raced) costs(name string) string {
	return fmt.Sprintf("%.0f+%.0f%%", r.middle(name, func(s sample) float64 { return s.near })/10, r.middle(name, func(s sample) float64 { return s.far })/10)
}

func throughput(s sample) float64 { return s.megabits }
func packetRate(s sample) float64 { return s.packets }
func lossOf(s sample) float64     { return 100 * s.loss }

// tunnelTCP also gives a row of all shapes together for each tunnel: in each round
// the sum of what was carried.
func (b *bench) tunnelTCP(ctx context.Context, ours []path, other path) error {
	ways := append(slices.Clone(ours), other)
	sums := map[string]*rounds{}
	rows := map[string][]row{}
	for _, s := range shapes {
		all, err := race(ctx, ways, load{streams: s.streams, reverse: s.reverse, seconds: b.seconds}, b.rounds)
		if err != nil {
			return err
		}
		for _, way := range ours {
			r := all.against(way.name, other.name, throughput)
			note := fmt.Sprintf("CPU %s and %s", all.costs(way.name), all.costs(other.name))
			rows[way.name] = append(rows[way.name], r.row(fmt.Sprintf("tunnel %s, %v", way.name, s), other.name, megabits, note))
			if sums[way.name] == nil {
				sums[way.name] = &rounds{ours: make([]float64, b.rounds), theirs: make([]float64, b.rounds)}
			}
			sums[way.name].accumulate(r, float64(len(shapes)))
		}
	}
	for _, way := range ours {
		b.add(sums[way.name].row("tunnel "+way.name, other.name, megabits, "mean of the four rows below"))
		for _, r := range rows[way.name] {
			b.add(r)
		}
	}
	return nil
}

// accumulate adds the n-th part of other rounds to each round.
func (r *rounds) accumulate(other rounds, n float64) {
	for i := range r.ours {
		r.ours[i] += other.ours[i] / n
		r.theirs[i] += other.theirs[i] / n
	}
}

// tunnelUDP sends packets as fast as iperf3 can, and counts those that arrive.
func (b *bench) tunnelUDP(ctx context.Context, ours []path, other path) error {
	ways := append(slices.Clone(ours), other)
	for _, size := range packetSizes {
		all, err := race(ctx, ways, load{udp: size - headers, seconds: b.seconds}, b.others)
		if err != nil {
			return err
		}
		for _, way := range ours {
			note := fmt.Sprintf("loss %.0f and %.0f %%, CPU %s and %s", all.middle(way.name, lossOf), all.middle(other.name, lossOf),
				all.costs(way.name), all.costs(other.name))
			b.add(all.against(way.name, other.name, packetRate).row(
				fmt.Sprintf("tunnel %s, UDP of %d octets", way.name, size), other.name, perSecond, note))
		}
	}
	return nil
}
