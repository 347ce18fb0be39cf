// Package mppc is Microsoft Point-to-Point Compression (RFC 2118): a compressor
// and a decompressor for one direction of a link each, over a history of 8,192
// octets.
//
// It knows nothing of the header of the packets (that is mppe's), negotiates
// nothing (ppp/ccp), and keeps no count: whoever uses it sees to it that the
// decompressor gets every compressed packet, in order, or a flushed one.
// It starts no goroutine, opens no socket and allocates nothing per packet.
package mppc

// Flags accompany a packet. They have the places of bits A, B and C in the
// header of RFC 2118, section 3.1.
type Flags uint16

// The flags.
const (
	// Flushed (A) means that the history was made empty before this packet.
	Flushed Flags = 0x8000
	// AtFront (B) means that this packet stands at the front of the history.
	AtFront Flags = 0x4000
	// Compressed (C) means that the packet is compressed.
	Compressed Flags = 0x2000
)

const (
	// historyLen is the length of the history (RFC 2118, section 4).
	historyLen  = 8192
	historyMask = historyLen - 1
	// minMatch is the shortest match that has a code (section 4.2.2).
	minMatch = 3
)

// The three ranges of offsets have codes of different length (RFC 2118,
// section 4.2.1): 1111 and 6 bits, 1110 and 8 bits, 110 and 13 bits.
const (
	nearOffsets = 64  // offsets below it
	midOffsets  = 320 // offsets below it, less nearOffsets
)
