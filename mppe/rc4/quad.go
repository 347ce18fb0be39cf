//go:build (amd64 || arm64) && !purego

package rc4

// A quad is up to four streams in scalar assembly, their steps interleaved in
// phases: all loads of a step, then all stores.
type quad struct {
	s      tables
	key    [4][KeyLen]byte
	j      [4]uint64
	i      uint64
	pos    uint64   // in all of data
	blocks uint64   // to go, of 16 octets
	data   [4]*byte // set during a call of assembly only
	alone  Cipher   // scratch of finish
}

// schedule4 starts all four streams with their keys.
//
//go:noescape
func schedule4(q *quad)

// schedule2 starts the first two.
//
//go:noescape
func schedule2(q *quad)

// stream4 runs blocks of all four streams' data.
//
//go:noescape
func stream4(q *quad)

// stream2 runs blocks of the first two's.
//
//go:noescape
func stream2(q *quad)

// stream1 runs n octets at p through one stream, which ends with that.
//
//go:noescape
func stream1(q *quad, stream int, p *byte, n int)

// xor runs streams four by four, longest first, then two of the rest. What it
// returns is the one left over, if any.
func (q *quad) xor(keys [][KeyLen]byte, data [][]byte, order []int) []int {
	for ; len(order) >= 4; order = order[4:] {
		q.xor4(keys, data, order)
	}
	if len(order) >= 2 {
		q.xor2(keys, data, order)
		order = order[2:]
	}
	return order
}

// xor4 runs the first four of order, longest first.
func (q *quad) xor4(keys [][KeyLen]byte, data [][]byte, order []int) {
	a, b, c, d := data[order[0]], data[order[1]], data[order[2]], data[order[3]]
	for n := range 4 {
		q.key[n] = keys[order[n]]
	}
	schedule4(q)
	q.pos = 0
	if q.blocks = uint64(len(d) / 16); q.blocks > 0 {
		q.data = [4]*byte{&a[0], &b[0], &c[0], &d[0]}
		stream4(q)
	}
	q.finish(3, d)
	q.finish(2, c)
	q.finish2(a, b)
}

// xor2 runs the first two of order, longest first.
func (q *quad) xor2(keys [][KeyLen]byte, data [][]byte, order []int) {
	q.key[0], q.key[1] = keys[order[0]], keys[order[1]]
	schedule2(q)
	q.pos = 0
	q.finish2(data[order[0]], data[order[1]])
}

// finish2 runs what is left of the first two streams' data.
func (q *quad) finish2(a, b []byte) {
	if q.blocks = (uint64(len(b)) - q.pos) / 16; q.blocks > 0 {
		q.data = [4]*byte{&a[0], &b[0]}
		stream2(q)
	}
	q.data = [4]*byte{}
	q.finish(1, b)
	q.finish(0, a)
}

// aloneLen is from how many octets on a stream that goes on alone is faster as a
// Cipher, the copy of its table included.
const aloneLen = 128

// finish runs what is left of one stream's data.
func (q *quad) finish(stream int, data []byte) {
	switch rest := data[q.pos:]; {
	case len(rest) >= aloneLen:
		q.s.take(stream, &q.alone.s)
		q.alone.i, q.alone.j = uint8(q.i), uint8(q.j[stream])
		q.alone.XOR(rest)
	case len(rest) > 0:
		stream1(q, stream, &rest[0], len(rest))
	}
}
