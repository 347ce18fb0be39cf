package mppe

import (
	"encoding/binary"
	"errors"
)

// Errors of Open. They are sentinels because the data path counts them by kind
// and never formats them. After each of them the packet is as it was, except with
// ErrPacked, and the Receiver goes on.
var (
	ErrShort        = errors.New("mppe: short packet")
	ErrNotEncrypted = errors.New("mppe: packet not marked as encrypted")
	ErrNotFlushed   = errors.New("mppe: stateless packet without fresh tables")
	ErrLate         = errors.New("mppe: coherency count runs backwards")
	ErrJump         = errors.New("mppe: coherency count jumps too often")
	ErrGarbled      = errors.New("mppe: no PPP frame under this key")
	ErrReset        = errors.New("mppe: packets lost, waiting for fresh tables")
	ErrEncrypted    = errors.New("mppe: packet marked as encrypted where there is no key")
	ErrPacked       = errors.New("mppe: no PPP frame in a compressed packet") // b is decrypted then
)

// Limits of a Receiver.
const (
	// maxAhead is how far the count may be ahead of the one expected; beyond,
	// in the other half of its 4,096 values, a packet is late. Catching up with
	// a late one would be about 4,095 key changes for nothing.
	maxAhead = 2047
	// creditPerPacket and maxCredit bound the key changes that forged counts
	// can ask for, at half a microsecond each: one jump of maxAhead at once, and
	// then on average 8 for each packet. Whoever must wait for credit after an
	// outage has it after 256 packets.
	creditPerPacket = 8
	maxCredit       = maxAhead + 1
	// resetTurns is how often the count may have gone round unseen, plus one,
	// when fresh tables arrive in stateful mode after a loss.
	resetTurns = 4
	// resetKeys is how many FLUSHED packets may have been lost with them that
	// changed the key of a Linux peer.
	resetKeys = 3
	// second is the number of packets refused in a row after which a position
	// that has been left is tried again. One alone is a duplicate or late.
	second = 2
)

// A Receiver decrypts one direction. Packets should come in the order of their
// count, as gre.Reorder gives them. All methods belong to one goroutine.
//
// The key chain moves only for packets that look like PPP under their key (see
// plausible), so a forged or damaged packet is refused and no harm is done. One
// in four hundred forged packets passes by chance, so the position that a jump
// leaves is remembered until the packet after the jump has come, and returned
// to if the stream goes on there. More than 2,047 packets lost in a row look
// late; when refusals last, the keys ahead are searched for the one that fits
// (see search).
type Receiver struct {
	position
	before   position // the last jump, while nothing has come after it
	jumped   bool
	tables   *cipher   // stateful mode only
	unpacker *unpacker // nil without compression
	credit   uint16
	refused  uint16 // packets in a row
	lost     bool
	search   // stateless mode only; good while searching
}

// A position is a place in the key chain.
type position struct {
	chain chain
	next  uint16 // count of the packet expected
}

// NewReceiver starts the receiving direction. cfg must be Active; without a
// Strength the key is not used.
func NewReceiver(cfg Config, key StartKey) *Receiver {
	r := &Receiver{position: position{chain: newChain(cfg, key)}, credit: maxCredit}
	if !cfg.Stateless && cfg.Strength != None {
		r.tables = new(cipher)
		r.tables.Schedule(&r.chain.key)
	}
	if cfg.Compress {
		r.unpacker = newUnpacker(cfg)
	}
	return r
}

// NeedsReset reports that packets cannot be opened until the peer does
// something about it: in stateful mode answer a CCP Reset-Request, in stateless
// mode, where there is none, negotiate CCP again. It becomes false by itself
// when a packet can be opened.
func (r *Receiver) NeedsReset() bool { return r.lost }

// Open decrypts b, what follows the protocol field 0x00FD, in place and returns
// the PPP frame in it, from its protocol field on. inner is a slice of b, or of
// a buffer of the Receiver's and good until the next Open, if the packet was
// compressed. On error b is as it was, except with ErrPacked.
func (r *Receiver) Open(b []byte) (inner []byte, err error) {
	if len(b) <= Overhead {
		return nil, ErrShort
	}
	header := binary.BigEndian.Uint16(b)
	if r.unpacker != nil {
		return r.openPacked(header, b[Overhead:])
	}
	if header&bitEncrypted == 0 {
		return nil, ErrNotEncrypted
	}
	inner = b[Overhead:]
	if err := r.decrypt(header, inner); err != nil {
		return nil, err
	}
	return inner, nil
}

// decrypt opens p under the count and the bit A of its header.
func (r *Receiver) decrypt(header uint16, p []byte) (err error) {
	count, flushed := header&countMask, header&bitFlushed != 0
	switch {
	case r.tables != nil:
		err = r.openStateful(count, flushed, p)
	case !flushed:
		// Every packet of stateless mode has the bit (RFC 3078, section 3).
		return ErrNotFlushed
	default:
		err = r.openStateless(count, p)
	}
	if err != nil {
		if r.refused = min(r.refused+1, 1<<15); r.refused == patience {
			r.search = search{hunt: r.chain}
		}
		return err
	}
	r.refused, r.lost = 0, false
	return nil
}

// move takes p, which comes after a jump or in order, for the true position.
func (r *Receiver) move(from position, jump bool, c chain, count uint16) {
	r.jumped = jump
	if jump {
		r.before = from
	}
	r.chain, r.next = c, (count+1)&countMask
}

// openStateless opens p with the key of its count (RFC 3078, section 8.1).
func (r *Receiver) openStateless(count uint16, p []byte) error {
	r.credit = min(r.credit+creditPerPacket, maxCredit)
	if r.searching() && r.openGuessed(count, p) {
		return nil
	}
	err := r.openAt(r.position, count, p)
	switch {
	case err == nil:
	case r.jumped && r.refused >= second && r.openAt(r.before, count, p) == nil:
		return nil
	case r.searching():
		r.openHunted(count, p)
	}
	return err
}

// openAt opens p with the key of its count as seen from a position.
func (r *Receiver) openAt(from position, count uint16, p []byte) error {
	ahead := (count - from.next) & countMask
	switch {
	case ahead > maxAhead:
		return ErrLate
	case ahead > r.credit:
		return ErrJump
	}
	r.credit -= ahead
	var t cipher
	c := from.chain
	for range ahead + 1 {
		c.next(&t)
	}
	t.Schedule(&c.key)
	if !r.believe(&t, &c, ahead == 0, count, p) {
		return ErrGarbled
	}
	r.move(from, ahead > 0, c, count)
	return nil
}

// openStateful opens p with tables that have seen all packets since they were
// made (RFC 3078, section 8.2).
func (r *Receiver) openStateful(count uint16, flushed bool, p []byte) error {
	ahead := (count - r.next) & countMask
	if r.refused >= patience {
		r.lost = true
	}
	switch fresh := flushed || count&flagCount == flagCount; {
	case ahead > maxAhead && !r.lost:
		return ErrLate
	case fresh:
		// Fresh tables need none of the packets before, lost or not.
		if r.openFresh(r.position, count, p) || r.jumped && r.lost && r.openFresh(r.before, count, p) {
			return nil
		}
		return ErrGarbled
	case ahead != 0:
		// If this count is forged, the next packet is in order and all is well.
		r.lost = true
		return ErrReset
	case !r.try(r.tables, p):
		return ErrGarbled
	}
	r.move(r.position, false, r.chain, count)
	return nil
}

// openFresh opens p with tables made for it. Seen from a position, the key has
// changed for every flag packet on the way, this one included. If this is none,
// it is the answer to a Reset-Request and has the current key or, from Linux,
// the one after that; each such answer lost has changed the key of Linux again.
func (r *Receiver) openFresh(from position, count uint16, p []byte) bool {
	ahead := (count - from.next) & countMask
	changes := int(from.next+ahead+1)/keyPackets - int(from.next)/keyPackets
	turns, keys := 1, 1
	if r.lost {
		turns, keys = resetTurns, resetKeys
	}
	c := from.chain
	done := 0
	for turn := range turns {
		first := changes + turn*(countMask+1)/keyPackets
		for key := first; key <= first+keys; key++ {
			var t cipher
			for ; done < key; done++ {
				c.next(&t)
			}
			t.Schedule(&c.key)
			if r.try(&t, p) {
				*r.tables = t
				r.move(from, true, c, count)
				return true
			}
		}
	}
	return false
}
