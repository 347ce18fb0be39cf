package auth

import "gopptp/mschap"

// The codes of CHAP (RFC 1994, section 4).
const (
	chapChallenge = 1
	chapResponse  = 2
	chapSuccess   = 3
	chapFailure   = 4
)

// A chapValue is the data of a Challenge or a Response (RFC 1994, section 4.1).
type chapValue struct {
	value []byte
	name  []byte
}

// Parse reads b, all of it: the name reaches to the end. Its fields are slices
// of b.
func (v *chapValue) Parse(b []byte) error {
	value, name, ok := counted(b)
	if !ok || len(value) == 0 { // "The Value field is one or more octets"
		return ErrMalformed
	}
	*v = chapValue{value, name}
	return nil
}

// Append appends the wire form. The value is 1 to 255 octets.
func (v *chapValue) Append(b []byte) []byte {
	b = append(b, byte(len(v.value)))
	b = append(b, v.value...)
	return append(b, v.name...)
}

// challengeSize is the size of the method's challenge: fixed for MS-CHAP (RFC
// 2433, section 4; RFC 2759, section 3), and for CHAP what we send, as long as
// the hash (RFC 1994, section 4.1).
func (m Method) challengeSize() int {
	if m == MSCHAPv1 {
		return len(mschap.Challenge{})
	}
	return len(mschap.AuthenticatorChallenge{})
}

// msResponseSize is the size of a response value of MS-CHAP, either version.
const msResponseSize = 49

// responseSize is the size of the method's response.
func (m Method) responseSize() int {
	if m == CHAP {
		return 16 // MD5
	}
	return msResponseSize
}

// v1Response is the value of an MS-CHAPv1 Response (RFC 2433, section 5).
type v1Response struct {
	lm, nt mschap.Response
	useNT  bool
}

func (r v1Response) append(b []byte) []byte {
	b = append(b, r.lm[:]...)
	b = append(b, r.nt[:]...)
	if r.useNT {
		return append(b, 1)
	}
	return append(b, 0)
}

func parseV1Response(v [msResponseSize]byte) v1Response {
	return v1Response{mschap.Response(v[0:24]), mschap.Response(v[24:48]), v[48] != 0}
}

// v2Response is the value of an MS-CHAPv2 Response (RFC 2759, section 4). Its
// reserved octets and flags must be zero; they are ignored on receipt, and are
// in no hash.
type v2Response struct {
	peer mschap.PeerChallenge
	nt   mschap.Response
}

func (r v2Response) append(b []byte) []byte {
	b = append(b, r.peer[:]...)
	b = append(b, make([]byte, 8)...) // Reserved
	b = append(b, r.nt[:]...)
	return append(b, 0) // Flags
}

func parseV2Response(v [msResponseSize]byte) v2Response {
	return v2Response{mschap.PeerChallenge(v[0:16]), mschap.Response(v[24:48])}
}
