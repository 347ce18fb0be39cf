package gre

import "time"

// Limits of the hold.
const (
	// minHold is the wait for a gap on a path that only loses. It is below the round
	// trip of any path that a tunnel is worth having on, so that a loss costs TCP
	// little, and above the disorder that the queues of a network card make.
	minHold = time.Millisecond
	// maxHold is the longest wait. What comes later than this is lost: more
	// would hurt the packets behind the gap more than it helps the one before.
	maxHold = 50 * time.Millisecond
	// firstHold is the wait where no loss is known, as at first. There it costs nothing
	// but for the first loss, since it ends with the packet that is waited for. To a
	// TCP that takes a loss for a full line, one packet that is given up is a good part
	// of its rate, and in slow start nearly all: it takes seconds to come back. A network
	// that holds a packet back until others have passed holds it for longer when they
	// are slow to come, as they are then, and the reader of packets may have been kept
	// from its processor.
	firstHold = 12 * time.Millisecond
	// sureHold is the wait where losses are known but rare. Each costs as much: the
	// packets behind it come all at once, more than a short queue on their way on takes.
	sureHold = 8 * time.Millisecond
	// inVain is what a gap may cost on average in waiting for what never comes. So
	// sureHold shrinks as losses are more of the gaps: one in thirty changes nothing,
	// one in ten leaves 3 ms, one in three minHold.
	inVain = 300 * time.Microsecond
	// outcomes is how many past gaps decide.
	outcomes = 64
	// After a pause of forgiven, in which packets were further apart than sparse on
	// average, losses are forgotten: what comes then is mostly a TCP in slow start, and
	// perhaps nobody fills the line any more.
	forgiven = time.Second
	sparse   = 10 * time.Millisecond
	// benefit is how many gaps of disorder each path is believed to have had before the
	// first: a loss among few gaps says less than their ratio.
	benefit = 2
	// rarity is the share of gaps, one in so many, that must have been disorder
	// before all gaps wait for it.
	rarity = 16
	// outlierFrom is the number of late packets from which on the latest one is
	// not followed: one stray must not set the wait of all.
	outlierFrom = 8
)

// A pace is how long a gap waits on this path, and the last outcomes of gaps that this
// follows from: 1.5 times as long as packets are known to come late, and longer while
// losses are none or few, so that this costs little. The zero value knows of nothing.
type pace struct {
	past [outcomes]time.Duration // between the first packet behind the gap and the late one; 0 for a loss
	n    uint8                   // outcomes seen, up to all
	at   uint8                   // where the next goes
	wait time.Duration           // 0: firstHold
	last time.Duration           // when a loss was learnt, by the store's clock
}

func (p *pace) hold() time.Duration {
	if p.wait == 0 {
		return firstHold
	}
	return p.wait
}

// late learns that a missing packet came after the given time.
func (p *pace) late(after time.Duration) {
	if after > maxHold {
		// Not worth waiting for. Its loss has been noted when it was given up.
		return
	}
	p.learn(max(after, 1))
}

// belated learns that a packet came which had been given up. What was taken for a loss
// was disorder, and a mistake like that is dear: losses known so far count no more.
func (p *pace) belated(after time.Duration) {
	if after > maxHold {
		return // as good as lost
	}
	p.forgive()
	p.late(after)
}

// forgive forgets losses.
func (p *pace) forgive() {
	late := p.past[:0]
	for _, after := range p.past[:p.n] {
		if after > 0 {
			late = append(late, after)
		}
	}
	p.n, p.at = uint8(len(late)), uint8(len(late)%outcomes)
	p.follow()
}

// lost learns at now that a gap is given up which has been there since. Losses that
// are waited for at the same time are one, as when a queue overflows: the wait for
// all of them takes no longer.
func (p *pace) lost(now, since time.Duration) {
	if since > p.last {
		p.last = now
		p.learn(0)
	}
}

func (p *pace) learn(after time.Duration) {
	p.past[p.at] = after
	p.at = (p.at + 1) % outcomes
	p.n = min(p.n+1, outcomes)
	p.follow()
}

// follow makes wait what is remembered.
func (p *pace) follow() {
	var late int
	var top, second time.Duration
	for _, after := range p.past[:p.n] {
		if after == 0 {
			continue
		}
		late++
		if after >= top {
			top, second = after, top
		} else {
			second = max(second, after)
		}
	}
	if late >= outlierFrom {
		top = second
	}
	p.wait = minHold
	if late > 0 && late >= int(p.n)/rarity {
		p.wait = min(max(top*3/2, minHold), maxHold)
	}
	spare := firstHold
	if lost := int(p.n) - late; lost > 0 {
		spare = min(sureHold, inVain*time.Duration(int(p.n)+benefit)/time.Duration(lost))
	}
	p.wait = max(p.wait, spare)
}
