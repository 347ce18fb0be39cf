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
// does to one connection through the tunnel. Its sender is NewReno with the loss
// detection that RFC 9002, section 6.1 shares with TCP's SACK: a packet is lost
// when one sent three packets later has been acknowledged, or when nothing has
// been for 200 ms. The path is 100 Mbit/s with a round trip of 2 ms; it loses
// packets and sends others on a detour of 2 ms.

const (
	pathTime      = 10 * time.Second
	pathWarmUp    = time.Second
	pathSerial    = 112 * time.Microsecond // 1400 octets at 100 Mbit/s
	pathOneWay    = time.Millisecond
	pathQueue     = 64
	pathDetour    = 2 * time.Millisecond
	pathMinRTO    = 200 * time.Millisecond
	pathThreshold = 3
	pathCapacity  = float64(pathTime / pathSerial)
	pathEpochUnix = 1000
)

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
	rand          *rand.Rand
	loss, reorder float64
	policy        policy
	now           time.Duration
	queue         events
	posted        int
	linkFree      time.Duration
	sent          []packet

	// The sender.
	cwnd, ssthresh   float64
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

func measure(loss, reorder float64, p policy) result {
	h := &path{
		rand: rand.New(rand.NewPCG(7, 11)), loss: loss, reorder: reorder, policy: p,
		cwnd: 10, ssthresh: 40, segments: map[int]bool{},
	}
	h.arm()
	h.send()
	for h.queue[0].at < pathTime {
		e := heap.Pop(&h.queue).(event)
		h.now = e.at
		switch e.kind {
		case arrival:
			h.arrive(e.n)
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
	h.result.goodput = float64(len(h.segments)) / pathCapacity
	if n := len(h.delays); n > 0 {
		slices.Sort(h.delays)
		h.result.median, h.result.p99, h.result.most = h.delays[n/2], h.delays[n*99/100], h.delays[n-1]
	}
	return h.result
}

func (h *path) post(at time.Duration, kind eventKind, n int) {
	h.posted++
	heap.Push(&h.queue, event{at, h.posted, kind, n})
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
		if free-h.now > pathQueue*pathSerial || h.rand.Float64() < h.loss {
			continue
		}
		h.linkFree = free + pathSerial
		at := h.linkFree + pathOneWay
		if h.rand.Float64() < h.reorder {
			at += pathDetour
		}
		h.post(at, arrival, len(h.sent)-1)
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
				h.ssthresh = max(h.cwnd/2, 2)
				h.cwnd, h.recover = h.ssthresh, len(h.sent)
			}
		}
	}
}

func (h *path) ack(n int) {
	p := &h.sent[n]
	p.acked = true
	if !p.lost {
		h.inflight--
		if h.cwnd < h.ssthresh {
			h.cwnd++
		} else if n >= h.recover {
			h.cwnd += 1 / h.cwnd
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
		if h.now > pathWarmUp {
			h.result.overtaken++
		}
	}
	h.highest = max(h.highest, n)
	h.deliver(h.policy.push(h.now, uint32(n)))
}

// deliver hands packets that leave the tunnel to the receiver.
func (h *path) deliver(out []uint32) {
	for _, n := range out {
		p := &h.sent[n]
		if d := h.now - p.arrived; d > 0 {
			h.delays = append(h.delays, d)
		}
		if p.late && p.arrived > pathWarmUp {
			h.result.saved++
		}
		h.segments[p.segment] = true
		h.post(h.now+pathOneWay, ack, int(n))
	}
	if at, ok := h.policy.deadline(); ok && at > h.now {
		h.post(at, deadline, 0)
	}
}

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
			mine := measure(tt.loss, tt.reorder, &ours{})
			kernel := measure(tt.loss, tt.reorder, &dropLate{})
			fixed := measure(tt.loss, tt.reorder, &fixedHold{held: map[uint32]time.Duration{}})
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
			if mine.median > 5*time.Millisecond || mine.most > 10*time.Millisecond {
				t.Errorf("held packets wait %v, most %v", mine.median, mine.most)
			}
		})
	}
}
