package main

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// outDir is where a run is written to, from the top of the tree.
const outDir = "bench/out"

// write writes all rows as Markdown, and a plot for each group, in place of what a run
// before has written.
func (t *table) write(dir string) error {
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return err
	}
	err := os.WriteFile(filepath.Join(dir, "bench.md"), t.markdown(), 0o644)
	for _, g := range t.groups {
		if len(g.rows) > 0 {
			err = errors.Join(err, os.WriteFile(filepath.Join(dir, g.name+".svg"), g.plot(), 0o644))
		}
	}
	return err
}

// markdown is a table for each group, with its plot. A row ends with its ratio.
func (t *table) markdown() []byte {
	var b bytes.Buffer
	b.WriteString("# Measured\n\nRatios say how many times better ours is: the middle of the rounds, the least and the greatest.\n")
	for _, g := range t.groups {
		if len(g.rows) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n![%s](%s.svg)\n\n", g.title, g.name, g.name)
		b.WriteString("| row | ours | beside | theirs | note | rounds | min | max | ratio |\n|---|---|---|---|---|---|---|---|---|\n")
		for _, r := range g.rows {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %d | %.2f | %.2f | %.2fx |\n", cell(r.name), r.unit.figure(r.ours),
				cell(r.other), r.unit.figure(r.theirs), cell(r.note), r.rounds, r.low, r.high, r.ratio)
		}
	}
	return b.Bytes()
}

// cell is a text that does not end the cell it is in.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text)
}

// What a plot looks like, in pixels.
const (
	plotNames  = 340 // for the names, left of the bars
	plotBars   = 480
	plotValues = 70 // for the ratios, right of the bars
	plotRow    = 24
	plotTop    = 48
	plotFoot   = 28
)

// plot draws a bar for each ratio, from nothing, with a whisker from the least to the
// greatest and a line at one.
func (g tableGroup) plot() []byte {
	most := slices.MaxFunc(g.rows, func(a, b row) int { return cmp.Compare(a.high, b.high) }).high
	scale := plotScale(most)
	x := func(ratio float64) float64 { return plotNames + plotBars*min(ratio/scale, 1) }
	height := plotTop + plotRow*len(g.rows) + plotFoot
	bottom := height - plotFoot
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n",
		plotNames+plotBars+plotValues, height)
	b.WriteString(`<rect width="100%" height="100%" fill="white"/>` + "\n")
	fmt.Fprintf(&b, `<text x="10" y="22" font-size="14">%s</text>`+"\n", escape(g.title))
	for i := range plotTicks + 1 {
		at := scale * float64(i) / plotTicks
		fmt.Fprintf(&b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle" fill="#555">%.3gx</text>`+"\n",
			x(at), plotTop-8, x(at), bottom, x(at), height-10, at)
	}
	for i, r := range g.rows {
		top := plotTop + plotRow*i
		middle := top + plotRow/2 - 2
		fill := "#4c78a8"
		if r.ratio < 1 {
			fill = "#e4a35b"
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, plotNames-8, middle+4, escape(r.name))
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`, plotNames, top, x(r.ratio)-plotNames, plotRow-4, fill)
		fmt.Fprintf(&b, `<path d="M%.1f %dH%.1fM%.1f %dV%dM%.1f %dV%d" stroke="black" fill="none"/>`,
			x(r.low), middle, x(r.high), x(r.low), middle-4, middle+4, x(r.high), middle-4, middle+4)
		fmt.Fprintf(&b, `<text x="%d" y="%d">%.2fx</text>`+"\n", plotNames+plotBars+10, middle+4, r.ratio)
	}
	fmt.Fprintf(&b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="black" stroke-dasharray="3 3"/>`+"\n", x(1), plotTop-8, x(1), bottom)
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// plotTicks is into how many parts the scale is cut.
const plotTicks = 4

// plotScale is the end of a scale that has room for a ratio and for one: 1, 2 or 4
// times a power of ten.
func plotScale(most float64) float64 {
	most = max(most, 1)
	power := math.Pow(10, math.Floor(math.Log10(most)))
	for _, n := range []float64{1, 2, 4} {
		if most <= n*power {
			return n * power
		}
	}
	return 10 * power
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}
