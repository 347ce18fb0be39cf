package radius

import (
	"net/netip"
	"time"

	wire "layeh.com/radius"
)

// A Status is Acct-Status-Type (RFC 2866, section 5.1).
type Status uint32

// The values of a Status.
const (
	Start   Status = 1
	Stop    Status = 2
	Interim Status = 3
	On      Status = 7
	Off     Status = 8
)

// A Cause is Acct-Terminate-Cause (RFC 2866, section 5.10).
type Cause uint32

// The causes that a tunnel can end with.
const (
	UserRequest        Cause = 1
	LostCarrier        Cause = 2
	LostService        Cause = 3
	IdleTimeout        Cause = 4
	SessionTimeout     Cause = 5
	AdminReset         Cause = 6
	AdminReboot        Cause = 7
	PortError          Cause = 8
	NASError           Cause = 9
	NASRequest         Cause = 10
	NASReboot          Cause = 11
	ServiceUnavailable Cause = 15
	UserError          Cause = 17
	HostRequest        Cause = 18
)

// Usage is what a session has used. Input is what came from the client (RFC
// 2866, section 5.3).
type Usage struct {
	Time                        time.Duration
	InputOctets, OutputOctets   uint64
	InputPackets, OutputPackets uint64
}

// A Record is one accounting message. It holds no secret.
type Record struct {
	Status  Status
	At      time.Time // of the event; zero for now
	Session Session
	Local   bool       // authenticated by a local secret, not by RADIUS
	Address netip.Addr // the client's inner address; zero if it has none
	Class   [][]byte   // as Policy.Class
	Usage   Usage      // Interim and Stop
	Cause   Cause      // Stop
}

var (
	attrAcctStatusType      = kind{typ: 40}
	attrAcctDelayTime       = kind{typ: 41}
	attrAcctInputOctets     = kind{typ: 42}
	attrAcctOutputOctets    = kind{typ: 43}
	attrAcctAuthentic       = kind{typ: 45}
	attrAcctSessionTime     = kind{typ: 46}
	attrAcctInputPackets    = kind{typ: 47}
	attrAcctOutputPackets   = kind{typ: 48}
	attrAcctTerminateCause  = kind{typ: 49}
	attrAcctInputGigawords  = kind{typ: 52}
	attrAcctOutputGigawords = kind{typ: 53}
	attrEventTimestamp      = kind{typ: 55}
)

// The values of Acct-Authentic (RFC 2866, section 5.6).
const (
	authenticRADIUS = 1
	authenticLocal  = 2
)

// packet builds the Accounting-Request. The delay is the one at the first
// transmission: a repeated request is the same to the octet, or it would need
// another identifier (RFC 2866, section 5.2).
func (r *Record) packet(secret []byte, n nas, now time.Time) (*wire.Packet, error) {
	var l attributeList
	l.integer(attrAcctStatusType, uint32(r.Status))
	if r.Status == On || r.Status == Off {
		l.text(attrAcctSessionID, r.Session.ID)
		l.identify(n)
	} else {
		l.describe(r.Session, n)
		l.integer(attrAcctAuthentic, r.authentic())
		if r.Address.IsValid() {
			l.address(attrFramedIPAddress, kind{}, r.Address)
		}
		for _, c := range r.Class {
			l.octets(attrClass, c)
		}
	}
	if r.Status == Stop || r.Status == Interim {
		u := r.Usage
		l.integer(attrAcctSessionTime, uint32(u.Time/time.Second))
		l.integer(attrAcctInputOctets, uint32(u.InputOctets))
		l.integer(attrAcctInputGigawords, uint32(u.InputOctets>>32))
		l.integer(attrAcctOutputOctets, uint32(u.OutputOctets))
		l.integer(attrAcctOutputGigawords, uint32(u.OutputOctets>>32))
		// There are no gigawords of packets: the counters run round.
		l.integer(attrAcctInputPackets, uint32(u.InputPackets))
		l.integer(attrAcctOutputPackets, uint32(u.OutputPackets))
	}
	if r.Status == Stop {
		l.integer(attrAcctTerminateCause, uint32(r.Cause))
	}
	l.time(attrEventTimestamp, r.At)
	l.integer(attrAcctDelayTime, uint32(max(now.Sub(r.At), 0)/time.Second))
	p := &wire.Packet{Code: wire.CodeAccountingRequest, Secret: secret, Attributes: l.Attributes}
	return p, l.err
}

func (r *Record) authentic() uint32 {
	if r.Local {
		return authenticLocal
	}
	return authenticRADIUS
}
