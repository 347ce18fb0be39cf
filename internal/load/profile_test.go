package load

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// profiled is this process, which serves its profiles.
func profiled(t *testing.T, h http.Handler) *Process {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return &Process{PID: os.Getpid(), Profiles: netip.MustParseAddrPort(s.Listener.Addr().String())}
}

// TestSettled: memory that nobody needs is not what sessions find before them.
func TestSettled(t *testing.T) {
	const size = 64 << 20
	p := profiled(t, http.HandlerFunc(pprof.Index))
	garbage := bytes.Repeat([]byte{1}, size)
	before, err := p.usage()
	if err != nil {
		t.Fatal(err)
	}
	if garbage[size-1] != 1 { // it is in use until here
		t.Fatal("no garbage")
	}
	after, err := p.settled(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if after.memory > before.memory-size*3/4 {
		t.Errorf("%d octets of memory and then %d: %d are garbage", before.memory, after.memory, size)
	}
	if after.goroutines == 0 || after.files == 0 || after.cpu < before.cpu {
		t.Errorf("settled with %+v", after)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.settled(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits any more: %v", err)
	}
	if u, err := (*Process)(nil).settled(t.Context()); u != (usage{}) || err != nil {
		t.Errorf("no process has %+v, %v", u, err)
	}
	if u, err := (&Process{PID: os.Getpid()}).settled(t.Context()); u.memory == 0 || u.goroutines != 0 || err != nil {
		t.Errorf("without profiles there are %+v, %v", u, err)
	}
}

func TestSurplus(t *testing.T) {
	p := profiled(t, http.HandlerFunc(pprof.Index))
	before, err := p.settled(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const more = 50
	end := make(chan struct{})
	for range more {
		go func() { <-end }()
	}
	if s, err := p.surplus(t.Context(), before); err != nil || s.goroutines < more {
		t.Errorf("%+v, %v after %d goroutines more", s, err, more)
	}
	const open = 5
	for range open {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	if s, err := p.surplus(t.Context(), before); err != nil || s.files == 0 || s.goroutines != 0 {
		t.Errorf("%+v, %v with %d descriptors more, after which goroutines are counted", s, err, open)
	}
	before.files += open
	close(end)
	for began := time.Now(); ; time.Sleep(releaseLook) {
		s, err := p.surplus(t.Context(), before)
		if err != nil {
			t.Fatal(err)
		}
		if s == (surplus{}) {
			return
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("%+v are left", s)
		}
	}
}

func TestAskRefused(t *testing.T) {
	for want, p := range map[string]*Process{
		"403 Forbidden":                         profiled(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })),
		`"something else"`:                      profiled(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "something else") })),
		"connection refused":                    {PID: os.Getpid(), Profiles: netip.MustParseAddrPort("127.0.0.1:1")},
		"/proc/1073741824/ns/net: no such file": {PID: 1 << 30, Profiles: netip.MustParseAddrPort("127.0.0.1:1")},
	} {
		if _, err := p.goroutines(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestReleased: what is left after a while is a problem, and no sooner.
func TestReleased(t *testing.T) {
	for _, test := range []struct {
		what          string
		files, others time.Duration // until they have ended
		want          string
		took          time.Duration
	}{
		{"all in time", time.Minute, time.Minute + goroutineLimit/2, "", time.Minute + goroutineLimit/2},
		{"at once", 0, 0, "", 0},
		{"descriptors", time.Hour, time.Hour, "the daemon has 7 descriptors more than before", releaseLimit},
		{"goroutines", time.Minute, time.Hour, "the daemon has 3 goroutines more than before", time.Minute + goroutineLimit},
	} {
		synctest.Test(t, func(t *testing.T) {
			var told bytes.Buffer
			r := &run{Config: Config{Progress: &told}, report: &Report{}}
			began := time.Now()
			_, err := r.released(t.Context(), func() (s surplus, err error) {
				switch took := time.Since(began); {
				case took < test.files:
					s.files = 7
				case took < test.others:
					s.goroutines = 3
				}
				return s, nil
			})
			if got := strings.Join(r.report.Problems, "; "); err != nil || got != test.want {
				t.Errorf("%s: %q, %v, want %q", test.what, got, err, test.want)
			}
			if took := time.Since(began); took < test.took || took > test.took+time.Second {
				t.Errorf("%s: it took %v, want %v", test.what, took, test.took)
			}
			if test.files > progressEvery && !strings.Contains(told.String(), "7 descriptors and 0 goroutines left") {
				t.Errorf("%s: told %q", test.what, told.String())
			}
		})
	}
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	r := &run{Config: Config{Progress: io.Discard}, report: &Report{}}
	if _, err := r.released(ctx, func() (surplus, error) { return surplus{files: 1}, nil }); !errors.Is(err, stop) {
		t.Errorf("nobody waits any more: %v", err)
	}
	if _, err := r.released(t.Context(), func() (surplus, error) { return surplus{}, stop }); !errors.Is(err, stop) {
		t.Errorf("the daemon is gone: %v", err)
	}
}
