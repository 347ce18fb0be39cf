package radius

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	wire "layeh.com/radius"

	"gopptp/mschap"
	"gopptp/ppp/auth"
)

// The attributes of requests, beside those that policy.go reads.
var (
	attrUserName         = kind{typ: 1}
	attrUserPassword     = kind{typ: 2}
	attrCHAPPassword     = kind{typ: 3}
	attrNASIPAddress     = kind{typ: 4}
	attrNASPort          = kind{typ: 5}
	attrServiceType      = kind{typ: 6}
	attrFramedProtocol   = kind{typ: 7}
	attrCalledStationID  = kind{typ: 30}
	attrCallingStationID = kind{typ: 31}
	attrNASIdentifier    = kind{typ: 32}
	attrAcctSessionID    = kind{typ: 44}
	attrCHAPChallenge    = kind{typ: 60}
	attrNASPortType      = kind{typ: 61}
	attrNASIPv6Address   = kind{typ: 95}

	attrMSCHAPResponse  = kind{vendorMicrosoft, 1}
	attrMSCHAPDomain    = kind{vendorMicrosoft, 10}
	attrMSCHAPChallenge = kind{vendorMicrosoft, 11}
	attrMSCHAP2Response = kind{vendorMicrosoft, 25}
	attrMikrotikRealm   = kind{vendorMikrotik, 9}
)

// The values of Service-Type, Framed-Protocol and NAS-Port-Type for a tunnel
// (RFC 2865, sections 5.6, 5.7 and 5.41).
const (
	serviceFramed   = 2
	framedPPP       = 1
	nasPortVirtual  = 5
	serviceAuthOnly = 17 // Authorize Only (RFC 5176, section 3.1)
)

// A Request asks about a user. Credentials are what ppp/auth got from the client.
type Request struct {
	Session
	Credentials *auth.Request
}

// An Answer is a server's verdict on a Request.
type Answer struct {
	Accepted bool
	Reason   string // why not, for the log
	Policy   Policy
	Result   auth.Result // for the Authenticator, keys included
	ServerID uint64      // who answered
}

// nas is what is told of this machine.
type nas struct {
	identity string
	address  netip.Addr // that the server sees, if nothing between changes it
	realm    string
}

// describe adds what every request says of the session (RFC 2865, section 5;
// RouterOS sends no NAS-Port-Id for PPTP).
func (l *attributeList) describe(q Session, n nas) {
	l.integer(attrServiceType, serviceFramed)
	l.integer(attrFramedProtocol, framedPPP)
	l.integer(attrNASPort, q.Port)
	l.integer(attrNASPortType, nasPortVirtual)
	l.text(attrUserName, q.User)
	l.text(attrCallingStationID, q.Calling)
	l.text(attrCalledStationID, q.Called)
	l.text(attrAcctSessionID, q.ID)
	l.text(attrMSCHAPDomain, q.Domain)
	l.text(attrMikrotikRealm, cmp.Or(n.realm, q.Domain))
	l.identify(n)
}

func (l *attributeList) identify(n nas) {
	l.text(attrNASIdentifier, n.identity)
	l.address(attrNASIPAddress, attrNASIPv6Address, n.address)
}

// authenticator of an Access-Request is random; User-Password is hidden with it.
func (q Request) packet(secret []byte, n nas) (*wire.Packet, error) {
	p := wire.New(wire.CodeAccessRequest, secret)
	var l attributeList
	l.describe(q.Session, n)
	if err := l.credentials(q.Credentials, p); err != nil {
		return nil, err
	}
	p.Attributes = l.Attributes
	return p, l.err
}

var errCredentials = errors.New("radius: credentials of an unexpected size")

func (l *attributeList) credentials(r *auth.Request, p *wire.Packet) error {
	switch r.Method {
	case auth.PAP:
		// A NUL would cut the password short on the other side, where padding is
		// taken off: another password than the one that was sent would do.
		if strings.ContainsRune(string(r.Password), 0) {
			return errCredentials
		}
		v, err := wire.NewUserPassword([]byte(r.Password), p.Secret, p.Authenticator[:])
		if err != nil {
			return errCredentials
		}
		l.octets(attrUserPassword, v)
	case auth.CHAP:
		l.octets(attrCHAPPassword, append([]byte{r.ID}, r.Response...))
		l.octets(attrCHAPChallenge, r.Challenge)
	case auth.MSCHAPv1:
		// Ident, Flags, LM-Response, NT-Response (RFC 2548, section 2.1.3)
		flags := byte(0)
		if r.UseNT() {
			flags = 1
		}
		lm, nt := r.LMResponse(), r.NTResponse()
		l.octets(attrMSCHAPResponse, append(append([]byte{r.ID, flags}, lm[:]...), nt[:]...))
		l.octets(attrMSCHAPChallenge, r.Challenge)
	case auth.MSCHAPv2:
		// Ident, Flags, Peer-Challenge, Reserved, Response (RFC 2548, section 2.3.2)
		peer, nt := r.PeerChallenge(), r.NTResponse()
		v := append([]byte{r.ID, 0}, peer[:]...)
		v = append(v, make([]byte, 8)...)
		l.octets(attrMSCHAP2Response, append(v, nt[:]...))
		l.octets(attrMSCHAPChallenge, r.Challenge)
	default:
		return errCredentials
	}
	return nil
}

// decodeAnswer reads a reply that checkReply has passed. An error means that the
// reply is to be dropped.
func decodeAnswer(r *auth.Request, reply, secret []byte, asked [16]byte) (*Answer, error) {
	switch wire.Code(reply[0]) {
	case wire.CodeAccessAccept:
		return decodeAccept(r, reply, secret, asked)
	case wire.CodeAccessReject:
		return decodeReject(r, reply), nil
	}
	// "If the NAS does not support challenge/response, it MUST treat an
	// Access-Challenge as though it had received an Access-Reject" (RFC 2865,
	// section 4.4).
	return &Answer{Reason: "the server wants another challenge"}, nil
}

func decodeAccept(r *auth.Request, reply, secret []byte, asked [16]byte) (*Answer, error) {
	policy, err := decodePolicy(reply)
	if err != nil {
		return nil, err
	}
	a := &Answer{Accepted: true, Policy: policy, Result: auth.Result{OK: true}}
	var send, receive *[mppeKeyLen]byte
	for k, v := range attributes(reply) {
		switch k {
		case attrReplyMessage:
			a.Result.Message += string(v)
		case attrMSMPPESendKey, attrMSMPPERecvKey:
			key, err := saltedKey(v, secret, asked)
			if err != nil {
				return nil, err
			}
			if k == attrMSMPPESendKey {
				send = &key
			} else {
				receive = &key
			}
		case attrMSCHAPMPPEKeys:
			key, err := chapKeys(v, secret, asked)
			if err != nil {
				return nil, err
			}
			if r.Method == auth.MSCHAPv1 && len(r.Challenge) == len(mschap.Challenge{}) {
				a.keysV1(mschap.Challenge(r.Challenge), key)
			}
		}
	}
	if r.Method == auth.MSCHAPv2 {
		if send != nil && receive != nil {
			// Both are named as the NAS sees them (RFC 2548, sections 2.4.2 and 2.4.3).
			a.Result.Keys = auth.KeysV2(*send, *receive)
		}
		proof, ok := success(r, reply)
		if !ok {
			// The client would not believe us.
			return &Answer{Reason: "the server's answer has no proof for MS-CHAPv2"}, nil
		}
		a.Result.Message = proof
	}
	return a, nil
}

// keysV1 makes the keys of MS-CHAPv1. A server that has no LAN Manager hash sends
// zeros for its part, as FreeRADIUS 3.2 does. Traffic under a key that everybody
// knows is not encrypted: nothing shorter than 128 bits is allowed then, and
// whoever allows it all the same gets a key that nobody knows.
func (a *Answer) keysV1(c mschap.Challenge, key [lmKeyLen + ntKeyLen]byte) {
	lm, hh := [lmKeyLen]byte(key[:]), mschap.NtHashHash(key[lmKeyLen:])
	if hh == (mschap.NtHashHash{}) {
		return
	}
	if lm == ([lmKeyLen]byte{}) {
		rand.Read(lm[:])
		if !a.Policy.TypesKnown {
			a.Policy.EncryptionTypes, a.Policy.TypesKnown = Type128Bit, true
		}
		a.Policy.EncryptionTypes &^= Type40Bit
	}
	a.Result.Keys = auth.KeysV1(c, lm, hh)
}

// success takes the proof out of MS-CHAP2-Success (RFC 2548, section 2.3.3). Its
// form and identifier are all that can be checked without the password's hash;
// the client checks the rest.
func success(r *auth.Request, reply []byte) (string, bool) {
	for k, v := range attributes(reply) {
		if k != attrMSCHAP2Success || len(v) < 1 || v[0] != r.ID {
			continue
		}
		text := strings.TrimRight(string(v[1:]), "\x00")
		_, ok := mschap.ParseAuthenticatorResponse(text)
		return text, ok
	}
	return "", false
}

// decodeReject takes what the client is to be told: the fields of MS-CHAP-Error
// (RFC 2548, section 2.1.5), else the text of Reply-Message.
func decodeReject(r *auth.Request, reply []byte) *Answer {
	a := &Answer{Reason: "rejected by the server"}
	var message []string
	for k, v := range attributes(reply) {
		switch {
		case k == attrReplyMessage:
			message = append(message, string(v))
		case k == attrMSCHAPError && len(v) > 1 && (r.Method == auth.MSCHAPv1 || r.Method == auth.MSCHAPv2):
			f := auth.ParseFailure(string(v[1:]))
			a.Result.Code, a.Result.Message = f.Code, f.Message
		}
	}
	if len(message) > 0 {
		a.Result.Message = strings.Join(message, "")
	}
	if a.Result.Message != "" {
		a.Reason = fmt.Sprintf("rejected by the server: %.100q", a.Result.Message)
	}
	return a
}
