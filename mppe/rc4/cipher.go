package rc4

import "encoding/binary"

// KeyLen is the length of a key. One of 8 octets written twice is the same key:
// the key schedule repeats it anyway.
const KeyLen = 16

// A Cipher is one RC4 stream. Schedule starts it.
//
// The 256 entries are four octets each although they hold one: a load that
// closely follows a store to a neighbouring octet is slow on today's machines.
type Cipher struct {
	s        [256]uint32
	i, j     uint8
	portable bool // set by Force
}

// Force makes the Cipher take a path that Paths lists, or the fastest for Auto.
// It is for tests and measurements; the bytes are the same.
func (c *Cipher) Force(p Path) { c.portable = p == Portable }

// identity is the table before the key schedule.
var identity = func() (s [256]uint32) {
	for i := range s {
		s[i] = uint32(i)
	}
	return s
}()

// Schedule starts the cipher afresh.
func (c *Cipher) Schedule(key *[KeyLen]byte) {
	c.i, c.j = 0, 0
	if c.portable {
		schedule(&c.s, key)
	} else {
		scheduleFast(&c.s, key)
	}
}

// schedule is RC4's key schedule.
//
// A step swaps s[i] with an s[j] that depends on s[i], so each would wait for
// the store before it. Here eight entries are loaded ahead and reloaded in the
// rare case that the store of a step hit one of those still to come, which the
// processor predicts not to happen.
func schedule(s *[256]uint32, key *[KeyLen]byte) {
	*s = identity
	var j uint8
	for n := 0; n < len(s); n += 8 {
		i := uint8(n)
		g := (*[8]uint32)(s[n:])
		k := (*[8]byte)(key[n%KeyLen:])
		a0, a1, a2, a3, a4, a5, a6, a7 := g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7]
		j += uint8(a0) + k[0]
		g[0], s[j] = s[j], a0
		if j-i-1 < 7 {
			a1, a2, a3, a4, a5, a6, a7 = g[1], g[2], g[3], g[4], g[5], g[6], g[7]
		}
		j += uint8(a1) + k[1]
		g[1], s[j] = s[j], a1
		if j-i-2 < 6 {
			a2, a3, a4, a5, a6, a7 = g[2], g[3], g[4], g[5], g[6], g[7]
		}
		j += uint8(a2) + k[2]
		g[2], s[j] = s[j], a2
		if j-i-3 < 5 {
			a3, a4, a5, a6, a7 = g[3], g[4], g[5], g[6], g[7]
		}
		j += uint8(a3) + k[3]
		g[3], s[j] = s[j], a3
		if j-i-4 < 4 {
			a4, a5, a6, a7 = g[4], g[5], g[6], g[7]
		}
		j += uint8(a4) + k[4]
		g[4], s[j] = s[j], a4
		if j-i-5 < 3 {
			a5, a6, a7 = g[5], g[6], g[7]
		}
		j += uint8(a5) + k[5]
		g[5], s[j] = s[j], a5
		if j-i-6 < 2 {
			a6, a7 = g[6], g[7]
		}
		j += uint8(a6) + k[6]
		g[6], s[j] = s[j], a6
		if j == i+7 {
			a7 = g[7]
		}
		j += uint8(a7) + k[7]
		g[7], s[j] = s[j], a7
	}
}

// XOR encrypts or decrypts p in place.
func (c *Cipher) XOR(p []byte) {
	if !c.portable {
		p = c.xorFast(p)
	}
	c.xor(p)
}

// xor is the portable XOR.
func (c *Cipher) xor(p []byte) {
	s := &c.s
	i, j := c.i, c.j
	for ; len(p) >= 8; p = p[8:] {
		i++
		a := s[i]
		j += uint8(a)
		b := s[j]
		s[i], s[j] = b, a
		w := uint64(uint8(s[uint8(a+b)]))
		i++
		a = s[i]
		j += uint8(a)
		b = s[j]
		s[i], s[j] = b, a
		w |= uint64(uint8(s[uint8(a+b)])) << 8
		i++
		a = s[i]
		j += uint8(a)
		b = s[j]
		s[i], s[j] = b, a
		w |= uint64(uint8(s[uint8(a+b)])) << 16
		i++
		a = s[i]
		j += uint8(a)
		b = s[j]
		s[i], s[j] = b, a
		w |= uint64(uint8(s[uint8(a+b)])) << 24
		i++
		a = s[i]
		j += uint8(a)
		b = s[j]
		s[i], s[j] = b, a
		w |= uint64(uint8(s[uint8(a+b)])) << 32
		i++
		a = s[i]
		j += uint8(a)
		b = s[j]
		s[i], s[j] = b, a
		w |= uint64(uint8(s[uint8(a+b)])) << 40
		i++
		a = s[i]
		j += uint8(a)
		b = s[j]
		s[i], s[j] = b, a
		w |= uint64(uint8(s[uint8(a+b)])) << 48
		i++
		a = s[i]
		j += uint8(a)
		b = s[j]
		s[i], s[j] = b, a
		w |= uint64(uint8(s[uint8(a+b)])) << 56
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^w)
	}
	for n := range p {
		i++
		a := s[i]
		j += uint8(a)
		b := s[j]
		s[i], s[j] = b, a
		p[n] ^= uint8(s[uint8(a+b)])
	}
	c.i, c.j = i, j
}

// Rewind takes back the last n octets of key stream.
func (c *Cipher) Rewind(n int) {
	s := &c.s
	for range n {
		s[c.i], s[c.j] = s[c.j], s[c.i]
		c.j -= uint8(s[c.i])
		c.i--
	}
}
