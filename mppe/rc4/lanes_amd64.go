//go:build !purego

package rc4

const (
	groupLen = 16 // lanes of a group: 32-bit words in a register
	blockLen = 64 // octets that are run at once: what a register holds of one stream
)

// lanes are up to 32 streams in two groups of 16, each stream in a lane of the
// registers. Row n of a group's table is entry n of its 16 streams, 64 octets;
// an entry v is the word v<<24 | v<<4. So the sum of two entries or of indices
// has in its bits 4 to 11 the row of an entry, which and and or with the number
// of the lane make the place of a word in the table, whatever stands in the
// other bits; and the octet of the key stream is on top.
type lanes struct {
	s      [2][256 * groupLen]uint32
	key    [2][KeyLen][groupLen]uint32       // v<<4
	stream [2][blockLen / 4][groupLen]uint32 // words of the key stream before they are turned into rows
	j      [2][groupLen]uint32
	data   [2][groupLen]*byte // set during XOR only
	left   [2][groupLen]int   // octets of data from the beginning; 0 where a lane is not used
	least  [2]int             // of left
}

// scheduleLanes1 starts the streams of the first group.
//
//go:noescape
func scheduleLanes1(l *lanes)

// scheduleLanes2 starts those of both.
//
//go:noescape
func scheduleLanes2(l *lanes)

// streamLanes1 runs the octets from pos, a multiple of 64, to end of the first
// group's data.
//
//go:noescape
func streamLanes1(l *lanes, pos, end int)

// streamLanes2 runs those of both groups', of which the second has none after end.
//
//go:noescape
func streamLanes2(l *lanes, pos, end int)

// set gives group g its streams, at most 16, longest first.
func (l *lanes) set(g int, keys [][KeyLen]byte, data [][]byte, order []int) {
	rows := &l.key[g]
	for lane := range groupLen {
		if lane >= len(order) {
			l.data[g][lane], l.left[g][lane] = nil, 0
			continue // with the key of another time
		}
		d := data[order[lane]]
		l.data[g][lane], l.left[g][lane] = &d[0], len(d)
		for i, v := range &keys[order[lane]] {
			rows[i][lane] = uint32(v) << 4
		}
	}
	l.least[g] = l.left[g][groupLen-1]
}

// run1 runs at most 16 streams, longest first.
func (l *lanes) run1(keys [][KeyLen]byte, data [][]byte, order []int) {
	l.set(0, keys, data, order)
	scheduleLanes1(l)
	streamLanes1(l, 0, l.left[0][0])
	clear(l.data[0][:])
}

// run2 runs more than 16 streams and at most 32, longest first. Where those of
// the second group have ended the first goes on alone.
func (l *lanes) run2(keys [][KeyLen]byte, data [][]byte, order []int) {
	l.set(0, keys, data, order[:groupLen])
	l.set(1, keys, data, order[groupLen:])
	scheduleLanes2(l)
	end := l.left[0][0]
	both := min((l.left[1][0]+blockLen-1)&^(blockLen-1), end)
	streamLanes2(l, 0, both)
	if both < end {
		streamLanes1(l, both, end)
	}
	clear(l.data[0][:])
	clear(l.data[1][:])
}
