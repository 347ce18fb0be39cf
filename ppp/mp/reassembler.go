package mp

import "errors"

// What became of a fragment that is not part of a packet. They are sentinels
// because the data path counts them by kind and never formats them; the
// Reassembler goes on after each.
var (
	ErrLate    = errors.New("mp: fragment seen before, or out of order")
	ErrNoBegin = errors.New("mp: fragment of a packet without beginning")
	ErrTooLong = errors.New("mp: packet larger than the MRRU")
)

// Limits of a Reassembler.
const (
	// protocolLen is the protocol field, which the MRRU does not count.
	protocolLen = 2
	// firstRoom is what the buffer begins with: the packets of an Ethernet.
	firstRoom = 2048
	// backwardRun is how many fragments behind the one expected, each the
	// successor of the one before it, prove that the peer numbers afresh or that
	// we were led astray by a forged number. Fewer are duplicates.
	backwardRun = 4
)

// Counters of a Reassembler. A fragment is counted in at most one of Malformed,
// Late, NoBegin and TooLong.
type Counters struct {
	Packets   uint64 // put together
	Lost      uint64 // fragments that never came, by the gaps in the numbers
	Cut       uint64 // packets begun and never completed
	Malformed uint64 // fragments without a header, packets without an octet
	Late      uint64 // fragments seen before, or out of order
	NoBegin   uint64 // fragments of packets whose beginning was lost or given up
	TooLong   uint64 // packets above the MRRU
	Resync    uint64 // times that the numbers were taken up behind the last one
}

// A Reassembler puts the fragments of one direction together. With one link and
// in its order, a fragment that is not there when the next one comes is lost
// (RFC 1990, section 4.1: M is the number received last), so nothing ever waits:
// at most one packet is under way.
//
// RFC 1990 has the numbers begin with zero, but the first fragment starts the
// stream here, whatever its number: Linux goes on counting when LCP is negotiated
// anew. A peer that does start from zero again is followed after four fragments.
//
// All methods belong to one goroutine, or to who holds the owner's lock.
type Reassembler struct {
	Counters

	limit   int // of a frame, protocol field included
	short   bool
	started bool
	next    uint32 // number expected
	stray   uint32 // number expected by the run behind it
	run     int    // its length
	open    bool   // a packet is under way
	buf     []byte // its data so far; grows up to limit and is kept
}

// NewReassembler makes a Reassembler for packets with up to mrru octets behind
// their protocol field. short is the format that we asked the peer for.
func NewReassembler(mrru int, short bool) *Reassembler {
	return &Reassembler{limit: max(mrru, 0) + protocolLen, short: short}
}

// Input takes a fragment, what follows the protocol field 0x003D. When it
// completes a packet, frame is that packet from its protocol field on, which may
// be compressed. Without an error and without a frame there is more to come; an
// error says that the fragment was dropped.
//
// frame is a slice of fragment or of the Reassembler's buffer: the caller may
// write over it, and it holds until the next Input.
func (r *Reassembler) Input(fragment []byte) (frame []byte, err error) {
	var h Header
	data, err := h.Parse(fragment, r.short)
	if err != nil {
		r.Malformed++
		return nil, err
	}
	if !r.follow(h.Sequence) {
		r.Late++
		return nil, ErrLate
	}
	if h.Begin {
		r.giveUp() // its end was never sent
		r.open, r.buf = true, r.buf[:0]
	} else if !r.open {
		r.NoBegin++
		return nil, ErrNoBegin
	}
	if len(r.buf)+len(data) > r.limit {
		r.open = false
		r.TooLong++
		return nil, ErrTooLong
	}
	if !h.Begin || !h.End { // one that is whole is not copied
		r.grow(len(data))
		r.buf = append(r.buf, data...)
		data = r.buf
	}
	if !h.End {
		return nil, nil
	}
	r.open = false
	if len(data) == 0 {
		r.Malformed++
		return nil, ErrShort
	}
	r.Packets++
	return data, nil
}

// follow moves on to the number after sequence, unless that is behind us. A gap
// ends the packet under way.
func (r *Reassembler) follow(sequence uint32) bool {
	all := mask(r.short)
	if !r.started {
		r.started, r.next = true, sequence
	}
	switch ahead := (sequence - r.next) & all; {
	case ahead == 0:
	case ahead <= all/2:
		r.Lost += uint64(ahead)
		r.giveUp()
	case r.repeats(sequence, all):
		r.Resync++
		r.giveUp()
	default:
		return false
	}
	r.next, r.run = (sequence+1)&all, 0
	return true
}

// repeats tells whether the fragments behind us have become a stream.
func (r *Reassembler) repeats(sequence, all uint32) bool {
	if r.run == 0 || sequence != r.stray {
		r.run = 0
	}
	r.run++
	r.stray = (sequence + 1) & all
	return r.run == backwardRun
}

// giveUp drops the packet under way.
func (r *Reassembler) giveUp() {
	if r.open {
		r.open = false
		r.Cut++
	}
}

// grow makes room for n more octets, by doubling and never beyond the limit.
func (r *Reassembler) grow(n int) {
	need := len(r.buf) + n
	if need <= cap(r.buf) {
		return
	}
	room := make([]byte, len(r.buf), min(r.limit, max(need, 2*cap(r.buf), firstRoom)))
	copy(room, r.buf)
	r.buf = room
}
