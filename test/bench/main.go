// Command bench measures gopptp beside what it can be compared with, in one
// run, and prints a line for each comparison with the ratio of the two figures.
// Figures differ from machine to machine and from run to run; ratios less so.
//
// It exits with 1 when a connection takes longer than it may, when a packet costs
// an allocation, or when the time to print secrets grows more than their number
// explains. It needs root and the packages of the lab.
//
//	go run ./test/bench [GOPPTP]        GOPPTP: the binary (default bin/gopptp)
package main

import (
	"context"
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
	binary := "bin/gopptp"
	if len(os.Args) > 1 {
		binary = os.Args[1]
	}
	if err := bench(ctx, binary); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, binary string) error {
	if lacking := lab.Missing(); lacking != "" {
		return fmt.Errorf("cannot measure: %s", lacking)
	}
	fmt.Println("cost of a packet of 1400 octets")
	if err := packets(); err != nil {
		return err
	}
	fmt.Println("\ntime to connect, MS-CHAPv2 and MPPE-128, medians")
	if err := connects(ctx, binary); err != nil {
		return err
	}
	return doors(ctx, binary)
}

// A row is one comparison: ours beside another figure, both in nanoseconds, and
// how many times the other takes what ours takes.
type row struct {
	name, other  string
	ours, theirs float64
	note         string
}

func (r row) print() {
	fmt.Printf("  %-30s %9s   %-32s %9s   %6.2fx   %s\n", r.name, figure(r.ours), r.other, figure(r.theirs), r.theirs/r.ours, r.note)
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
