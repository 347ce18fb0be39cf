package mppe

import "gopptp/mppe/rc4"

// A cipher is RC4 that can try a key.
type cipher struct{ rc4.Cipher }

// open decrypts p in place if what comes out may be a PPP frame; otherwise it
// leaves p and the cipher as they were.
func (c *cipher) open(p []byte) bool {
	var sealed [headLen]byte
	n := copy(sealed[:], p)
	c.XOR(p[:n])
	if !plausible(p[:n], len(p)) {
		copy(p, sealed[:n])
		c.Rewind(n)
		return false
	}
	c.XOR(p[n:])
	return true
}
