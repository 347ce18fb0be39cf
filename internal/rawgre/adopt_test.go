package rawgre

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"reflect"
	"testing"
)

// signed gives a packet the checksum (RFC 1071) of its header of 20 octets.
func signed(b []byte) []byte {
	b = bytes.Clone(b)
	b[10], b[11] = 0, 0
	binary.BigEndian.PutUint16(b[10:], plainChecksum(b[:MinIPHeader]))
	return b
}

// plainChecksum is the Internet checksum as slowly and plainly as RFC 1071 tells it.
func plainChecksum(b []byte) uint16 {
	sum := 0
	for i := 0; i < len(b); i += 2 {
		sum += int(b[i])<<8 | int(b[i+1])
		if sum > 0xffff {
			sum -= 0xffff
		}
	}
	return ^uint16(sum)
}

func TestAdopt(t *testing.T) {
	plain := datagram(0, "payload")
	for _, test := range []struct {
		name string
		b    []byte
		want string
	}{
		{"plain", signed(plain), "payload"},
		{"no payload", signed(datagram(0, "")), ""},
		{"octets after the end", append(signed(plain), "padding"...), "payload"},
		{"do not fragment", signed(change(plain, 6, 0x40)), "payload"},
		{"another service", signed(change(plain, 1, 0xb8)), "payload"},
		{"RFC 1071's carry", signed(change(plain, 4, 0xff)), "payload"},
	} {
		var p Packet
		if !p.Adopt(test.b) {
			t.Errorf("%s: refused", test.name)
			continue
		}
		if string(p.Bytes()) != test.want || p.Peer != netip.MustParseAddr("192.0.2.1") || p.Local != netip.MustParseAddr("192.0.2.2") {
			t.Errorf("%s: got %q from %v to %v", test.name, p.Bytes(), p.Peer, p.Local)
		}
		if &p.Buf[0] != &test.b[0] {
			t.Errorf("%s: it was copied", test.name)
		}
	}
}

func TestAdoptRefuses(t *testing.T) {
	plain := datagram(0, "payload")
	tests := map[string][]byte{
		"no checksum":                      plain,
		"version 6":                        signed(change(plain, 0, 0x65)),
		"header of 16 octets":              signed(change(plain, 0, 0x44)),
		"options":                          signed(datagram(4, "payload")),
		"total length beyond the end":      signed(change(plain, 3, plain[3]+1)),
		"total length within the header":   signed(change(plain, 3, MinIPHeader-1)),
		"TCP":                              signed(change(plain, 9, 6)),
		"first fragment":                   signed(change(plain, 6, 0x20)),
		"later fragment":                   signed(change(plain, 7, 1)),
		"do not fragment, later fragment":  signed(change(change(plain, 6, 0x40), 7, 1)),
		"all zeros, whose sum is not ones": make([]byte, 60),
	}
	good := signed(plain)
	for i := range MinIPHeader * 8 {
		tests["bit "+string(rune('0'+i%8))+" of octet "+string(rune('a'+i/8))] = change(good, i/8, good[i/8]^1<<(i%8))
	}
	for name, b := range tests {
		p := Packet{Buf: make([]byte, 64)}
		if p.Adopt(b) {
			t.Errorf("%s: taken", name)
		}
		if p.Off != 0 || p.N != 0 || p.Peer.IsValid() || p.Local.IsValid() {
			t.Errorf("%s: the packet was changed to %+v", name, p)
		}
	}
	for n := range len(good) {
		p := Packet{Buf: make([]byte, 64)}
		if p.Adopt(good[:n]) {
			t.Errorf("a prefix of %d octets was taken", n)
		}
	}
}

// FuzzAdopt: what is taken has a right checksum, and strip takes it too.
func FuzzAdopt(f *testing.F) {
	f.Add(signed(datagram(0, "payload")))
	f.Add(signed(datagram(0, "")))
	f.Add(signed(datagram(4, "payload")))
	f.Add(signed(change(datagram(0, "payload"), 7, 1)))
	f.Add(datagram(0, "payload"))
	f.Fuzz(func(t *testing.T, b []byte) {
		given := bytes.Clone(b)
		var p Packet
		taken := p.Adopt(b)
		if !bytes.Equal(b, given) {
			t.Fatal("what came has changed")
		}
		if !taken {
			if p.Buf != nil || p.Off != 0 || p.N != 0 || p.Peer.IsValid() || p.Local.IsValid() {
				t.Fatalf("refused, but changed: %+v", p)
			}
			return
		}
		header := b[:int(b[0]&0xf)*4]
		if plainChecksum(header) != 0 {
			t.Fatalf("taken with a wrong checksum: % x", header)
		}
		same := Packet{Buf: b}
		if !same.strip(len(b)) {
			t.Fatal("taken, and a socket would not")
		}
		if !reflect.DeepEqual(p, same) {
			t.Fatalf("got %+v, want %+v", p, same)
		}
	})
}
