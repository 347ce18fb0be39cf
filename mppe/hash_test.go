package mppe

import (
	"math/rand/v2"
	"testing"
)

// TestHashFast compares our SHA-1 with the standard library's, along a chain and
// for keys of single bits.
func TestHashFast(t *testing.T) {
	if !hashes {
		t.Skip("this machine has crypto/sha1 only")
	}
	r := rand.New(rand.NewPCG(3, 4))
	c := chain{strength: Bits128}
	try := func() {
		t.Helper()
		want, start, key := c.fromSHA(), c.start, c.key
		if hashFast(&c.key, &c.start); c.key != want || c.start != start {
			t.Fatalf("start key %x, key %x: %x, want %x", start, key, c.key, want)
		}
	}
	for bit := range 8 * keyLen {
		c.start, c.key = [keyLen]byte{}, [keyLen]byte{}
		c.start[bit/8] = 1 << (bit % 8)
		try()
		c.start, c.key = [keyLen]byte{}, [keyLen]byte{}
		c.key[bit/8] = 1 << (bit % 8)
		try()
	}
	for range 100 {
		for i := range c.start {
			c.start[i] = byte(r.Uint32())
		}
		for range 100 {
			try()
		}
	}
}
