// Package placeholder lets programs use a tunnel before it has its address. A
// client that dials on demand has an interface with an address that is good for
// nothing but to have packets sent there. The packets that made it dial carry that
// address as their source; a Translator puts the tunnel's own in its place, and
// turns the answers to them back.
//
// It translates nothing but the packets of those programs, and no other address.
package placeholder

import (
	"encoding/binary"
	"net/netip"
	"sync"
)

// maxFlows bounds the connections that are remembered: those that were begun
// between the first packet and the end of the dialing, and their successors as
// long as a program holds on to the address. The oldest makes room.
const maxFlows = 1024

// Protocols whose packets have ports, or an identifier, and a checksum of their
// own.
const (
	protoICMP = 1
	protoTCP  = 6
	protoUDP  = 17
)

// A flow is a connection of a program that uses the placeholder.
type flow struct {
	peer      [4]byte
	proto     byte
	here, far uint16 // ports; for ICMP here is the identifier
}

// A Translator is safe for concurrent use. Make it with New.
type Translator struct {
	from, to [4]byte

	mu    sync.Mutex
	flows map[flow]bool
	order []flow // of flows, oldest first from next on
	next  int
}

// New makes a translator of packets that come from the placeholder from, for a
// tunnel whose own address is to. Both are IPv4.
func New(from, to netip.Addr) *Translator {
	return &Translator{from: from.As4(), to: to.As4(), flows: map[flow]bool{}}
}

// A header is the part of an IPv4 packet that is looked at.
type header struct {
	packet []byte
	length int // of the header
	proto  byte
	first  bool // not a later fragment: ports and checksum are there
}

// parse reports whether packet is an IPv4 packet with a whole header.
func parse(packet []byte) (h header, ok bool) {
	if len(packet) < 20 || packet[0]>>4 != 4 {
		return header{}, false
	}
	h = header{packet: packet, length: int(packet[0]&0xf) * 4, proto: packet[9]}
	h.first = binary.BigEndian.Uint16(packet[6:])&0x1fff == 0
	return h, h.length >= 20 && h.length <= len(packet)
}

// flow gives the packet's connection as the far end's packets show it.
func (h header) flow(outbound bool) flow {
	f := flow{proto: h.proto}
	copy(f.peer[:], h.packet[12:16])
	if outbound {
		copy(f.peer[:], h.packet[16:20])
	}
	rest := h.packet[h.length:]
	switch {
	case !h.first: // a later fragment follows its first by protocol and peer only
	case (h.proto == protoTCP || h.proto == protoUDP) && len(rest) >= 4:
		f.far, f.here = binary.BigEndian.Uint16(rest), binary.BigEndian.Uint16(rest[2:])
		if outbound {
			f.far, f.here = f.here, f.far
		}
	case h.proto == protoICMP && len(rest) >= 6:
		f.here = binary.BigEndian.Uint16(rest[4:])
	}
	return f
}

// Out gives a packet that leaves the tunnel's own address, if it has the
// placeholder.
func (t *Translator) Out(packet []byte) {
	h, ok := parse(packet)
	if !ok || t.from == t.to || [4]byte(packet[12:16]) != t.from {
		return
	}
	t.remember(h.flow(true))
	h.replace(12, t.to)
}

// In gives a packet that comes the placeholder again, if it belongs to a
// connection that uses it.
func (t *Translator) In(packet []byte) {
	h, ok := parse(packet)
	if !ok || [4]byte(packet[16:20]) != t.to || !t.knows(h.flow(false)) {
		return
	}
	h.replace(16, t.from)
}

func (t *Translator) remember(f flow) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.flows[f] {
		return
	}
	if len(t.order) < maxFlows {
		t.order = append(t.order, f)
	} else {
		delete(t.flows, t.order[t.next])
		t.order[t.next] = f
		t.next = (t.next + 1) % maxFlows
	}
	t.flows[f] = true
}

func (t *Translator) knows(f flow) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.flows[f]
}

// replace writes an address into the header, at an offset, and brings the
// checksums in line.
func (h header) replace(at int, a [4]byte) {
	old := [4]byte(h.packet[at : at+4])
	copy(h.packet[at:], a[:])
	patch(h.packet[10:12], old, a)
	if !h.first {
		return
	}
	switch rest := h.packet[h.length:]; {
	case h.proto == protoTCP && len(rest) >= 18:
		patch(rest[16:18], old, a)
	case h.proto == protoUDP && len(rest) >= 8 && (rest[6] != 0 || rest[7] != 0): // zero is no checksum
		patch(rest[6:8], old, a)
		if rest[6] == 0 && rest[7] == 0 {
			rest[6], rest[7] = 0xff, 0xff // RFC 768
		}
	}
}

// patch changes a checksum as the change of four octets under it asks for (RFC
// 1624, equation 3).
func patch(sum []byte, old, now [4]byte) {
	s := uint32(^binary.BigEndian.Uint16(sum))
	for i := 0; i < 4; i += 2 {
		s += uint32(^binary.BigEndian.Uint16(old[i:])) + uint32(binary.BigEndian.Uint16(now[i:]))
	}
	for s>>16 != 0 {
		s = s&0xffff + s>>16
	}
	binary.BigEndian.PutUint16(sum, ^uint16(s))
}
