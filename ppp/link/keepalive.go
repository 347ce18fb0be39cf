package link

import "time"

const (
	// echoInterval and maxMissed are RouterOS's: an echo a second, five times.
	echoInterval = time.Second
	maxMissed    = 5
)

// keepalive counts the silence of the peer. Anything received ends it, be it an
// echo, another frame or a user packet.
type keepalive struct {
	period time.Duration // zero: off
	heard  time.Time
	pings  int // echoes sent since heard
	pinged time.Time
}

// hear notes a sign of life.
func (k *keepalive) hear(now time.Time) { k.heard, k.pings = now, 0 }

// deadline is when the next echo is due.
func (k *keepalive) deadline() (time.Time, bool) {
	switch {
	case k.period <= 0:
		return time.Time{}, false
	case k.pings == 0:
		return k.heard.Add(k.period), true
	}
	return k.pinged.Add(echoInterval), true
}

// tick says how many echoes were missed so far, if one was missed just now, and
// whether to send another.
func (k *keepalive) tick(now time.Time) (missed int, send bool) {
	at, ok := k.deadline()
	if !ok || now.Before(at) {
		return 0, false
	}
	missed = k.pings
	if missed == maxMissed {
		return missed, false
	}
	k.pings++
	k.pinged = now
	return missed, true
}
