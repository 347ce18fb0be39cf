package mppe

import (
	"bytes"
	stdrc4 "crypto/rc4"
	"crypto/sha1"
	"encoding/hex"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sample is the start key of RFC 3079, section 3.5, where the 40-bit and 56-bit
// start keys are the head of the 128-bit one.
func sample(t testing.TB) (k StartKey) {
	copy(k.Long[:], unhex(t, "8b7cdc149b993a1ba118cb153f56dccb"))
	copy(k.Short[:], k.Long[:])
	return k
}

// testRFC3079 checks the initial session key and a message under it.
func testRFC3079(t *testing.T, strength Strength, session, sealed string) {
	t.Helper()
	c := newChain(Config{Strength: strength}, sample(t))
	if got := hex.EncodeToString(c.key[:c.len()]); got != session {
		t.Errorf("session key %s, want %s", got, session)
	}
	var cipher cipher
	cipher.Schedule(&c.key)
	message := []byte("test message")
	cipher.XOR(message)
	if got := hex.EncodeToString(message); got != sealed {
		t.Errorf("sample message %s, want %s", got, sealed)
	}
}

func TestRFC3079Section3_5_1(t *testing.T) {
	testRFC3079(t, Bits40, "d1269ec49fa62e3e", "929137917e5803d668d75898")
}

func TestRFC3079Section3_5_2(t *testing.T) {
	testRFC3079(t, Bits56, "d15c00c49fa62e3e", "3f106833fa448da842bc57b8")
}

func TestRFC3079Section3_5_3(t *testing.T) {
	testRFC3079(t, Bits128, "405cb2247a7956e6e211007ae27b22d4", "81848317df68846272fb5abe")
}

// A plainChain is the key chain as the RFCs write it, from the standard
// library's parts: what the fast one is compared and timed against.
type plainChain struct {
	start, key []byte
	salt       string
}

func newPlainChain(strength Strength, start StartKey) *plainChain {
	c := &plainChain{start: start.Short[:]}
	switch strength {
	case Bits40:
		c.salt = "\xd1\x26\x9e"
	case Bits56:
		c.salt = "\xd1"
	case Bits128:
		c.start = start.Long[:]
	}
	c.key = c.sha(c.start)
	copy(c.key, c.salt)
	return c
}

func (c *plainChain) sha(key []byte) []byte {
	h := sha1.New()
	h.Write(c.start)
	h.Write(make([]byte, 40))
	h.Write(key)
	h.Write(bytes.Repeat([]byte{0xf2}, 40))
	return h.Sum(nil)[:len(c.start)]
}

func (c *plainChain) cipher() *stdrc4.Cipher {
	cipher, err := stdrc4.NewCipher(c.key)
	if err != nil {
		panic(err)
	}
	return cipher
}

func (c *plainChain) next() {
	c.key = c.sha(c.key)
	c.cipher().XORKeyStream(c.key, c.key)
	copy(c.key, c.salt)
}

func TestChain(t *testing.T) {
	start := sample(t)
	copy(start.Short[:], "not Long")
	for _, strength := range []Strength{Bits40, Bits56, Bits128} {
		c := newChain(Config{Strength: strength}, start)
		plain := newPlainChain(strength, start)
		var scratch cipher
		for i := range 1000 {
			if !bytes.Equal(c.key[:c.len()], plain.key) {
				t.Fatalf("%d bits: key %d is %x, want %x", strength, i, c.key[:c.len()], plain.key)
			}
			c.next(&scratch)
			plain.next()
		}
	}
}

func TestNoKeysWithoutEncryption(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("keys without a strength")
		}
	}()
	NewSender(Config{}, StartKey{})
}

func BenchmarkKeyChange(b *testing.B) {
	b.Run("own", func(b *testing.B) {
		c := newChain(Config{Strength: Bits128}, sample(b))
		var scratch cipher
		b.ReportAllocs()
		for b.Loop() {
			c.next(&scratch)
		}
	})
	b.Run("crypto", func(b *testing.B) {
		c := newPlainChain(Bits128, sample(b))
		b.ReportAllocs()
		for b.Loop() {
			c.next()
		}
	})
}
