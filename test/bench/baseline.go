package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
)

const (
	// baselinePath is the file of the ratios that a quick run is compared with.
	baselinePath = "bench/baseline.json"
	// baselineRuns is how many quick runs make a baseline.
	baselineRuns = 3
	// keep is the share of its baseline that a ratio must reach. Rounds of a second on
	// a machine that does other things are no closer to each other than that.
	keep = 0.5
)

// A baseline is ratios by the names of their groups and rows. A row that is only shown
// has 0.
type baseline map[string]map[string]float64

// baseline gives the ratios of the rows that were measured, with three digits.
func (t *table) baseline() baseline {
	all := baseline{}
	for _, g := range t.groups {
		rows := map[string]float64{}
		for _, r := range g.rows {
			if rows[r.name] = 0; !r.shown {
				rows[r.name] = threeDigits(r.ratio)
			}
		}
		all[g.name] = rows
	}
	return all
}

func threeDigits(v float64) float64 {
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64) // what was formatted can be parsed
	return v
}

// A shortfall is a row that is not what its baseline asks for.
type shortfall struct {
	group, name string
	measured    bool
	was, is     float64
}

func (s shortfall) Error() string {
	if !s.measured {
		return s.name + ": not measured"
	}
	return fmt.Sprintf("%s: %.3gx is %.0f %% of its baseline, %.3gx; at least %.0f %% is wanted", s.name, s.is, 100*s.is/s.was, s.was, 100*keep)
}

// compare finds the rows that are less than half of what they were, and those that
// are missing, in the groups that are wanted. Those that are absent may be.
func (before baseline) compare(now baseline, want map[string]bool, absent []string) []shortfall {
	var all []shortfall
	for _, group := range slices.Sorted(maps.Keys(before)) {
		if !want[group] {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(before[group])) {
			was := before[group][name]
			is, ok := now[group][name]
			if ok && is < keep*was || !ok && !slices.Contains(absent, name) {
				all = append(all, shortfall{group, name, ok, was, is})
			}
		}
	}
	return all
}

// middle gives the median of each row of the first over all runs.
func middle(runs []baseline) baseline {
	all := baseline{}
	for group, rows := range runs[0] {
		all[group] = map[string]float64{}
		for name := range rows {
			var ratios []float64
			for _, run := range runs {
				if ratio, ok := run[group][name]; ok {
					ratios = append(ratios, ratio)
				}
			}
			all[group][name] = median(ratios)
		}
	}
	return all
}

// readBaseline reads the file.
func readBaseline(path string) (baseline, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no baseline: %w; -write-baseline makes one", err)
	}
	if err != nil {
		return nil, err
	}
	var all baseline
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}

// write writes the groups that were measured, and leaves the others of the
// file as they are.
func (before baseline) write(path string, now baseline) error {
	all := baseline{}
	maps.Copy(all, before)
	maps.Copy(all, now)
	b, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}
