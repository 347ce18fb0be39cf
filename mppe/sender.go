package mppe

import "encoding/binary"

// Overhead is how much Seal puts before a packet: the MPPE header without the
// protocol field 0x00FD, which is the caller's (RFC 3078, section 3).
const Overhead = 2

// The bits of the MPPE header (RFC 3078, section 3).
const (
	bitFlushed   = 0x8000 // A: the tables, and the history of compression, were made anew before this packet
	bitEncrypted = 0x1000 // D
	countMask    = 0x0fff // the coherency count
	// flagCount is the low octet of the count in a "flag" packet, before which
	// the key changes in stateful mode (RFC 3078, section 7.2).
	flagCount = 0xff
	// keyPackets is how many counts lie between two flag packets.
	keyPackets = 256
)

// A Sender encrypts one direction. Its methods belong to whoever owns the order
// of packets on the wire: the count of a packet is its place.
type Sender struct {
	chain  chain
	tables *cipher // stateful mode only: 1 KB that stateless mode has no use for
	packer *packer // nil without compression
	count  uint16
	reset  bool
}

// NewSender starts the sending direction. cfg must be Active; without a Strength
// the key is not used.
func NewSender(cfg Config, key StartKey) *Sender {
	s := &Sender{chain: newChain(cfg, key)}
	if !cfg.Stateless && cfg.Strength != None {
		s.tables = new(cipher)
		s.tables.Schedule(&s.chain.key)
	}
	if cfg.Compress {
		s.packer = newPacker(cfg)
	}
	return s
}

// Seal encrypts buf[off:], a PPP frame from its protocol field on, in place,
// writes the MPPE header before it and returns where that starts. There must be
// Overhead octets before off. A frame that compression made shorter ends at the
// end of buf as well, and so starts later.
func (s *Sender) Seal(buf []byte, off int) int {
	if s.packer != nil {
		return s.sealPacked(buf, off)
	}
	return s.encrypt(buf, off, 0)
}

// encrypt is Seal after compression, whose bits of the header are given.
func (s *Sender) encrypt(buf []byte, off int, packed uint16) int {
	if s.reset {
		// The receiver accepts any count in this packet, so it may as well be
		// one that changes the key; see Reset.
		s.count |= flagCount
		s.reset = false
	}
	header := bitEncrypted | packed
	switch {
	case s.tables == nil:
		// The key changes before each packet (RFC 3078, section 7.1).
		var t cipher
		header |= bitFlushed
		s.seal(&t, buf[off:])
	case s.count&flagCount == flagCount:
		header |= bitFlushed
		s.seal(s.tables, buf[off:])
	default:
		s.tables.XOR(buf[off:])
	}
	return s.push(buf, off, header)
}

// push writes the header with these flags and the count of the packet before
// buf[off:], returns where that begins, and goes on to the next count.
func (s *Sender) push(buf []byte, off int, flags uint16) int {
	off -= Overhead
	binary.BigEndian.PutUint16(buf[off:], s.count|flags)
	s.count = (s.count + 1) & countMask
	return off
}

// seal changes the key and encrypts with it.
func (s *Sender) seal(t *cipher, p []byte) {
	s.chain.next(t)
	t.Schedule(&s.chain.key)
	t.XOR(p)
}

// Reset answers a CCP Reset-Request in stateful mode: the next packet has its
// tables made anew and says so. In stateless mode every packet does and nothing
// changes.
//
// RFC 3078, section 8.2 makes the tables anew from the current key, Linux
// changes the key first, and each decrypts garbage from the other. Therefore
// the count is moved on to that of the next flag packet, where both change the
// key once. The receiver waits for a FLUSHED packet and takes its count from
// it, so to him the numbers left out are packets lost.
func (s *Sender) Reset() {
	s.reset = s.tables != nil
	if s.packer != nil {
		s.packer.reset = !s.packer.stateless
	}
}
