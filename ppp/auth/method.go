// Package auth holds the authentication protocols of a PPTP tunnel, both sides
// of each: PAP (RFC 1334), CHAP with MD5 (RFC 1994), MS-CHAPv1 (RFC 2433) and
// MS-CHAPv2 (RFC 2759), with the MPPE start keys that the last two give
// (RFC 3079).
//
// An [Authenticator] proves the other end, a [Peer] proves this one; a link has
// one, the other, or both. The machines are sans-IO: packets and time go in,
// packets and results come out. They start no goroutine, keep no timer and
// never log a secret. They look up no user, change no password (RFC 2759,
// section 7) and do not negotiate: that is LCP's.
package auth

import (
	"bytes"
	"fmt"

	"gopptp/ppp"
)

// A Method is a way to authenticate, in the order from weakest to strongest.
type Method uint8

// The methods, named as RouterOS names them.
const (
	PAP      Method = iota + 1 // insecure: the password in clear
	CHAP                       // insecure: CHAP-MD5, open to dictionary attack; gives no MPPE keys
	MSCHAPv1                   // insecure: DES of the LM and NT hashes
	MSCHAPv2                   // insecure: reducible to one DES search
)

// methods has a row per Method: its RouterOS name and the data of the LCP
// option Authentication-Protocol that asks for it (RFC 1661, section 6.2; the
// algorithms of CHAP: RFC 1994, section 3; RFC 2433, section 3; RFC 2759,
// section 2).
var methods = [...]struct {
	name   string
	option []byte
}{
	PAP:      {"pap", []byte{0xc0, 0x23}},
	CHAP:     {"chap", []byte{0xc2, 0x23, 0x05}},
	MSCHAPv1: {"mschap1", []byte{0xc2, 0x23, 0x80}},
	MSCHAPv2: {"mschap2", []byte{0xc2, 0x23, 0x81}},
}

func (m Method) valid() bool { return PAP <= m && m <= MSCHAPv2 }

// String gives the method's RouterOS name: pap, chap, mschap1 or mschap2.
func (m Method) String() string {
	if !m.valid() {
		return fmt.Sprintf("method(%d)", uint8(m))
	}
	return methods[m].name
}

// ParseMethod reads the name that String gives.
func ParseMethod(name string) (Method, error) {
	for m := PAP; m.valid(); m++ {
		if methods[m].name == name {
			return m, nil
		}
	}
	return 0, fmt.Errorf("auth: unknown method %s", quote(name))
}

// Protocol is the PPP protocol that the method speaks, PAP's or CHAP's. It is
// zero for what is no method.
func (m Method) Protocol() ppp.Protocol {
	switch m {
	case PAP:
		return ppp.ProtocolPAP
	case CHAP, MSCHAPv1, MSCHAPv2:
		return ppp.ProtocolCHAP
	}
	return 0
}

// Option gives the data of the LCP option Authentication-Protocol that asks for
// the method, a fresh slice (RFC 1661, section 6.2). It is nil for what is no
// method.
func (m Method) Option() []byte {
	if !m.valid() {
		return nil
	}
	return bytes.Clone(methods[m].option)
}

// ParseOption reads the data of an Authentication-Protocol option. It reports
// false for a protocol, an algorithm or a length that is none of the methods',
// EAP among them.
func ParseOption(data []byte) (Method, bool) {
	for m := PAP; m.valid(); m++ {
		if bytes.Equal(methods[m].option, data) {
			return m, true
		}
	}
	return 0, false
}
