package mppc

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// Errors of Decompress.
var (
	ErrCorrupt = errors.New("mppc: no such code")
	ErrTooLong = errors.New("mppc: packet too long")
	ErrHistory = errors.New("mppc: history lost, waiting for a flushed packet")
)

// A Decompressor decompresses one direction. Make it with NewDecompressor.
type Decompressor struct {
	history [historyLen]byte
	pos     int  // where the next packet goes
	high    int  // octets before it were written since the last flush; the others count as zero
	limit   int  // of one packet
	lost    bool // the history is not the peer's
}

// NewDecompressor makes a decompressor for packets of at most limit octets once
// they are decompressed.
func NewDecompressor(limit int) *Decompressor {
	return &Decompressor{limit: min(limit, historyLen)}
}

// Lost reports that a compressed packet could not be decompressed: no other one
// can be until one is Flushed.
func (d *Decompressor) Lost() bool { return d.lost }

// Lose says that packets are missing, or that what came out makes no sense.
func (d *Decompressor) Lose() { d.lost = true }

// Decompress appends what src stands for to dst. A packet that is not Compressed
// is src itself, and nothing is appended. It never panics, and never writes more
// than the limit.
func (d *Decompressor) Decompress(dst, src []byte, flags Flags) ([]byte, error) {
	d.begin(flags)
	if flags&Compressed == 0 {
		return src, nil
	}
	if d.lost {
		return nil, ErrHistory
	}
	end, err := d.decode(d.pos, min(d.pos+d.limit, historyLen), src)
	if err != nil {
		d.lost = true
		return nil, err
	}
	dst = append(dst, d.history[d.pos:end]...)
	d.pos = end
	return dst, nil
}

// begin moves the place of the next packet as its flags say.
func (d *Decompressor) begin(flags Flags) {
	switch {
	case flags&Flushed != 0:
		d.pos, d.high, d.lost = 0, 0, false
	case flags&AtFront != 0:
		d.pos, d.high = 0, max(d.high, d.pos)
	}
}

// Head gives the first octets of what src would decompress to, at most len(dst),
// and changes nothing. src may be cut off after its first octets: one octet of
// output takes at most nine bits.
func (d *Decompressor) Head(dst, src []byte, flags Flags) int {
	pos, high, lost := d.pos, d.high, d.lost
	d.begin(flags)
	start := d.pos
	under := d.history[start:min(start+min(len(dst), maxHead), historyLen)]
	var saved [maxHead]byte
	copy(saved[:], under)
	// An error only means that there is no more to see.
	end, _ := d.decode(start, start+len(under), src)
	n := copy(dst, d.history[start:end])
	copy(under, saved[:])
	d.pos, d.high, d.lost = pos, high, lost
	return n
}

// maxHead bounds what Head gives.
const maxHead = 16

// decode writes what src stands for to history[p:end] and returns where that
// ends. On error what fits has been written.
func (d *Decompressor) decode(p, end int, src []byte) (int, error) {
	h := &d.history
	var acc uint64 // the next bits, the highest first
	var have uint
	for {
		switch {
		case have >= maxCode:
		case len(src) >= 8:
			acc |= binary.BigEndian.Uint64(src) >> have
			n := (63 - have) / 8
			src = src[n:]
			have += 8 * n
			acc &= ^uint64(0) << (64 - have)
		default:
			for have <= 56 && len(src) > 0 {
				acc |= uint64(src[0]) << (56 - have)
				have += 8
				src = src[1:]
			}
		}
		if have < 8 {
			return p, nil // zeros that fill the last octet
		}
		if acc>>62 != 3 { // a literal (RFC 2118, section 4.1)
			n, b := uint(8), byte(acc>>56)
			if b >= 0x80 {
				n, b = 9, byte(acc>>55)|0x80
			}
			if n > have {
				return p, ErrCorrupt
			}
			if p >= end {
				return p, ErrTooLong
			}
			h[p] = b
			p++
			acc <<= n
			have -= n
			continue
		}
		// A match: its offset (section 4.2.1) and its length (section 4.2.2).
		var n uint
		var offset int
		switch {
		case acc>>61 == 0b110:
			n, offset = 16, midOffsets+int(acc>>48&0x1fff)
		case acc>>60 == 0b1110:
			n, offset = 12, nearOffsets+int(acc>>52&0xff)
		default:
			n, offset = 10, int(acc>>54&0x3f)
		}
		ones := uint(bits.LeadingZeros64(^(acc << n)))
		if offset == 0 || offset >= historyLen || ones > maxOnes {
			return p, ErrCorrupt
		}
		length := minMatch
		if ones == 0 {
			n++
		} else {
			k := ones + 1
			length = 1<<k | int(acc<<(n+k)>>(64-k))
			n += 2 * k
		}
		if n > have {
			return p, ErrCorrupt
		}
		acc <<= n
		have -= n
		fits := min(length, end-p)
		d.copy(p, offset, fits)
		p += fits
		if fits < length {
			return p, ErrTooLong
		}
	}
}

// maxCode is the longest code in bits: that of a match with the longest offset
// and the longest length.
const maxCode = 16 + 24

// maxOnes is the number of ones before the longest length, of 13 bits.
const maxOnes = 11

// copy repeats n octets at p from offset before it. The history is a ring there:
// what lies before its front is what the round before left at its end.
func (d *Decompressor) copy(p, offset, n int) {
	h := &d.history
	from := p - offset
	switch {
	case from < 0:
		for i := range n {
			at := (from + i) & historyMask
			h[p+i] = 0
			if at < p+i || at < d.high {
				h[p+i] = h[at]
			}
		}
	case offset >= n:
		copy(h[p:p+n], h[from:from+n])
	default: // it overlaps what it makes, which repeats
		for i := 0; i < n; {
			i += copy(h[p+i:p+n], h[from:p+i])
		}
	}
}
