package main

import (
	"fmt"
	"io"
	"slices"
)

// A unit is what the two figures of a row are in.
type unit int

const (
	nanoseconds unit = iota // per operation; less is better
	kilobytes               // less is better
	megabits                // per second; more is better
	perSecond               // more is better
)

// lessIsBetter decides which way the ratio is: in all rows more than 1 says that
// ours is better.
func (u unit) lessIsBetter() bool { return u < megabits }

// figure writes a figure with three digits and its unit.
func (u unit) figure(v float64) string {
	switch u {
	case kilobytes:
		return fmt.Sprintf("%.3g KB", v)
	case megabits:
		if v >= 999.5 {
			return fmt.Sprintf("%.2f Gbit/s", v/1000)
		}
		return fmt.Sprintf("%.3g Mbit/s", v)
	case perSecond:
		if v >= 9999.5 {
			return fmt.Sprintf("%.0f k/s", v/1000)
		}
		return fmt.Sprintf("%.0f /s", v)
	}
	for _, name := range []string{"ns", "µs", "ms"} {
		if v < 999.5 {
			return fmt.Sprintf("%.3g %s", v, name)
		}
		v /= 1000
	}
	return fmt.Sprintf("%.3g s", v)
}

// A row is one comparison: ours beside another figure, and how many times better
// ours is, as the middle, the least and the greatest of the rounds.
type row struct {
	name, other      string
	unit             unit
	ours, theirs     float64
	ratio, low, high float64
	rounds           int
	note             string
	// shown rows must be there, but their ratio varies too much to be compared with a
	// baseline.
	shown bool
}

// A rounds collects what was measured by turns: both sides once in each round.
type rounds struct {
	ours, theirs []float64
}

func (r *rounds) add(ours, theirs float64) {
	r.ours = append(r.ours, ours)
	r.theirs = append(r.theirs, theirs)
}

// row makes the row of them.
func (r rounds) row(name, other string, u unit, note string) row {
	ratios := make([]float64, len(r.ours))
	for i := range ratios {
		ratios[i] = better(u, r.ours[i], r.theirs[i])
	}
	return row{
		name: name, other: other, unit: u,
		ours: median(r.ours), theirs: median(r.theirs),
		ratio: median(ratios), low: slices.Min(ratios), high: slices.Max(ratios), rounds: len(ratios),
		note: note,
	}
}

// once is a row of two figures that were taken once, or are no rounds of each
// other.
func once(name, other string, u unit, ours, theirs float64, note string) row {
	r := better(u, ours, theirs)
	return row{name: name, other: other, unit: u, ours: ours, theirs: theirs, ratio: r, low: r, high: r, rounds: 1, note: note}
}

// better is how many times better ours is. Nothing beside nothing is as good, and what
// is endlessly better or worse is cut.
func better(u unit, ours, theirs float64) float64 {
	if u.lessIsBetter() {
		ours, theirs = theirs, ours
	}
	if ours == theirs {
		return 1
	}
	return min(ours/theirs, endless)
}

// endless is more than any ratio that means something.
const endless = 1000

// median is the middle of them, or the mean of the two in the middle.
func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// percentile is the least of them that the share p of all does not exceed.
func percentile(all []float64, p float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(int(p*float64(len(sorted))), len(sorted)-1)]
}

// line is a row as text: its name first, its ratio last.
func (r row) line() string {
	spread := ""
	if r.rounds > 1 {
		spread = fmt.Sprintf("%.2f to %.2f", r.low, r.high)
	}
	return fmt.Sprintf("%-46s %11s   %-32s %11s   %-36s %-15s %6.2fx",
		r.name, r.unit.figure(r.ours), r.other, r.unit.figure(r.theirs), r.note, spread, r.ratio)
}

// A table takes rows, and prints each as it comes.
type table struct {
	to     io.Writer
	groups []tableGroup
}

// A tableGroup is rows under one title.
type tableGroup struct {
	name, title string
	rows        []row
}

// begin starts a group.
func (t *table) begin(name, title string) {
	fmt.Fprintf(t.to, "\n%s\n", title)
	t.groups = append(t.groups, tableGroup{name: name, title: title})
}

// add adds a row to the last group.
func (t *table) add(r row) {
	fmt.Fprintln(t.to, r.line())
	g := &t.groups[len(t.groups)-1]
	g.rows = append(g.rows, r)
}
