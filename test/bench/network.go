package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"gopptp/test/lab"
)

// troubles are the bad networks.
var troubles = []trouble{
	{name: "1 % loss", rate: relayRate, lose: 0.01},
	{name: "1 % reordering", rate: relayRate, hold: 0.01},
	{name: "5 % reordering", rate: relayRate, hold: 0.05},
}

// controls are the ways of TCP to find its rate: one that takes a loss for a full
// line, as most machines do, and one that does not.
var controls = []string{"cubic", "bbr"}

// networks measures what TCP keeps within a tunnel, over a line that loses packets
// or changes their order, beside the same TCP over the same line.
func (b *bench) networks(ctx context.Context) error {
	var line *relay
	p, err := newPair(ctx, b.binary, "bench", func(p *pair) (err error) {
		line, err = p.relay(ctx)
		return err
	})
	if err != nil {
		return err
	}
	defer p.close()
	tunnel, bare := p.tunnels("")[0], path{name: "without the tunnel", from: p.far, to: nearWAN, pids: [2]int{p.server, p.client}}
	whole, err := bare.sample(ctx, load{seconds: b.seconds})
	if err != nil {
		return err
	}
	note := fmt.Sprintf("the relay could carry %s", megabits.figure(whole.megabits))
	known, err := os.ReadFile("/proc/sys/net/ipv4/tcp_available_congestion_control")
	if err != nil {
		return err
	}
	for _, control := range controls {
		for _, t := range troubles {
			name := fmt.Sprintf("bad network, %s, %s", t.name, control)
			if !slices.Contains(strings.Fields(string(known)), control) {
				b.absent = append(b.absent, name)
				continue
			}
			all, err := b.network(ctx, p, line, t, control, [2]path{tunnel, bare})
			if err != nil {
				return fmt.Errorf("%s, %s: %w\n%s", t.name, control, err, p.logs())
			}
			b.add(all.row(name, bare.name, megabits, note))
		}
	}
	return nil
}

// network runs TCP over both ways by turns while the line is in trouble.
func (b *bench) network(ctx context.Context, p *pair, line *relay, t trouble, control string, ways [2]path) (all rounds, err error) {
	for n := range b.others {
		turn(ctx, n, b.others)
		var got [2]float64
		for i, way := range ways {
			line.set(t)
			s, err := way.sample(ctx, load{seconds: b.lossy, control: control})
			if err != nil {
				return rounds{}, fmt.Errorf("%s: %w", way.name, err)
			}
			got[i] = s.megabits
		}
		all.add(got[0], got[1])
	}
	return all, nil
}

// relay joins the machines with a line of our own.
func (p *pair) relay(ctx context.Context) (*relay, error) {
	line, err := newRelay(p.near, p.far)
	if err != nil {
		return nil, err
	}
	p.onClose(line.close)
	for _, end := range []struct {
		lab       *lab.Lab
		own, peer string
	}{{p.near, nearWAN, farWAN}, {p.far, farWAN, nearWAN}} {
		if err := end.lab.IP(ctx, "addr add "+end.own+" peer "+end.peer+" dev "+relayInterface); err != nil {
			return nil, err
		}
		if err := end.lab.IP(ctx, "link set "+relayInterface+" up"); err != nil {
			return nil, err
		}
	}
	return line, nil
}
