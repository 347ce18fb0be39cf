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
	// restTime is how long they ask in each of restRounds.
	restTime   = time.Second
	restRounds = 5
)

// requests measures a small request of REST beside a handler that does nothing
// but write the same answer. That one runs in this process, which spares it
// some changes from process to process: its figure is rather too good.
func requests(ctx context.Context, s *system) error {
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

	var ours, theirs []time.Duration
	for range restRounds {
		for _, to := range []struct {
			url  string
			took *[]time.Duration
		}{{url, &ours}, {"http://" + l.Addr().String() + "/", &theirs}} {
			d, err := perRequest(ctx, client, to.url)
			if err != nil {
				return err
			}
			*to.took = append(*to.took, d)
		}
	}
	a, b := median(ours), median(theirs)
	perSecond := func(ns float64) float64 { return float64(time.Second) / ns }
	row{
		name: "GET /rest/system/identity", ours: a,
		other: "a bare net/http handler", theirs: b,
		note: fmt.Sprintf("%.0f and %.0f per second", perSecond(a), perSecond(b)),
	}.print()
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
