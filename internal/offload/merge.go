package offload

import (
	"bytes"
	"encoding/binary"
)

const (
	// MaxPackets is how many packets a Merge takes at once: as many as come together.
	MaxPackets = 128

	// MaxPieces is how many pieces a run has at most: headers and payloads.
	MaxPieces = 1 + MaxPackets + 1

	// maxFlows is how many flows can grow at the same time. It bounds what a packet
	// is compared with; who sends more at once through a tunnel gains little here.
	maxFlows = 16

	// maxTCPHeader is the length of a TCP header with as many options as there can be.
	maxTCPHeader = 60
)

// A Merge finds, among packets that came together, the runs of TCP segments that
// the kernel can take as one super packet. A run is made of what Split would cut it
// into: consecutive segments of one flow whose headers differ only where Split makes
// them differ, all of one size but for the last one.
//
// The packets come from the network, so nothing in them is believed: a segment whose
// checksums are wrong is never part of a run, since the kernel would see that of the
// run only. Packets of one flow stay in their order; those of different flows may
// overtake each other.
type Merge struct {
	pkts  [MaxPackets][]byte
	next  [MaxPackets]uint8 // the packet after this one in its run
	runs  [MaxPackets]run
	count int // of runs

	flows [maxFlows]uint8 // the runs that may still grow
	open  int             // how many they are
	turn  int             // which of them gives way when there are too many

	plain [HeaderLen]byte // before a packet that is a run of its own; always zero
	head  [HeaderLen + ipHeader + maxTCPHeader]byte
}

// A flow is who sends TCP to whom.
type flow struct {
	addresses uint64
	ports     uint32
}

// A run is packets that leave together. All but first, last and packets is only of
// TCP segments.
type run struct {
	first, last uint8
	packets     uint8

	flow     flow
	header   int    // octets of all headers of one segment
	size     int    // payload of each segment but the last
	total    int    // octets of the super packet
	seq      uint32 // of the next segment
	id       uint16 // the same
	verified bool   // the checksum of the first segment was compared
}

// Load takes the packets bufs[i][off:], at most MaxPackets, in place of the last
// ones and returns how many runs they are. It reads them until Release.
func (m *Merge) Load(bufs [][]byte, off int) (runs int) {
	m.count, m.open, m.turn = 0, 0, 0
	for i, buf := range bufs {
		m.pkts[i] = buf[off:]
		m.add(uint8(i))
	}
	return m.count
}

// Release forgets the packets.
func (m *Merge) Release() { clear(m.pkts[:]) }

// Pieces appends to pieces what is to be written to the kernel at once for the run
// k, and says how many packets are in it. Runs are to be written in their order. The
// first piece, which begins with a Header, is good until the next call of Pieces; the
// others are slices of the packets.
func (m *Merge) Pieces(k int, pieces [][]byte) (_ [][]byte, packets int) {
	r := &m.runs[k]
	first := m.pkts[r.first]
	if r.packets == 1 {
		return append(pieces, m.plain[:], first), 1
	}
	head := m.head[:HeaderLen+r.header]
	h := Header{
		Flags:          NeedsChecksum,
		Kind:           TCP4,
		HeaderLen:      uint16(r.header),
		SegmentSize:    uint16(r.size),
		ChecksumStart:  ipHeader,
		ChecksumOffset: tcpChecksum,
	}
	h.Put(head)
	ip := head[HeaderLen:]
	copy(ip, first)
	binary.BigEndian.PutUint16(ip[ipLength:], uint16(r.total))
	putIPChecksum(ip[:ipHeader])
	tcp := ip[ipHeader:]
	tcp[tcpFlags] = m.pkts[r.last][ipHeader+tcpFlags] // the last one's may have PSH
	binary.BigEndian.PutUint16(tcp[tcpChecksum:], pseudo(ip, r.total-ipHeader))
	pieces = append(pieces, head)
	for i, left := r.first, r.packets; left > 0; i, left = m.next[i], left-1 {
		pieces = append(pieces, m.pkts[i][r.header:])
	}
	return pieces, int(r.packets)
}

// add puts a packet in a run of those before it, or makes it one of its own.
func (m *Merge) add(i uint8) {
	pkt := m.pkts[i]
	if len(pkt) < ipHeader || pkt[0]>>4 != 4 || pkt[ipProtocol] != protocolTCP {
		m.start(i)
		return
	}
	if len(pkt) < ipHeader+tcpHeader || pkt[0] != 4<<4|ipHeader/4 || fragment(pkt)&^dontFragment != 0 {
		m.open = 0 // it may be of any flow
		m.start(i)
		return
	}
	f := flow{binary.NativeEndian.Uint64(pkt[ipAddress:]), binary.NativeEndian.Uint32(pkt[ipHeader:])}
	header, push, ok := segment(pkt)
	grown := m.find(f)
	verified := false
	if ok && grown >= 0 && m.fits(grown, pkt, header) {
		if verified = verify(pkt); verified {
			m.grow(grown, i, push)
			return
		}
		ok = false
	}
	if grown >= 0 {
		m.close(grown)
	}
	r := m.start(i)
	if !ok || push {
		return
	}
	r.flow = f
	r.header = header
	r.size = len(pkt) - header
	r.total = len(pkt)
	r.seq = binary.BigEndian.Uint32(pkt[ipHeader+tcpSeq:]) + uint32(r.size)
	r.id = binary.BigEndian.Uint16(pkt[ipID:]) + 1
	r.verified = verified
	m.watch(uint8(m.count - 1))
}

// segment says whether a packet with an IPv4 and a TCP header can be part of a run:
// nothing but data, with an acknowledgement, and a right IP header. With PSH it is
// the last one.
func segment(pkt []byte) (header int, push, ok bool) {
	tcp := pkt[ipHeader:]
	header = ipHeader + int(tcp[tcpOffset]>>4)*4
	flags := tcp[tcpFlags]
	ok = header >= ipHeader+tcpHeader && header < len(pkt) &&
		int(binary.BigEndian.Uint16(pkt[ipLength:])) == len(pkt) &&
		tcp[tcpOffset]&15 == 0 && flags&^flagPSH == flagACK &&
		Sum(pkt[:ipHeader], 0) == 0xffff
	return header, flags&flagPSH != 0, ok
}

func fragment(pkt []byte) uint16 { return binary.BigEndian.Uint16(pkt[ipFragment:]) }

// verify compares the TCP checksum of a packet.
func verify(pkt []byte) bool {
	return Sum(pkt[ipHeader:], pseudo(pkt, len(pkt)-ipHeader)) == 0xffff
}

// fits says whether a segment is the next one of the run that flow k has open. The
// first of the run is verified when it is to get company: most packets never do.
func (m *Merge) fits(k int, pkt []byte, header int) bool {
	r := &m.runs[m.flows[k]]
	size := len(pkt) - header
	if size > r.size || r.total+size > MaxPacket ||
		binary.BigEndian.Uint32(pkt[ipHeader+tcpSeq:]) != r.seq ||
		fragment(pkt) == 0 && binary.BigEndian.Uint16(pkt[ipID:]) != r.id || // RFC 6864, section 4.1
		!sameHeader(m.pkts[r.first], pkt, header) {
		return false
	}
	if !r.verified {
		r.verified = verify(m.pkts[r.first])
	}
	return r.verified
}

// sameHeader compares all that Split copies into each segment, the length of the
// TCP header included, and no flow, length, checksum or flag of TCP: they are compared
// elsewhere.
func sameHeader(a, b []byte, header int) bool {
	const flags = ipFragment // with time to live and protocol after it
	return a[ipTOS] == b[ipTOS] &&
		binary.NativeEndian.Uint32(a[flags:]) == binary.NativeEndian.Uint32(b[flags:]) &&
		bytes.Equal(a[ipHeader+tcpAck:ipHeader+tcpFlags], b[ipHeader+tcpAck:ipHeader+tcpFlags]) &&
		bytes.Equal(a[ipHeader+tcpWindow:ipHeader+tcpChecksum], b[ipHeader+tcpWindow:ipHeader+tcpChecksum]) &&
		bytes.Equal(a[ipHeader+tcpUrgent:header], b[ipHeader+tcpUrgent:header])
}

// start makes a packet a run of its own.
func (m *Merge) start(i uint8) *run {
	r := &m.runs[m.count]
	m.count++
	*r = run{first: i, last: i, packets: 1}
	return r
}

// grow adds the packet i to the run that flow k has open.
func (m *Merge) grow(k int, i uint8, push bool) {
	r := &m.runs[m.flows[k]]
	size := len(m.pkts[i]) - r.header
	m.next[r.last] = i
	r.last = i
	r.packets++
	r.total += size
	r.seq += uint32(size)
	r.id++
	if push || size < r.size {
		m.close(k)
	}
}

// find returns the place of a flow's open run in flows, or -1.
func (m *Merge) find(f flow) int {
	for k, n := range m.flows[:m.open] {
		if m.runs[n].flow == f {
			return k
		}
	}
	return -1
}

// watch makes a run one that may grow. If there are too many, another cannot any
// more.
func (m *Merge) watch(n uint8) {
	if m.open < maxFlows {
		m.flows[m.open] = n
		m.open++
		return
	}
	m.flows[m.turn] = n
	m.turn = (m.turn + 1) % maxFlows
}

// close ends the run that flow k has open: what follows of it is a new one.
func (m *Merge) close(k int) {
	m.open--
	m.flows[k] = m.flows[m.open]
}
