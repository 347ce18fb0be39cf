package web

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gopptp/internal/journal"
)

func TestLog(t *testing.T) {
	w := newWorld(t)
	site := w.serve()
	admin := w.signIn("admin")
	w.Journal.Addf("pptp,ppp,info", "<pptp-bob>: connected")
	w.Journal.Addf("pptp,debug", "what no rule shows")
	follow := func(query string) (*http.Response, *bufio.Scanner) {
		t.Helper()
		answer := site.request(admin, "GET", "/web/api/log"+query, "")
		if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" || answer.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: %s %v", query, answer.Status, answer.Header)
		}
		return answer, bufio.NewScanner(answer.Body)
	}
	all, lines := follow("")
	got := events(t, lines, 3) // of the groups, and what they did
	all.Body.Close()
	ids := []uint64{got[0].ID, got[1].ID}
	if !slices.IsSorted(ids) || ids[0] == ids[1] {
		t.Errorf("the entries are %+v", got)
	}

	_, lines = follow("?topics=ppp,!error")
	e := events(t, lines, 1)[0]
	if e.Message != "<pptp-bob>: connected" || !slices.Equal(e.Topics, []string{"pptp", "ppp", "info"}) || time.Since(e.Time) > time.Minute {
		t.Errorf("the entry is %+v", e)
	}
	w.Journal.Addf("pptp,ppp,error", "not wanted")
	w.Journal.Addf("ppp,info", "one\ntwo")
	if e := events(t, lines, 1)[0]; e.Message != `one\0Atwo` {
		t.Errorf("then comes %+v", e)
	}
	last := w.Journal.Entries()[len(w.Journal.Entries())-1].ID

	_, lines = follow(fmt.Sprintf("?after=%d", last-1))
	if e := events(t, lines, 1)[0]; e.ID != last {
		t.Errorf("after %d comes %d", last-1, e.ID)
	}
	// A number of another time says nothing.
	_, lines = follow("?after=1000000")
	if e := events(t, lines, 1)[0]; e.ID == last {
		t.Errorf("after a number that there was not comes %d", e.ID)
	}
	w.server.visits.close()
	for lines.Scan() { // to the end, which the test would wait for in vain
	}
}

func TestLogQueries(t *testing.T) {
	w := newWorld(t)
	admin := w.signIn("admin")
	for query, want := range map[string]string{
		"after=x": "invalid value for argument after", "after=-1": "invalid value for argument after",
		"topics=" + strings.Repeat("x,", maxTopics): "invalid value for argument topics",
	} {
		admin.want(400, "GET", "/web/api/log?"+query, "", want)
	}
}

func TestWanted(t *testing.T) {
	for _, c := range []struct {
		topics, filter string
		want           bool
	}{
		{"pptp,ppp,info", "", true}, {"pptp,ppp,info", "ppp", true}, {"pptp,ppp,info", "ppp, info", true}, {"pptp,ppp,info", "pp", false},
		{"pptp,ppp,info", "ppp,error", false}, {"pptp,ppp,info", "!error", true}, {"pptp,ppp,info", "!ppp", false}, {"pptp,ppp,info", "ppp,!info", false},
		{"pptp,ppp,info", "!", true}, {"pptp,ppp,info", ",", true},
	} {
		if got := wanted(strings.Split(c.topics, ","), strings.Split(c.filter, ",")); got != c.want {
			t.Errorf("%s for %s: %v", c.filter, c.topics, got)
		}
	}
}

// A slowWriter takes nothing until it is told to.
type slowWriter struct {
	*httptest.ResponseRecorder
	ready chan struct{}
	mu    sync.Mutex // of the body
}

func (s *slowWriter) Write(b []byte) (int, error) {
	<-s.ready
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ResponseRecorder.Write(b)
}

// text is what was taken.
func (s *slowWriter) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Body.String()
}

// TestSlowReaderIsCut checks that somebody who does not read holds up nobody, and
// is told nothing rather than a log with holes.
func TestSlowReaderIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.user("admin")
		b := w.signIn("admin")
		slow := &slowWriter{ResponseRecorder: httptest.NewRecorder(), ready: make(chan struct{})}
		r := httptest.NewRequest("GET", "/web/api/log", nil)
		r.AddCookie(&http.Cookie{Name: cookieName, Value: b.cookies[cookieName]})
		var reader sync.WaitGroup
		reader.Go(func() { w.server.ServeHTTP(slow, r) })
		synctest.Wait()
		const flood = 2 * journal.Lines
		for i := range flood {
			w.Journal.Addf("info", "line %d", i)
		}
		close(slow.ready)
		start := time.Now()
		reader.Wait() // without the end of the session
		if took := time.Since(start); took > beat {
			t.Errorf("it was cut after %v", took)
		}
		if text := slow.Body.String(); !strings.Contains(text, "line 0") || strings.Contains(text, fmt.Sprintf("line %d", flood-1)) {
			t.Errorf("the reader got %d octets", len(text))
		}
		// What it missed comes when it asks again.
		ids := strings.Split(slow.Body.String(), "id: ")
		last, _, _ := strings.Cut(ids[len(ids)-1], "\n")
		r.Header.Set("Last-Event-ID", last)
		again := &slowWriter{ResponseRecorder: httptest.NewRecorder(), ready: slow.ready}
		reader.Go(func() { w.server.ServeHTTP(again, r) })
		synctest.Wait()
		if text := again.text(); strings.Contains(text, "line 0\"") || !strings.Contains(text, fmt.Sprintf("line %d", flood-1)) {
			t.Errorf("then it got %d octets", len(text))
		}
		time.Sleep(beat) // somebody is there, though nothing happens
		synctest.Wait()
		if text := again.text(); !strings.HasSuffix(text, "\n\n:\n\n") {
			t.Errorf("the end is %q", text[len(text)-20:])
		}
		w.server.visits.close()
		reader.Wait()
	})
}
