package gre_test

import (
	"container/heap"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gopptp/gre"
)

// This file measures, in virtual time, what a policy for packets out of order
// does to one connection through the tunnel. Its sender is NewReno or CUBIC with
// the loss detection that RFC 9002, section 6.1 shares with TCP's SACK: a packet is
// lost when one sent three packets later has been acknowledged, or when nothing has
// been for 200 ms.

const (
	pathMinRTO    = 200 * time.Millisecond
	pathThreshold = 3
	pathEpochUnix = 1000
)

// A line is what a path is made of. It loses packets, those that find its queue full
// too, and lets others come late: by a detour, or until some have overtaken them.
type line struct {
	lasts, warmUp time.Duration
	serial        time.Duration // of one packet
	oneWay        time.Duration
	queue         time.Duration // how far it may be behind
	loss, reorder float64
	detour        time.Duration // of a packet that comes late; or at most that,
	overtaken     int           // until so many have passed, if any
	cubic         bool          // the sender is CUBIC in slow start
}

func (l line) capacity() float64 { return float64(l.lasts / l.serial) }

// A policy decides when packets that arrived leave the tunnel; nil when the
// packet is dropped.
type policy interface {
	push(now time.Duration, seq uint32) (out []uint32)
	pop(now time.Duration) (out []uint32)
	deadline() (time.Duration, bool)
}

// ours is Reorder.
type ours struct{ q gre.Reorder }

func (o *ours) push(now time.Duration, seq uint32) (out []uint32) {
	payload := binary.BigEndian.AppendUint32(nil, seq)
	if o.q.Push(time.Unix(pathEpochUnix, 0).Add(now), seq, payload) == gre.Deliver {
		out = append(out, seq)
	}
	return append(out, o.pop(now)...)
}

func (o *ours) pop(now time.Duration) (out []uint32) {
	for {
		b, ok := o.q.Pop(time.Unix(pathEpochUnix, 0).Add(now))
		if !ok {
			return out
		}
		out = append(out, binary.BigEndian.Uint32(b))
	}
}

func (o *ours) deadline() (time.Duration, bool) {
	at, ok := o.q.Deadline()
	return at.Sub(time.Unix(pathEpochUnix, 0)), ok
}

// dropLate is what the Linux kernel does.
type dropLate struct{ next uint32 }

func (d *dropLate) push(_ time.Duration, seq uint32) []uint32 {
	if seq < d.next {
		return nil
	}
	d.next = seq + 1
	return []uint32{seq}
}
func (d *dropLate) pop(time.Duration) []uint32      { return nil }
func (d *dropLate) deadline() (time.Duration, bool) { return 0, false }

// fixedHold is what pptpd and pptp-linux do: 0.3 s, and 300 packets.
type fixedHold struct {
	next uint32
	held map[uint32]time.Duration // arrival
}

func (f *fixedHold) push(now time.Duration, seq uint32) []uint32 {
	if seq < f.next {
		return nil
	}
	f.held[seq] = now
	return f.pop(now)
}

func (f *fixedHold) pop(now time.Duration) (out []uint32) {
	for len(f.held) > 0 {
		if _, ok := f.held[f.next]; ok {
			delete(f.held, f.next)
			out = append(out, f.next)
		} else if at, _ := f.deadline(); at > now && len(f.held) < 300 {
			return out
		}
		f.next++
	}
	return out
}

func (f *fixedHold) deadline() (time.Duration, bool) {
	first := time.Duration(1 << 62)
	for _, at := range f.held {
		first = min(first, at)
	}
	return first + 300*time.Millisecond, len(f.held) > 0
}

type eventKind int

const (
	arrival  eventKind = iota // of packet n at the tunnel's end
	siding                    // of packet n, which waits there for others
	release                   // of packet n from there, whether they came or not
	ack                       // of packet n at the sender
	deadline                  // of the policy
	timeout                   // of the n-th setting of the sender's timer
)

type event struct {
	at    time.Duration
	order int // events of one instant happen in the order of posting
	kind  eventKind
	n     int
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}

// A result is what one policy made of one path.
type result struct {
	goodput           float64 // share of the path's capacity
	overtaken, saved  int     // packets that came behind a later one, after warm-up; and those of them not dropped
	median, p99, most time.Duration
}

// A packet is one transmission through the tunnel; its place in path.sent is
// its GRE sequence number.
type packet struct {
	segment     int
	arrived     time.Duration
	late        bool // overtaken
	acked, lost bool // as the sender knows
}

// A path is one connection through one tunnel.
type path struct {
	line
	rand     *rand.Rand
	policy   policy
	aside    []aside // packets that wait until others have overtaken them
	now      time.Duration
	events   events
	posted   int
	linkFree time.Duration
	sent     []packet

	// The sender.
	window
	inflight         int
	next             int   // next segment never sent
	again            []int // segments to send again
	judged           int   // packets before this one are acked or lost
	recover, setting int
	highest          int // highest packet at the tunnel's end
	segments         map[int]bool
	result           result
	delays           []time.Duration // of packets that were held
}

// An aside is a packet that waits until others have overtaken it.
type aside struct{ n, left int }

func measure(l line, seed uint64, p policy) result {
	h := &path{
		line: l, rand: rand.New(rand.NewPCG(7, seed)), policy: p,
		window: newWindow(l.cubic), segments: map[int]bool{},
	}
	h.arm()
	h.send()
	for h.events[0].at < l.lasts {
		e := heap.Pop(&h.events).(event)
		h.now = e.at
		switch e.kind {
		case arrival:
			h.arrive(e.n)
			h.overtake()
		case siding:
			h.aside = append(h.aside, aside{e.n, h.overtaken})
			h.post(h.now+h.detour, release, e.n)
		case release:
			if i := slices.IndexFunc(h.aside, func(a aside) bool { return a.n == e.n }); i >= 0 {
				h.aside = slices.Delete(h.aside, i, i+1)
				h.arrive(e.n)
			}
		case ack:
			h.ack(e.n)
		case deadline:
			h.deliver(p.pop(h.now))
		case timeout:
			if e.n == h.setting {
				h.judge(len(h.sent))
				h.cwnd = 2
				h.arm()
				h.send()
			}
		}
	}
	h.result.goodput = float64(len(h.segments)) / l.capacity()
	if n := len(h.delays); n > 0 {
		slices.Sort(h.delays)
		h.result.median, h.result.p99, h.result.most = h.delays[n/2], h.delays[n*99/100], h.delays[n-1]
	}
	return h.result
}

func (h *path) post(at time.Duration, kind eventKind, n int) {
	h.posted++
	heap.Push(&h.events, event{at, h.posted, kind, n})
}

func (h *path) arm() {
	h.setting++
	h.post(h.now+pathMinRTO, timeout, h.setting)
}

func (h *path) send() {
	for float64(h.inflight) < h.cwnd {
		segment := h.next
		if len(h.again) > 0 {
			segment, h.again = h.again[0], h.again[1:]
		} else {
			h.next++
		}
		h.inflight++
		h.sent = append(h.sent, packet{segment: segment})
		free := max(h.linkFree, h.now)
		if free-h.now > h.queue || h.rand.Float64() < h.loss {
			continue
		}
		h.linkFree = free + h.serial
		n, at := len(h.sent)-1, h.linkFree+h.oneWay
		switch late := h.rand.Float64() < h.reorder && n > 0; { // the first begins the tunnel's stream
		case late && h.overtaken > 0:
			h.post(at, siding, n)
		case late:
			h.post(at+h.detour, arrival, n)
		default:
			h.post(at, arrival, n)
		}
	}
}

// judge takes all packets before n that have no ack as lost, and backs off once
// for each window.
func (h *path) judge(n int) {
	for ; h.judged < n; h.judged++ {
		if p := &h.sent[h.judged]; !p.acked {
			p.lost = true
			h.inflight--
			h.again = append(h.again, p.segment)
			if h.judged >= h.recover {
				h.shrink(h.now)
				h.recover = len(h.sent)
			}
		}
	}
}

func (h *path) ack(n int) {
	p := &h.sent[n]
	p.acked = true
	if !p.lost {
		h.inflight--
		if h.cwnd < h.ssthresh || n >= h.recover {
			h.grow(h.now, 2*h.oneWay)
		}
	}
	h.judge(n - pathThreshold + 1)
	h.arm()
	h.send()
}

func (h *path) arrive(n int) {
	p := &h.sent[n]
	p.arrived = h.now
	if n < h.highest {
		p.late = true
		if h.now > h.warmUp {
			h.result.overtaken++
		}
	}
	h.highest = max(h.highest, n)
	h.deliver(h.policy.push(h.now, uint32(n)))
}

// overtake counts a packet that has passed those aside, and lets those go that have
// waited for enough.
func (h *path) overtake() {
	for i := range h.aside {
		if h.aside[i].left--; h.aside[i].left == 0 {
			h.arrive(h.aside[i].n)
		}
	}
	h.aside = slices.DeleteFunc(h.aside, func(a aside) bool { return a.left == 0 })
}

// deliver hands packets that leave the tunnel to the receiver.
func (h *path) deliver(out []uint32) {
	for _, n := range out {
		p := &h.sent[n]
		if d := h.now - p.arrived; d > 0 {
			h.delays = append(h.delays, d)
		}
		if p.late && p.arrived > h.warmUp {
			h.result.saved++
		}
		h.segments[p.segment] = true
		h.post(h.now+h.oneWay, ack, int(n))
	}
	if at, ok := h.policy.deadline(); ok && at > h.now {
		h.post(at, deadline, 0)
	}
}

// TestReorderAgainstOthers has a path of 100 Mbit/s with a round trip of 2 ms.
func TestReorderAgainstOthers(t *testing.T) {
	for _, tt := range []struct {
		name          string
		loss, reorder float64
		goodput       float64 // at least, of what the path gives
		kernel, fixed float64 // at least so many times theirs
	}{
		{"clean", 0, 0, 0.98, 0.99, 1.5},
		{"1% loss", 0.01, 0, 0.60, 0.97, 10},
		{"1% reordering", 0, 0.01, 0.98, 1.4, 1.5},
		{"5% reordering", 0, 0.05, 0.98, 3, 1.5},
		{"1% loss, 1% reordering", 0.01, 0.01, 0.50, 1.1, 10},
		{"1% loss, 5% reordering", 0.01, 0.05, 0.45, 1.6, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const packet = 112 * time.Microsecond // 1400 octets
			l := line{
				lasts: 10 * time.Second, warmUp: time.Second,
				serial: packet, oneWay: time.Millisecond, queue: 64 * packet,
				loss: tt.loss, reorder: tt.reorder, detour: 2 * time.Millisecond,
			}
			mine := measure(l, 11, &ours{})
			kernel := measure(l, 11, &dropLate{})
			fixed := measure(l, 11, &fixedHold{held: map[uint32]time.Duration{}})
			t.Logf("goodput: ours %.3f, drop late %.3f, fixed 0.3 s %.3f", mine.goodput, kernel.goodput, fixed.goodput)
			t.Logf("ours: %d of %d overtaken packets saved, held packets wait %v, p99 %v, most %v",
				mine.saved, mine.overtaken, mine.median, mine.p99, mine.most)
			if mine.goodput < tt.goodput {
				t.Errorf("goodput %.3f, want %.2f", mine.goodput, tt.goodput)
			}
			if mine.goodput < tt.kernel*kernel.goodput || mine.goodput < tt.fixed*fixed.goodput {
				t.Errorf("goodput %.3f is not %v times %.3f (drop late) and %v times %.3f (fixed)",
					mine.goodput, tt.kernel, kernel.goodput, tt.fixed, fixed.goodput)
			}
			if tt.reorder > 0 && (mine.overtaken < 100 || float64(mine.saved) < 0.95*float64(mine.overtaken)) {
				t.Errorf("%d of %d overtaken packets saved", mine.saved, mine.overtaken)
			}
			if mine.median > 5*time.Millisecond || mine.most > 12*time.Millisecond {
				t.Errorf("held packets wait %v, most %v", mine.median, mine.most)
			}
		})
	}
}
