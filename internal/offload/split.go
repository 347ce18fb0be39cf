package offload

import "encoding/binary"

// Complete makes the checksum of a packet that is to stay whole, if its header
// says that it has none yet. On error pkt is as it was.
func Complete(h Header, pkt []byte) error {
	if h.Flags&NeedsChecksum == 0 {
		return nil
	}
	start := int(h.ChecksumStart)
	at := start + int(h.ChecksumOffset)
	if at+2 > len(pkt) {
		return ErrMalformed
	}
	putChecksum(pkt[at:], Sum(pkt[start:], 0))
	return nil
}

// putChecksum writes the complement of sum, but not as zero: that would say of UDP
// that there is no checksum (RFC 768). In ones' complement it is the same number.
func putChecksum(field []byte, sum uint16) {
	if sum == 0xffff {
		sum = 0
	}
	binary.BigEndian.PutUint16(field, ^sum)
}

// A Split cuts one super packet, and remembers how far it got. The zero Split has
// nothing to cut.
type Split struct {
	pkt    []byte // the super packet; nil when all of it was given
	udp    bool
	ip     int    // octets of the IP header
	header int    // of all headers
	size   int    // payload of each segment but the last
	at     int    // where the payload of the next segment begins
	id     uint16 // of the next segment
	seq    uint32
}

// Start takes a super packet, which it reads until Pending is false. What was
// pending is forgotten, on error as well.
func (s *Split) Start(h Header, pkt []byte) error {
	*s = Split{}
	if len(pkt) < ipHeader || pkt[0]>>4 != 4 {
		return ErrMalformed
	}
	ip := int(pkt[0]&15) * 4
	fragment := binary.BigEndian.Uint16(pkt[ipFragment:])
	if ip < ipHeader || int(binary.BigEndian.Uint16(pkt[ipLength:])) != len(pkt) || fragment&^dontFragment != 0 {
		return ErrMalformed
	}
	next := Split{ip: ip, size: int(h.SegmentSize), id: binary.BigEndian.Uint16(pkt[ipID:])}
	switch protocol := pkt[ipProtocol]; {
	case h.Kind&^ECN == TCP4 && protocol == protocolTCP && len(pkt) >= ip+tcpHeader:
		offset := int(pkt[ip+tcpOffset]>>4) * 4
		if offset < tcpHeader {
			return ErrMalformed
		}
		next.header = ip + offset
		next.seq = binary.BigEndian.Uint32(pkt[ip+tcpSeq:])
	case h.Kind == UDP4 && protocol == protocolUDP:
		next.udp = true
		next.header = ip + udpHeader
	default:
		return ErrMalformed
	}
	if len(pkt) <= next.header || next.size == 0 {
		return ErrMalformed // it has nothing to cut, or no place where
	}
	next.pkt, next.at = pkt, next.header
	*s = next
	return nil
}

// Pending says that there are segments left.
func (s *Split) Pending() bool { return s.pkt != nil }

// Next writes the next segment, with all of its checksums, to the front of dst and
// returns its length. One that has no room there is lost, and fits is false. Without
// Pending it must not be called.
func (s *Split) Next(dst []byte) (n int, fits bool) {
	pkt, first := s.pkt, s.at == s.header
	end := min(s.at+s.size, len(pkt))
	n = s.header + end - s.at
	if fits = n <= len(dst); fits {
		dst = dst[:n]
		copy(dst, pkt[:s.header])
		copy(dst[s.header:], pkt[s.at:end])
		s.finish(dst, first, end == len(pkt))
	}
	s.id++
	s.seq += uint32(end - s.at)
	s.at = end
	if end == len(pkt) {
		s.pkt = nil
	}
	return n, fits
}

// finish sets what a segment has of its own. The flags go as the kernel would
// set them: the end of the data, and of the connection, is that of the last one;
// the answer to congestion is told once.
func (s *Split) finish(seg []byte, first, last bool) {
	binary.BigEndian.PutUint16(seg[ipLength:], uint16(len(seg)))
	binary.BigEndian.PutUint16(seg[ipID:], s.id)
	putIPChecksum(seg[:s.ip])
	body := seg[s.ip:]
	if s.udp {
		binary.BigEndian.PutUint16(body[udpLength:], uint16(len(body)))
		body[udpChecksum], body[udpChecksum+1] = 0, 0
		putChecksum(body[udpChecksum:], Sum(body, pseudo(seg, len(body))))
		return
	}
	binary.BigEndian.PutUint32(body[tcpSeq:], s.seq)
	if !first {
		body[tcpFlags] &^= flagCWR
	}
	if !last {
		body[tcpFlags] &^= flagFIN | flagPSH
	}
	body[tcpChecksum], body[tcpChecksum+1] = 0, 0
	binary.BigEndian.PutUint16(body[tcpChecksum:], ^Sum(body, pseudo(seg, len(body))))
}
