// Package mschap is the arithmetic of Microsoft's PPP authentication: the hashes
// and responses of MS-CHAPv1 (RFC 2433) and MS-CHAPv2 (RFC 2759), and the MPPE
// start keys that both give (RFC 3079).
//
// It is pure functions: no state, no goroutine, no socket, no randomness. It
// knows no packet; that is ppp/auth. It does not change passwords (RFC 2759,
// section 7).
//
// Nothing here is safe by today's measure. A response is three DES blocks under
// keys cut from an MD4 hash, and one DES search finds the hash, which is as good
// as the password.
package mschap

import (
	"fmt"
	"io"
)

// A Challenge is what an MS-CHAPv1 response answers (RFC 2433, section 4), and
// what ChallengeHash makes of both challenges of MS-CHAPv2.
type Challenge [8]byte

// An AuthenticatorChallenge is the challenge of the side that authenticates
// (RFC 2759, section 3).
type AuthenticatorChallenge [16]byte

// A PeerChallenge is the challenge that the authenticated side adds in its
// response (RFC 2759, section 4).
type PeerChallenge [16]byte

// A Response is the 24-octet answer to a challenge (RFC 2433, section 5; RFC
// 2759, section 4).
type Response [24]byte

// An NtHash is the MD4 hash of a password. It serves in place of the password
// and is therefore as secret.
type NtHash [16]byte

// An NtHashHash is the MD4 hash of an NtHash. The session keys follow from it.
type NtHashHash [16]byte

// An LmHash is the LAN Manager hash of a password, and as secret.
type LmHash [16]byte // insecure: two halves of seven letters each, without case

// A MasterKey is what both start keys of MS-CHAPv2 come from (RFC 3079, section
// 3.4).
type MasterKey [16]byte

// Format hides the hash under every verb.
func (NtHash) Format(s fmt.State, _ rune) { hide(s, "NtHash") }

// Format hides the hash under every verb.
func (NtHashHash) Format(s fmt.State, _ rune) { hide(s, "NtHashHash") }

// Format hides the hash under every verb.
func (LmHash) Format(s fmt.State, _ rune) { hide(s, "LmHash") }

// Format hides the key under every verb.
func (MasterKey) Format(s fmt.State, _ rune) { hide(s, "MasterKey") }

func hide(w io.Writer, name string) { io.WriteString(w, "mschap."+name+"(secret)") }
