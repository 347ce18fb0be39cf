package auth

import (
	"errors"
	"fmt"
	"time"

	"gopptp/mppe"
	"gopptp/ppp"
)

// An Output is what a machine wants of its owner: a Frame to send, a *Request to
// answer (from an Authenticator, once), or Done. The owner takes them all, in
// order, after each call that it makes: a Failure packet then leaves before the
// link is closed for it.
type Output interface{ output() }

// A Frame is a packet to send. The receiver owns Packet.
type Frame struct {
	Protocol ppp.Protocol
	Packet   []byte
}

// Done is the result of an authentication. A machine gives it once; a Peer gives
// a second one if it is challenged again later and that fails.
type Done struct {
	// Err is nil if the side in question is authenticated: for an
	// Authenticator the other end, for a Peer this end (and with MS-CHAPv2
	// the other as well).
	Err error
	// Keys are the MPPE start keys as seen from this end, nil without MS-CHAP.
	Keys *mppe.Keys
	// Message is what the server said to its client. On a Peer it is hostile
	// text, cut.
	Message string
}

func (Frame) output()    {}
func (*Request) output() {}
func (Done) output()     {}

// Errors from Input. All of them mean that the packet was ignored and the
// machine is as usable as before.
var (
	ErrProtocol   = errors.New("auth: packet of another protocol")
	ErrUnexpected = errors.New("auth: unexpected packet")
	ErrMalformed  = errors.New("auth: malformed packet")
)

// Errors of Done.
var (
	// ErrTimeout: the other end did not answer, or the owner of an
	// Authenticator did not. It has a Timeout method that reports true.
	ErrTimeout error = timeoutError{}
	// ErrRefused: this end refused the other.
	ErrRefused = errors.New("auth: peer refused")
	// ErrNotMutual: the server accepted us but did not prove that it knows the
	// password (RFC 2759, section 5).
	ErrNotMutual = errors.New("auth: server did not prove that it knows the password")
	// ErrChallenge: the server's challenge has the wrong size for the method.
	ErrChallenge = errors.New("auth: challenge of wrong size")
	// ErrReflected: the challenge is one of our own, sent back to make us
	// answer it.
	ErrReflected = errors.New("auth: own challenge sent back")
)

// ErrStarted means a second Start.
var ErrStarted = errors.New("auth: already started")

type timeoutError struct{}

func (timeoutError) Error() string { return "auth: timeout" }
func (timeoutError) Timeout() bool { return true }

// A RejectedError says that the server refused us.
type RejectedError struct {
	Method  Method
	Code    int    // Microsoft's error number, zero if none was sent
	Message string // hostile text, cut
}

func (e *RejectedError) Error() string {
	s := fmt.Sprintf("auth: %v rejected", e.Method)
	if e.Code != 0 {
		s += fmt.Sprintf(": error %d", e.Code)
		if why, ok := codeText[e.Code]; ok {
			s += " (" + why + ")"
		}
	}
	if e.Message != "" {
		s += ": " + quote(e.Message)
	}
	return s
}

const (
	// retryInterval is the customary restart time of PPP, RFC 1661, section
	// 4.6, which PAP and CHAP leave open.
	retryInterval = 3 * time.Second
	// maxTransmits is the customary Max-Configure, RFC 1661, section 4.6: half
	// a minute in all, after which nobody is there.
	maxTransmits = 10
	// papPatience is how long an Authenticator waits for a PAP request, which
	// it cannot prompt: as long as its challenges would take.
	papPatience = maxTransmits * retryInterval
	// patience bounds what depends on somebody's lookup: how long an
	// Authenticator waits for its owner, and how long a Peer waits for a
	// verdict. It is above the time that a server needs for several RADIUS
	// servers in turn.
	patience = 60 * time.Second
)

// queue holds what Next gives out.
type queue struct{ out []Output }

func (q *queue) push(o Output) { q.out = append(q.out, o) }

// Next gives the next output, until there is none.
func (q *queue) Next() (Output, bool) {
	if len(q.out) == 0 {
		return nil, false
	}
	o := q.out[0]
	q.out[0] = nil // it may hold secrets; let it go with its receiver
	q.out = q.out[1:]
	return o, true
}

// repeat queues a frame that was sent before, unless the owner has yet to take
// what is queued already: a flood of repeated packets must not fill memory.
func (q *queue) repeat(f Frame) {
	if len(q.out) == 0 {
		q.push(f)
	}
}

// ForAuthenticator reports whether a packet is for the side that authenticates,
// where both do it on one link. The rest is for the Peer.
func ForAuthenticator(proto ppp.Protocol, pkt []byte) bool {
	var p ppp.Packet
	if p.Parse(pkt) != nil {
		return false
	}
	return proto == ppp.ProtocolPAP && p.Code == papAuthenticateRequest ||
		proto == ppp.ProtocolCHAP && p.Code == chapResponse
}
