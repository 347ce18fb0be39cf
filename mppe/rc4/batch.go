package rc4

import "slices"

// batchLen is how many streams are looked at together.
const batchLen = 64

// A Batch is the working memory for many streams at once. Its zero value is
// ready, and fastest on the heap as an object or the front of an object. It
// belongs to one goroutine at a time, keeps nothing from one call to the next
// that anybody needs, and so can be shared by many sessions.
type Batch struct {
	scratch scratch
	ciphers [2]Cipher
	path    Path
	sorted  [batchLen]uint64
	order   [batchLen]int
}

// Force makes the Batch take a path that Paths lists, or the best for Auto. It is
// for tests and measurements; the bytes are the same.
func (b *Batch) Force(p Path) {
	if p != Auto && !slices.Contains(Paths(), p) {
		panic("rc4: this machine has no such path: " + p.String())
	}
	b.path = p
	for i := range b.ciphers {
		b.ciphers[i].Force(p)
	}
}

// XOR encrypts or decrypts each of data in place, from the beginning of the
// stream of the key of the same index. There are as many keys as data, which do
// not overlap and have any lengths.
func (b *Batch) XOR(keys [][KeyLen]byte, data [][]byte) {
	keys = keys[:len(data)]
	for len(data) > batchLen {
		b.xor(keys[:batchLen], data[:batchLen])
		keys, data = keys[batchLen:], data[batchLen:]
	}
	b.xor(keys, data)
}

// xor is XOR for at most batchLen. Streams side by side take as long as the
// longest of them, so they are put in order of length.
func (b *Batch) xor(keys [][KeyLen]byte, data [][]byte) {
	n := 0
	for i, d := range data {
		if len(d) > 0 {
			b.sorted[n] = uint64(len(d))*batchLen + uint64(batchLen-1-i)
			n++
		}
	}
	sorted := b.sorted[:n]
	slices.Sort(sorted)
	order := b.order[:n]
	for i, v := range sorted {
		order[n-1-i] = batchLen - 1 - int(v%batchLen)
	}
	switch {
	case n == 0:
	case n == 1:
		b.ciphers[0].xorOne(&keys[order[0]], data[order[0]])
	case b.path == Portable:
		b.xorPairs(keys, data, order)
	default:
		b.xorFast(keys, data, order)
	}
}

// xorPairs is the portable path. order has the longest first.
func (b *Batch) xorPairs(keys [][KeyLen]byte, data [][]byte, order []int) {
	x, y := &b.ciphers[0], &b.ciphers[1]
	for ; len(order) >= 2; order = order[2:] {
		m, n := order[0], order[1]
		xorPair(x, y, &keys[m], &keys[n], data[m], data[n])
	}
	if len(order) == 1 {
		x.xorOne(&keys[order[0]], data[order[0]])
	}
}

// xorOne is one stream from its beginning.
func (c *Cipher) xorOne(key *[KeyLen]byte, p []byte) {
	c.Schedule(key)
	c.XOR(p)
}
