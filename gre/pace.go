package gre

import "time"

// Limits of the hold.
const (
	// minHold is the wait for a gap on a path that is not known to reorder. It
	// is below the round trip of any path that a tunnel is worth having on, so
	// that a loss costs TCP little, and above the disorder that the queues of a
	// network card make.
	minHold = time.Millisecond
	// maxHold is the longest wait. What comes later than this is lost: more
	// would hurt the packets behind the gap more than it helps the one before.
	maxHold = 50 * time.Millisecond
	// minDepth is how many packets may arrive behind a gap on a path that is
	// not known to reorder. TCP gives up after 3 (RFC 5681, section 3.2), but
	// it can send again.
	minDepth = 16
	// outcomes is how many past gaps decide. Without a late packet among the
	// last this many gaps the path is one that only loses.
	outcomes = 32
	// sureHold and sureDepth are the least of both on a path where nearly all gaps are
	// disorder: there it costs little to wait for what is lost, and much to give up a
	// packet that comes. To a TCP that takes a loss for a full line, one in thousands
	// is too many. A network that holds a packet back until others have passed holds it
	// for longer when they are slow to come, and the reader of packets may have been
	// kept from its processor. What waits meanwhile is late, but for less than it takes
	// a TCP to send it again.
	sureHold  = 8 * time.Millisecond
	sureDepth = maxSpan
	// sureFrom is how many gaps must be known for that, and doubt the share of them,
	// one in so many, that may have been losses.
	sureFrom = 4
	doubt    = 16
	// rarity is the share of gaps, one in so many, that must have been disorder
	// before all gaps wait for it.
	rarity = 16
	// outlierFrom is the number of late packets from which on the latest one is
	// not followed: one stray must not set the wait of all.
	outlierFrom = 8
)

// A pace is how long a gap waits on this path: 1.5 times as long as packets are
// known to come late, and twice as many packets as are known to overtake one, and
// longer where gaps are hardly ever losses. The zero value knows of no disorder.
type pace struct {
	wait time.Duration // 0: minHold
	over uint32        // 0: minDepth
}

func (p *pace) hold() time.Duration { return max(p.wait, minHold) }
func (p *pace) depth() uint32       { return max(p.over, minDepth) }

// A memory is the last outcomes of gaps: a packet that came late, in time or
// not, or none.
type memory struct {
	past [outcomes]outcome
	n    uint8 // outcomes seen, up to all
	at   uint8 // where the next goes
}

// An outcome of zero is a loss.
type outcome struct {
	after time.Duration // between the first packet behind the gap and the late one
	depth uint32        // numbers by which it was overtaken
}

// late learns that a missing packet came after the given time.
func (p *pace) late(s *store, after time.Duration, depth uint32) {
	if after > maxHold {
		// Not worth waiting for. Its loss has been noted when it was given up.
		return
	}
	p.learn(s, outcome{max(after, 1), depth})
}

// belated learns that a packet came which had been given up: what was taken for a loss
// was disorder.
func (p *pace) belated(s *store, after time.Duration, depth uint32) {
	if after > maxHold {
		return // as good as lost
	}
	m := &s.memory
	for n := range m.n {
		if o := &m.past[(m.at+outcomes-1-n)%outcomes]; o.after == 0 {
			*o = outcome{max(after, 1), depth}
			p.follow(m)
			return
		}
	}
	p.late(s, after, depth) // it was forgotten
}

// lost learns that a gap was given up.
func (p *pace) lost(s *store) { p.learn(s, outcome{}) }

func (p *pace) learn(s *store, o outcome) {
	m := &s.memory
	m.past[m.at] = o
	m.at = (m.at + 1) % outcomes
	m.n = min(m.n+1, outcomes)
	p.follow(m)
}

// follow makes p what is remembered.
func (p *pace) follow(m *memory) {
	var late int
	var top, second outcome // each field by itself
	for _, o := range m.past[:m.n] {
		if o.after == 0 {
			continue
		}
		late++
		if o.after >= top.after {
			top.after, second.after = o.after, top.after
		} else {
			second.after = max(second.after, o.after)
		}
		if o.depth >= top.depth {
			top.depth, second.depth = o.depth, top.depth
		} else {
			second.depth = max(second.depth, o.depth)
		}
	}
	if late >= outlierFrom {
		top = second
	}
	if late == 0 || late < int(m.n)/rarity {
		*p = pace{}
		return
	}
	*p = pace{wait: min(top.after*3/2, maxHold), over: top.depth * 2}
	if m.n >= sureFrom && int(m.n)-late <= int(m.n)/doubt {
		p.wait, p.over = max(p.wait, sureHold), max(p.over, sureDepth)
	}
}
