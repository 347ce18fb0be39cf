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
