package rawgre

import (
	"encoding/binary"
	"net/netip"
	"reflect"
	"testing"

	"golang.org/x/net/ipv4"
)

// datagram makes an IPv4 packet with options of the given length.
func datagram(options int, payload string) []byte {
	header := MinIPHeader + options
	b := make([]byte, header, header+len(payload))
	b[0] = 4<<4 | byte(header/4)
	binary.BigEndian.PutUint16(b[2:], uint16(header+len(payload)))
	b[8] = 64
	b[9] = Protocol
	copy(b[12:], []byte{192, 0, 2, 1})
	copy(b[16:], []byte{192, 0, 2, 2})
	return append(b, payload...)
}

// change copies b and sets an octet.
func change(b []byte, at int, value byte) []byte {
	b = append([]byte(nil), b...)
	b[at] = value
	return b
}

func TestStrip(t *testing.T) {
	plain := datagram(0, "payload")
	for _, test := range []struct {
		name string
		b    []byte
		want string
	}{
		{"plain", plain, "payload"},
		{"options", datagram(40, "payload"), "payload"},
		{"no payload", datagram(0, ""), ""},
		{"octets after the end", append(plain[:len(plain):len(plain)], "padding"...), "payload"},
		{"do not fragment", change(plain, 6, 0x40), "payload"},
	} {
		p := Packet{Buf: test.b}
		if !p.strip(len(test.b)) {
			t.Errorf("%s: refused", test.name)
			continue
		}
		if got := string(p.Bytes()); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		if p.Peer != netip.MustParseAddr("192.0.2.1") || p.Local != netip.MustParseAddr("192.0.2.2") {
			t.Errorf("%s: from %v to %v", test.name, p.Peer, p.Local)
		}
	}
}

func TestStripRefuses(t *testing.T) {
	plain := datagram(0, "payload")
	for _, test := range []struct {
		name string
		b    []byte
	}{
		{"version 6", change(plain, 0, 0x65)},
		{"header of 16 octets", change(plain, 0, 0x44)},
		{"header beyond the end", change(plain, 0, 0x4f)},
		{"total length beyond the end", change(plain, 3, plain[3]+1)},
		{"total length within the header", change(plain, 3, MinIPHeader-1)},
		{"TCP", change(plain, 9, 6)},
		{"first fragment", change(plain, 6, 0x20)},
		{"later fragment", change(plain, 7, 1)},
	} {
		p := Packet{Buf: test.b}
		if p.strip(len(test.b)) {
			t.Errorf("%s: accepted", test.name)
		}
		if want := (Packet{Buf: test.b}); !reflect.DeepEqual(p, want) {
			t.Errorf("%s: the packet was changed to %+v", test.name, p)
		}
	}
	for n := range len(plain) {
		p := Packet{Buf: plain}
		if p.strip(n) {
			t.Errorf("a prefix of %d octets was accepted", n)
		}
	}
}

// FuzzStrip compares strip with the parser of golang.org/x/net.
func FuzzStrip(f *testing.F) {
	f.Add(datagram(0, "payload"))
	f.Add(datagram(40, ""))
	f.Add(datagram(4, "payload")[:30])
	f.Add(change(datagram(0, "payload"), 7, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := Packet{Buf: b}
		if !p.strip(len(b)) {
			if p.Off != 0 || p.N != 0 {
				t.Fatalf("refused, but changed: %+v", p)
			}
			return
		}
		h, err := ipv4.ParseHeader(b)
		if err != nil {
			t.Fatalf("accepted, but x/net says %v", err)
		}
		if p.Off != h.Len || p.Off+p.N != h.TotalLen || len(p.Bytes()) != h.TotalLen-h.Len {
			t.Fatalf("got %d octets from %d, want %d from %d", p.N, p.Off, h.TotalLen-h.Len, h.Len)
		}
		if p.Peer.String() != h.Src.String() || p.Local.String() != h.Dst.String() {
			t.Fatalf("got %v to %v, want %v to %v", p.Peer, p.Local, h.Src, h.Dst)
		}
		if h.Version != 4 || h.Protocol != Protocol || h.FragOff != 0 || h.Flags&ipv4.MoreFragments != 0 {
			t.Fatalf("accepted %v", h)
		}
	})
}
