package rawgre

import (
	"encoding/binary"
	"net/netip"
)

// strip makes p the GRE packet inside the IPv4 packet p.Buf[:n] (RFC 791,
// section 3.1) and reports whether there is one. On false p is left alone.
//
// The kernel has checked all of this before it gives a packet to a raw socket,
// and has put fragments together again. It is checked once more because the
// bounds of a slice depend on it.
func (p *Packet) strip(n int) bool {
	b := p.Buf[:n]
	if len(b) < MinIPHeader || b[0]>>4 != 4 || b[9] != Protocol {
		return false
	}
	header := int(b[0]&0xf) * 4
	total := int(binary.BigEndian.Uint16(b[2:]))
	if header < MinIPHeader || total < header || total > len(b) {
		return false
	}
	// The flag "more fragments" and the fragment offset.
	if binary.BigEndian.Uint16(b[6:])&0x3fff != 0 {
		return false
	}
	p.Off, p.N = header, total-header
	p.Peer = netip.AddrFrom4([4]byte(b[12:16]))
	p.Local = netip.AddrFrom4([4]byte(b[16:20]))
	return true
}

// Adopt makes p the GRE packet inside an IPv4 packet that did not come by a socket, and
// that nobody has checked before, and reports whether it is one, sound and without
// options. p.Buf is then b.
func (p *Packet) Adopt(b []byte) bool {
	if len(b) < MinIPHeader || b[0] != 0x45 || headerSum(b[:MinIPHeader]) != 0xffff {
		return false
	}
	q := Packet{Buf: b}
	if !q.strip(len(b)) {
		return false
	}
	*p = q
	return true
}

// headerSum is the sum of the Internet checksum (RFC 1071) over an IPv4 header without
// options: all ones where the header is as it was sent.
func headerSum(b []byte) uint16 {
	var sum uint32
	for i := 0; i < MinIPHeader; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	sum = sum&0xffff + sum>>16
	return uint16(sum + sum>>16)
}
