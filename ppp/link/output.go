package link

import (
	"fmt"
	"net/netip"

	"gopptp/mppe"
	"gopptp/ppp/auth"
)

// An Output is one thing for the owner to do. There is one queue, and its order
// is what keeps the link safe: keys before the frames after which they are
// needed.
type Output interface{ output() }

// A Frame is to be sent as it is, FF 03 and protocol included.
type Frame []byte

// An AuthRequest asks who the peer is. The answer is Authorize, whenever it is
// known; until then the link waits.
type AuthRequest struct{ *auth.Request }

// Authenticated says that the peer is who it says (server) or that it took us
// for who we say (client).
type Authenticated struct {
	User   string // server: hostile text
	Method auth.Method
}

// ReceiveKey comes before the first frame that lets the peer send encrypted. It
// replaces an earlier receive key, whose chain ends here. It opens no gate:
// user packets wait for NetworkUp, or after Blocked for SendKey. With a Strength
// of None the peer may compress only, and the key is zero.
type ReceiveKey struct {
	Config mppe.Config
	Key    mppe.StartKey
}

// SendKey says that encryption is agreed in both directions: from now on every
// user packet is encrypted, and a clear one from the peer is dropped. It lifts
// Blocked.
//
// With a Strength of None it says that compression alone is agreed: user packets
// may come in clear as well, and without Compress they leave in clear too.
type SendKey struct {
	Config mppe.Config
	Key    mppe.StartKey
}

// Blocked takes both keys away: no user packet passes in either direction, not
// even in clear, until the next SendKey or NetworkUp. A ReceiveKey that follows
// it makes the decompressor ready, no more.
type Blocked struct{}

// FlushSend says that the peer lost step in stateful mode: Ack is to be sent, and
// the sender begins anew with the packet after it (RFC 3078, section 3.2). No user
// packet may come between: Linux reads none before Ack, and drops what follows it
// until the one that begins anew.
type FlushSend struct{ Ack Frame }

// NetworkUp says that IP may flow, unless it has no addresses: then only what
// BridgeUp speaks of does. Encryption is settled before: Send and Receive
// are the zero Config if it flows in clear. A link that was encrypted once is
// never reported in clear.
type NetworkUp struct {
	Local, Remote netip.Addr
	// DNS are the name servers that the peer gave (client) or was offered
	// (server); WINS likewise, on the server.
	DNS, WINS []netip.Addr
	// MTU is the largest IP packet to send, MRU the largest that the peer may.
	// With Multilink they come from the MRRUs.
	MTU, MRU int
	// ACFC and PFC tell which fields of a data frame's header the peer lets us
	// leave out.
	ACFC, PFC     bool
	Send, Receive mppe.Config
}

// NetworkDown says that IP no longer flows and that the keys are void.
type NetworkDown struct{}

// MissedEcho says that nothing came in the second after the N-th echo.
type MissedEcho struct{ N int }

// Down is the last output: the link is dead. Frames before it still go out.
type Down struct {
	Reason string // as RouterOS logs it, or as given to Close
	Cause  error  // more about it, or nil
}

func (Frame) output()         {}
func (AuthRequest) output()   {}
func (Authenticated) output() {}
func (ReceiveKey) output()    {}
func (SendKey) output()       {}
func (Blocked) output()       {}
func (FlushSend) output()     {}
func (NetworkUp) output()     {}
func (NetworkDown) output()   {}
func (MissedEcho) output()    {}
func (Down) output()          {}

// String hides the content: the password is in the frames of PAP.
func (f Frame) String() string { return fmt.Sprintf("frame of %d octets", len(f)) }

// GoString hides the content from %#v.
func (f Frame) GoString() string { return f.String() }

// The reasons of Down, other than those given to Close.
const (
	ReasonNotResponding = "peer is not responding"
	ReasonHungup        = "hungup"
	ReasonOurAuth       = "failed to authenticate ourselves to peer"
	ReasonAuth          = "authentication failed"
	ReasonLCP           = "LCP negotiation failed"
	ReasonAddress       = "could not determine remote address"
	ReasonEncryption    = "encryption negotiation rejected"
	ReasonBridge        = "bridging negotiation rejected"
)
