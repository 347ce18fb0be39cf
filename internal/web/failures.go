package web

import (
	"strings"
	"sync"
	"time"

	"gopptp/internal/journal"
)

// maxRecent is how many failed logins are shown.
const maxRecent = 10

// failures are the logins that failed, of people at the doors and of users of the
// VPN, as the log tells of them.
type failures struct {
	mu      sync.Mutex
	last    uint64 // entry of the log that was looked at
	total   int
	minutes [60]minute // of the last hour, by the minute modulo 60
	recent  []failure  // newest first
}

// A minute is how many there were in one.
type minute struct {
	at    int64 // in minutes since 1970
	count int
}

// A failure is what the page is told of one.
type failure struct {
	Time time.Time `json:"time"`
	Text string    `json:"text"`
}

// failed reports whether an entry of the log tells of a login that failed.
func failed(e journal.Entry) bool {
	switch {
	case e.Has("critical"):
		return strings.HasPrefix(e.Message, "login failure for user ")
	case e.Has("ppp") && e.Has("error"):
		return strings.Contains(e.Message, " authentication failed")
	}
	return false
}

// note looks at an entry of the log, once.
func (f *failures) note(e journal.Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.ID <= f.last {
		return
	}
	f.last = e.ID
	if !failed(e) {
		return
	}
	f.total++
	at := e.Time.Unix() / 60
	m := &f.minutes[at%int64(len(f.minutes))]
	if m.at != at {
		*m = minute{at: at}
	}
	m.count++
	f.recent = append([]failure{{e.Time, e.Message}}, f.recent...)
	f.recent = f.recent[:min(len(f.recent), maxRecent)]
}

// A failedLogins is what the page is told of them.
type failedLogins struct {
	LastHour int       `json:"lastHour"`
	Total    int       `json:"total"` // since the program started
	Recent   []failure `json:"recent"`
}

func (f *failures) summary(now time.Time) failedLogins {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := failedLogins{Total: f.total, Recent: append([]failure{}, f.recent...)}
	for _, m := range f.minutes {
		if age := now.Unix()/60 - m.at; age >= 0 && age < int64(len(f.minutes)) {
			out.LastHour += m.count
		}
	}
	return out
}
