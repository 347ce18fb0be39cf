package daemon

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"gopptp/internal/plane"
	"gopptp/internal/rawgre"
)

func TestListenProfiles(t *testing.T) {
	for address, bad := range map[string]string{
		"127.0.0.1:0":          "",
		"127.8.9.1:0":          "",
		"localhost:0":          "",
		"":                     "an address and a port",
		"6060":                 "an address and a port",
		"127.0.0.1":            "an address and a port",
		":6060":                "of the loopback",
		"0.0.0.0:6060":         "of the loopback",
		"[::]:6060":            "of the loopback",
		"192.0.2.1:6060":       "of the loopback",
		"[fe80::1]:6060":       "of the loopback",
		"localhost.test:6060":  "of the loopback",
		"127.0.0.1.test:6060":  "of the loopback",
		"127.0.0.1:no-service": "cannot listen",
	} {
		l, err := listenProfiles(t.Context(), address)
		if err == nil {
			if host, _, _ := net.SplitHostPort(l.Addr().String()); !loopback(host) {
				t.Errorf("%q: it listens on %s", address, l.Addr())
			}
			l.Close()
		}
		if (err == nil) != (bad == "") || err != nil && !strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v, want %q", address, err, bad)
		}
	}
}

// startProfiles serves until stop is called, which returns what serveProfiles does.
func startProfiles(t *testing.T) (address string, stop func() error) {
	t.Helper()
	l, err := listenProfiles(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		result <- serveProfiles(ctx, l, profiles(func(w io.Writer) { io.WriteString(w, "counted\n") }))
	}()
	return l.Addr().String(), func() error {
		cancel()
		return <-result
	}
}

func TestProfiles(t *testing.T) {
	address, stop := startProfiles(t)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, c := range []struct {
		path, host string
		status     int
		shows      string
	}{
		{"/debug/pprof/", "", 200, "goroutine"},
		{"/debug/pprof/goroutine?debug=1", "", 200, "goroutine profile: total"},
		{"/debug/pprof/mutex?debug=1", "", 200, "sampling period=100\n"},
		{"/debug/pprof/heap?debug=1", "", 200, "heap profile"},
		{"/debug/pprof/profile?seconds=1", "", 200, "\x1f\x8b"}, // gzip
		{"/debug/pprof/goroutine", "localhost", 200, "\x1f\x8b"},
		{"/debug/pprof/goroutine", "[::1]:99", 200, "\x1f\x8b"},
		{"/debug/counters", "", 200, "counted\n"},
		{"/debug/counters", "evil.test", 403, ""},
		{"/debug/pprof/", "192.0.2.1:80", 403, ""},
		{"/", "", 404, ""},
		{"/rest/system/identity", "", 404, ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = c.host
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != c.status || !strings.Contains(string(b), c.shows) {
			t.Errorf("%s for %q: %d, %v\n%.300s", c.path, c.host, answer.StatusCode, err, b)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Error("the door is open after the end")
	}
}

// TestProfilesEnd: the end does not wait for a profile of a minute, and leaves
// nothing behind.
func TestProfilesEnd(t *testing.T) {
	before, rate := runtime.NumGoroutine(), runtime.SetMutexProfileFraction(-1)
	address, stop := startProfiles(t)
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET /debug/pprof/profile?seconds=60 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	for began := time.Now(); !profiling(); time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal("no profile has begun")
		}
	}
	began := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the end took %v", took)
	}
	if got := runtime.SetMutexProfileFraction(-1); got != rate {
		t.Errorf("the rate of the mutex profile is %d, it was %d", got, rate)
	}
	for range 1000 { // a goroutine ends a moment after what it waited for
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	b := make([]byte, 1<<16)
	t.Errorf("%d goroutines run, %d before\n%s", runtime.NumGoroutine(), before, b[:runtime.Stack(b, true)])
}

// profiling reports whether a CPU profile is being taken, by its goroutine.
func profiling() bool {
	b := make([]byte, 1<<16)
	return strings.Contains(string(b[:runtime.Stack(b, true)]), "pprof.profileWriter")
}

func TestCounters(t *testing.T) {
	var b strings.Builder
	writeCounters(&b, plane.New(), rawgre.Stats{Overflow: 7, Refused: 8})
	for _, line := range []string{"drop header 0\n", "drop send 0\n", "socket receive overflow 7\n", "socket send refused 8\n"} {
		if !strings.Contains(b.String(), line) {
			t.Errorf("no %q in\n%s", line, b.String())
		}
	}
}
