package mppe

import (
	"encoding/binary"
	"errors"
)

// Errors of Open. They are sentinels because the data path counts them by kind
// and never formats them. After each of them the packet is as it was and the
// Receiver goes on.
var (
	ErrShort        = errors.New("mppe: short packet")
	ErrNotEncrypted = errors.New("mppe: packet not marked as encrypted")
	ErrNotFlushed   = errors.New("mppe: stateless packet without fresh tables")
	ErrLate         = errors.New("mppe: coherency count runs backwards")
	ErrJump         = errors.New("mppe: coherency count jumps too often")
	ErrGarbled      = errors.New("mppe: no PPP frame under this key")
	ErrReset        = errors.New("mppe: packets lost, waiting for fresh tables")
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
	// patience is the number of packets refused in a row after which the
	// stream is believed to have moved on by more than the count can say.
	patience = 8
	// huntStep is how many keys are tried for each packet refused after that,
	// and huntReach how far the hunt goes: 2^16 packets are seven seconds at
	// 100 Mbit/s, an outage that ends most calls.
	huntStep  = 32
	huntReach = 1 << 16
	// resetTurns is how often the count may have gone round unseen when fresh
	// tables arrive in stateful mode, where a turn costs but 16 key changes.
	resetTurns = 4
)

// A Receiver decrypts one direction. Packets should come in the order of their
// count, as gre.Reorder gives them. All methods belong to one goroutine.
//
// The key chain moves only for packets that look like PPP under their key (see
// plausible), so a forged or damaged packet is refused and no harm is done. One
// in four hundred forged packets passes by chance; the keys are then ahead of
// the true stream, which is late until its count has caught up. More than 2,047
// packets lost in a row look late as well; when refusals last, the keys ahead
// are searched for the one that fits.
type Receiver struct {
	chain    chain
	tables   *rc4   // stateful mode only
	next     uint16 // count of the packet expected
	credit   uint16
	refused  uint16 // packets in a row
	lost     bool
	hunted   uint32 // how far hunt is ahead of chain
	cooldown uint16 // keys to pass by before the next is tried on a packet
	hunt     chain
}

// NewReceiver starts the receiving direction. cfg must have a Strength.
func NewReceiver(cfg Config, key StartKey) *Receiver {
	r := &Receiver{chain: newChain(cfg, key), credit: maxCredit}
	if !cfg.Stateless {
		r.tables = new(rc4)
		r.tables.schedule(&r.chain.key)
	}
	return r
}

// NeedsReset reports that packets cannot be opened until the peer does
// something about it: in stateful mode answer a CCP Reset-Request, in stateless
// mode, where there is none, negotiate CCP again. It becomes false by itself
// when a packet can be opened.
func (r *Receiver) NeedsReset() bool { return r.lost }

// Open decrypts b, what follows the protocol field 0x00FD, in place and returns
// the PPP frame in it, from its protocol field on. inner is a slice of b. On
// error b is as it was.
func (r *Receiver) Open(b []byte) (inner []byte, err error) {
	if len(b) <= Overhead {
		return nil, ErrShort
	}
	header := binary.BigEndian.Uint16(b)
	if header&bitEncrypted == 0 {
		return nil, ErrNotEncrypted
	}
	inner = b[Overhead:]
	count, flushed := header&countMask, header&bitFlushed != 0
	switch {
	case r.tables != nil:
		err = r.openStateful(count, flushed, inner)
	case !flushed:
		// Every packet of stateless mode has the bit (RFC 3078, section 3).
		return nil, ErrNotFlushed
	default:
		err = r.openStateless(count, inner)
	}
	if err != nil {
		r.refused = min(r.refused+1, 1<<15)
		return nil, err
	}
	r.next = (count + 1) & countMask
	r.refused, r.lost = 0, false
	return inner, nil
}

// openStateless opens p with the key of its count (RFC 3078, section 8.1).
func (r *Receiver) openStateless(count uint16, p []byte) (err error) {
	r.credit = min(r.credit+creditPerPacket, maxCredit)
	ahead := (count - r.next) & countMask
	switch {
	case ahead > maxAhead:
		err = ErrLate
	case ahead > r.credit:
		err = ErrJump
	default:
		r.credit -= ahead
		var t rc4
		c := r.chain
		for range ahead + 1 {
			c.next(&t)
		}
		t.schedule(&c.key)
		if t.open(p) {
			r.chain = c
			return nil
		}
		err = ErrGarbled
	}
	if r.refused >= patience && r.openHunted(count, p) {
		return nil
	}
	return err
}

// openHunted advances the hunt by at most huntStep keys and tries p when its
// count is among them. The peer is at one of the positions ahead that have the
// count, 4,096 apart, and moves on by one key for each packet, so the hunt
// catches up.
func (r *Receiver) openHunted(count uint16, p []byte) bool {
	if r.refused == patience {
		r.hunt, r.hunted, r.cooldown = r.chain, 0, 0
	}
	if r.hunted >= huntReach {
		r.lost = true
		return false
	}
	var t rc4
	steps := (count - r.next - uint16(r.hunted)) & countMask
	try := r.cooldown == 0 && steps < huntStep
	if try {
		steps++
	} else {
		steps = huntStep
	}
	for range steps {
		r.hunt.next(&t)
	}
	r.hunted += uint32(steps)
	r.cooldown -= min(r.cooldown, steps)
	if !try {
		return false
	}
	t.schedule(&r.hunt.key)
	if t.open(p) {
		r.chain = r.hunt
		return true
	}
	// The next packets would be tried on the same turn of the count.
	r.cooldown = maxAhead
	return false
}

// openStateful opens p with tables that have seen all packets since they were
// made (RFC 3078, section 8.2).
func (r *Receiver) openStateful(count uint16, flushed bool, p []byte) error {
	ahead := (count - r.next) & countMask
	if r.refused >= patience {
		r.lost = true
	}
	if ahead > maxAhead && !r.lost {
		return ErrLate
	}
	flag := count&flagCount == flagCount
	switch {
	case flushed || flag:
		// Fresh tables need none of the packets before, lost or not.
		return r.openFresh(ahead, flag, p)
	case ahead != 0:
		// If this count is forged, the next packet is in order and all is well.
		r.lost = true
		return ErrReset
	case !r.tables.open(p):
		return ErrGarbled
	}
	return nil
}

// openFresh opens p with tables made for it. The key has changed for every flag
// packet on the way, this one included; if this is none, it is the answer to a
// Reset-Request and has the current key or, from Linux, the one after that.
func (r *Receiver) openFresh(ahead uint16, flag bool, p []byte) error {
	changes := int(r.next+ahead)/keyPackets - int(r.next)/keyPackets
	if flag {
		changes++
	}
	turns := 1
	if r.lost {
		turns = resetTurns
	}
	var t rc4
	c := r.chain
	done := 0
	for turn := range turns {
		for ; done < changes+turn*(countMask+1)/keyPackets; done++ {
			c.next(&t)
		}
		if r.openWith(c, p) {
			return nil
		}
		if !flag {
			after := c
			after.next(&t)
			if r.openWith(after, p) {
				return nil
			}
		}
	}
	return ErrGarbled
}

// openWith opens p with the tables of c's key and keeps both if it can.
func (r *Receiver) openWith(c chain, p []byte) bool {
	var t rc4
	t.schedule(&c.key)
	if !t.open(p) {
		return false
	}
	r.chain, *r.tables = c, t
	return true
}
