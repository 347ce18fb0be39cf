package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"gopptp/internal/progress"
)

// A waiting shows, on a terminal, what is being measured while nothing is printed.
type waiting struct{ line *progress.Line }

// before gives a writer to w that takes the line away first.
func (s waiting) before(w io.Writer) io.Writer { return cleared{s.line, w} }

type cleared struct {
	line *progress.Line
	w    io.Writer
}

func (c cleared) Write(b []byte) (int, error) {
	c.line.Clear()
	return c.w.Write(b)
}

// show runs f, and shows name, the rounds that turn tells of, and the time meanwhile.
func (s waiting) show(ctx context.Context, name string, f func(context.Context) error) error {
	if s.line == nil {
		return f(ctx)
	}
	var mu sync.Mutex
	var rounds string // guarded by mu
	ctx = progress.With(ctx, func(step progress.Step) {
		mu.Lock()
		defer mu.Unlock()
		rounds = fmt.Sprintf(", round %d of %d", step.Done, step.Total)
	})
	began := time.Now()
	done := make(chan struct{})
	var drawing sync.WaitGroup
	drawing.Go(func() {
		tick := time.NewTicker(progress.Every)
		defer tick.Stop()
		for {
			select {
			case <-done:
				s.line.Clear()
				return
			case <-tick.C:
			}
			mu.Lock()
			text := fmt.Sprintf("%s%s, %.0f s", name, rounds, time.Since(began).Seconds())
			mu.Unlock()
			s.line.Show(text)
		}
	})
	defer drawing.Wait()
	defer close(done)
	return f(ctx)
}

// turn tells which round of how many begins, the first being 0.
func turn(ctx context.Context, n, of int) {
	if tell := progress.Of(ctx); tell != nil {
		tell(progress.Step{Done: n + 1, Total: of})
	}
}
