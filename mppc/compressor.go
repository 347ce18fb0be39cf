package mppc

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

const (
	// hashBits is the width of the table of places where three octets were last
	// seen: half as many entries as the history has octets.
	hashBits = 12
	// maxProbes bounds the search: how many places are compared for one place of
	// the packet. A comparison goes at most as far as the match that is then taken,
	// or one octet, so whatever is in a packet, each of its octets costs at most
	// maxProbes comparisons and one entry in the table.
	maxProbes = 8
	// niceLen is a match that is good enough to end the search.
	niceLen = 64
	// boredom is after how many octets without a match one more is left out of the
	// search, and so on: what is encrypted or compressed already costs little.
	boredom = 32
	// reserve is left free at the end of the history. Other compressors do so,
	// and a peer's decompressor may never have seen it used.
	reserve = 4
	// Slack is how far the output may run past the packet's own length before
	// that is noticed: the code of one literal or match.
	Slack = 16
)

// MaxPacket is the longest packet that is compressed.
const MaxPacket = historyLen - reserve

// A Compressor compresses one direction. Its zero value is ready.
//
// The history holds the packet to be compressed from pos on. Before it, from 0,
// stands what was sent since the front was last taken; behind it, up to high,
// what is left of the round before. Nothing else is referred to, so entries of
// heads and chain may be stale: a candidate counts only if it lies in one of
// these two parts and has the same octets.
type Compressor struct {
	history [historyLen]byte
	pos     int
	high    int
	flushed bool // the next compressed packet says so
	heads   [1 << hashBits]uint16
	chain   [historyLen]uint16 // the place before with the same hash
}

// Flush makes the history empty: the next compressed packet depends on none
// before it, and is marked Flushed.
func (c *Compressor) Flush() {
	c.pos, c.high, c.flushed = 0, 0, true
}

// Compress appends src, a PPP frame from its protocol field on, in compressed
// form to dst. Without the flag Compressed nothing was gained: dst is returned
// as it was, src is to be sent as it is, and the history is flushed. dst should
// have room for RoomFor(len(src)) octets; src and dst must not overlap.
func (c *Compressor) Compress(dst, src []byte) ([]byte, Flags) {
	if len(src) > MaxPacket {
		c.Flush()
		return dst, 0
	}
	if c.pos+len(src) > MaxPacket {
		c.pos, c.high = 0, max(c.high, c.pos)
	}
	flags := Compressed
	if c.pos == 0 {
		flags |= AtFront
	}
	if c.flushed {
		flags |= Flushed
	}
	end := c.pos + copy(c.history[c.pos:], src)
	start := len(dst)
	room := slices.Grow(dst, RoomFor(len(src)))[:start+RoomFor(len(src))]
	n := c.encode(room[start:], c.pos, end)
	if n >= len(src) {
		c.Flush()
		return dst, 0
	}
	c.pos, c.flushed = end, false
	return room[:start+n], flags
}

// RoomFor is how much room Compress needs behind dst for a packet of n octets.
func RoomFor(n int) int { return n + Slack }

// encode writes history[p:end] to out and returns the length of that. It gives
// up when it is not shorter than what it stands for.
func (c *Compressor) encode(out []byte, p, end int) int {
	w := writer{out: out}
	limit := end - p
	h := &c.history
	literals, next := 0, p // literals in a row; the place to search at next
	for p < end {
		if w.n >= limit {
			return limit
		}
		length, offset := 0, 0
		if p >= next && end-p >= minMatch {
			length, offset = c.find(p, end)
		}
		if length == 0 {
			if p >= next {
				next = p + 1 + literals/boredom
			}
			literals++
			if b := uint64(h[p]); b < 0x80 {
				w.put(b, 8) // 0 and seven bits (RFC 2118, section 4.1)
			} else {
				w.put(0x100|b&0x7f, 9) // 10 and the other seven bits
			}
			p++
			continue
		}
		w.offset(offset)
		w.length(length)
		literals, next = 0, p+length
		for p++; p < next; p++ {
			if end-p >= minMatch {
				c.insert(p)
			}
		}
	}
	return w.close()
}

// hash is over the three octets at p.
func (c *Compressor) hash(p int) uint32 {
	h := &c.history
	v := uint32(h[p]) | uint32(h[p+1])<<8 | uint32(h[p+2])<<16
	return v * 0x9e3779b1 >> (32 - hashBits)
}

// insert notes the place p.
func (c *Compressor) insert(p int) {
	k := c.hash(p)
	c.chain[p] = c.heads[k]
	c.heads[k] = uint16(p)
}

// find gives the longest match for history[p:end] among the candidates, and
// notes the place p. A length of zero means that there is none.
func (c *Compressor) find(p, end int) (length, offset int) {
	h := &c.history
	k := c.hash(p)
	at := int(c.heads[k])
	c.chain[p] = uint16(at)
	c.heads[k] = uint16(p)
	best := minMatch - 1
	for range maxProbes {
		room := end - p
		if at >= p {
			// Of the round before: it must not have been written over, neither by
			// this packet, and ends where that round ended.
			room = min(room, c.high-at)
			if at < end || room < minMatch {
				break
			}
		}
		if room > best && h[at+best] == h[p+best] {
			if n := same(h[at:at+room], h[p:p+room]); n > best {
				best, offset = n, (p-at)&historyMask
				if n >= niceLen || n == end-p {
					break
				}
			}
		}
		before := int(c.chain[at])
		if before == at {
			break
		}
		at = before
	}
	if offset == 0 {
		return 0, 0
	}
	return best, offset
}

// same is how many octets a and b, of one length, have in common at the start.
func same(a, b []byte) int {
	n := 0
	for len(a)-n >= 8 {
		if x := binary.LittleEndian.Uint64(a[n:]) ^ binary.LittleEndian.Uint64(b[n:]); x != 0 {
			return n + bits.TrailingZeros64(x)/8
		}
		n += 8
	}
	for n < len(a) && a[n] == b[n] {
		n++
	}
	return n
}

// A writer writes bits, the highest first.
type writer struct {
	out  []byte
	n    int    // octets written
	acc  uint64 // its lowest have bits are still to be written
	have uint
}

// put writes the lowest n bits of v, at most 32.
func (w *writer) put(v uint64, n uint) {
	w.acc = w.acc<<n | v
	w.have += n
	if w.have >= 32 {
		w.have -= 32
		binary.BigEndian.PutUint32(w.out[w.n:], uint32(w.acc>>w.have))
		w.n += 4
	}
}

// offset writes the offset of a match (RFC 2118, section 4.2.1).
func (w *writer) offset(o int) {
	switch v := uint64(o); {
	case o < nearOffsets:
		w.put(0b1111<<6|v, 10)
	case o < midOffsets:
		w.put(0b1110<<8|(v-nearOffsets), 12)
	default:
		w.put(0b110<<13|(v-midOffsets), 16)
	}
}

// length writes the length of a match (RFC 2118, section 4.2.2). Lengths of k+1
// bits have k-1 ones, a zero and the k lower bits; 3 is a single zero.
func (w *writer) length(l int) {
	if l == minMatch {
		w.put(0, 1)
		return
	}
	k := uint(bits.Len(uint(l))) - 1
	ones := uint64(1)<<(k-1) - 1
	w.put(ones<<(k+1)|uint64(l)&(1<<k-1), 2*k)
}

// close fills the last octet with zeros and returns the length of all.
func (w *writer) close() int {
	for w.have > 0 {
		pad := uint(0)
		if w.have < 8 {
			pad = 8 - w.have
		}
		w.have -= 8 - pad
		w.out[w.n] = byte(w.acc >> w.have << pad)
		w.n++
	}
	return w.n
}
