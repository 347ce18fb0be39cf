//go:build !purego

package rc4

import (
	"math"
	"sync"
	"time"

	"golang.org/x/sys/cpu"
)

// What the processor has. PINSRB is of SSE4.1; of AVX-512 it is F and BW.
var (
	scalar = cpu.X86.HasSSE41
	vector = scalar && cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasBMI2
)

// tables have entry n of stream m in the octet at 8n + 2m. The four stores to entry
// i of a step are so to the same eight octets, which counts: stores are what
// limits the speed.
type tables [256][4]uint16

// take copies the table of a stream.
func (t *tables) take(stream int, s *[256]uint32) {
	for i := range s {
		s[i] = uint32(t[i][stream&3])
	}
}

// scratch is what the paths in assembly work in. The lanes come first: a Batch
// of its own on the heap begins at a page, and so their rows at cache lines.
type scratch struct {
	lanes lanes
	quad  quad
}

// scheduleFast is schedule in assembly, where the compiler's spilled registers
// would be most of the cost.
//
//go:noescape
func scheduleFast(s *[256]uint32, key *[KeyLen]byte)

// xorFast runs the beginning of p through the stream in assembly and returns the
// rest.
func (c *Cipher) xorFast(p []byte) []byte {
	const worth = 16 // or more octets
	if !scalar || len(p) < worth {
		return p
	}
	if int(c.i)+len(p) >= len(c.s) {
		head := int(^c.i % 8)
		c.xor(p[:head])
		p = p[head:]
	}
	n := len(p) / 8
	streamFast(c, &p[0], n)
	return p[8*n:]
}

// streamFast runs n times eight octets through a stream, n being at least 1. Their
// entries do not go round the end of the table within the eight: i is a multiple
// of 8 at the first, or the table does not end before the last.
//
//go:noescape
func streamFast(c *Cipher, p *byte, n int)

// startWorth is what a stream costs beside its octets, in octets: the key
// schedule.
const startWorth = 220

// groupWorth is how many streams of equal length scalar assembly runs in the time
// that a group of 16 lanes takes, however few of them are filled. More than 16
// means that lanes are never worth it. It is measured, once, because it says
// little that a processor has the instructions: gather and scatter are so
// different in speed that it is about 11 on Intel's Sapphire Rapids and 28 on
// AMD's Zen 4.
var groupWorth = sync.OnceValue(func() int {
	const octets, rounds = 320, 5
	b := new(Batch)
	var keys [2 * groupLen][KeyLen]byte
	var data [2 * groupLen][]byte
	var order [2 * groupLen]int
	for i := range data {
		keys[i][0], data[i], order[i] = byte(i), make([]byte, octets), i
	}
	inLanes, inScalar := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for range rounds { // the shortest counts: what else the machine does only adds
		start := time.Now()
		b.scratch.lanes.run2(keys[:], data[:], order[:])
		middle := time.Now()
		b.scratch.quad.xor(keys[:], data[:], order[:])
		inLanes = min(inLanes, middle.Sub(start))
		inScalar = min(inScalar, time.Since(middle))
	}
	if inLanes <= 0 {
		return groupLen + 1 // a clock that stands still, as in some tests
	}
	return int(math.Ceil(groupLen * float64(inLanes) / float64(max(inScalar, 1))))
})

// forcedWorth is groupWorth when lanes are asked for whatever it is.
const forcedWorth = 11

// xorFast shares the streams out: to lanes where 16 of about the same length are
// worth it, the others four by four.
func (b *Batch) xorFast(keys [][KeyLen]byte, data [][]byte, order []int) {
	if !scalar {
		b.xorPairs(keys, data, order)
		return
	}
	switch {
	case b.path == Vector:
		order = b.xorLanes(keys, data, order, forcedWorth)
	case b.path == Auto && vector && len(order) >= groupLen/2:
		order = b.xorLanes(keys, data, order, groupWorth())
	}
	if order = b.scratch.quad.xor(keys, data, order); len(order) == 1 {
		b.ciphers[0].xorOne(&keys[order[0]], data[order[0]])
	}
}

// xorLanes runs streams in lanes and returns those for which that is not worth
// it: at the front the few that are much longer than those after them, at the
// end too few to fill a group.
func (b *Batch) xorLanes(keys [][KeyLen]byte, data [][]byte, order []int, worth int) (rest []int) {
	if worth > groupLen {
		return order
	}
	l := &b.scratch.lanes
	kept := 0 // the front of order has those left over so far
	for i := 0; i < len(order); {
		group := order[i:min(i+groupLen, len(order))]
		if !worthGroup(data, group, worth) {
			order[kept] = order[i]
			kept, i = kept+1, i+1
			continue
		}
		next := order[i+len(group) : min(i+2*groupLen, len(order))]
		if len(next) == 0 || !worthGroup(data, next, worth) {
			l.run1(keys, data, group)
			i += len(group)
			continue
		}
		l.run2(keys, data, order[i:i+len(group)+len(next)])
		i += len(group) + len(next)
	}
	return order[:kept]
}

// worthGroup reports whether a group of lanes is faster than scalar assembly, if
// it costs as much as worth streams of its longest one's length.
func worthGroup(data [][]byte, group []int, worth int) bool {
	var sum int
	for _, n := range group {
		sum += startWorth + len(data[n])
	}
	return sum >= worth*(startWorth+len(data[group[0]]))
}
