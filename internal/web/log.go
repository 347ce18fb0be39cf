package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopptp/internal/journal"
	"gopptp/internal/menu"
)

// The limits of a log that somebody follows.
const (
	// writeTime is how long a browser may take for what it is sent; one that is
	// slower is cut, and may ask again for what came after.
	writeTime = 10 * time.Second
	// beat is how often something is sent when there is nothing to tell, so that an
	// end of the path is seen.
	beat = 15 * time.Second
	// maxTopics bounds a filter, as in a rule of /system/logging.
	maxTopics = 16
)

// A logEntry is what the page is told of an entry.
type logEntry struct {
	ID      uint64    `json:"id"`
	Time    time.Time `json:"time"`
	Topics  []string  `json:"topics"`
	Message string    `json:"message"`
}

// A follower is somebody who follows the log.
type follower struct {
	server *Server
	w      http.ResponseWriter
	topics []string // that an entry has all; not, after an exclamation mark
	last   uint64   // entry that was looked at
}

// log sends what is in the log, and what comes, as events (HTML Living Standard,
// section 9.2, server-sent events).
func (s *Server) log(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := &follower{server: s, w: w}
	q := r.URL.Query()
	if text := q.Get("topics"); text != "" {
		f.topics = strings.Split(text, ",")
	}
	after := q.Get("after")
	if again := r.Header.Get("Last-Event-ID"); again != "" { // what the browser has by now
		after = again
	}
	if after != "" {
		n, err := strconv.ParseUint(after, 10, 64)
		if err != nil {
			return badRequest("invalid value for argument after")
		}
		f.last = n
	}
	if len(f.topics) > maxTopics {
		return badRequest("invalid value for argument topics")
	}
	done, ok := s.stream(v)
	if !ok {
		return menu.Errorf(menu.Refused, "failure: too many streams of one session")
	}
	defer done()
	entries, stop := s.cfg.Journal.Follow()
	defer stop()
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy must not wait for more
	// What another system, or this one before it was started anew, has numbered
	// does not say where to go on.
	known := s.cfg.Journal.Entries()
	if n := len(known); n == 0 || f.last > known[n-1].ID {
		f.last = 0
	}
	var b []byte
	for _, e := range known {
		b = f.event(b, e)
	}
	flush := func() bool {
		_ = control.SetWriteDeadline(time.Now().Add(writeTime)) // of a test's recorder there is none
		_, err := w.Write(b)
		b = b[:0]
		return err == nil && control.Flush() == nil
	}
	b = append(b, ":\n\n"...) // that it works, even if there is nothing
	if !flush() {
		return nil
	}
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for behind := false; !behind; {
		select {
		case <-r.Context().Done():
			return nil
		case <-v.over:
			return nil
		case <-ticker.C:
			b = append(b, ":\n\n"...)
		case e := <-entries:
			b, behind = f.gather(b, e, entries)
		}
		if !v.may(menu.Read) || len(b) > 0 && !flush() {
			return nil
		}
	}
	return nil // the entries that were missed come when it asks again
}

// gather appends the events of an entry and of those that wait behind it. It reports
// whether some were missed.
func (f *follower) gather(b []byte, e journal.Entry, waiting <-chan journal.Entry) (_ []byte, behind bool) {
	for n := 1; ; n++ {
		if f.last != 0 && e.ID > f.last+1 {
			return b, true
		}
		b = f.event(b, e)
		select {
		case e = <-waiting:
		default:
			return b, n >= cap(waiting) && f.missed(waiting)
		}
	}
}

// missed reports whether there were more entries than wait for somebody who is
// slow.
func (f *follower) missed(waiting <-chan journal.Entry) bool {
	all := f.server.cfg.Journal.Entries()
	return len(all) > 0 && all[len(all)-1].ID > f.last && len(waiting) == 0
}

// event appends what is sent of an entry: nothing if it was sent before, or is not
// wanted.
func (f *follower) event(b []byte, e journal.Entry) []byte {
	if e.ID <= f.last {
		return b
	}
	f.last = e.ID
	message, shown := f.server.cfg.Tree.Logging().Shown(e)
	topics := strings.Split(e.Topics, ",")
	if !shown || !wanted(topics, f.topics) {
		return b
	}
	text, err := json.Marshal(logEntry{e.ID, e.Time, topics, message}) // on one line
	if err != nil {
		return b
	}
	b = append(b, "id: "...)
	b = strconv.AppendUint(b, e.ID, 10)
	b = append(b, "\ndata: "...)
	b = append(b, text...)
	return append(b, "\n\n"...)
}

// wanted reports whether an entry's topics are those of a filter, as a rule of
// /system/logging chooses them.
func wanted(topics, filter []string) bool {
	for _, topic := range filter {
		topic, not := strings.CutPrefix(strings.TrimSpace(topic), "!")
		if topic != "" && slices.Contains(topics, topic) == not {
			return false
		}
	}
	return true
}
