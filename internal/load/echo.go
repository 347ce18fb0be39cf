package load

import (
	"encoding/binary"
	"net/netip"
)

// The parts of an ICMP echo (RFC 792) in an IPv4 packet without options (RFC 791).
const (
	ipHeader   = 20
	icmpHeader = 8
	minEcho    = ipHeader + icmpHeader

	protocolICMP    = 1
	typeEcho        = 8
	typeEchoReply   = 0
	dontFragment    = 0x40
	defaultLiveTime = 64
)

// appendEcho appends an echo request of size octets, but no less than minEcho, to b.
func appendEcho(b []byte, from, to netip.Addr, id, seq uint16, size int) []byte {
	off := len(b)
	b = append(b, make([]byte, max(size, minEcho))...)
	packet := b[off:]
	packet[0] = 4<<4 | ipHeader/4
	binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)))
	packet[6] = dontFragment
	packet[8], packet[9] = defaultLiveTime, protocolICMP
	source, destination := from.As4(), to.As4()
	copy(packet[12:], source[:])
	copy(packet[16:], destination[:])
	binary.BigEndian.PutUint16(packet[10:], checksum(packet[:ipHeader]))

	icmp := packet[ipHeader:]
	icmp[0] = typeEcho
	binary.BigEndian.PutUint16(icmp[4:], id)
	binary.BigEndian.PutUint16(icmp[6:], seq)
	for i := icmpHeader; i < len(icmp); i++ {
		icmp[i] = byte(i)
	}
	binary.BigEndian.PutUint16(icmp[2:], checksum(icmp))
	return b
}

// parseAnswer reads an echo reply that is whole.
func parseAnswer(packet []byte) (id, seq uint16, ok bool) {
	if len(packet) < minEcho || packet[0] != 4<<4|ipHeader/4 || packet[9] != protocolICMP ||
		int(binary.BigEndian.Uint16(packet[2:])) != len(packet) {
		return 0, 0, false
	}
	icmp := packet[ipHeader:]
	if icmp[0] != typeEchoReply || icmp[1] != 0 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint16(icmp[4:]), binary.BigEndian.Uint16(icmp[6:]), true
}

// checksum is the one of RFC 1071, over b with its own field zero.
func checksum(b []byte) uint16 {
	var sum uint32
	for len(b) >= 2 {
		sum += uint32(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) > 0 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
