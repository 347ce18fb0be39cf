// Command bench measures gopptp beside what it can be compared with, in one
// run, and prints a line for each comparison with the ratio of the two figures.
// Figures differ from machine to machine and from run to run; ratios less so.
//
// It exits with 1 when a connection takes longer than it may, when a packet costs
// an allocation, or when the time to print secrets grows more than their number
// explains. It needs root and the packages of the lab.
//
//	go run ./test/bench [-packets] [-path PATH] [GOPPTP]        GOPPTP: the binary (default bin/gopptp)
//
// With -packets it measures only what a packet costs, for which nothing is needed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"gopptp/test/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	only := flag.Bool("packets", false, "measure only what a packet costs")
	path := flag.String("path", "", "force MPPE to take this path: Go, scalar, AVX-512")
	flag.Parse()
	binary := "bin/gopptp"
	if flag.NArg() > 0 {
		binary = flag.Arg(0)
	}
	if err := bench(ctx, binary, *path, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, binary, path string, only bool) error {
	if lacking := lab.Missing(); lacking != "" && !only {
		return fmt.Errorf("cannot measure: %s", lacking)
	}
	fmt.Println("cost of a packet of 1400 octets")
	if err := packets(path); err != nil || only {
		return err
	}
	fmt.Println("\ntime to connect, MS-CHAPv2 and MPPE-128, medians")
	if err := connects(ctx, binary); err != nil {
		return err
	}
	return doors(ctx, binary)
}

// A row is one comparison: ours beside another figure, both in nanoseconds, and
// how many times the other takes what ours takes: ratio, or the quotient of the two
// where that is zero.
type row struct {
	name, other         string
	ours, theirs, ratio float64
	note                string
}

func (r row) print() {
	if r.ratio == 0 {
		r.ratio = r.theirs / r.ours
	}
	fmt.Printf("%-30s %9s   %-32s %9s   %-24s %6.2fx\n", r.name, figure(r.ours), r.other, figure(r.theirs), r.note, r.ratio)
}

// figure writes nanoseconds with three digits and a unit.
func figure(ns float64) string {
	for _, unit := range []string{"ns", "µs", "ms"} {
		if ns < 999.5 {
			return fmt.Sprintf("%.3g %s", ns, unit)
		}
		ns /= 1000
	}
	return fmt.Sprintf("%.3g s", ns)
}

// median sorts all as well.
func median(all []time.Duration) float64 {
	slices.Sort(all)
	return float64(all[len(all)/2])
}
