package placeholder

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
)

var (
	stand = netip.MustParseAddr("10.112.112.1")
	own   = netip.MustParseAddr("10.0.0.5")
	peer  = netip.MustParseAddr("192.0.2.9")
)

// checksum is that of RFC 1071, with what the pseudo header adds.
func checksum(b []byte, pseudo uint32) uint16 {
	s := pseudo
	for len(b) > 1 {
		s += uint32(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	for s>>16 != 0 {
		s = s&0xffff + s>>16
	}
	return ^uint16(s)
}

func pseudo(src, dst netip.Addr, proto byte, n int) (s uint32) {
	for _, a := range []netip.Addr{src, dst} {
		b := a.As4()
		s += uint32(binary.BigEndian.Uint16(b[:])) + uint32(binary.BigEndian.Uint16(b[2:]))
	}
	return s + uint32(proto) + uint32(n)
}

// packet makes a packet with right checksums. The payload begins with ports, or
// is a message of ICMP.
func packet(src, dst netip.Addr, proto byte, payload []byte) []byte {
	p := make([]byte, 20, 20+len(payload))
	p[0], p[8], p[9] = 0x45, 64, proto
	binary.BigEndian.PutUint16(p[2:], uint16(20+len(payload)))
	copy(p[12:], src.AsSlice())
	copy(p[16:], dst.AsSlice())
	binary.BigEndian.PutUint16(p[10:], checksum(p, 0))
	p = append(p, payload...)
	body := p[20:]
	switch proto {
	case protoTCP:
		binary.BigEndian.PutUint16(body[16:], checksum(body, pseudo(src, dst, proto, len(body))))
	case protoUDP:
		binary.BigEndian.PutUint16(body[6:], checksum(body, pseudo(src, dst, proto, len(body))))
	case protoICMP:
		binary.BigEndian.PutUint16(body[2:], checksum(body, 0))
	}
	return p
}

func ports(here, far uint16, n int) []byte {
	b := make([]byte, n)
	binary.BigEndian.PutUint16(b, here)
	binary.BigEndian.PutUint16(b[2:], far)
	for i := 8; i < n; i++ {
		if i < 16 || i > 17 {
			b[i] = byte(i * 37)
		}
	}
	return b
}

func echo(id uint16) []byte {
	return []byte{8, 0, 0, 0, byte(id >> 8), byte(id), 0, 1, 'p', 'i', 'n', 'g'}
}

// TestThereAndBack: a packet leaves as if it came from the tunnel's own address,
// and the answer comes as if it went to the placeholder, checksums included.
func TestThereAndBack(t *testing.T) {
	for name, test := range map[string]struct {
		proto      byte
		out, reply []byte
	}{
		"TCP":          {protoTCP, ports(40000, 80, 24), ports(80, 40000, 40)},
		"UDP":          {protoUDP, ports(40000, 53, 30), ports(53, 40000, 31)},
		"ICMP":         {protoICMP, echo(77), echo(77)},
		"another":      {47, []byte("some octets"), []byte("other octets")},
		"without more": {47, nil, nil},
	} {
		tr := New(stand, own)
		got, want := packet(stand, peer, test.proto, test.out), packet(own, peer, test.proto, test.out)
		tr.Out(got)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: out\n%x, want\n%x", name, got, want)
		}
		got, want = packet(peer, own, test.proto, test.reply), packet(peer, stand, test.proto, test.reply)
		tr.In(got)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: in\n%x, want\n%x", name, got, want)
		}
	}
}

// TestOthersAreLeftAlone: packets of other connections, other addresses and what
// is no packet.
func TestOthersAreLeftAlone(t *testing.T) {
	tr := New(stand, own)
	tr.Out(packet(stand, peer, protoTCP, ports(40000, 80, 24)))
	for name, p := range map[string][]byte{
		"another port":     packet(peer, own, protoTCP, ports(80, 40001, 24)),
		"another peer":     packet(stand, own, protoTCP, ports(80, 40000, 24)),
		"another proto":    packet(peer, own, protoUDP, ports(80, 40000, 24)),
		"for another":      packet(peer, netip.MustParseAddr("10.0.0.6"), protoTCP, ports(80, 40000, 24)),
		"short":            {0x45, 0},
		"long header":      append([]byte{0x4f}, make([]byte, 30)...),
		"IPv6":             append([]byte{0x60}, make([]byte, 60)...),
		"header too short": append([]byte{0x44}, make([]byte, 30)...),
	} {
		before := bytes.Clone(p)
		tr.In(p)
		if !bytes.Equal(p, before) {
			t.Errorf("%s came in another form", name)
		}
	}
	for name, p := range map[string][]byte{
		"from elsewhere": packet(netip.MustParseAddr("192.168.1.2"), peer, protoTCP, ports(1, 2, 24)),
		"short":          {0x45},
		"empty":          {},
	} {
		before := bytes.Clone(p)
		tr.Out(p)
		if !bytes.Equal(p, before) {
			t.Errorf("%s left in another form", name)
		}
	}
}

func TestUDPWithoutChecksum(t *testing.T) {
	p := packet(stand, peer, protoUDP, ports(1, 2, 12))
	p[26], p[27] = 0, 0
	New(stand, own).Out(p)
	if p[26] != 0 || p[27] != 0 {
		t.Errorf("checksum %x", p[26:28])
	}
}

// TestLaterFragments have no ports and no checksum that could be changed.
func TestLaterFragments(t *testing.T) {
	p := packet(stand, peer, 47, []byte("the rest of a packet"))
	p[7], p[9] = 5, protoTCP
	tr := New(stand, own)
	body := bytes.Clone(p[20:])
	tr.Out(p)
	if !bytes.Equal(p[20:], body) || !bytes.Equal(p[12:16], own.AsSlice()) {
		t.Errorf("%x", p)
	}
}

// TestMemory: a program that opens any number of connections fills no memory, and
// its latest ones work.
func TestMemory(t *testing.T) {
	tr := New(stand, own)
	for port := range uint16(5 * maxFlows) {
		tr.Out(packet(stand, peer, protoTCP, ports(port, 80, 24)))
	}
	if len(tr.flows) != maxFlows || len(tr.order) != maxFlows {
		t.Errorf("%d flows, %d in order", len(tr.flows), len(tr.order))
	}
	for _, test := range []struct {
		port  uint16
		known bool
	}{{5*maxFlows - 1, true}, {4 * maxFlows, true}, {4*maxFlows - 1, false}} {
		p := packet(peer, own, protoTCP, ports(80, test.port, 24))
		tr.In(p)
		if got := bytes.Equal(p[16:20], stand.AsSlice()); got != test.known {
			t.Errorf("port %d: known %t", test.port, got)
		}
	}
}

func FuzzTranslator(f *testing.F) {
	f.Add(packet(stand, peer, protoTCP, ports(40000, 80, 24)))
	f.Add(packet(peer, own, protoUDP, ports(53, 40000, 30)))
	f.Add(packet(stand, peer, protoICMP, echo(1)))
	f.Fuzz(func(t *testing.T, p []byte) {
		tr := New(stand, own)
		before := bytes.Clone(p)
		tr.Out(p)
		for i := range p {
			if p[i] != before[i] && (i < 10 || i >= 16) && i < 20 {
				t.Fatalf("octet %d of the header changed", i)
			}
		}
		tr.In(p)
	})
}
