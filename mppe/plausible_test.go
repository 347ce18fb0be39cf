package mppe

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

func TestPlausible(t *testing.T) {
	ip := "E\x00\x00\x14\x00\x00\x00\x00"
	for _, tt := range []struct {
		name  string
		frame string
		n     int
		want  bool
	}{
		{"empty", "", 0, false},
		{"IP", "\x00\x21" + ip, 22, true},
		{"IP, compressed field", "\x21" + ip, 21, true},
		{"IP with padding", "\x21" + ip, 22, true},
		{"IP, cut", "\x21" + ip, 20, false},
		{"IP of version 5", "\x21U\x00\x00\x14\x00\x00\x00\x00", 21, false},
		{"IP with half a header", "\x21D\x00\x00\x14\x00\x00\x00\x00", 21, false},
		{"IP without a length", "\x21E\x00\x00\x13\x00\x00\x00\x00", 21, false},
		{"IPv6", "\x00\x57\x60\x00\x00\x00\x00\x10", 58, true},
		{"IPv6, cut", "\x57\x60\x00\x00\x00\x00\x10\x00", 56, false},
		{"MP", "\x3d\xc0\x00\x00\x01\x00\x21E", 100, true},
		{"MP with reserved bits", "\x3d\xd0\x00\x00\x01\x00\x21E", 100, false},
		{"bridged Ethernet", "\x31\x00\x01\x01\x02\x03\x04\x05", 100, true},
		{"bridged something", "\x31\x00\x07\x01\x02\x03\x04\x05", 100, false},
		{"bridged something, long field", "\x00\x31\x00\x07\x01\x02\x03\x04", 100, true},
		{"unknown", "\x00\x45 anything", 11, true},
		{"unknown, compressed field", "\x45 anything", 10, false},
		{"even", "\x00\x22 anything", 11, false},
		{"below the range", "\x00\x1f anything", 11, false},
		{"above the range", "\x00\xfb anything", 11, false},
		{"the last one", "\x00\xf9 anything", 11, true},
		{"LCP", "\xc0\x21\x01\x01\x00\x04\x00\x00", 8, false},
		{"half a field", "\x00", 1, false},
	} {
		head := []byte(tt.frame)[:min(len(tt.frame), headLen)]
		if got := plausible(head, tt.n); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// The odds that the comment at plausible promises.
func TestPlausibleOdds(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const rounds = 1 << 20
	var passed int
	for range rounds {
		var head [headLen]byte
		binary.LittleEndian.PutUint64(head[:], r.Uint64())
		if plausible(head[:], 1400) {
			passed++
		}
	}
	if passed > rounds*3/1000 {
		t.Errorf("by chance %d of %d pass", passed, rounds)
	}
}
