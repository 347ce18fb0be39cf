package metrics

import (
	"context"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxScrapes bounds the scrapes at one time: one costs a look at each session, and
// hardly anybody has more servers that scrape.
const maxScrapes = 4

// Page gives what is in a registry, as text or OpenMetrics, whichever is asked for.
func Page(r *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{EnableOpenMetrics: true, MaxRequestsInFlight: maxScrapes})
}

// A Probe tells what is wrong, or nil.
type Probe func(context.Context) error

// Handler answers /metrics with a page, /health and /ready with what is wrong or "ok".
// It knows no user.
func Handler(page http.Handler, health, ready Probe) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", page)
	mux.HandleFunc("GET /health", health.answer)
	mux.HandleFunc("GET /ready", ready.answer)
	return mux
}

func (p Probe) answer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err := p(r.Context()); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, err)
		return
	}
	fmt.Fprintln(w, "ok")
}
