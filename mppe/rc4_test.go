package mppe

import (
	"bytes"
	stdrc4 "crypto/rc4"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"testing"
)

// The vectors of RFC 6229, section 2, for the key length that MPPE has: the key
// stream at some of the places given there.
func TestRFC6229(t *testing.T) {
	const key = "0102030405060708090a0b0c0d0e0f10"
	want := map[int]string{
		0:    "9ac7cc9a609d1ef7b2932899cde41b97",
		16:   "5248c4959014126a6e8a84f11d1a9e1c",
		240:  "065902e4b620f6cc36c8589f66432f2b",
		256:  "d39d566bc6bce3010768151549f3873f",
		496:  "b6d1e6c4a5e4771cad79538df295fb11",
		1008: "e7a72574f8782ae26aabcf9ebcd66065",
		1536: "ffa0b514647ec04f6306b892ae661181",
		2032: "d03d1bc03cd33d70dff9fa5d71963ebd",
		4080: "ff38265c1642c1abe8d3c2fe5e572bf8",
	}
	var k [keyLen]byte
	hex.Decode(k[:], []byte(key))
	var c rc4
	c.schedule(&k)
	stream := make([]byte, 4096)
	c.xor(stream)
	for off, w := range want {
		if got := hex.EncodeToString(stream[off : off+16]); got != w {
			t.Errorf("octets from %d: %s, want %s", off, got, w)
		}
	}
}

// Random keys of both lengths, in pieces of random length, against the standard
// library.
func TestRC4(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		var key [keyLen]byte
		for i := range key {
			key[i] = byte(r.Uint32())
		}
		n := 16
		if r.IntN(2) == 0 {
			n = 8
			copy(key[8:], key[:8])
		}
		std, err := stdrc4.NewCipher(key[:n])
		if err != nil {
			t.Fatal(err)
		}
		var c rc4
		c.schedule(&key)
		for range 4 {
			want := make([]byte, r.IntN(700))
			got := bytes.Clone(want)
			std.XORKeyStream(want, want)
			c.xor(got)
			if !bytes.Equal(got, want) {
				t.Fatalf("key %x: wrong stream", key[:n])
			}
		}
	}
}

func TestRC4Rewind(t *testing.T) {
	var c rc4
	c.schedule(&[keyLen]byte{1, 2, 3})
	for n := range 600 {
		before := c
		c.xor(make([]byte, n))
		c.rewind(n)
		if c != before {
			t.Fatalf("rewind of %d octets did not lead back", n)
		}
		c.xor(make([]byte, 1))
	}
}

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

func BenchmarkRC4(b *testing.B) {
	key := [keyLen]byte{1, 2, 3, 4, 5}
	p := make([]byte, 1400)
	b.Run("schedule", func(b *testing.B) {
		var c rc4
		for b.Loop() {
			c.schedule(&key)
			key = [keyLen]byte{byte(c.s[0]), byte(c.s[1]), byte(c.s[2]), byte(c.s[3]), key[0], key[1]}
		}
	})
	b.Run("schedule of crypto", func(b *testing.B) {
		for b.Loop() {
			c, err := stdrc4.NewCipher(key[:])
			if err != nil {
				b.Fatal(err)
			}
			c.XORKeyStream(key[:6], key[:6])
		}
	})
	b.Run("xor", func(b *testing.B) {
		b.SetBytes(int64(len(p)))
		var c rc4
		c.schedule(&key)
		for b.Loop() {
			c.xor(p)
		}
	})
	b.Run("xor of crypto", func(b *testing.B) {
		b.SetBytes(int64(len(p)))
		c, err := stdrc4.NewCipher(key[:])
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			c.XORKeyStream(p, p)
		}
	})
}
