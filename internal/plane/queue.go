package plane

import (
	"sync"
	"time"

	"gopptp/internal/shape"
)

const (
	// minQueue is how many packets wait at least for their turn under a rate limit:
	// TCP needs room for a window, however slow the tunnel is.
	minQueue = 50
	// queueTime is how much a queue holds of what its rate carries, if that is more:
	// longer, and people notice the delay; shorter, and one TCP stream does not fill
	// the rate.
	queueTime = 50 * time.Millisecond
	// maxQueue and maxOctets bound the memory of a queue. With an MRRU packets may
	// have 64 KiB.
	maxQueue  = 1000
	maxOctets = 2 << 20
	// maxKept is the largest buffer that is kept for the next packet, in octets.
	maxKept = 4096
	// fullPacket is what most packets of a stream that fills a queue have, in octets.
	fullPacket = 1400
)

// SetLimit holds the call's user traffic to a rate, now and until it is called
// again. Rx is what comes from the peer. Packets beyond it wait in a queue, and
// those beyond that are dropped.
func (c *Call) SetLimit(l shape.Limit) {
	c.rx.mu.Lock()
	c.rx.queue = c.limit(c.rx.queue, l.Rx, c.rx.closed, c.writeQueued)
	c.rx.mu.Unlock()
	c.tx.mu.Lock()
	c.tx.queue = c.limit(c.tx.queue, l.Tx, c.tx.closed, c.sendQueued)
	c.tx.mu.Unlock()
}

// limit gives the queue that holds a direction to r: the one there was, lest
// packets overtake those that wait in it; none for a direction that has no limit
// and never had one.
func (c *Call) limit(q *queue, r shape.Rate, closed bool, send func(payload, []byte)) *queue {
	switch {
	case closed:
		return nil
	case q != nil:
		q.setRate(r)
	case r.Max > 0:
		q = &queue{send: send, wake: make(chan struct{}, 1), done: make(chan struct{})}
		q.setRate(r)
		c.pacers.Go(q.run)
	}
	return q
}

// writeQueued gives a packet whose turn has come to its interface.
func (c *Call) writeQueued(kind payload, buf []byte) {
	c.rx.mu.Lock()
	defer c.rx.mu.Unlock()
	device := c.rx.device
	if kind == ethernetFrame {
		device = c.rx.bridge
	}
	if device == nil || !c.rx.flows {
		c.dropLocked(DropBlocked)
		return
	}
	c.writeLockedTo(device, buf[Headroom:])
}

// sendQueued sends a packet whose turn has come.
func (c *Call) sendQueued(kind payload, buf []byte) {
	bufs, sizes := [1][]byte{buf}, [1]int{len(buf) - Headroom}
	c.tx.mu.Lock()
	defer c.tx.mu.Unlock()
	c.sendPacketsLocked(kind, bufs[:], sizes[:])
}

// A queue holds one direction of a call to a rate: packets go in at any pace, and
// its goroutine sends each when its turn comes.
type queue struct {
	send func(payload, []byte) // the packet stands at Headroom of the buffer, which is lent
	wake chan struct{}         // a packet came, or the rate changed
	done chan struct{}

	mu     sync.Mutex
	bucket *shape.Bucket
	ring   [][]byte // buffers that are used again; the packets stand at Headroom, and what they are at 0
	first  int      // the oldest packet
	n      int      // how many there are
	octets int      // and their size
	limit  int      // how many there may be
}

// setRate holds the packets from now on to another rate.
func (q *queue) setRate(r shape.Rate) {
	q.mu.Lock()
	q.bucket = shape.NewBucket(r, time.Now())
	octets := float64(max(r.Max, r.Burst)) / 8 * queueTime.Seconds()
	q.limit = int(min(max(octets/fullPacket, minQueue), maxQueue))
	if r.Max == 0 {
		q.limit = maxQueue // nothing waits but for the goroutine
	}
	q.mu.Unlock()
	q.kick()
}

func (q *queue) kick() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// put copies a packet into the queue, unless it is full.
func (q *queue) put(kind payload, packet []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.n >= q.limit || q.octets+len(packet) > maxOctets {
		return false
	}
	q.octets += len(packet)
	if q.n == len(q.ring) {
		q.grow()
	}
	i := (q.first + q.n) % len(q.ring)
	q.ring[i] = append(append(q.ring[i][:0], headroom[:]...), packet...)
	q.ring[i][0] = byte(kind)
	q.n++
	if q.n == 1 {
		q.kick()
	}
	return true
}

// headroom is what stands before a packet until its headers are written there.
var headroom [Headroom]byte

// grow doubles the room, so that a queue that never fills stays small.
func (q *queue) grow() {
	ring := make([][]byte, max(4, 2*len(q.ring)))
	for i := range q.n {
		ring[i] = q.ring[(q.first+i)%len(q.ring)]
	}
	q.ring, q.first = ring, 0
}

// head gives the size of the oldest packet and the bucket that it pays to; none
// if the queue is empty.
func (q *queue) head() (bucket *shape.Bucket, size int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.n == 0 {
		return nil, 0
	}
	return q.bucket, len(q.ring[q.first]) - Headroom
}

// take gives the oldest packet, whose buffer is the caller's, and puts spare in
// its place.
func (q *queue) take(spare []byte) []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	buf := q.ring[q.first]
	q.octets -= len(buf) - Headroom
	if cap(spare) > maxKept {
		spare = nil
	}
	q.ring[q.first] = spare
	q.first = (q.first + 1) % len(q.ring)
	q.n--
	return buf
}

// run sends the packets. It ends when done is closed.
func (q *queue) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var spare []byte
	for {
		bucket, size := q.head()
		if bucket == nil {
			select {
			case <-q.wake:
				continue
			case <-q.done:
				return
			}
		}
		timer.Reset(bucket.Take(time.Now(), size))
		switch q.wait(timer, bucket) {
		case itsTurn:
			buf := q.take(spare)
			q.send(payload(buf[0]), buf)
			spare = buf
		case closed:
			return
		}
	}
}

// A turn is what ends the wait of a packet.
type turn uint8

const (
	itsTurn turn = iota
	paysAnew
	closed
)

// wait waits for a packet's turn, unless the rate becomes another meanwhile.
func (q *queue) wait(timer *time.Timer, bucket *shape.Bucket) turn {
	for {
		select {
		case <-timer.C:
			return itsTurn
		case <-q.wake:
			if now, _ := q.head(); now != bucket {
				return paysAnew
			}
		case <-q.done:
			return closed
		}
	}
}
