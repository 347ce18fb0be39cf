package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"gopptp/test/lab"
)

const (
	// relayDelay is how long a packet is on its way.
	relayDelay = 5 * time.Millisecond
	// relayRate is what the line takes, in bits per second, and relayBuffer how far it
	// may be behind before it loses what comes: one round trip.
	relayRate   = 200_000_000
	relayBuffer = 2 * relayDelay
	// relayRoom is how many packets may be on their way at once in one direction: a
	// multiple of what comes within the delay.
	relayRoom = 8192
	relayMTU  = 1500
	// heldFor is how many packets overtake one that is held back, and heldLimit how
	// long it waits for them.
	heldFor   = 3
	heldLimit = 2 * time.Millisecond
	// relayInterface is the relay's end in each namespace.
	relayInterface = "wan"
)

// A trouble is what a relay does to packets in each direction.
type trouble struct {
	name string
	rate int     // of the line, in bits per second; 0 for no limit
	lose float64 // share of packets that are lost
	hold float64 // share of packets that heldFor others overtake
}

// A relay is the line between two namespaces: an interface in each, and what goes
// into one comes out of the other, later. It gives up packets one by one: the kernel
// cuts and checksums what it sends into it.
type relay struct {
	lanes   [2]*lane
	running sync.WaitGroup
}

// A lane is one direction of a relay.
type lane struct {
	from, to *os.File
	state    atomic.Pointer[laneState]
	queue    chan *packet
	free     chan *packet
}

// A laneState is owned by the lane's reader once it is stored.
type laneState struct {
	trouble
	chance *rand.Rand
	idle   time.Time // when the line has sent all so far
}

// enter gives when a packet of n octets that comes now leaves the line, and whether
// it is not lost.
func (s *laneState) enter(now time.Time, n int) (due time.Time, ok bool) {
	if s.chance.Float64() < s.lose {
		return time.Time{}, false
	}
	if s.idle.Before(now) {
		s.idle = now
	}
	if s.idle.Sub(now) > relayBuffer {
		return time.Time{}, false
	}
	if s.rate > 0 {
		s.idle = s.idle.Add(time.Duration(n*8) * time.Second / time.Duration(s.rate))
	}
	return s.idle.Add(relayDelay), true
}

// A packet is on its way. Whoever has taken it from a channel owns it.
type packet struct {
	buf  [relayMTU]byte
	n    int
	due  time.Time
	hold bool
}

// newRelay makes the interfaces, with their addresses, and forwards until close.
func newRelay(a, b *lab.Lab) (*relay, error) {
	fromA, err := openRelay(a)
	if err != nil {
		return nil, err
	}
	fromB, err := openRelay(b)
	if err != nil {
		fromA.Close()
		return nil, err
	}
	r := &relay{lanes: [2]*lane{newLane(fromA, fromB), newLane(fromB, fromA)}}
	r.set(trouble{})
	for _, l := range r.lanes {
		r.running.Go(l.read)
		r.running.Go(l.write)
	}
	return r, nil
}

// close ends the forwarding and removes the interfaces.
func (r *relay) close() {
	for _, l := range r.lanes {
		l.from.Close()
	}
	r.running.Wait()
}

// set makes the trouble that of the packets that come from now on. What befalls them
// is drawn from the same numbers each time.
func (r *relay) set(t trouble) {
	for i, l := range r.lanes {
		l.state.Store(&laneState{trouble: t, chance: rand.New(rand.NewPCG(1, uint64(i)))})
	}
}

// openRelay makes the interface in a namespace.
func openRelay(l *lab.Lab) (*os.File, error) {
	var file *os.File
	err := l.Do(func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return err
		}
		request, err := unix.NewIfreq(relayInterface)
		if err == nil {
			request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
			err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
		}
		if err != nil {
			return errors.Join(err, unix.Close(fd))
		}
		file = os.NewFile(uintptr(fd), relayInterface) // the poller sees it only now that it is an interface
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	return file, nil
}

func newLane(from, to *os.File) *lane {
	l := &lane{from: from, to: to, queue: make(chan *packet, relayRoom), free: make(chan *packet, relayRoom)}
	for range relayRoom {
		l.free <- new(packet)
	}
	return l
}

// read takes packets until the interface is closed, and draws what befalls them.
func (l *lane) read() {
	defer close(l.queue)
	for {
		p := <-l.free
		for { // until one is not lost
			n, err := l.from.Read(p.buf[:])
			if err != nil {
				return
			}
			s := l.state.Load()
			due, ok := s.enter(time.Now(), n)
			if !ok {
				continue
			}
			p.n, p.due, p.hold = n, due, s.chance.Float64() < s.hold
			break
		}
		l.queue <- p
	}
}

// write sends packets when they are due, and those that are held back later. It ends
// when read has.
func (l *lane) write() {
	var late held
	limit := time.NewTimer(heldLimit)
	defer limit.Stop()
	for {
		select {
		case p, ok := <-l.queue:
			if !ok {
				return
			}
			time.Sleep(time.Until(p.due))
			if p.hold {
				late = append(late, heldPacket{p, heldFor})
				limit.Reset(heldLimit)
				continue
			}
			l.send(p)
			var free []*packet
			late, free = late.overtaken()
			for _, p := range free {
				l.send(p)
			}
		case <-limit.C:
			for _, h := range late {
				l.send(h.packet)
			}
			late = late[:0]
		}
	}
}

// send writes a packet and frees it. What the other side does not take, a full queue
// would have lost as well.
func (l *lane) send(p *packet) {
	_, _ = l.to.Write(p.buf[:p.n])
	l.free <- p
}

// held are packets that wait until others have overtaken them.
type held []heldPacket

type heldPacket struct {
	*packet
	left int // packets that have yet to overtake it
}

// overtaken counts a packet that has passed, and gives those that have waited enough.
func (h held) overtaken() (rest held, free []*packet) {
	rest = h[:0]
	for _, p := range h {
		if p.left--; p.left == 0 {
			free = append(free, p.packet)
		} else {
			rest = append(rest, p)
		}
	}
	return rest, free
}
