package mppe

import (
	"gopptp/mppc"
)

// Compression and encryption share one header, one count and one bit A (RFC
// 2118, section 3.1; RFC 3078, section 3). A packet is compressed first. One
// that would not become shorter goes as it is, without the bit C.

// packedMask is bits B and C, which are mppc's alone; bit A is both's.
const packedMask = uint16(mppc.AtFront | mppc.Compressed)

const (
	// maxPacked is the longest frame that is compressed. The longest that a PPTP
	// packet can carry has 1,532 octets (RFC 2637, section 4.1).
	maxPacked = 2048
	// maxUnpacked is the longest frame that may come out of a packet: more than
	// any MRU in use. What a packet of a few octets can grow to ends here.
	maxUnpacked = 4096
	// peekLen is how much of a packet is decrypted before it is believed: enough
	// for the nine bits of each octet that plausible looks at.
	peekLen = 16
)

// A packer is the compression of a Sender.
type packer struct {
	mppc.Compressor
	stateless bool
	reset     bool // the next packet, compressed or not, is FLUSHED
	room      [maxPacked + 64]byte
}

// The room must do for what the compressor asks for: a negative constant does
// not compile.
const _ = uint(64 - mppc.Slack)

func newPacker(cfg Config) *packer { return &packer{stateless: cfg.Stateless} }

// sealPacked is Seal with compression.
//
// After a packet that would have grown the history is empty, and RFC 2118 says
// so by bit A of the next one. With encryption in stateful mode that bit would
// also make the tables anew from a key that has been used, which gives the key
// stream away to whoever has both packets. There bit B alone is sent: nothing
// from before it is referred to either way.
func (s *Sender) sealPacked(buf []byte, off int) int {
	p := s.packer
	encrypted := s.chain.strength != None
	flushed := p.stateless || p.reset
	if s.tables != nil && s.count&flagCount == flagCount {
		flushed = true // encrypt will say so
	}
	if flushed {
		p.Flush()
	}
	p.reset = false
	var flags mppc.Flags
	if len(buf)-off <= maxPacked {
		var out []byte
		if out, flags = p.Compress(p.room[:0], buf[off:]); flags&mppc.Compressed != 0 {
			off = len(buf) - copy(buf[len(buf)-len(out):], out)
		}
	} else {
		p.Flush()
	}
	packed := uint16(flags) & packedMask
	if encrypted {
		return s.encrypt(buf, off, packed)
	}
	if flushed || flags&mppc.Flushed != 0 {
		packed |= bitFlushed
	}
	return s.push(buf, off, packed)
}

// An unpacker is the compression of a Receiver.
type unpacker struct {
	*mppc.Decompressor
	stateless bool
	flags     mppc.Flags // of the packet being opened
	room      [maxUnpacked]byte
}

func newUnpacker(cfg Config) *unpacker {
	return &unpacker{Decompressor: mppc.NewDecompressor(maxUnpacked), stateless: cfg.Stateless}
}

// openPacked is Open with compression. Unlike encryption, the history needs
// every packet since bit A was last set, so without that bit only the packet
// that is due can be opened.
func (r *Receiver) openPacked(header uint16, p []byte) ([]byte, error) {
	u := r.unpacker
	u.flags = mppc.Flags(header & (bitFlushed | packedMask))
	encrypted := header&bitEncrypted != 0
	switch {
	case encrypted && r.chain.strength == None:
		return nil, ErrEncrypted
	case !encrypted && r.chain.strength != None:
		return nil, ErrNotEncrypted
	}
	if !u.stateless {
		if err := r.inStep(header); err != nil {
			r.refused = min(r.refused+1, 1<<15)
			return nil, err
		}
	}
	if !encrypted {
		if u.stateless && header&bitFlushed == 0 {
			return nil, ErrNotFlushed
		}
		r.next = (header + 1) & countMask
		r.refused, r.lost = 0, false
	} else if err := r.decrypt(header, p); err != nil {
		return nil, err
	}
	inner, err := u.Decompress(u.room[:0], p, u.flags)
	if err != nil || !plausible(inner[:min(len(inner), headLen)], len(inner)) {
		if !u.stateless {
			// The history is not the peer's, whatever the reason.
			u.Lose()
			r.lost = true
		}
		return nil, ErrPacked
	}
	return inner, nil
}

// inStep checks that a packet of stateful mode is the one that is due, or needs
// none before it.
func (r *Receiver) inStep(header uint16) error {
	if r.refused >= patience {
		r.lost = true
	}
	ahead := (header - r.next) & countMask
	switch {
	case ahead > maxAhead && !r.lost:
		return ErrLate
	case header&bitFlushed != 0:
		return nil
	case ahead != 0 || r.unpacker.Lost():
		// If this count is forged, the next packet is in order and all is well.
		r.lost = true
		return ErrReset
	}
	return nil
}

// try decrypts p in place if what comes out may be a PPP frame, or the compressed
// form of one; otherwise it leaves p and the cipher as they were.
func (r *Receiver) try(t *cipher, p []byte) bool {
	u := r.unpacker
	if u == nil || u.flags&mppc.Compressed == 0 {
		return t.open(p)
	}
	var sealed [peekLen]byte
	n := copy(sealed[:], p)
	t.XOR(p[:n])
	var head [headLen]byte
	if !plausible(head[:u.Head(head[:], p[:n], u.flags)], maxUnpacked) {
		copy(p, sealed[:n])
		t.Rewind(n)
		return false
	}
	t.XOR(p[n:])
	return true
}
