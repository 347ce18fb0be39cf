package load

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// progressEvery is how often somebody who waits is told how far things are.
const progressEvery = 2 * time.Second

// each runs f for 0 to n-1, as many at a time as r.Parallel says, and says how long
// that took. With ctx it begins no more.
func (r *run) each(ctx context.Context, name string, n int, f func(i int)) time.Duration {
	began := time.Now()
	var next, finished atomic.Int64
	var workers sync.WaitGroup
	for range min(r.Parallel, n) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				f(i)
				finished.Add(1)
			}
		})
	}
	all := make(chan struct{})
	go func() {
		defer close(all)
		workers.Wait()
	}()
	r.progress(name, n, func() int { return int(finished.Load()) }, all)
	return time.Since(began)
}

// progress tells how many of n are done, until done is closed.
func (r *run) progress(name string, n int, finished func() int, done <-chan struct{}) {
	began := time.Now()
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			fmt.Fprintf(r.Progress, "%s: %d of %d\n", name, finished(), n)
		case <-done:
			fmt.Fprintf(r.Progress, "%s: %d of %d in %v\n", name, finished(), n, round(time.Since(began)))
			return
		}
	}
}

// wait waits for a while, or until ctx ends.
func (r *run) wait(ctx context.Context, name string, d time.Duration) {
	if d <= 0 {
		return
	}
	fmt.Fprintf(r.Progress, "%s: %v\n", name, d)
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// round makes a duration readable.
func round(d time.Duration) time.Duration {
	switch {
	case d > 10*time.Second:
		return d.Round(100 * time.Millisecond)
	case d > 10*time.Millisecond:
		return d.Round(time.Millisecond)
	}
	return d.Round(time.Microsecond)
}
