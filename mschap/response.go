package mschap

import (
	"crypto/sha1"
	"crypto/subtle"
	"encoding/hex"
	"strings"
)

// challengeResponse answers a challenge: three DES blocks under the hash, which
// is filled up with zeros to 21 octets (RFC 2759, section 8.5).
func challengeResponse(c Challenge, hash [16]byte) Response {
	var z [21]byte
	copy(z[:], hash[:])
	var r Response
	for i := range 3 {
		desEncrypt(r[8*i:8*i+8], [7]byte(z[7*i:7*i+7]), c[:])
	}
	return r
}

// NtChallengeResponse is the NT response of MS-CHAPv1 (RFC 2433, appendix A.4),
// and the last step of the response of MS-CHAPv2.
func NtChallengeResponse(c Challenge, h NtHash) Response { return challengeResponse(c, h) }

// LmChallengeResponse is the LAN Manager response of MS-CHAPv1 (RFC 2433,
// appendix A.1).
func LmChallengeResponse(c Challenge, h LmHash) Response { return challengeResponse(c, h) }

// ChallengeHash makes one challenge of both (RFC 2759, section 8.2). The user
// name is the one that was sent, without a domain before it: see StripDomain.
func ChallengeHash(p PeerChallenge, a AuthenticatorChallenge, user string) Challenge {
	d := sha1.New()
	d.Write(p[:])
	d.Write(a[:])
	d.Write([]byte(user))
	return Challenge(d.Sum(nil)[:8])
}

// StripDomain gives what follows the last backslash, which is what clients hash
// of a name like DOMAIN\user (RFC 2759, section 8.2).
func StripDomain(name string) string { return name[strings.LastIndexByte(name, '\\')+1:] }

// GenerateNTResponse is the response of MS-CHAPv2 (RFC 2759, section 8.1). The
// user name is as for ChallengeHash.
func GenerateNTResponse(a AuthenticatorChallenge, p PeerChallenge, user string, h NtHash) Response {
	return NtChallengeResponse(ChallengeHash(p, a, user), h)
}

// An AuthenticatorResponse proves to the client that the server knows the
// password too (RFC 2759, section 8.7).
type AuthenticatorResponse [20]byte

// The constants of GenerateAuthenticatorResponse (RFC 2759, section 8.7).
const (
	signingMagic1 = "Magic server to client signing constant"
	signingMagic2 = "Pad to make it do more than one iteration"
)

// GenerateAuthenticatorResponse computes the server's proof (RFC 2759, section
// 8.7). The user name is as for ChallengeHash.
func GenerateAuthenticatorResponse(hh NtHashHash, r Response, p PeerChallenge, a AuthenticatorChallenge, user string) AuthenticatorResponse {
	d := sha1.New()
	d.Write(hh[:])
	d.Write(r[:])
	d.Write([]byte(signingMagic1))
	inner := d.Sum(nil)
	c := ChallengeHash(p, a, user)
	d.Reset()
	d.Write(inner)
	d.Write(c[:])
	d.Write([]byte(signingMagic2))
	return AuthenticatorResponse(d.Sum(nil))
}

// String gives the form that a Success packet carries: "S=" and 40 hexadecimal
// digits in upper case (RFC 2759, section 5).
func (a AuthenticatorResponse) String() string {
	return "S=" + strings.ToUpper(hex.EncodeToString(a[:]))
}

// ParseAuthenticatorResponse reads the proof at the head of a Success message.
// What follows must be set off by a space. Digits may be in either case, since
// the comparison is of what they mean.
func ParseAuthenticatorResponse(message string) (a AuthenticatorResponse, ok bool) {
	digits, ok := strings.CutPrefix(message, "S=")
	if n := hex.EncodedLen(len(a)); !ok || len(digits) < n || len(digits) > n && digits[n] != ' ' {
		return AuthenticatorResponse{}, false
	}
	if _, err := hex.Decode(a[:], []byte(digits[:hex.EncodedLen(len(a))])); err != nil {
		return AuthenticatorResponse{}, false
	}
	return a, true
}

// Check reports whether a Success message carries this proof (RFC 2759, section
// 8.8). It takes the same time for every wrong proof.
func (a AuthenticatorResponse) Check(message string) bool {
	got, ok := ParseAuthenticatorResponse(message)
	return subtle.ConstantTimeCompare(got[:], a[:]) == 1 && ok
}

// Equal compares responses in constant time.
func (r Response) Equal(o Response) bool { return subtle.ConstantTimeCompare(r[:], o[:]) == 1 }
