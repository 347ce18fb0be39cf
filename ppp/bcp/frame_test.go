package bcp

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"
)

// arp is a request as a host sends it, without the zeros at its end.
const arp = "\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01" +
	"\x02\x00\x00\x00\x00\x01\x0a\x00\x00\x01\x00\x00\x00\x00\x00\x00\x0a\x00\x00\x02"

func fcs(frame string) string {
	return string(binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(frame))))
}

// TestChecksum is the check value of the sum: "123456789" gives 0xCBF43926.
func TestChecksum(t *testing.T) {
	if got := checksum([]byte("123456789"), false); got != 0xcbf43926 {
		t.Errorf("%08x", got)
	}
}

func TestParse(t *testing.T) {
	filled := arp + string(make([]byte, minFrame-len(arp)))
	rows := []struct {
		name, in string
		want     string
		err      error
	}{
		{"plain", "\x00\x01" + arp, arp, nil},
		{"shortest", "\x00\x01" + arp[:14], arp[:14], nil},
		{"pads", "\x03\x01" + arp + "xyz", arp, nil},
		{"check sequence", "\x80\x01" + arp + fcs(arp), arp, nil},
		{"check sequence and pads", "\x82\x01" + arp + fcs(arp) + "xy", arp, nil},
		{"bad check sequence", "\x80\x01" + arp + "1234", "", ErrFCS},
		{"shortened", "\x20\x01" + arp, arp, nil},
		{"check sequence of a shortened frame", "\xa0\x01" + arp + fcs(filled), arp, nil},
		{"lan identifier", "\x40\x01" + arp, "", ErrKind},
		{"control packet", "\x10\x01" + arp, "", ErrKind},
		{"token ring", "\x00\x03" + arp, "", ErrKind},
		{"nothing but pads", "\x0f\x01" + arp[:15], "", ErrShort},
		{"more pads than packet", "\x0f\x01", "", ErrShort},
		{"a check sequence but no frame", "\x80\x01" + arp[:14], "", ErrShort},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			got, err := Parse([]byte(r.in))
			if string(got) != r.want || err != r.err {
				t.Errorf("%x, %v", got, err)
			}
		})
	}
	for n := range HeaderLen + EthernetHeader {
		if _, err := Parse([]byte("\x00\x01" + arp)[:n]); err != ErrShort {
			t.Errorf("prefix of %d octets: %v", n, err)
		}
	}
}

func TestPush(t *testing.T) {
	buf := append(bytes.Repeat([]byte{0xee}, 5), arp...)
	if off := Push(buf, 5); off != 3 || string(buf) != "\xee\xee\xee\x00\x01"+arp {
		t.Errorf("at %d: %x", off, buf)
	}
}

func TestKinds(t *testing.T) {
	with := func(to, typ string) []byte { return []byte(to + arp[6:12] + typ + arp[14:]) }
	for _, r := range []struct {
		name               string
		frame              []byte
		tagged, management bool
	}{
		{"arp", []byte(arp), false, false},
		{"802.1Q", with("\x02\x00\x00\x00\x00\x02", "\x81\x00"), true, false},
		{"802.1ad", with("\x02\x00\x00\x00\x00\x02", "\x88\xa8"), true, false},
		{"spanning tree", with("\x01\x80\xc2\x00\x00\x00", "\x00\x26"), false, true},
		{"lldp", with("\x01\x80\xc2\x00\x00\x0e", "\x88\xcc"), false, true},
		{"gvrp", with("\x01\x80\xc2\x00\x00\x21", "\x88\xf5"), false, false},
	} {
		if Tagged(r.frame) != r.tagged || Management(r.frame) != r.management {
			t.Errorf("%s: tagged %v, management %v", r.name, Tagged(r.frame), Management(r.frame))
		}
	}
}

// FuzzParse: what Parse gives lies within the packet and is long enough to be
// looked at; what Push makes comes back.
func FuzzParse(f *testing.F) {
	for _, flags := range []string{"\x00", "\x80", "\x20", "\xa3", "\x40", "\x10", "\x0f"} {
		f.Add([]byte(flags + "\x01" + arp + fcs(arp)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bytes.Clone(b)
		frame, err := Parse(b)
		if !bytes.Equal(in, b) {
			t.Fatal("Parse wrote into its argument")
		}
		if err != nil {
			if frame != nil {
				t.Fatal("a frame and an error")
			}
			return
		}
		if len(frame) < EthernetHeader || len(frame) > len(b)-HeaderLen {
			t.Fatalf("%d octets out of %d", len(frame), len(b))
		}
		Tagged(frame)
		Management(frame)
		buf := append(make([]byte, HeaderLen), frame...)
		again, err := Parse(buf[Push(buf, HeaderLen):])
		if err != nil || !bytes.Equal(again, frame) {
			t.Fatalf("%x, %v", again, err)
		}
	})
}

func TestNoAllocation(t *testing.T) {
	buf := append(make([]byte, HeaderLen), arp...)
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := Parse(buf[Push(buf, HeaderLen):]); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) {
	buf := append(make([]byte, HeaderLen), make([]byte, 1514)...)
	b.SetBytes(1514)
	for b.Loop() {
		if _, err := Parse(buf[Push(buf, HeaderLen):]); err != nil {
			b.Fatal(err)
		}
	}
}
