package web

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// The last hour is kept in points.
const (
	step      = 5 * time.Second
	maxPoints = int(time.Hour / step)
)

// A point is the mean of the step before a time.
type point struct {
	at       int64 // in milliseconds since 1970
	rx, tx   uint64
	sessions int
}

// MarshalJSON makes a list of it: there are many.
func (p point) MarshalJSON() ([]byte, error) {
	b := strconv.AppendInt([]byte{'['}, p.at, 10)
	b = strconv.AppendUint(append(b, ','), p.rx, 10)
	b = strconv.AppendUint(append(b, ','), p.tx, 10)
	b = strconv.AppendInt(append(b, ','), int64(p.sessions), 10)
	return append(b, ']'), nil
}

// history is the points of the last hour.
type history struct {
	mu   sync.Mutex
	ring []point // oldest at next once full
	next int
}

func (h *history) add(p point) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.ring) < maxPoints {
		h.ring = append(h.ring, p)
		return
	}
	h.ring[h.next] = p
	h.next = (h.next + 1) % maxPoints
}

// since gives the points after a time, oldest first.
func (h *history) since(at int64) []point {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]point, 0, len(h.ring))
	for i := range h.ring {
		if p := h.ring[(h.next+i)%len(h.ring)]; p.at > at {
			out = append(out, p)
		}
	}
	return out
}

// past answers with the points after a time.
func (s *Server) past(w http.ResponseWriter, r *http.Request, _ *visit) error {
	var since int64
	if text := r.URL.Query().Get("since"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return badRequest("invalid value for argument since")
		}
		since = n
	}
	send(w, http.StatusOK, struct {
		Step   int64   `json:"step"` // in milliseconds
		Points []point `json:"points"`
	}{step.Milliseconds(), s.history.since(since)})
	return nil
}
