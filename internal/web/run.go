package web

import (
	"context"
	"time"
)

// Run keeps the last hour and the count of failed logins, and ends sessions that
// nobody uses, until ctx ends, which it returns as the cause. It ends all sessions
// then, and returns after the last stream of one.
func (s *Server) Run(ctx context.Context) error {
	defer s.streams.Wait()
	defer s.visits.close()
	entries, stop := s.cfg.Journal.Follow()
	defer stop()
	for _, e := range s.cfg.Journal.Entries() {
		s.failures.note(e)
	}
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	at := time.Now()
	rx, tx := s.cfg.Totals()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case e := <-entries:
			s.failures.note(e)
		case <-ticker.C:
			s.visits.sweep(time.Now())
			l := s.look()
			nowRx, nowTx := s.cfg.Totals()
			now := time.Now()
			s.history.add(point{now.UnixMilli(), perSecond(rx, nowRx, now.Sub(at)), perSecond(tx, nowTx, now.Sub(at)), len(l.sessions)})
			at, rx, tx = now, nowRx, nowTx
		}
	}
}
