// Package mppe implements Microsoft Point-to-Point Encryption (RFC 3078) with
// the keys of RFC 3079: the session key chain, the coherency count, and sealing
// and opening of packets in place. Before encryption, or without any, a packet
// may be compressed by package mppc (RFC 2118), whose header is the same.
//
// It does not negotiate (that is ppp/ccp), does not authenticate, and does not
// protect integrity: nothing in MPPE does. It starts no goroutine and opens no
// socket.
package mppe

import (
	"fmt"
	"io"
)

// A Strength is a length of session key in bits (RFC 3078, section 2.1). The
// zero value means no encryption.
type Strength uint8

// The three strengths of MPPE. All of them are broken by today's measure; the
// shorter two can be searched exhaustively.
const (
	None    Strength = 0
	Bits40  Strength = 40  // insecure: 40-bit, for old peers only
	Bits56  Strength = 56  // insecure: 56-bit, for old peers only
	Bits128 Strength = 128 // insecure: RC4 without integrity
)

// A Config is what CCP settled for one direction.
type Config struct {
	Strength Strength
	// Stateless means that the key changes with every packet (RFC 3078,
	// section 3.1); otherwise it changes every 256 packets and a loss needs a
	// CCP Reset-Request (section 3.2).
	Stateless bool
	// Compress means that packets are compressed before they are encrypted
	// (RFC 2118), with a Strength of None that they are compressed only. In
	// stateless mode no packet refers to one before it.
	Compress bool
}

// Active tells whether packets are encrypted or compressed at all.
func (c Config) Active() bool { return c.Strength != None || c.Compress }

// String gives the configuration as RouterOS prints it: "MPPE128 stateless",
// and with compression "MPPC+MPPE128 stateless" or "MPPC". It is empty with
// neither.
func (c Config) String() string {
	var s string
	if c.Strength != None {
		mode := "stateful"
		if c.Stateless {
			mode = "stateless"
		}
		s = fmt.Sprintf("MPPE%d %s", c.Strength, mode)
	}
	switch {
	case !c.Compress:
		return s
	case s == "":
		return "MPPC"
	}
	return "MPPC+" + s
}

// A StartKey is what one direction's key chain starts from, as RFC 3079 derives
// it from an authentication: Long for 128-bit keys, Short for 40 and 56 bits.
// With MS-CHAPv2 Short is the head of Long; with MS-CHAPv1 they are unrelated.
type StartKey struct {
	Long  [16]byte
	Short [8]byte
}

// Keys are the start keys of both directions, seen from this end.
type Keys struct {
	Send, Receive StartKey
}

// hidden stands for key material wherever it would be printed.
const hidden = "(secret)"

// Format hides the key under every verb.
func (StartKey) Format(s fmt.State, _ rune) { io.WriteString(s, hidden) }

// MarshalText hides the key from encoders, those of log/slog among them.
func (StartKey) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Format hides the keys under every verb.
func (Keys) Format(s fmt.State, _ rune) { io.WriteString(s, hidden) }

// MarshalText hides the keys from encoders.
func (Keys) MarshalText() ([]byte, error) { return []byte(hidden), nil }
