package metrics

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gopptp/internal/rawgre"
)

func TestHandler(t *testing.T) {
	w := newWorld(t)
	var ill, unready error
	h := Handler(Page(New(w.server)), func(context.Context) error { return ill }, func(context.Context) error { return unready })
	for _, c := range []struct {
		method, path, accept string
		ill, unready         error
		status               int
		kind, shows          string
	}{
		{"GET", "/metrics", "", nil, nil, 200, "text/plain; version=0.0.4", "\ngopptp_sessions{side=\"server\",state=\"connected\"} 0\n"},
		{"GET", "/metrics", "application/openmetrics-text; version=1.0.0", nil, nil, 200, "application/openmetrics-text; version=1.0.0", "\n# EOF\n"},
		{"HEAD", "/metrics", "", nil, nil, 200, "text/plain; version=0.0.4", ""},
		{"GET", "/health", "", nil, errors.New("not this one"), 200, "text/plain", "ok\n"},
		{"GET", "/health", "", errors.New("it stands still"), nil, 503, "text/plain", "it stands still\n"},
		{"GET", "/ready", "", errors.New("not this one"), nil, 200, "text/plain", "ok\n"},
		{"GET", "/ready", "", nil, errors.New("no port"), 503, "text/plain", "no port\n"},
		{"POST", "/metrics", "", nil, nil, 405, "", ""},
		{"POST", "/ready", "", nil, nil, 405, "", ""},
		{"GET", "/", "", nil, nil, 404, "", ""},
		{"GET", "/metrics/x", "", nil, nil, 404, "", ""},
		{"GET", "/debug/pprof/", "", nil, nil, 404, "", ""},
	} {
		ill, unready = c.ill, c.unready
		r := httptest.NewRequest(c.method, c.path, nil)
		if c.accept != "" {
			r.Header.Set("Accept", c.accept)
		}
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		if answer.Code != c.status || !strings.HasPrefix(answer.Header().Get("Content-Type"), c.kind) || !strings.Contains(answer.Body.String(), c.shows) {
			t.Errorf("%s %s: %d %q, want %d with %q:\n%.300s", c.method, c.path, answer.Code, answer.Header().Get("Content-Type"), c.status, c.shows, answer.Body)
		}
	}
}

// TestScrapesAreBounded: who asks again and again gets no more than maxScrapes at once.
func TestScrapesAreBounded(t *testing.T) {
	w := newWorld(t)
	held, entered := make(chan struct{}), make(chan struct{}, maxScrapes)
	w.server.Socket = func() (s rawgre.Stats) {
		entered <- struct{}{}
		<-held
		return s
	}
	page := Page(New(w.server))
	done := make(chan int, maxScrapes)
	for range maxScrapes {
		go func() {
			answer := httptest.NewRecorder()
			page.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
			done <- answer.Code
		}()
		<-entered
	}
	answer := httptest.NewRecorder()
	page.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	if answer.Code != http.StatusServiceUnavailable {
		t.Errorf("one more: %d", answer.Code)
	}
	close(held)
	for range maxScrapes {
		if code := <-done; code != http.StatusOK {
			t.Errorf("one of the others: %d", code)
		}
	}
}
