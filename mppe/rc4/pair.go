package rc4

import "encoding/binary"

// Two streams side by side: while the steps of one wait for its stores, those
// of the other go on. Three or four would need more registers than the compiler
// has on amd64, and were slower than two.

// xorPair starts both ciphers and runs a and b through them. a is at least as
// long as b.
func xorPair(x, y *Cipher, xKey, yKey *[KeyLen]byte, a, b []byte) {
	schedulePair(&x.s, &y.s, xKey, yKey)
	x.i, x.j, y.i, y.j = 0, 0, 0, 0
	n := len(b) &^ 7
	streamPair(x, y, a[:n], b[:n])
	x.XOR(a[n:])
	y.XOR(b[n:])
}

// schedulePair is schedule for two, without looking ahead: there is enough else
// to do.
func schedulePair(s, t *[256]uint32, sKey, tKey *[KeyLen]byte) {
	*s, *t = identity, identity
	var j, k uint8
	for n := range 256 {
		i := uint8(n)
		a, b := s[i], t[i]
		j += uint8(a) + sKey[i%KeyLen]
		k += uint8(b) + tKey[i%KeyLen]
		c, d := s[j], t[k]
		s[i], t[i] = c, d
		s[j], t[k] = a, b
	}
}

// streamPair runs a and b, of the same length and a multiple of 8.
func streamPair(x, y *Cipher, a, b []byte) {
	s, t := &x.s, &y.s
	i, j, k := x.i, x.j, y.j
	for len(a) >= 8 && len(b) >= 8 {
		i++
		c, d := s[i], t[i]
		j += uint8(c)
		k += uint8(d)
		e, f := s[j], t[k]
		s[i], t[i] = e, f
		s[j], t[k] = c, d
		v, w := s[uint8(c+e)], t[uint8(d+f)]
		i++
		c, d = s[i], t[i]
		j += uint8(c)
		k += uint8(d)
		e, f = s[j], t[k]
		s[i], t[i] = e, f
		s[j], t[k] = c, d
		v |= s[uint8(c+e)] << 8
		w |= t[uint8(d+f)] << 8
		i++
		c, d = s[i], t[i]
		j += uint8(c)
		k += uint8(d)
		e, f = s[j], t[k]
		s[i], t[i] = e, f
		s[j], t[k] = c, d
		v |= s[uint8(c+e)] << 16
		w |= t[uint8(d+f)] << 16
		i++
		c, d = s[i], t[i]
		j += uint8(c)
		k += uint8(d)
		e, f = s[j], t[k]
		s[i], t[i] = e, f
		s[j], t[k] = c, d
		v |= s[uint8(c+e)] << 24
		w |= t[uint8(d+f)] << 24
		binary.LittleEndian.PutUint32(a[0:], binary.LittleEndian.Uint32(a[0:])^v)
		binary.LittleEndian.PutUint32(b[0:], binary.LittleEndian.Uint32(b[0:])^w)
		i++
		c, d = s[i], t[i]
		j += uint8(c)
		k += uint8(d)
		e, f = s[j], t[k]
		s[i], t[i] = e, f
		s[j], t[k] = c, d
		v, w = s[uint8(c+e)], t[uint8(d+f)]
		i++
		c, d = s[i], t[i]
		j += uint8(c)
		k += uint8(d)
		e, f = s[j], t[k]
		s[i], t[i] = e, f
		s[j], t[k] = c, d
		v |= s[uint8(c+e)] << 8
		w |= t[uint8(d+f)] << 8
		i++
		c, d = s[i], t[i]
		j += uint8(c)
		k += uint8(d)
		e, f = s[j], t[k]
		s[i], t[i] = e, f
		s[j], t[k] = c, d
		v |= s[uint8(c+e)] << 16
		w |= t[uint8(d+f)] << 16
		i++
		c, d = s[i], t[i]
		j += uint8(c)
		k += uint8(d)
		e, f = s[j], t[k]
		s[i], t[i] = e, f
		s[j], t[k] = c, d
		v |= s[uint8(c+e)] << 24
		w |= t[uint8(d+f)] << 24
		binary.LittleEndian.PutUint32(a[4:], binary.LittleEndian.Uint32(a[4:])^v)
		binary.LittleEndian.PutUint32(b[4:], binary.LittleEndian.Uint32(b[4:])^w)
		a, b = a[8:], b[8:]
	}
	x.i, x.j, y.i, y.j = i, j, i, k
}
