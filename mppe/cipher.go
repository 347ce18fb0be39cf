package mppe

import "gopptp/mppe/rc4"

// A cipher is RC4 that can try a key.
type cipher struct {
	rc4.Cipher
	portable bool // set by Force
}

// Force makes the cipher take a path, and the keys that are made with it.
func (c *cipher) Force(p rc4.Path) {
	c.Cipher.Force(p)
	c.portable = p == rc4.Portable
}

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
