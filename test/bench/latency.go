package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	// pingEvery is the pause between two pings.
	pingEvery = 5 * time.Millisecond
	// pingLead is how long TCP runs before the first of them.
	pingLead = 300 * time.Millisecond
)

// tunnelLatency pings through a tunnel that one stream of TCP fills.
func (b *bench) tunnelLatency(ctx context.Context, ours []path, other path) error {
	type both struct{ middle, late rounds }
	all := map[string]*both{}
	for n := range b.others {
		turn(ctx, n, b.others)
		theirs, err := b.pings(ctx, other)
		if err != nil {
			return err
		}
		for _, way := range ours {
			times, err := b.pings(ctx, way)
			if err != nil {
				return err
			}
			if all[way.name] == nil {
				all[way.name] = &both{}
			}
			all[way.name].middle.add(median(times), median(theirs))
			all[way.name].late.add(percentile(times, 0.99), percentile(theirs, 0.99))
		}
	}
	for _, way := range ours {
		note := fmt.Sprintf("a ping each %v", pingEvery)
		b.add(all[way.name].middle.row("tunnel "+way.name+", latency, median", other.name, nanoseconds, note))
		late := all[way.name].late.row("tunnel "+way.name+", latency, 99th percentile", other.name, nanoseconds, note)
		late.shown = b.brief // of a hundred pings
		b.add(late)
	}
	return nil
}

// pings gives the times of pings over a way that TCP fills, in nanoseconds.
func (b *bench) pings(ctx context.Context, way path) ([]float64, error) {
	filled := make(chan error, 1)
	go func() {
		_, err := iperf(ctx, way.from, load{to: way.to, seconds: b.seconds})
		filled <- err
	}()
	time.Sleep(pingLead)
	// The last of them end before TCP does.
	spare := time.Duration(b.seconds)*time.Second - 2*pingLead
	out, err := run(ctx, way.from, time.Duration(b.seconds)*time.Second+iperfSlack, "ping", "-n", "-W", "2",
		"-i", strconv.FormatFloat(pingEvery.Seconds(), 'f', -1, 64), "-c", strconv.Itoa(int(spare/pingEvery)), way.to)
	if err := errors.Join(err, <-filled); err != nil {
		return nil, fmt.Errorf("latency over %s: %w", way.name, err)
	}
	return parsePings(string(out))
}

// parsePings reads the round trips that ping prints.
func parsePings(out string) ([]float64, error) {
	var all []float64
	for line := range strings.Lines(out) {
		_, rest, ok := strings.Cut(line, " time=")
		if !ok {
			continue
		}
		ms, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " ms"), 64)
		if err != nil {
			return nil, fmt.Errorf("ping: %w", err)
		}
		all = append(all, ms*1e6)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("ping: no answer: %.300q", out)
	}
	return all, nil
}
