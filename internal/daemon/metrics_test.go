package daemon

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/journal"
)

// TestFace follows a face from the start to the end of its daemon.
func TestFace(t *testing.T) {
	log := journal.New(nil, false)
	ctx, cancel := context.WithCancel(t.Context())
	var f face
	hide, err := f.open(ctx, "127.0.0.1:0", log)
	if err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`http://\S+/`).FindString(log.Entries()[0].Message)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(when, path string, status int, shows string) {
		t.Helper()
		answer, err := client.Get(address + path)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != status || !strings.Contains(string(body), shows) {
			t.Errorf("%s: /%s: %d %q, want %d %q", when, path, answer.StatusCode, body, status, shows)
		}
	}
	get("at first", "metrics", 503, "the daemon is starting")
	get("at first", "ready", 503, "the daemon is starting")
	get("at first", "health", 200, "ok")
	enabled, listening, trouble := true, false, errors.New("address already in use")
	f.started(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "numbers\n") }),
		func() (bool, bool, error) { return enabled, listening, trouble },
		&pulse{alive: func(context.Context) error { return nil }, turns: func() []uint64 { return nil }})
	get("started", "metrics", 200, "numbers")
	get("without its port", "ready", 503, "the server takes no calls: address already in use")
	get("without its port", "health", 200, "ok")
	enabled = false
	get("without a server", "ready", 200, "ok")
	enabled, listening, trouble = true, true, nil
	get("with a server", "ready", 200, "ok")
	cancel() // what ends the daemon does not end the face
	f.stopping()
	get("stopping", "ready", 503, "the daemon is stopping")
	get("stopping", "health", 200, "ok")
	get("stopping", "metrics", 200, "numbers")
	hide()
	if _, err := client.Get(address + "ready"); err == nil {
		t.Error("it answers after its end")
	}
}

func TestFaceAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, bad := range map[string]string{
		"127.0.0.1": "an address and a port", "9180": "an address and a port", "::1:9180": "an address and a port",
		taken.Addr().String(): "address already in use", "127.0.0.1:x": "cannot listen for --metrics",
		":0": "", "[::1]:0": "",
	} {
		var f face
		hide, err := f.open(t.Context(), address, journal.New(nil, false))
		if err == nil {
			hide()
		}
		if (err == nil) != (bad == "") || err != nil && !strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v, want %q", address, err, bad)
		}
	}
}

// TestHealth: what stands still is told, and nobody who asks often asks the daemon often.
func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		var trouble error
		var f face
		f.started(nil, nil, &pulse{turns: func() []uint64 { return nil }, alive: func(ctx context.Context) error {
			asked++
			if trouble != nil {
				<-ctx.Done()
				return ctx.Err()
			}
			return ctx.Err()
		}})
		gone, leave := context.WithCancel(t.Context())
		leave()
		for range 100 {
			if err := f.health(gone); err != nil {
				t.Fatal(err)
			}
		}
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
		time.Sleep(feelEvery)
		trouble = errors.New("it stands still")
		began := time.Now()
		if err := f.health(t.Context()); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != feelTime {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if err := f.health(t.Context()); err == nil || asked != 2 {
			t.Errorf("%v, asked %d times", err, asked)
		}
		trouble = nil
		time.Sleep(feelEvery)
		if err := f.health(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
