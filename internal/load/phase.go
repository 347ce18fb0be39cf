package load

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"gopptp/internal/progress"
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
	r.watch(done, func() string { return fmt.Sprintf("%s: %d of %d", name, finished(), n) })
	fmt.Fprintf(r.Progress, "%s: %d of %d in %v\n", name, finished(), n, round(time.Since(began)))
}

// watch tells, again and again, what text gives, until done is closed: on a terminal in
// one line that is gone then.
func (r *run) watch(done <-chan struct{}, text func() string) {
	every, show := progressEvery, func(text string) { fmt.Fprintln(r.Progress, text) }
	if r.Line != nil {
		every, show = progress.Every, r.Line.Show
		defer r.Line.Clear()
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			show(text())
		case <-done:
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
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	if r.Line == nil {
		<-ctx.Done()
		return
	}
	end := time.Now().Add(d)
	r.watch(ctx.Done(), func() string { return fmt.Sprintf("%s: %v left", name, time.Until(end).Round(time.Second)) })
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
