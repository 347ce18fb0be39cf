package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// restClients is how many clients ask at once, each on a connection of its own.
	restClients = 4
	// restTime is how long they ask in each round.
	restTime = time.Second
)

// requests measures a small request of REST beside a handler that does nothing
// but write the same answer. That one runs in this process, which spares it
// some changes from process to process: its figure is rather too good.
func (b *bench) requests(ctx context.Context, s *system) error {
	client := s.client()
	url := "http://" + restAddress + "/rest/system/identity"
	var answer bytes.Buffer
	if err := get(ctx, client, url, &answer); err != nil {
		return err
	}
	var l net.Listener
	err := s.lab.Do(func() (err error) {
		l, err = net.Listen("tcp", "127.0.0.1:0")
		return err
	})
	if err != nil {
		return err
	}
	bare := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer.Bytes())
	})}
	var serving sync.WaitGroup
	serving.Go(func() { _ = bare.Serve(l) }) // ends with Close
	defer serving.Wait()
	defer bare.Close()

	var all rounds
	for n := range b.rest {
		turn(ctx, n, b.rest)
		ours, err := perRequest(ctx, client, url)
		if err != nil {
			return err
		}
		theirs, err := perRequest(ctx, client, "http://"+l.Addr().String()+"/")
		if err != nil {
			return err
		}
		all.add(float64(ours), float64(theirs))
	}
	b.add(all.row("GET /rest/system/identity", "a bare net/http handler", nanoseconds, fmt.Sprintf("%d clients at once", restClients)))
	return nil
}

// perRequest asks again and again for restTime, and gives that time divided by
// the number of answers.
func perRequest(ctx context.Context, client *http.Client, url string) (time.Duration, error) {
	var all sync.WaitGroup
	var mu sync.Mutex
	var total int
	var failure error
	began := time.Now()
	for range restClients {
		all.Go(func() {
			var body bytes.Buffer
			n, err := 0, error(nil)
			for ; err == nil && time.Since(began) < restTime; n++ {
				err = get(ctx, client, url, &body)
			}
			mu.Lock()
			defer mu.Unlock()
			total += n
			if err != nil {
				failure = err
			}
		})
	}
	all.Wait()
	return time.Since(began) / time.Duration(max(total, 1)), failure
}
