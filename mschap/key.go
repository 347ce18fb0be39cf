package mschap

import (
	"bytes"
	"crypto/sha1"
)

// GetStartKey derives the 128-bit start key of MS-CHAPv1, the same for both
// directions (RFC 3079, section 2.4).
func GetStartKey(c Challenge, hh NtHashHash) [16]byte {
	d := sha1.New()
	d.Write(hh[:])
	d.Write(hh[:])
	d.Write(c[:])
	return [16]byte(d.Sum(nil)[:16])
}

// LmStartKey is the start key of MS-CHAPv1 for 40 and 56 bits, the same for both
// directions: the head of the LAN Manager hash (RFC 3079, sections 2.1 and 2.2).
// It does not depend on the challenge: every session of a password starts here.
func LmStartKey(h LmHash) [8]byte { return [8]byte(h[:8]) }

// masterMagic is Magic1 of RFC 3079, section 3.4.
const masterMagic = "This is the MPPE Master Key"

// GetMasterKey derives the master key of MS-CHAPv2 (RFC 3079, section 3.4).
func GetMasterKey(hh NtHashHash, r Response) MasterKey {
	d := sha1.New()
	d.Write(hh[:])
	d.Write(r[:])
	d.Write([]byte(masterMagic))
	return MasterKey(d.Sum(nil)[:16])
}

// A Direction says whose packets a key of MS-CHAPv2 encrypts. RFC 3079 has two
// booleans for it, IsSend and IsServer; only whether they agree matters.
type Direction uint8

// The directions. The server is the side that authenticates the other.
const (
	ToServer Direction = iota // the client's send key, the server's receive key
	ToClient                  // the server's send key, the client's receive key
)

// Magic2 and Magic3 of RFC 3079, section 3.4.
const (
	toServerMagic = "On the client side, this is the send key; on the server side, it is the receive key."
	toClientMagic = "On the client side, this is the receive key; on the server side, it is the send key."
)

// The pads of RFC 3079, section 3.4.
var (
	shsPad1 = [40]byte{}
	shsPad2 = [40]byte(bytes.Repeat([]byte{0xf2}, 40))
)

// GetAsymmetricStartKey derives a start key of MS-CHAPv2 (RFC 3079, section
// 3.4). The keys for 40 and 56 bits are the first eight octets of it.
func GetAsymmetricStartKey(m MasterKey, dir Direction) [16]byte {
	magic := toServerMagic
	if dir == ToClient {
		magic = toClientMagic
	}
	d := sha1.New()
	d.Write(m[:])
	d.Write(shsPad1[:])
	d.Write([]byte(magic))
	d.Write(shsPad2[:])
	return [16]byte(d.Sum(nil)[:16])
}
