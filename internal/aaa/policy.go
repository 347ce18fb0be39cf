package aaa

import (
	"cmp"
	"time"

	"gopptp/internal/shape"
)

// A Policy is what a session obeys besides its addresses and its encryption. A
// zero value asks for nothing.
type Policy struct {
	SessionTimeout time.Duration // the longest time of a session
	IdleTimeout    time.Duration // the longest time without user traffic
	LimitIn        uint64        // octets that the client may send
	LimitOut       uint64        // octets that the client may receive
	LimitTotal     uint64        // octets in both directions
	Rate           shape.Limit
	PortLimit      int // sessions of the user at the same time
	Routes         []Route

	Compression    bool // MPPC, if the client agrees
	ChangeMSS      bool // fit the MSS of TCP to the tunnel
	AddressLists   []string
	InterfaceList  string
	IncomingFilter string // firewall chain for packets from the client
	OutgoingFilter string // firewall chain for packets to the client
	Bridge         BridgePort

	OnUp, OnDown string // scripts
}

// A BridgePort is how the interface of a session joins a bridge.
type BridgePort struct {
	Bridge   string // its interface; empty for none
	Priority *int   // nil to leave it as it is
	PathCost int    // 0 to leave it as it is
	Horizon  uint32 // ports with the same horizon do not reach each other; 0 for none
	Learning Tri    // default is yes
	VID      int    // VLAN of untagged frames; 0 to leave it as it is
	Trusted  bool
}

// policy settles what holds for a user with this secret and profile on a service
// with that default profile: what the narrower one leaves open, the wider one
// says.
func policy(secret *Secret, own, service *Profile) Policy {
	p := Policy{
		SessionTimeout: cmp.Or(own.SessionTimeout, service.SessionTimeout),
		IdleTimeout:    cmp.Or(own.IdleTimeout, service.IdleTimeout),
		LimitIn:        secret.LimitIn,
		LimitOut:       secret.LimitOut,
		Routes:         secret.Routes,
		Compression:    Settle(own.UseCompression, service.UseCompression) == Yes,
		ChangeMSS:      Settle(own.ChangeMSS, service.ChangeMSS) == Yes,
		InterfaceList:  cmp.Or(own.InterfaceList, service.InterfaceList),
		IncomingFilter: cmp.Or(own.IncomingFilter, service.IncomingFilter),
		OutgoingFilter: cmp.Or(own.OutgoingFilter, service.OutgoingFilter),
		OnUp:           cmp.Or(own.OnUp, service.OnUp),
		OnDown:         cmp.Or(own.OnDown, service.OnDown),
		AddressLists:   own.AddressLists,
		Bridge:         own.Bridge,
	}
	if p.AddressLists == nil {
		p.AddressLists = service.AddressLists
	}
	if p.Bridge.Bridge == "" {
		p.Bridge = service.Bridge
	}
	p.Bridge.Learning = bridgeLearning(own, service)
	switch {
	case own.RateLimit != nil:
		p.Rate = *own.RateLimit
	case service.RateLimit != nil:
		p.Rate = *service.RateLimit
	}
	if Settle(own.OnlyOne, service.OnlyOne) == Yes {
		p.PortLimit = 1
	}
	return p
}

// bridgeLearning settles a property whose default is yes, unlike the others'.
func bridgeLearning(own, service *Profile) Tri {
	if t := cmp.Or(own.Bridge.Learning, service.Bridge.Learning); t != Default {
		return t
	}
	return Yes
}

// Policy is what a session obeys that has no secret: that of a client, by its own
// profile.
func (p Profile) Policy() Policy { return policy(&Secret{}, &p, &Profile{}) }
