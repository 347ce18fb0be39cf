package mppe

import (
	"crypto/sha1"

	"gopptp/mppe/rc4"
)

// keyLen is the length of the longest session key. The shorter ones, of 8
// octets, are kept twice in a row.
const keyLen = rc4.KeyLen

// A chain is the session keys of one direction (RFC 3079, section 3;
// RFC 3078, section 7).
type chain struct {
	start    [keyLen]byte // StartKey: the same for all keys of the chain
	key      [keyLen]byte // the current session key
	strength Strength
}

// newChain makes the initial session key. Its place in the chain is before the
// first packet.
func newChain(cfg Config, start StartKey) (c chain) {
	c.strength = cfg.Strength
	switch cfg.Strength {
	case Bits40, Bits56:
		copy(c.start[:], start.Short[:])
	case Bits128:
		c.start = start.Long
	default:
		if !cfg.Compress {
			panic("mppe: keys asked for without encryption")
		}
		return c // compression only has no keys
	}
	c.key = c.start
	c.key = c.fromSHA()
	c.salt()
	return c
}

// len is the length of the session keys in octets.
func (c *chain) len() int {
	if c.strength == Bits128 {
		return 16
	}
	return 8
}

// fromSHA is GetNewKeyFromSHA (RFC 3079, section 3.4): a hash over the start
// key and the current key, each with its padding, cut to the length of a key.
func (c *chain) fromSHA() (key [keyLen]byte) {
	const padLen = 40
	var b [2 * (keyLen + padLen)]byte
	n := c.len()
	copy(b[:], c.start[:n])
	p := b[n+padLen : 2*(n+padLen)]
	copy(p, c.key[:n])
	for i := n; i < len(p); i++ {
		p[i] = 0xf2
	}
	sum := sha1.Sum(b[:2*(n+padLen)])
	copy(key[:n], sum[:])
	return key
}

// next changes the session key: it encrypts the new key with itself (RFC 3078,
// section 7.3). t is scratch and left in an unspecified state.
func (c *chain) next(t *cipher) {
	if hashes && c.strength == Bits128 && !t.portable {
		hashFast(&c.key, &c.start)
	} else {
		c.key = c.fromSHA()
		c.double()
	}
	t.Schedule(&c.key)
	t.XOR(c.key[:c.len()])
	c.salt()
}

// salt makes a key weak enough for its name (RFC 3079, section 3.5): 24 or 8
// bits of it are known to everybody.
func (c *chain) salt() {
	switch c.strength {
	case Bits40:
		c.key[0], c.key[1], c.key[2] = 0xd1, 0x26, 0x9e
	case Bits56:
		c.key[0] = 0xd1
	}
	c.double()
}

// double repeats a short key.
func (c *chain) double() {
	if c.len() == 8 {
		copy(c.key[8:], c.key[:8])
	}
}
