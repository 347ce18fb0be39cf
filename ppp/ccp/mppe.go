package ccp

import (
	"encoding/binary"
	"slices"

	"gopptp/mppe"
)

// Supported Bits of the MPPE option (RFC 3078, section 2.1).
const (
	bitStateless = 0x01000000 // H: the key changes with every packet
	bit56        = 0x00000080 // M
	bit128       = 0x00000040 // S
	bit40        = 0x00000020 // L
	bitCompress  = 0x00000001 // C: MPPC (RFC 2118, section 2)

	// The others are D, obsolete (0x10), and reserved ones. None of them is ever
	// agreed to here.
	bitsKnown = bitStateless | bit56 | bit128 | bit40 | bitCompress
)

// strengths are the three, strongest first.
var strengths = [...]struct {
	strength mppe.Strength
	bit      uint32
}{{mppe.Bits128, bit128}, {mppe.Bits56, bit56}, {mppe.Bits40, bit40}}

// known are the strengths without their bits.
var known = []mppe.Strength{mppe.Bits128, mppe.Bits56, mppe.Bits40}

// configOf is what bits say besides a strength.
func configOf(bits uint32, s mppe.Strength) mppe.Config {
	return mppe.Config{Strength: s, Stateless: bits&bitStateless != 0, Compress: bits&bitCompress != 0}
}

// encode gives the Supported Bits for exactly one configuration.
func encode(c mppe.Config) []byte { return encodeAll(c, []mppe.Strength{c.Strength}) }

// encodeAll gives the Supported Bits for any of the strengths.
func encodeAll(c mppe.Config, any []mppe.Strength) []byte {
	var bits uint32
	for _, s := range strengths {
		if slices.Contains(any, s.strength) {
			bits |= s.bit
		}
	}
	if c.Stateless {
		bits |= bitStateless
	}
	if c.Compress {
		bits |= bitCompress
	}
	return binary.BigEndian.AppendUint32(nil, bits)
}

// strongest picks the best strength that both the bits and the list have, None
// if there is none.
func strongest(bits uint32, allowed []mppe.Strength) mppe.Strength {
	for _, s := range strengths {
		if bits&s.bit != 0 && slices.Contains(allowed, s.strength) {
			return s.strength
		}
	}
	return mppe.None
}

// decode reads Supported Bits that stand for exactly one configuration.
func decode(bits uint32) (mppe.Config, bool) {
	c := configOf(bits, strongest(bits, known))
	return c, c.Active() && binary.BigEndian.Uint32(encode(c)) == bits
}
