package mppc

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// bell is the example of RFC 2118, section 4: 24 octets as they are, then
// <16,15>, a space, <40,4>, <19,3>, "e.".
//
//	<16,15>  1111 010000  110 111
//	' '      00100000
//	<40,4>   1111 101000  10 00
//	<19,3>   1111 010011  0
//	'e' '.'  01100101 00101110
const (
	bell       = "for whom the bell tolls, the bell tolls for thee."
	bellPacked = "for whom the bell tolls,\xf4\x37\x20\xfa\x23\xd3\x32\x97\x00"
)

func TestRFC2118Section4(t *testing.T) {
	var c Compressor
	got, flags := c.Compress(nil, []byte(bell))
	if string(got) != bellPacked || flags != Compressed|AtFront {
		t.Errorf("%x %x", flags, got)
	}
}

// TestOtherCompressor has the output of FreeRDP 2.11, whose bulk compressor for
// RDP 4 is the same algorithm.
func TestOtherCompressor(t *testing.T) {
	for packed, want := range map[string]string{
		"666f722077686f6d207468652062656c6c20746f6c6c732cf4372066fa1f1994b8": bell,
		"bfdfa017ff0e7c6c3cfa8000": strings.Repeat("\xff\xfe\x80", 8),
	} {
		b, _ := hex.DecodeString(packed)
		got, err := NewDecompressor(1500).Decompress(nil, b, Compressed|AtFront)
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", packed, got, err)
		}
	}
}

// TestOtherCompressorRound is a packet of FreeRDP's at the front that refers to
// the end of the round before.
func TestOtherCompressorRound(t *testing.T) {
	var c Compressor
	d := NewDecompressor(1500)
	var last []byte
	for i := range 5 {
		last = frame(1400, uint32(i), literals(1400, uint64(i)))
		b, flags := c.Compress(nil, last)
		if flags&Compressed == 0 {
			t.Fatalf("packet %d is not compressed", i)
		}
		if _, err := d.Decompress(nil, b, flags); err != nil {
			t.Fatal(err)
		}
	}
	got, err := d.Decompress(nil, []byte("\xc8\xe0\xff\x91\x30\x60"), Compressed|AtFront)
	if err != nil || string(got) != string(last[:1300]) {
		t.Errorf("%d octets, %v", len(got), err)
	}
}

// octets turns digits, with spaces between them, into octets.
func octets(digits string) []byte {
	var b []byte
	n := 0
	for _, r := range digits {
		if r == ' ' {
			continue
		}
		if n%8 == 0 {
			b = append(b, 0)
		}
		b[n/8] |= byte(r-'0') << (7 - n%8)
		n++
	}
	return b
}

// TestCodes has each code of RFC 2118, sections 4.1 to 4.2.2, at its limits.
func TestCodes(t *testing.T) {
	check := func(name, digits string, write func(w *writer)) {
		w := writer{out: make([]byte, 16)}
		write(&w)
		if got := w.out[:w.close()]; string(got) != string(octets(digits)) {
			t.Errorf("%s: %08b, want %s", name, got, digits)
		}
	}
	for offset, digits := range map[int]string{
		1: "1111 000001", 63: "1111 111111",
		64: "1110 00000000", 319: "1110 11111111",
		320: "110 0000000000000", 8191: "110 1111010111111",
	} {
		check(fmt.Sprintf("offset %d", offset), digits, func(w *writer) { w.offset(offset) })
	}
	for length, digits := range lengthCodes {
		check(fmt.Sprintf("length %d", length), digits, func(w *writer) { w.length(length) })
	}
}

// lengthCodes are the limits of the table in RFC 2118, section 4.2.2.
var lengthCodes = map[int]string{
	3: "0",
	4: "10 00", 7: "10 11",
	8: "110 000", 15: "110 111",
	16: "1110 0000", 31: "1110 1111",
	32: "11110 00000", 63: "11110 11111",
	64: "111110 000000", 127: "111110 111111",
	128: "1111110 0000000", 255: "1111110 1111111",
	256: "11111110 00000000", 511: "11111110 11111111",
	512: "111111110 000000000", 1023: "111111110 111111111",
	1024: "1111111110 0000000000", 2047: "1111111110 1111111111",
	2048: "11111111110 00000000000", 4095: "11111111110 11111111111",
	4096: "111111111110 000000000000", 8191: "111111111110 111111111111",
}

// TestLengths reads them: an octet, and a match at offset 1 that repeats it.
func TestLengths(t *testing.T) {
	for length, digits := range lengthCodes {
		d := NewDecompressor(historyLen)
		got, err := d.Decompress(nil, octets("01000001 1111 000001 "+digits), Compressed|AtFront)
		if err != nil || string(got) != strings.Repeat("A", 1+length) {
			t.Errorf("%d: %d octets, %v", length, len(got), err)
		}
	}
}

// TestOffsets reads the limits of each range from a history that is full.
func TestOffsets(t *testing.T) {
	for offset, digits := range map[int]string{
		1: "1111 000001", 63: "1111 111111", 64: "1110 00000000", 319: "1110 11111111",
		320: "110 0000000000000", 8180: "110 1111010110100",
	} {
		d := NewDecompressor(historyLen)
		past := literals(8182, 1)
		if _, err := d.Decompress(nil, past, Compressed|AtFront); err != nil {
			t.Fatal(err)
		}
		got, err := d.Decompress(nil, octets(digits+"0"), Compressed)
		at := len(past) - offset
		want := past[at:min(at+3, len(past))]
		for len(want) < 3 {
			want = append(want[:len(want):len(want)], want[len(want)-offset])
		}
		if err != nil || string(got) != string(want) {
			t.Errorf("%d: %x, %v, want %x", offset, got, err, want)
		}
	}
}

// TestFarthest is the longest offset: from the front to the second octet of the
// round before, which stands right behind it.
func TestFarthest(t *testing.T) {
	d := NewDecompressor(historyLen)
	past := literals(8190, 1)
	if _, err := d.Decompress(nil, past, Compressed|AtFront); err != nil {
		t.Fatal(err)
	}
	got, err := d.Decompress(nil, octets("110 1111010111111 10 01"), Compressed|AtFront)
	if err != nil || string(got) != string(past[1:6]) {
		t.Errorf("%x, %v, want %x", got, err, past[1:6])
	}
	// Across the end of the history, of which two octets were never written, to
	// what the packet itself has written at the front.
	got, err = d.Decompress(nil, octets("01000001 01000010 1111 000101 10 10"), Compressed|AtFront)
	if want := "AB" + string(past[8189:]) + "\x00\x00AB" + string(past[8189:]); err != nil || string(got) != want {
		t.Errorf("%x, %v, want %x", got, err, want)
	}
}
