package fsm

import "time"

// The defaults of RFC 1661, section 4.6.
const (
	RestartInterval = 3 * time.Second
	MaxTerminate    = 2
	MaxConfigure    = 10
	MaxFailure      = 5
)

// A Restart is the restart timer and counter (RFC 1661, section 4.6). The
// counter is the number of requests that may still be sent. The zero value is a
// stopped timer.
type Restart struct {
	counter int
	at      time.Time // zero while stopped
}

// Reset sets the counter: Max-Configure, Max-Terminate, or 0 for the action zrc.
func (r *Restart) Reset(counter int) { r.counter = counter }

// Sent counts one request.
func (r *Restart) Sent() { r.counter-- }

// Arm starts the timer.
func (r *Restart) Arm(now time.Time, d time.Duration) { r.at = now.Add(d) }

// Hasten brings a running timer forward, never back.
func (r *Restart) Hasten(now time.Time, d time.Duration) {
	if at := now.Add(d); !r.at.IsZero() && at.Before(r.at) {
		r.at = at
	}
}

// Stop stops the timer.
func (r *Restart) Stop() { r.at = time.Time{} }

// Expired tells whether the timer runs and its time has come.
func (r *Restart) Expired(now time.Time) bool { return !r.at.IsZero() && !now.Before(r.at) }

// Event is the timeout event that the counter stands for.
func (r *Restart) Event() Event {
	if r.counter > 0 {
		return TimeoutRetry
	}
	return TimeoutExpired
}

// Deadline is when the timer runs out, if it runs.
func (r *Restart) Deadline() (time.Time, bool) { return r.at, !r.at.IsZero() }
