//go:build (!amd64 && !arm64) || purego

package rc4

// This machine has the portable path only.
const scalar, vector = false, false

// scratch is what the other paths work in.
type scratch struct{}

func scheduleFast(s *[256]uint32, key *[KeyLen]byte) { schedule(s, key) }

func (c *Cipher) xorFast(p []byte) []byte { return p }

func (b *Batch) xorFast(keys [][KeyLen]byte, data [][]byte, order []int) {
	b.xorPairs(keys, data, order)
}
