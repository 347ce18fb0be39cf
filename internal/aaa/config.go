// Package aaa decides who may connect and with what: it answers authentication
// requests from local secrets and profiles (/ppp/secret, /ppp/profile), and gives
// out the addresses of pools (/ip/pool).
//
// It speaks no protocol of its own and never logs a password. Of users whom RADIUS
// knows it says what their profile gives them, and no more.
package aaa

import (
	"net/netip"
	"time"

	"gopptp/internal/shape"
)

// A Tri is a property with the values default, no and yes (and, for
// encryption, required). Default is taken from the service's default profile;
// there it means no.
type Tri uint8

// The values of a Tri.
const (
	Default Tri = iota
	No
	Yes
	Required
)

// String gives the RouterOS word.
func (t Tri) String() string {
	switch t {
	case No:
		return "no"
	case Yes:
		return "yes"
	case Required:
		return "required"
	}
	return "default"
}

// A Profile is a row of /ppp/profile in the engine's types. A zero address is
// unset.
type Profile struct {
	Name          string
	LocalAddress  netip.Addr
	RemoteAddress netip.Addr
	LocalPool     string // name of the pool to take the address from, if that is not set
	RemotePool    string
	UseEncryption Tri
	OnlyOne       Tri
	DNSServers    []netip.Addr // at most two
	WINSServers   []netip.Addr // at most two

	SessionTimeout time.Duration
	IdleTimeout    time.Duration
	RateLimit      *shape.Limit // nil if unset
	UseCompression Tri
	ChangeMSS      Tri
	AddressLists   []string
	InterfaceList  string
	IncomingFilter string
	OutgoingFilter string
	Bridge         BridgePort
	OnUp, OnDown   string // scripts
}

// A Secret is a row of /ppp/secret in the engine's types.
type Secret struct {
	ID            uint64 // the row's id
	Name          string
	Service       string // any, pptp, …: only any and pptp serve a tunnel
	Password      string // secret
	Profile       string // name of a profile
	CallerID      string // the client's address; empty for any
	LocalAddress  netip.Addr
	RemoteAddress netip.Addr
	Routes        []Route
	LimitIn       uint64 // octets that the client may send; 0 for any
	LimitOut      uint64 // octets that the client may receive; 0 for any
	Disabled      bool
}

// String hides the password from logs and errors.
func (s Secret) String() string { return "aaa.Secret(" + s.Name + ")" }

// GoString hides the password from %#v.
func (s Secret) GoString() string { return s.String() }
