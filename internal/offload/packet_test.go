package offload

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
)

// What follows is written without the package's own functions, so that it can
// contradict them.

// naive is the sum of RFC 1071 word by word, not inverted.
func naive(parts ...[]byte) uint16 {
	b := slices.Concat(parts...)
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		word := uint32(b[i]) << 8
		if i+1 < len(b) {
			word |= uint32(b[i+1])
		}
		sum += word
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}

// naivePseudo is the pseudo-header of a packet.
func naivePseudo(pkt []byte, length int) []byte {
	return append(slices.Clone(pkt[12:20]), 0, pkt[9], byte(length>>8), byte(length))
}

// A segmentSpec is a TCP or UDP packet to be made.
type segmentSpec struct {
	udp          bool
	from, to     byte // last octets of the addresses
	ports        uint16
	tos, ttl     byte
	id           uint16
	fragment     uint16
	seq, ack     uint32
	flags        byte
	window       uint16
	ipOptions    []byte
	options      []byte
	payload      []byte
	badIP, badTL bool // wrong checksums
}

func (s segmentSpec) packet() []byte {
	ip := make([]byte, 20, 1500)
	ip = append(ip, s.ipOptions...)
	ip[0] = 4<<4 | byte(len(ip)/4)
	ip[1] = s.tos
	binary.BigEndian.PutUint16(ip[4:], s.id)
	binary.BigEndian.PutUint16(ip[6:], s.fragment)
	ip[8] = s.ttl
	ip[9] = 6
	copy(ip[12:], []byte{192, 0, 2, s.from, 198, 51, 100, s.to})
	tl := make([]byte, 20)
	field := 16
	if s.udp {
		ip[9] = 17
		tl, field = tl[:8], 6
		binary.BigEndian.PutUint16(tl[4:], uint16(8+len(s.payload)))
	} else {
		tl = append(tl, s.options...)
		binary.BigEndian.PutUint32(tl[4:], s.seq)
		binary.BigEndian.PutUint32(tl[8:], s.ack)
		tl[12] = byte(len(tl)/4) << 4
		tl[13] = s.flags
		binary.BigEndian.PutUint16(tl[14:], s.window)
	}
	binary.BigEndian.PutUint16(tl[0:], s.ports)
	binary.BigEndian.PutUint16(tl[2:], 443)
	tl = append(tl, s.payload...)
	binary.BigEndian.PutUint16(tl[field:], ^naive(naivePseudo(ip, len(tl)), tl))
	if s.badTL {
		tl[field] ^= 0x10
	}
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)+len(tl)))
	binary.BigEndian.PutUint16(ip[10:], ^naive(ip))
	if s.badIP {
		ip[10] ^= 0x10
	}
	return append(ip, tl...)
}

// A parsed is a packet taken apart, with all of its checksums right.
type parsed struct {
	ip, tl, payload []byte // tl is the header of TCP or UDP
}

func parse(pkt []byte) (p parsed, err error) {
	if len(pkt) < 20 || pkt[0]>>4 != 4 {
		return p, fmt.Errorf("no IPv4: %x", pkt)
	}
	header := int(pkt[0]&15) * 4
	if length := int(pkt[2])<<8 | int(pkt[3]); length != len(pkt) || header < 20 || header > len(pkt) {
		return p, fmt.Errorf("packet of %d octets says %d with a header of %d", len(pkt), length, header)
	}
	if sum := naive(pkt[:header]); sum != 0xffff {
		return p, fmt.Errorf("IP header sums up to %#x", sum)
	}
	body := pkt[header:]
	if sum := naive(naivePseudo(pkt, len(body)), body); sum != 0xffff {
		return p, fmt.Errorf("protocol %d sums up to %#x", pkt[9], sum)
	}
	end := 8
	switch pkt[9] {
	case 6:
		end = int(body[12]>>4) * 4
	case 17:
		if length := int(body[4])<<8 | int(body[5]); length != len(body) || body[6] == 0 && body[7] == 0 {
			return p, fmt.Errorf("UDP header %x before %d octets", body[:8], len(body)-8)
		}
	default:
		return p, fmt.Errorf("protocol %d", pkt[9])
	}
	return parsed{pkt[:header], body[:end], body[end:]}, nil
}

// octets makes n octets that are not the same everywhere.
func octets(n, seed int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8*13 + seed)
	}
	return b
}

// super makes a packet as the kernel leaves it: the sum is that of the pseudo-header.
func (s segmentSpec) super(size int) (Header, []byte) {
	pkt := s.packet()
	ip := 20 + len(s.ipOptions)
	h := Header{Flags: NeedsChecksum, Kind: TCP4, SegmentSize: uint16(size), ChecksumStart: uint16(ip), ChecksumOffset: 16}
	h.HeaderLen = uint16(ip + 20 + len(s.options))
	if s.udp {
		h.Kind, h.ChecksumOffset, h.HeaderLen = UDP4, 6, uint16(ip+8)
	}
	binary.BigEndian.PutUint16(pkt[ip+int(h.ChecksumOffset):], naive(naivePseudo(pkt, len(pkt)-ip)))
	return h, pkt
}

// A sample is a super packet that Split must cut.
var samples = map[string]struct {
	spec segmentSpec
	size int
}{
	"whole segments":    {segmentSpec{flags: flagACK, seq: 1000, ttl: 64, payload: octets(4200, 1)}, 1400},
	"a shorter last":    {segmentSpec{flags: flagACK | flagPSH, seq: 1000, ttl: 64, fragment: dontFragment, payload: octets(4201, 2)}, 1400},
	"options":           {segmentSpec{flags: flagACK, options: octets(12, 9), payload: octets(3000, 3)}, 1448},
	"options of IP":     {segmentSpec{flags: flagACK, ipOptions: []byte{1, 1, 1, 0}, options: octets(40, 9), payload: octets(3000, 3)}, 500},
	"all flags":         {segmentSpec{flags: 0xff, payload: octets(300, 4)}, 100},
	"numbers wrap":      {segmentSpec{flags: flagACK, seq: 0xffffff00, id: 0xfffe, payload: octets(1000, 5)}, 100},
	"one segment":       {segmentSpec{flags: flagACK | flagFIN | flagCWR, payload: octets(99, 6)}, 100},
	"as long as can be": {segmentSpec{flags: flagACK, payload: octets(MaxPacket-40, 7)}, 1410},
	"octet by octet":    {segmentSpec{flags: flagACK, payload: octets(70, 8)}, 1},
	"zeros":             {segmentSpec{flags: flagACK, payload: make([]byte, 3000)}, 1000},
	"UDP":               {segmentSpec{udp: true, id: 7, ttl: 1, payload: octets(5001, 1)}, 1000},
	"UDP, options":      {segmentSpec{udp: true, ipOptions: []byte{1, 1, 1, 0}, payload: octets(64, 1)}, 64},
	"UDP of odd length": {segmentSpec{udp: true, payload: octets(100, 1)}, 33},
}

func TestNaiveParser(t *testing.T) {
	pkt := segmentSpec{flags: flagACK, payload: []byte("abc")}.packet()
	if p, err := parse(pkt); err != nil || !bytes.Equal(p.payload, []byte("abc")) {
		t.Fatalf("parse = %q, %v", p.payload, err)
	}
	for i := range pkt {
		pkt[i] ^= 4
		if _, err := parse(pkt); err == nil {
			t.Errorf("a wrong octet %d was not seen", i)
		}
		pkt[i] ^= 4
	}
}
