package gre

import "time"

// Limits of Reorder.
const (
	// windowSize is how many numbers ahead of the next one are held. At the
	// 9,000 packets a second of 100 Mbit/s it covers 28 ms, and it bounds what a
	// peer can make us store at some 400 KB. It must be a power of two.
	windowSize = 256
	// maxSpan is how far the stream may run on before the oldest gap is given
	// up whatever its age; the rest of the window is room for the next jump.
	maxSpan = windowSize * 3 / 4
	// runGap is the largest step between two packets outside the window that
	// still makes them neighbours of one stream.
	runGap = 16
	// forwardRun and backwardRun are how many neighbours outside the window
	// prove that the stream goes on there. Ahead of us that is an outage, and
	// two tell it from a stray. Behind us it is a peer that numbers afresh or,
	// more often, packets later than the window: more proof is asked for.
	forwardRun  = 2
	backwardRun = 4
	// quiet is how long one packet outside the window waits for a packet inside
	// it before it is believed alone: a peer that numbers afresh may send one
	// LCP packet and then wait three seconds for the answer.
	quiet = 50 * time.Millisecond
	// startSlack is how many numbers before the first one seen are still let in
	// while the stream is no older than that: a 0 overtaken by the first 1 is
	// usually half of the first exchange of LCP, which asks for no order.
	startSlack = 8
	// idleFree is how long the store outlives its last use. Ten thousand idle
	// sessions must not keep what each once needed.
	idleFree = 5 * time.Second
)

// A Verdict is what Push did with a packet.
type Verdict uint8

// The verdicts.
const (
	Deliver   Verdict = iota // in order: the caller processes the payload now
	Held                     // copied, to come out of Pop
	Duplicate                // seen before: drop
	Late                     // its gap was given up, or it fits nowhere: drop
)

// Counters of a Reorder, in packets except where said.
type Counters struct {
	Held      uint64 // copied into the store
	Reordered uint64 // filled a gap in time: what a receiver without a store would lose
	Late      uint64 // dropped, because they came after their gap was given up
	Duplicate uint64 // dropped
	Lost      uint64 // given up; those that came late after all are in Late too
	Resync    uint64 // times that the stream was taken up at another number
}

// A Reorder puts the packets of one call into the order of their sequence
// numbers. RFC 2637, section 4.3 leaves the receiver the choice between
// dropping what comes late and sorting it; dropping ruins TCP on paths that
// reorder, and waiting long for what is lost ruins it on paths that lose.
// Therefore a gap is held for as long as packets on this path are known to come
// late and for longer where losses are rare (see pace), at most 50 ms, and for 1 ms
// where all is lost that does not come in order.
//
// The zero value is ready; the first packet starts the stream, whatever its
// number. All methods belong to one goroutine. After every Push the caller
// calls Pop until it returns false, and again at Deadline.
//
// A packet far outside the window does not move it. It is kept aside until
// neighbours confirm it or the old stream stays silent; then what is held comes
// out and the stream goes on there. So a forged number costs the true stream
// nothing, even after the forger has confirmed himself: the true stream takes
// over again the same way, without a loss.
type Reorder struct {
	Counters Counters

	next    uint32 // next number in order
	high    uint32 // highest number received; next-1 when nothing is held
	first   uint32 // where the stream started
	started bool
	proven  bool                    // the run is to take over as soon as the store is empty
	held    uint16                  // packets in the store's window
	runs    uint8                   // packets in the store's run
	got     [windowSize / 64]uint64 // bit n%windowSize: number n, one of those before next, came
	store   *store                  // nil while there was no gap for idleFree
}

// Push takes the packet that arrived at now with number seq. payload is not
// retained: when it must wait it is copied.
func (q *Reorder) Push(now time.Time, seq uint32, payload []byte) Verdict {
	// With nothing held or aside, the packet that is due needs no clock.
	if seq == q.next && q.started && q.held == 0 && q.runs == 0 {
		q.high = seq
		q.advance(true)
		return Deliver
	}
	v := q.push(now, seq, payload)
	switch v {
	case Held:
		q.Counters.Held++
	case Duplicate:
		q.Counters.Duplicate++
	case Late:
		q.Counters.Late++
	}
	return v
}

// Pop returns the next packet that is in order now, or that need not wait any
// longer for one before it. The payload is valid, and the caller's to change,
// until the next Push.
func (q *Reorder) Pop(now time.Time) (payload []byte, ok bool) {
	if q.store == nil {
		return nil, false
	}
	return q.pop(now)
}

// Deadline is when Pop has something to do although nothing arrives. It changes
// with every Push and Pop.
func (q *Reorder) Deadline() (time.Time, bool) {
	s := q.store
	switch {
	case s == nil:
		return time.Time{}, false
	case q.held > 0:
		return s.epoch.Add(s.at[q.next%windowSize] + s.hold()), true
	case q.runs > 0:
		return s.epoch.Add(s.runAt + quiet), true
	}
	return s.epoch.Add(s.used + idleFree), true
}

// Received is the number to acknowledge: the highest received, held packets
// included (RFC 2637, section 4.1). There is no retransmission, so there is no
// reason to keep a sender's window shut over a gap. It is false before the
// first packet.
func (q *Reorder) Received() (highest uint32, ok bool) { return q.high, q.started }

// push is Push for all but the plain case.
func (q *Reorder) push(now time.Time, seq uint32, payload []byte) Verdict {
	if !q.started {
		q.start(seq)
		for n := range uint32(startSlack) {
			q.mark(seq-1-n, false)
		}
		q.high = seq
		q.advance(true)
		return Deliver
	}
	d := int32(seq - q.next)
	if d < -windowSize || d >= windowSize {
		return q.pushFar(now, seq, payload)
	}
	if q.runs > 0 {
		// The stream lives where it was, so what is aside is stray.
		q.Counters.Late += uint64(q.runs)
		q.store.dropRun()
		q.runs, q.proven = 0, false
	}
	switch {
	case d < 0:
		return q.pushBehind(now, seq)
	case d == 0:
		if seq != q.high+1 {
			q.filled(now, seq)
		} else {
			q.high = seq
		}
		q.advance(true)
		return Deliver
	}
	return q.hold(now, seq, payload)
}

// pushBehind judges a packet of the window before next.
func (q *Reorder) pushBehind(now time.Time, seq uint32) Verdict {
	if q.seen(seq) {
		return Duplicate
	}
	q.mark(seq, true)
	if Before(seq, q.first) && q.next-q.first <= startSlack {
		return Deliver
	}
	// How late it is teaches how long to wait, unless its place in the store
	// has gone to a number of the window after next.
	if s := q.store; s != nil && Before(q.high, seq+windowSize) {
		s.belated(s.since(now) - s.at[seq%windowSize])
	}
	return Late
}

// hold copies a packet of the window after next.
func (q *Reorder) hold(now time.Time, seq uint32, payload []byte) Verdict {
	s := q.open(now)
	if s.slot[seq%windowSize] != 0 {
		return Duplicate
	}
	if Before(q.high, seq) {
		// Everything skipped on the way is missing from now on.
		for n := q.high + 1; n != seq; n++ {
			s.at[n%windowSize] = s.used
		}
		q.high = seq
	} else {
		q.filled(now, seq)
	}
	s.slot[seq%windowSize] = s.put(payload)
	q.held++
	return Held
}

// filled notes that a missing packet came in time.
func (q *Reorder) filled(now time.Time, seq uint32) {
	q.Counters.Reordered++
	s := q.store
	s.late(s.since(now) - s.at[seq%windowSize])
}

// pushFar puts a packet outside the window aside.
func (q *Reorder) pushFar(now time.Time, seq uint32, payload []byte) Verdict {
	s := q.open(now)
	if q.runs > 0 {
		step := seq - s.run[q.runs-1].seq
		if step == 0 {
			return Duplicate
		}
		if step > runGap {
			q.Counters.Late += uint64(q.runs)
			s.dropRun()
			q.runs, q.proven = 0, false
		}
	}
	if int(q.runs) == len(s.run) {
		// Proven, and the caller did not call Pop.
		return Late
	}
	s.run[q.runs] = runPacket{seq: seq, buf: s.put(payload)}
	q.runs++
	s.runAt = s.used
	need := uint8(forwardRun)
	if Before(seq, q.next) {
		need = backwardRun
	}
	q.proven = q.runs >= need
	return Held
}

func (q *Reorder) pop(now time.Time) ([]byte, bool) {
	s := q.store
	t := s.since(now)
	for {
		for q.held > 0 {
			if p := &s.slot[q.next%windowSize]; *p != 0 {
				b := s.take(*p)
				*p = 0
				q.held--
				q.advance(true)
				return b, true
			}
			if !q.hopeless(t) {
				return nil, false
			}
			s.lost(t, s.at[q.next%windowSize])
			q.Counters.Lost++
			q.advance(false)
		}
		if q.runs == 0 {
			if t-s.used >= idleFree {
				q.store = nil
			}
			return nil, false
		}
		if !q.proven && t-s.runAt < quiet {
			return nil, false
		}
		q.resync()
	}
}

// hopeless reports whether the gap at next is to be given up at t.
func (q *Reorder) hopeless(t time.Duration) bool {
	return q.proven ||
		t-q.store.at[q.next%windowSize] >= q.store.hold() ||
		q.high-q.next >= maxSpan
}

// resync takes the stream up at the run. The window is empty.
func (q *Reorder) resync() {
	s := q.store
	q.Counters.Resync++
	q.start(s.run[0].seq)
	for _, p := range s.run[:q.runs] {
		for n := q.high + 1; n != p.seq; n++ {
			s.at[n%windowSize] = s.runAt
		}
		s.slot[p.seq%windowSize] = p.buf
		q.high = p.seq
	}
	q.held, q.runs, q.proven = uint16(q.runs), 0, false
	s.run = [backwardRun]runPacket{}
}

// start makes seq the next number, with everything before it taken as seen.
func (q *Reorder) start(seq uint32) {
	q.started = true
	q.first, q.next, q.high = seq, seq, seq-1
	for i := range q.got {
		q.got[i] = ^uint64(0)
	}
}

// advance moves next on by one, over a packet that came or was given up.
func (q *Reorder) advance(came bool) {
	q.mark(q.next, came)
	q.next++
}

func (q *Reorder) seen(seq uint32) bool {
	n := seq % windowSize
	return q.got[n/64]>>(n%64)&1 != 0
}

func (q *Reorder) mark(seq uint32, came bool) {
	n := seq % windowSize
	if bit := uint64(1) << (n % 64); came {
		q.got[n/64] |= bit
	} else {
		q.got[n/64] &^= bit
	}
}

// open returns the store, made if need be, with its clock set.
func (q *Reorder) open(now time.Time) *store {
	if q.store == nil {
		// Nothing that went missing before this store may seem to be recent.
		q.store = &store{epoch: now.Add(-2 * maxHold)}
	}
	s := q.store
	t := s.since(now)
	if pause := t - s.used; pause > forgiven && time.Duration(q.high-s.high)*sparse < pause {
		s.forgive()
	}
	s.used, s.high = t, q.high
	return s
}
