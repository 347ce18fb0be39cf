package web

import (
	"sync"
	"time"

	"gopptp/internal/session"
)

// lookEvery is how often the sessions are looked at, however many people watch.
// It is less than a second, in which each of them asks again.
const lookEvery = 800 * time.Millisecond

// forgetAfter is the age of a look after which no rate is made of it: it would be
// the mean of a time that nobody watched. Run looks more often.
const forgetAfter = 3 * step

// A look is what there was at a time. It is never changed.
type look struct {
	at       time.Time
	sessions []session.Status // that run
	rates    []rate           // of the same places
	place    map[uint64]int   // in sessions, by Status.ID
	rx, tx   uint64           // octets of all calls since the start
	all      rate
}

// A rate is in bits per second.
type rate struct{ rx, tx uint64 }

// live is the last look, which all who watch share.
type live struct {
	mu   sync.Mutex // held while somebody looks
	last *look
}

// look gives what there is now, or was a moment ago.
func (s *Server) look() *look {
	s.live.mu.Lock()
	defer s.live.mu.Unlock()
	now := time.Now()
	before := s.live.last
	if before != nil && now.Sub(before.at) < lookEvery {
		return before
	}
	s.live.last = s.lookAgain(now, before)
	return s.live.last
}

func (s *Server) lookAgain(now time.Time, before *look) *look {
	all := s.cfg.Sessions()
	l := &look{at: now, sessions: all[:0], place: make(map[uint64]int, len(all))}
	l.rx, l.tx = s.cfg.Totals()
	if before != nil && now.Sub(before.at) > forgetAfter {
		before = nil
	}
	if before != nil {
		took := now.Sub(before.at)
		l.all = rate{perSecond(before.rx, l.rx, took), perSecond(before.tx, l.tx, took)}
	}
	for _, status := range all {
		if status.Running {
			l.place[status.ID] = len(l.sessions)
			l.sessions = append(l.sessions, status)
		}
	}
	l.rates = make([]rate, len(l.sessions))
	for i := range l.sessions {
		if before == nil {
			break
		}
		if j, there := before.place[l.sessions[i].ID]; there {
			old, now := &before.sessions[j].Traffic, &l.sessions[i].Traffic
			took := l.at.Sub(before.at)
			l.rates[i] = rate{perSecond(old.RxBytes, now.RxBytes, took), perSecond(old.TxBytes, now.TxBytes, took)}
		}
	}
	return l
}

// perSecond is the rate in bits per second at which a counter of octets grew.
func perSecond(before, now uint64, took time.Duration) uint64 {
	if now < before || took <= 0 { // the counters of a session were set to zero
		return 0
	}
	return uint64(float64(now-before) * 8 / took.Seconds())
}
