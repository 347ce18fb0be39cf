package mp

// A Fragmenter cuts the frames of one direction and numbers the fragments. The
// zero value writes long numbers and begins with zero, as a new bundle must
// (RFC 1990, section 3): Linux drops what seems to come before.
//
// One Fragmenter serves a call from its beginning to its end. When LCP is
// negotiated anew, the numbers go on: Linux goes on counting then, in both
// directions, and drops all that starts from zero again until it has caught up.
//
// All methods belong to one goroutine, or to who holds the owner's lock.
type Fragmenter struct {
	// Short is the peer's wish: it may change between two packets, and the
	// numbers go on in the other width.
	Short bool

	next uint32
}

// Cut begins a packet. frame is a PPP frame from its protocol field on, without
// address and control octets; mtu is the largest information field of a frame
// on the link, which a fragment's header and data share. All fragments but the
// last fill it. A frame that fits is one fragment, so that all packets of a
// bundle stand in one order.
//
// The fragments of a packet must be taken, by Next, before the next Cut. The
// packet holds on to frame, which must not change until then.
func (f *Fragmenter) Cut(frame []byte, mtu int) Packet {
	return Packet{f: f, rest: frame, room: max(mtu-Header{Short: f.Short}.Len(), 1), begin: true}
}

// A Packet is a frame that is being cut.
type Packet struct {
	f     *Fragmenter
	rest  []byte
	room  int // for data in one fragment, at least one octet
	begin bool
}

// Next gives the next fragment: its header, and its data as a slice of the
// frame. An empty frame has none.
//
// Push writes the header before the data, which for any fragment but the first
// is where the data of the fragment before it stands: who sends them together
// lets the first one stand where it is and copies the others.
func (p *Packet) Next() (h Header, data []byte, ok bool) {
	if len(p.rest) == 0 {
		return Header{}, nil, false
	}
	n := min(p.room, len(p.rest))
	data, p.rest = p.rest[:n:n], p.rest[n:]
	h = Header{Begin: p.begin, End: len(p.rest) == 0, Short: p.f.Short, Sequence: p.f.next & mask(p.f.Short)}
	p.begin = false
	p.f.next = (p.f.next + 1) & longMask
	return h, data, true
}
