// Package auth holds the authentication protocols of a PPTP tunnel, both sides
// of each: PAP (RFC 1334), CHAP with MD5 (RFC 1994), MS-CHAPv1 (RFC 2433) and
// MS-CHAPv2 (RFC 2759), with the MPPE start keys that the last two give
// (RFC 3079).
//
// The machines are sans-IO: packets and time go in, packets and results come
// out. They start no goroutine, keep no timer and never log a secret.
package auth

import "fmt"

// A Method is a way to authenticate, in the order from weakest to strongest.
type Method uint8

// The methods, named as RouterOS names them.
const (
	PAP      Method = iota + 1 // insecure: the password in clear
	CHAP                       // insecure: CHAP-MD5, open to dictionary attack; gives no MPPE keys
	MSCHAPv1                   // insecure: DES of the LM and NT hashes
	MSCHAPv2                   // insecure: reducible to one DES search
)

// String gives the method's RouterOS name: pap, chap, mschap1 or mschap2.
func (m Method) String() string {
	switch m {
	case PAP:
		return "pap"
	case CHAP:
		return "chap"
	case MSCHAPv1:
		return "mschap1"
	case MSCHAPv2:
		return "mschap2"
	}
	return fmt.Sprintf("method(%d)", uint8(m))
}
