//go:build !purego

package rc4

// Every processor of this kind has what the assembly needs, and none has lanes
// with a scatter that would be worth it.
const scalar, vector = true, false

// tables are those of the four streams, one after the other. An octet has a word
// of its own: there is no load of an octet at a multiple of a register.
type tables [4][256]uint32

// take copies the table of a stream.
func (t *tables) take(stream int, s *[256]uint32) { *s = t[stream] }

// scratch is what the path in assembly works in.
type scratch struct{ quad quad }

// scheduleFast has registers enough for the compiler.
func scheduleFast(s *[256]uint32, key *[KeyLen]byte) { schedule(s, key) }

func (c *Cipher) xorFast(p []byte) []byte { return p }

func (b *Batch) xorFast(keys [][KeyLen]byte, data [][]byte, order []int) {
	if order = b.scratch.quad.xor(keys, data, order); len(order) == 1 {
		b.ciphers[0].xorOne(&keys[order[0]], data[order[0]])
	}
}
