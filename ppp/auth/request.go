package auth

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	"gopptp/mppe"
	"gopptp/mschap"
)

// A Request is what the other end shows for itself. Its owner answers it with
// Verify and a local password, or has a RADIUS server do so: every field that
// RADIUS wants is here. A Request is complete: for MS-CHAP, Challenge and
// Response have the sizes that the method says.
type Request struct {
	Method Method
	// Name is the name as it was sent, hostile: any octets, at most 255.
	Name string
	// User is what follows the last backslash in Name, Domain what comes before
	// it. Without a backslash User is Name.
	User, Domain string
	// ID is the packet's identifier. It is in CHAP's hash, and in the RADIUS
	// attributes CHAP-Password, MS-CHAP-Response and MS-CHAP2-Response.
	ID uint8
	// Password is the password of PAP.
	Password Secret
	// Challenge is what we sent, 16 octets (MS-CHAPv1: 8), and Response the value
	// that came back, 16 octets (MS-CHAP: 49). Both are nil with PAP.
	Challenge, Response []byte
}

// A Result is the answer to a Request.
type Result struct {
	OK bool
	// Code is Microsoft's number for a refusal. Zero means CodeAuthFailure.
	Code int
	// Message is for the other end. With MS-CHAPv2 and OK it must begin with
	// the proof "S=" and 40 hexadecimal digits, as Verify and the RADIUS attribute
	// MS-CHAP2-Success have it; without the proof the Authenticator refuses. For
	// a refusal it is human text, without the fields of a Failure. Empty means
	// a customary one. It is cut at 255 octets.
	Message string
	// Keys are the start keys as seen from this end, nil if there are none.
	Keys *mppe.Keys
}

// The customary messages.
const (
	granted = "Access granted"
	denied  = "bad username or password"
)

// LMResponse is the LAN Manager response of MS-CHAPv1. The methods from here on
// give zeros for other methods.
func (r *Request) LMResponse() mschap.Response { return r.v1().lm }

// NTResponse is the NT response of MS-CHAPv1 or MS-CHAPv2.
func (r *Request) NTResponse() mschap.Response {
	if r.Method == MSCHAPv2 {
		return r.v2().nt
	}
	return r.v1().nt
}

// UseNT is the flag of MS-CHAPv1 that the NT response is the one that counts.
func (r *Request) UseNT() bool { return r.v1().useNT }

// PeerChallenge is the client's own challenge of MS-CHAPv2.
func (r *Request) PeerChallenge() mschap.PeerChallenge { return r.v2().peer }

func (r *Request) v1() (v v1Response) {
	if r.Method == MSCHAPv1 && len(r.Response) == msResponseSize {
		v = parseV1Response([msResponseSize]byte(r.Response))
	}
	return v
}

func (r *Request) v2() (v v2Response) {
	if r.Method == MSCHAPv2 && len(r.Response) == msResponseSize {
		v = parseV2Response([msResponseSize]byte(r.Response))
	}
	return v
}

// Verify checks the request against the user's password, in a time that does
// not depend on where the two differ. For a user who does not exist, verify
// against any password and drop the result, so that the time does not tell.
func (r *Request) Verify(password string) Result {
	switch r.Method {
	case PAP:
		// The hashes have one length, so that not even lengths are compared.
		got, want := sha256.Sum256([]byte(r.Password)), sha256.Sum256([]byte(password))
		if subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
			return Result{OK: true, Message: granted}
		}
	case CHAP:
		want := chapMD5(r.ID, password, r.Challenge)
		if subtle.ConstantTimeCompare(r.Response, want[:]) == 1 {
			return Result{OK: true, Message: granted}
		}
	case MSCHAPv1:
		return r.verifyV1(password)
	case MSCHAPv2:
		return r.verifyV2(password)
	}
	return Result{Message: denied}
}

// verifyV1 takes the NT response only. The LAN Manager response, which clients
// without Windows NT's hash sent alone, knows neither the case of a password nor
// what follows its 14th letter: wrong passwords would pass.
func (r *Request) verifyV1(password string) Result {
	c := mschap.Challenge{}
	v := r.v1()
	if len(r.Challenge) != len(c) || !v.useNT {
		return Result{Message: denied}
	}
	copy(c[:], r.Challenge)
	if !mschap.NtChallengeResponse(c, mschap.NtPasswordHash(password)).Equal(v.nt) {
		return Result{Message: denied}
	}
	return Result{OK: true, Message: granted, Keys: passwordKeysV1(c, password)}
}

// verifyV2 tries the name without its domain first, which is what RFC 2759 says
// and Windows, pppd and RouterOS hash, and then the name as sent, which clients
// hash that do not know of domains and were given a name with a backslash.
func (r *Request) verifyV2(password string) Result {
	a := mschap.AuthenticatorChallenge{}
	if len(r.Challenge) != len(a) {
		return Result{Message: denied}
	}
	copy(a[:], r.Challenge)
	v := r.v2()
	h := mschap.NtPasswordHash(password)
	name := r.User
	ok := mschap.GenerateNTResponse(a, v.peer, name, h).Equal(v.nt)
	if !ok && r.Name != name {
		name = r.Name
		ok = mschap.GenerateNTResponse(a, v.peer, name, h).Equal(v.nt)
	}
	if !ok {
		return Result{Message: denied}
	}
	hh := mschap.NtPasswordHashHash(h)
	proof := mschap.GenerateAuthenticatorResponse(hh, v.nt, v.peer, a, name)
	return Result{OK: true, Message: proof.String() + " M=" + granted, Keys: serverKeysV2(hh, v.nt)}
}

// chapMD5 is the response of CHAP (RFC 1994, section 4.1).
func chapMD5(id uint8, password string, challenge []byte) [md5.Size]byte {
	b := make([]byte, 0, 1+len(password)+len(challenge))
	b = append(b, id)
	b = append(b, password...)
	return md5.Sum(append(b, challenge...))
}

// splitName splits a name at its last backslash.
func splitName(name string) (user, domain string) {
	user = mschap.StripDomain(name)
	return user, strings.TrimSuffix(name[:len(name)-len(user)], `\`)
}
